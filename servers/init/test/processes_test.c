/* Tests the process table: parents, orphans, waiting, jobs, signals, and the limits. */

#include "abi/errno.h"
#include "check.h"
#include "init/core/processes.h"
#include "proto/process.h"
#include <string.h>

#define INIT_PID 1

static struct process_table table;
static uint32_t next_pid;

static void begin(void)
{
    process_table_init(&table, INIT_PID);
    next_pid = 2;
}

static struct process *start_as(const struct process *creator, enum process_kind kind,
                                bool detached)
{
    struct process *process = process_admit(&table, creator, kind, detached);
    if (process != NULL)
        process_started(&table, process, next_pid++);
    return process;
}

static struct process *start(const struct process *creator)
{
    return start_as(creator, KIND_ORDINARY, false);
}

/* As init does it: true if the process stays for its parent. */
static bool end(struct process *process, int64_t value)
{
    struct process_status status = {
        .pid = process->pid, .reason = EXIT_NORMAL, .value = value, .cpu_time = 1000};
    waiter_drop(&table, process->pid);
    bool keep = process_ended(&table, process, &status);
    if (!keep)
        process_release(&table, process);
    return keep;
}

static void test_wait(void)
{
    struct process *ended = NULL;
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    CHECK(shell->parent == INIT_PID && shell->job == shell->pid);
    CHECK(process_wait_check(&table, shell, -1, &ended) == -ECHILD);
    struct process *a = start(shell), *b = start(shell), *grandchild = start(a);
    uint32_t a_pid = a->pid, b_pid = b->pid;
    CHECK(a->parent == shell->pid && grandchild->parent == a_pid);
    CHECK(process_wait_check(&table, shell, -1, &ended) == 0);
    CHECK(process_wait_check(&table, shell, a_pid, &ended) == 0);
    CHECK(process_wait_check(&table, shell, grandchild->pid, &ended) == -ECHILD);
    CHECK(process_wait_check(&table, shell, INT64_MIN, &ended) == -EINVAL);
    CHECK(process_wait_check(&table, shell, INT64_MAX, &ended) == -EINVAL);

    CHECK(end(b, 5));
    CHECK(process_wait_check(&table, shell, a_pid, &ended) == 0);
    CHECK(process_wait_check(&table, shell, b_pid, &ended) == 1 && ended == b);
    CHECK(process_wait_check(&table, shell, -1, &ended) == 1 && ended == b);
    CHECK(ended->status.value == 5 && ended->stage == SLOT_ENDED);
    process_release(&table, b);
    CHECK(process_find(&table, b_pid) == NULL);
    CHECK(process_wait_check(&table, shell, b_pid, &ended) == -ECHILD);
    CHECK(process_wait_check(&table, shell, -1, &ended) == 0);
}

/* The time of a process covers those of its descendants that were waited for, and no others. */
static void test_time(void)
{
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    struct process *parent = start(shell), *child = start(parent), *orphan = start(parent);
    struct process *grandchild = start(child);
    CHECK(end(grandchild, 0));
    CHECK(grandchild->status.cpu_time == 1000);
    process_collected(&table, grandchild);
    CHECK(grandchild->stage == SLOT_FREE && child->children_time == 1000);
    CHECK(end(child, 0));
    CHECK(child->status.cpu_time == 2000);
    process_collected(&table, child);
    CHECK(end(orphan, 0));
    CHECK(end(parent, 0)); /* without waiting for the last one */
    CHECK(parent->status.cpu_time == 3000);
    CHECK(shell->children_time == 0);
    process_collected(&table, parent);
    CHECK(shell->children_time == 3000 && table.used == 1);
}

static void test_prepared_is_invisible(void)
{
    struct process *ended;
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    struct process *child = process_admit(&table, shell, KIND_ORDINARY, false);
    CHECK(child->stage == SLOT_PREPARED && process_find(&table, 0) == NULL);
    CHECK(process_wait_check(&table, shell, -1, &ended) == -ECHILD);
    CHECK(!end(shell, 0)); /* its creator ends in between */
    process_started(&table, child, 7);
    CHECK(child->parent == INIT_PID && child->administrator);
    CHECK(!end(child, 0) && table.used == 0);
}

