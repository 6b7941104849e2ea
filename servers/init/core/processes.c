/* The process table. Invariant: a slot that is not free counts in used; every parent named in a
 * slot is init or a running process. */

#include "processes.h"
#include "abi/errno.h"
#include "proto/process.h"
#include <string.h>

/* Signals whose default action is not to end the process. Job control (stop and continue) does
 * not exist here, so those signals do nothing either. */
enum { SIGNAL_CONT = 18, SIGNAL_STOP = 19, SIGNAL_TTOU = 22, SIGNAL_URG = 23, SIGNAL_WINCH = 28 };

void process_table_init(struct process_table *table, uint32_t init_pid)
{
    memset(table, 0, sizeof *table);
    table->init = init_pid;
}

static bool visible(const struct process *process)
{
    return process->stage == SLOT_RUNNING || process->stage == SLOT_ENDED;
}

struct process *process_find(struct process_table *table, uint32_t pid)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (table->slots[i].pid == pid && visible(&table->slots[i]))
            return &table->slots[i];
    return NULL;
}

static size_t count_children(const struct process_table *table, uint32_t pid)
{
    size_t count = 0;
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        count += table->slots[i].stage != SLOT_FREE && table->slots[i].parent == pid;
    return count;
}

static size_t count_account(const struct process_table *table, uint32_t account)
{
    size_t count = 0;
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        count += table->slots[i].stage != SLOT_FREE && table->slots[i].account == account;
    return count;
}

/* An ordinary process passes its account on; a child of a service or of the shell opens one. */
static uint32_t account_of_child(const struct process *creator)
{
    return creator != NULL && creator->kind == KIND_ORDINARY ? creator->account : 0;
}

static bool within_limits(const struct process_table *table, const struct process *creator,
                          enum process_kind kind)
{
    size_t reserved = SLOTS_RESERVED;
    if (kind == KIND_SERVICE || creator == NULL)
        reserved = 0;
    else if (creator->kind == KIND_SHELL)
        reserved = SLOTS_RESERVED / 2;
    if (PROCESSES_MAX - 1 - table->used <= reserved) /* one of the kernel's slots is init */
        return false;
    if (creator == NULL)
        return true;
    uint32_t account = account_of_child(creator);
    return count_children(table, creator->pid) < CHILDREN_MAX &&
           (account == 0 || count_account(table, account) < ACCOUNT_MAX);
}

struct process *process_admit(struct process_table *table, const struct process *creator,
                              enum process_kind kind, bool detached)
{
    if (!within_limits(table, creator, kind))
        return NULL;
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *process = &table->slots[i];
        if (process->stage != SLOT_FREE)
            continue;
        memset(process, 0, sizeof *process);
        process->stage = SLOT_PREPARED;
        process->kind = kind;
        process->administrator = kind == KIND_SHELL || (creator != NULL && creator->administrator);
        process->parent = creator == NULL || detached ? table->init : creator->pid;
        process->job = creator == NULL ? 0 : creator->job;
        process->account = account_of_child(creator);
        table->used++;
        return process;
    }
    return NULL;
}

void process_started(struct process_table *table, struct process *process, uint32_t pid)
{
    process->stage = SLOT_RUNNING;
    process->pid = pid;
    if (process->job == 0)
        process->job = pid;
    if (process->account == 0)
        process->account = pid;
    if (process->parent != table->init && process_find(table, process->parent) == NULL)
        process->parent = table->init; /* the creator ended between prepare and start */
}

void process_release(struct process_table *table, struct process *process)
{
    if (process->stage == SLOT_FREE)
        return;
    memset(process, 0, sizeof *process);
    table->used--;
}

bool process_ended(struct process_table *table, struct process *process,
                   const struct process_status *status)
{
    process->stage = SLOT_ENDED;
    process->status = *status;
    process->status.cpu_time += process->children_time;
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *child = &table->slots[i];
        if (child->stage == SLOT_FREE || child->parent != process->pid)
            continue;
        child->parent = table->init;
        if (child->stage == SLOT_ENDED)
            process_release(table, child);
    }
    const struct process *parent = process_find(table, process->parent);
    return parent != NULL && parent->stage == SLOT_RUNNING &&
           !(parent->ignored & 1ul << SIGNAL_CHLD);
}

void process_collected(struct process_table *table, struct process *process)
{
    struct process *parent = process_find(table, process->parent);
    if (parent != NULL)
        parent->children_time += process->status.cpu_time;
    process_release(table, process);
}

static bool wait_matches(const struct process *child, int64_t target, uint32_t waiter_job)
{
    if (target == -1)
        return true;
    if (target > 0)
        return child->pid == (uint64_t)target;
    return child->job == (target == 0 ? waiter_job : 0 - (uint64_t)target);
}

int process_wait_check(struct process_table *table, const struct process *process, int64_t target,
                       struct process **ended)
{
    bool any = false;

