/* Takes all handles, threads and processes that there are, gives them back, and does it again,
 * while a bystander computes. */
#include "lib/work.h"
#include <string.h>

enum { SEED, RESULT, STOP, STEPS };

static int64_t bystander(volatile uint64_t *words)
{
    uint64_t x = words[SEED];
    for (; !words[STOP]; words[STEPS]++) {
        x = chain(x, 1000);
        words[RESULT] = x;
    }
    return 7;
}

/* Waits for the word at a0 to be set, and ends; needs no stack. */
extern char waiter[];
asm(".pushsection .text.waiter, \"ax\", @progbits\n"
    "waiter:\n"
    "    ld t0, 0(a0)\n"
    "    bnez t0, 1f\n"
    "    li a7, 3\n"
    "    mv s0, a0\n"
    "    ecall\n"
    "    mv a0, s0\n"
    "    j waiter\n"
    "1:  li a7, 4\n"
    "    ecall\n"
    ".popsection");
_Static_assert(SYS_thread_yield == 3 && SYS_thread_exit == 4, "waiter makes these calls");

static struct child other;

/* Goes on when the bystander has made some steps: it can, also now. */
static void let_bystander_run(void)
{
    test_priority(PRIORITY_DEFAULT);
    for (uint64_t steps = other.words[STEPS]; other.words[STEPS] < steps + 3;)
        thread_yield();
    test_priority(PRIORITY_DEFAULT + 1);
}

/* Each of these counts how many there are until the call fails, prints that and the error. */
static void fill_handles(handle_t self)
{
    static handle_t handles[HANDLES_MAX];
    int64_t result;
    unsigned count = 0;
    while (count < HANDLES_MAX && (result = handle_dup(self, RIGHT_DUP)) > 0)
        handles[count++] = (handle_t)result;
    say("handles %u %ld\n", count, (long)result);
    let_bystander_run();
    while (count)
        handle_close(handles[--count]);
}

static void fill_threads(void)
{
    static volatile uint64_t stop;
    int64_t result;
    unsigned count = 0;
    stop = 0;
    while ((result = thread_create((uint64_t)waiter, 0, (uint64_t)&stop, 0)) >= 0)
        count++;
    say("threads %u %ld\n", count, (long)result);
    let_bystander_run();
    stop = 1;
    while (thread_create((uint64_t)waiter, 0, (uint64_t)&stop, 0) < 0) /* until one is free */
        thread_yield();
    for (int i = 0; i < 2000; i++) /* and all the others had their turn */
        thread_yield();
}

static void fill_processes(void)
{
    static handle_t handles[PROCESSES_MAX];
    int64_t result;
    unsigned count = 0;
    while (count < PROCESSES_MAX && (result = process_create("empty", 5, NULL)) > 0)
        handles[count++] = (handle_t)result;
    say("processes %u %ld\n", count, (long)result);
    let_bystander_run();
    while (count)
        handle_close(handles[--count]);
}

/* A process that may have so few pages that it cannot have a thread. */
static void fill_quota(uint32_t pages)
{
    struct process_quota quota = {.pages = pages};
    struct child child;
    test_need(child_new(&child, "poor", &quota), "a child");
    say("poor %ld\n", (long)child_start(&child, bystander, PRIORITY_DEFAULT));
    child_end(&child);
}

int64_t first_main(const void *passed, struct ipc_page *page)
{
    const struct first_process_info *info = passed;
    (void)page;
    test_begin(passed, "exhaust");
    test_need(child_new(&other, "bystander", NULL), "a child");
    other.words[SEED] = test_next();
    test_need(child_start(&other, bystander, PRIORITY_DEFAULT), "process_start");
    test_priority(PRIORITY_DEFAULT + 1);
    for (uint64_t rounds = test_next(); rounds; rounds--) {
        fill_handles(info->self);
        fill_threads();
        fill_processes();
        fill_quota((uint32_t)test_next());
    }
    other.words[STOP] = 1;
    test_priority(PRIORITY_DEFAULT);
    struct process_status status = child_wait(&other);
    say("bystander %u %ld %lu 0x%lx\n", (unsigned)status.reason, (long)status.value,
        (unsigned long)other.words[STEPS], (unsigned long)other.words[RESULT]);
    test_end();
    return 0;
}