static void test_orphans(void)
{
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    struct process *parent = start(shell);
    struct process *running = start(parent), *zombie = start(parent);
    CHECK(end(zombie, 0));
    CHECK(table.used == 4);
    CHECK(end(parent, 0)); /* stays for the shell; its zombie child goes with it */
    CHECK(table.used == 3 && zombie->stage == SLOT_FREE);
    CHECK(running->parent == INIT_PID && running->stage == SLOT_RUNNING);
    CHECK(!end(running, 0)); /* nobody waits for an orphan */
    CHECK(table.used == 2);

    struct process *detached = start_as(shell, KIND_ORDINARY, true);
    CHECK(detached->parent == INIT_PID && detached->administrator);
    CHECK(!end(detached, 0));

    shell->ignored = 1ul << SIGNAL_CHLD; /* who ignores SIGCHLD leaves no zombies */
    CHECK(!end(start(shell), 0));
}

static void test_waiters(void)
{
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    struct process *a = start(shell), *b = start(shell);
    CHECK(waiter_add(&table, shell, b->pid, 100) == 0);
    CHECK(waiter_add(&table, shell, -1, 101) == 0);
    CHECK(waiter_add(&table, shell, -1, 102) == 0);
    CHECK(end(a, 0));
    CHECK(waiter_take(&table, a) == 101); /* the one for b does not match; oldest first */
    CHECK(waiter_take(&table, a) == 102);
    CHECK(waiter_take(&table, a) == 0);
    CHECK(waiter_hopeless(&table, shell) == 0);
    process_release(&table, a);
    CHECK(end(b, 0));
    CHECK(waiter_hopeless(&table, shell) == 0);
    process_release(&table, b);
    CHECK(waiter_hopeless(&table, shell) == 100); /* b went to somebody else */
    CHECK(waiter_hopeless(&table, shell) == 0);

    struct process *c = start(shell);
    for (uint64_t token = 1; token <= WAITERS_OF_ONE; token++)
        CHECK(waiter_add(&table, shell, -1, token) == 0);
    CHECK(waiter_add(&table, shell, -1, 50) == 1); /* the oldest makes room */
    waiter_drop(&table, shell->pid);
    CHECK(end(c, 0) && waiter_take(&table, c) == 0);
}

static void test_waiters_full(void)
{
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    uint64_t token = 1;
    for (int i = 0; i < WAITERS_MAX / WAITERS_OF_ONE; i++) {
        struct process *parent = start(shell);
        CHECK(start(parent) != NULL);
        for (int n = 0; n < WAITERS_OF_ONE; n++)
            CHECK(waiter_add(&table, parent, -1, token++) == 0);
    }
    CHECK(waiter_add(&table, shell, -1, 9999) == 9999); /* no room: its own token comes back */
}

static void test_jobs(void)
{
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    struct process *a = start(shell), *b = start(shell), *other = start(shell);
    CHECK(a->job == shell->job);
    CHECK(job_join(&table, shell, a, 0) == 0 && a->job == a->pid);
    CHECK(job_join(&table, shell, b, a->pid) == 0 && b->job == a->pid);
    CHECK(job_join(&table, shell, b, 12345) == -ESRCH);
    CHECK(job_join(&table, shell, b, other->pid) == -ESRCH); /* leads no job */
    CHECK(job_join(&table, other, b, 0) == -EPERM);
    CHECK(job_join(&table, other, other, a->pid) == -EPERM); /* not into a stranger's job */
    CHECK(job_join(&table, other, other, 0) == 0 && other->job == other->pid);
    struct process *child = start(b);
    CHECK(child->job == a->pid);
    CHECK(job_next(&table, a->pid, NULL) == a);
    CHECK(job_next(&table, a->pid, a) == b);
    CHECK(job_next(&table, a->pid, b) == child);
    CHECK(job_next(&table, a->pid, child) == NULL);

    uint32_t job = a->pid;
    struct process *ended;
    CHECK(process_wait_check(&table, shell, -(int64_t)job, &ended) == 0);
    CHECK(end(a, 0));
    CHECK(process_wait_check(&table, shell, -(int64_t)job, &ended) == 1 && ended == a);
    process_release(&table, a);
    struct process *late = start(shell); /* the leader is gone, the job is not */
    CHECK(job_join(&table, shell, late, job) == 0 && late->job == job);
    CHECK(job_join(&table, shell, late, 0) == 0 && late->job == late->pid);
    CHECK(process_wait_check(&table, shell, 0, &ended) == -ECHILD); /* none in its own job */
    CHECK(job_next(&table, job, NULL) == b);
}