    if (target < -(int64_t)UINT32_MAX || target > (int64_t)UINT32_MAX)
        return -EINVAL;
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *child = &table->slots[i];
        if (!visible(child) || child->parent != process->pid ||
            !wait_matches(child, target, process->job))
            continue;
        if (child->stage == SLOT_ENDED) {
            *ended = child;
            return 1;
        }
        any = true;
    }
    return any ? 0 : -ECHILD;
}

static struct waiter *oldest_waiter_of(struct process_table *table, uint32_t pid, size_t *count)
{
    struct waiter *oldest = NULL;
    *count = 0;
    for (size_t i = 0; i < WAITERS_MAX; i++) {
        struct waiter *waiter = &table->waiters[i];
        if (waiter->token == 0 || waiter->pid != pid)
            continue;
        (*count)++;
        if (oldest == NULL || waiter->order < oldest->order)
            oldest = waiter;
    }
    return oldest;
}

uint64_t waiter_add(struct process_table *table, const struct process *process, int64_t target,
                    uint64_t token)
{
    size_t count;
    struct waiter *place = oldest_waiter_of(table, process->pid, &count);

    if (count < WAITERS_OF_ONE) {
        for (size_t i = 0; i < WAITERS_MAX; i++) {
            if (table->waiters[i].token == 0) {
                place = &table->waiters[i];
                break;
            }
        }
    }
    if (place == NULL)
        return token;
    uint64_t displaced = place->token;
    *place = (struct waiter){token, process->pid, target, table->arrivals++};
    return displaced;
}

uint64_t waiter_take(struct process_table *table, const struct process *child)
{
    struct waiter *first = NULL;
    const struct process *parent = process_find(table, child->parent);

    if (parent == NULL)
        return 0;
    for (size_t i = 0; i < WAITERS_MAX; i++) {
        struct waiter *waiter = &table->waiters[i];
        if (waiter->token != 0 && waiter->pid == parent->pid &&
            wait_matches(child, waiter->target, parent->job) &&
            (first == NULL || waiter->order < first->order))
            first = waiter;
    }
    if (first == NULL)
        return 0;
    uint64_t token = first->token;
    first->token = 0;
    return token;
}

void waiter_drop(struct process_table *table, uint32_t pid)
{
    for (size_t i = 0; i < WAITERS_MAX; i++)
        if (table->waiters[i].pid == pid)
            table->waiters[i].token = 0;
}

uint64_t waiter_hopeless(struct process_table *table, const struct process *process)
{
    for (size_t i = 0; i < WAITERS_MAX; i++) {
        struct waiter *waiter = &table->waiters[i];
        struct process *ended;
        if (waiter->token == 0 || waiter->pid != process->pid ||
            process_wait_check(table, process, waiter->target, &ended) != -ECHILD)
            continue;
        uint64_t token = waiter->token;
        waiter->token = 0;
        return token;
    }
    return 0;
}

bool process_descends(struct process_table *table, const struct process *process,
                      const struct process *ancestor)
{
    for (size_t steps = 0; process != NULL && steps < PROCESSES_MAX; steps++) {
        if (process == ancestor)
            return true;
        if (process->parent == table->init)
            return false;
        process = process_find(table, process->parent);
    }
    return false;
}

bool process_may_signal(struct process_table *table, const struct process *caller,
                        const struct process *target)
{
    return caller->administrator || process_descends(table, target, caller);
}

enum signal_effect signal_effect(const struct process *process, unsigned signal)
{
    uint64_t bit = 1ul << signal;

    if (process->stage != SLOT_RUNNING)
        return SIGNAL_NOTHING;
    if (signal == SIGNAL_KILL)
        return SIGNAL_KILLS;
    if (process->handled & bit)
        return SIGNAL_PULSES;
    if ((process->ignored & bit) || signal == SIGNAL_CHLD || signal == SIGNAL_URG ||
        signal == SIGNAL_WINCH || (signal >= SIGNAL_CONT && signal <= SIGNAL_TTOU))
        return SIGNAL_NOTHING;
    return SIGNAL_KILLS;
}

struct process *job_next(struct process_table *table, uint32_t job, const struct process *previous)
{
    size_t i = previous == NULL ? 0 : (size_t)(previous - table->slots) + 1;
    for (; i < PROCESSES_MAX; i++)
        if (table->slots[i].stage == SLOT_RUNNING && table->slots[i].job == job)
            return &table->slots[i];
    return NULL;
}

int job_join(struct process_table *table, const struct process *caller, struct process *child,
             uint32_t leader)
{
    if (child != caller && child->parent != caller->pid)
        return -EPERM;
    if (leader == 0 || leader == child->pid) {
        child->job = child->pid;
        return 0;
    }
    /* The leader may have ended; then any member of its job stands for it. */
    const struct process *member = process_find(table, leader);
    if (member == NULL || member->job != leader)
        member = job_next(table, leader, NULL);
    if (member == NULL)
        return -ESRCH;
    if (member != caller && member->parent != caller->pid && member->job != caller->job)
        return -EPERM;
    child->job = leader;
    return 0;
}
