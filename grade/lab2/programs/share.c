/* Programs and threads of different priorities that compute, with and without floating point, give
 * way, and say when they are done. */
#include "lib/work.h"
#include <string.h>

#define CHILDREN 12
#define THREADS  3
#define PIECE    100000 /* rounds between two system calls */

enum { SEED, ROUNDS, ID, SUMS, SUMS_FP = SUMS + THREADS, DONE = SUMS_FP + THREADS };

static volatile uint64_t *shared;
static uint8_t stacks[THREADS][8192] __attribute__((aligned(16)));

/* Each piece's result goes into the next, so that nothing can be left out. */
static void work(uint64_t number)
{
    uint64_t x = shared[SEED] + number, rounds = shared[ROUNDS];
    double f = (double)(x % 1000);
    for (uint64_t done = 0; done < rounds; done += PIECE) {
        x = chain(x, PIECE);
        f = chain_fp(f, PIECE / 50);
        if (x % 4 == 0)
            thread_yield();
    }
    uint64_t bits;
    memcpy(&bits, &f, sizeof(bits));
    shared[SUMS + number] = x;
    shared[SUMS_FP + number] = bits;
    __atomic_fetch_add(&shared[DONE], 1, __ATOMIC_ACQ_REL);
}

static int64_t program(volatile uint64_t *words)
{
    shared = words;
    for (uint64_t n = 1; n < THREADS; n++)
        test_need(child_thread(work, n, stacks[n] + sizeof(stacks[n]), 0), "thread_create");
    work(0);
    while (shared[DONE] < THREADS)
        thread_yield();
    say("done %lu\n", (unsigned long)words[ID]);
    return (int64_t)(words[SEED] % 256);
}

int64_t first_main(const void *passed, struct ipc_page *page)
{
    static struct child children[CHILDREN];
    (void)page;
    test_begin(passed, "share");
    test_priority(PRIORITIES - 1);
    unsigned count = 0;
    while (test_more() && count < CHILDREN) {
        struct child *child = &children[count];
        test_need(child_new(child, "share", NULL), "a child");
        uint32_t priority = (uint32_t)test_next();
        child->words[ID] = count++;
        child->words[SEED] = test_next();
        child->words[ROUNDS] = test_next();
        test_need(child_start(child, program, priority), "process_start");
    }
    say("started\n");
    test_priority(1);
    for (unsigned i = 0; i < count; i++)
        child_wait(&children[i]); /* what follows is one line in many pieces */
    for (unsigned i = 0; i < count; i++) {
        struct process_status status = child_wait(&children[i]);
        say("child %u %u %ld", i, (unsigned)status.reason, (long)status.value);
        for (int n = 0; n < THREADS; n++)
            say(" 0x%lx 0x%lx", (unsigned long)children[i].words[SUMS + n],
                (unsigned long)children[i].words[SUMS_FP + n]);
        say("\n");
        child_end(&children[i]);
    }
    test_end();
    return 0;
}