static void test_signals(void)
{
    begin();
    struct process *process = start(NULL);
    static const struct {
        unsigned signal;
        enum signal_effect by_default;
    } cases[] = {{SIGNAL_HUP, SIGNAL_KILLS},  {SIGNAL_INT, SIGNAL_KILLS},
                 {SIGNAL_QUIT, SIGNAL_KILLS}, {SIGNAL_PIPE, SIGNAL_KILLS},
                 {SIGNAL_TERM, SIGNAL_KILLS}, {SIGNAL_CHLD, SIGNAL_NOTHING},
                 {18, SIGNAL_NOTHING},        {22, SIGNAL_NOTHING},
                 {28, SIGNAL_NOTHING},        {63, SIGNAL_KILLS}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        process->handled = process->ignored = 0;
        CHECK(signal_effect(process, cases[i].signal) == cases[i].by_default);
        process->ignored = 1ul << cases[i].signal;
        CHECK(signal_effect(process, cases[i].signal) == SIGNAL_NOTHING);
        process->handled = 1ul << cases[i].signal;
        CHECK(signal_effect(process, cases[i].signal) == SIGNAL_PULSES);
    }
    process->handled = process->ignored = UINT64_MAX;
    CHECK(signal_effect(process, SIGNAL_KILL) == SIGNAL_KILLS);
    process->stage = SLOT_ENDED;
    CHECK(signal_effect(process, SIGNAL_KILL) == SIGNAL_NOTHING);
}

static void test_authority(void)
{
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    struct process *service = start_as(NULL, KIND_SERVICE, false);
    struct process *user = start(service), *child = start(user), *grandchild = start(child);
    CHECK(shell->administrator && !service->administrator && !user->administrator);
    CHECK(start(shell)->administrator);
    CHECK(process_may_signal(&table, shell, service) && process_may_signal(&table, shell, child));
    CHECK(process_may_signal(&table, user, grandchild) && process_may_signal(&table, user, user));
    CHECK(!process_may_signal(&table, user, service) && !process_may_signal(&table, child, user));
    CHECK(!process_may_signal(&table, user, shell));
    CHECK(end(child, 0)); /* the chain is broken */
    CHECK(!process_may_signal(&table, user, grandchild));
}

static void test_child_limit(void)
{
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    struct process *last = NULL;
    for (int i = 0; i < CHILDREN_MAX; i++)
        CHECK((last = start(shell)) != NULL);
    CHECK(start(shell) == NULL);
    CHECK(end(last, 0));
    CHECK(start(shell) == NULL); /* an ended child counts until somebody waits for it */
    process_release(&table, last);
    CHECK(start(shell) != NULL);
}

/* A bomb: every process starts children for as long as it can, in jobs of its own. */
static size_t explode(struct process *first)
{
    size_t count = 0;
    bool any = true;
    while (any) {
        any = false;
        for (size_t i = 0; i < PROCESSES_MAX; i++) {
            struct process *process = &table.slots[i];
            if (process->stage != SLOT_RUNNING || process->account != first->account)
                continue;
            struct process *child = start_as(process, KIND_ORDINARY, count % 3 == 0);
            if (child == NULL)
                continue;
            job_join(&table, child, child, 0);
            any = true;
            count++;
        }
    }
    return count;
}

static void test_fork_bombs(void)
{
    begin();
    struct process *shell = start_as(NULL, KIND_SHELL, false);
    struct process *bystander = start(shell), *bomb = start(shell);
    CHECK(explode(bomb) == ACCOUNT_MAX - 1);
    CHECK(start(bomb) == NULL);
    CHECK(start(bystander) != NULL);
    CHECK(start(shell) != NULL);

    /* Many bombs leave the reserve. */
    struct process *more;
    while ((more = start(shell)) != NULL)
        explode(more);
    CHECK(table.used == PROCESSES_MAX - 1 - SLOTS_RESERVED / 2);
    CHECK(start(bystander) == NULL);
    for (int i = 0; i < SLOTS_RESERVED / 2; i++)
        CHECK(start_as(NULL, KIND_SERVICE, false) != NULL);
    CHECK(start_as(NULL, KIND_SERVICE, false) == NULL); /* the kernel has no more */
}

int main(void)
{
    test_wait();
    test_time();
    test_prepared_is_invisible();
    test_orphans();
    test_waiters();
    test_waiters_full();
    test_jobs();
    test_signals();
    test_authority();
    test_child_limit();
    test_fork_bombs();
    return check_report();
}
