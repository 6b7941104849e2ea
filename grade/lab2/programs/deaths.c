/* Programs that end in every way, on their own or by others' hand, among some that just compute. */
#include "lib/work.h"

#define CHILDREN 48
#define THREADS  4
#define NOWHERE  0x60000000ul
#define KERNEL   0xffffffc080200000ul

enum { WAY, VALUE, READY, SEED, ROUNDS, RESULT };
enum {
    WAY_RETURN,
    WAY_EXIT_WITH_THREADS,
    WAY_THREADS_END,
    WAY_LOAD,
    WAY_STORE,
    WAY_JUMP,
    WAY_ILLEGAL,
    WAY_BREAK,
    WAY_KERNEL,
    WAY_CODE,
    WAY_THREAD_FAULTS,
    WAY_KILLED,
    WAY_KILLED_THREADS,
    WAY_KILLED_UNSTARTED,
    WAY_KILLED_TWICE,
    WAY_COMPUTE,
};

static volatile uint64_t *shared;
static uint8_t stacks[THREADS][4096] __attribute__((aligned(16)));

static void spin(uint64_t x)
{
    __atomic_fetch_add(&shared[READY], 1, __ATOMIC_ACQ_REL);
    for (;;)
        x = chain(x, 100);
}

static void end_at_once(uint64_t x)
{
    shared[RESULT] = chain(x, shared[VALUE] % 10000);
    __atomic_fetch_add(&shared[READY], 1, __ATOMIC_ACQ_REL);
}

static void load_nowhere(uint64_t x) { shared[RESULT] = *(volatile uint64_t *)(NOWHERE + x); }

static void more_threads(void (*function)(uint64_t), unsigned how_many)
{
    for (unsigned n = 0; n < how_many; n++)
        test_need(child_thread(function, shared[VALUE], stacks[n] + sizeof(stacks[n]), 0),
                  "thread_create");
}

static int64_t program(volatile uint64_t *words)
{
    shared = words;
    uint64_t value = words[VALUE];
    switch (words[WAY]) {
    case WAY_RETURN:
        return (int64_t)value;
    case WAY_EXIT_WITH_THREADS:
        more_threads(spin, THREADS);
        chain(value, value % 100000);
        return (int64_t)value;
    case WAY_THREADS_END:
        more_threads(end_at_once, THREADS);
        thread_exit();
        break;
    case WAY_LOAD:
        load_nowhere(value & ~7ul);
        break;
    case WAY_STORE:
        *(volatile uint64_t *)(NOWHERE + (value & ~7ul)) = value;
        break;
    case WAY_JUMP:
        asm volatile("jr %0" ::"r"(NOWHERE + (value & ~7ul)));
        break;
    case WAY_ILLEGAL:
        asm volatile(".word 0");
        break;
    case WAY_BREAK:
        asm volatile("ebreak");
        break;
    case WAY_KERNEL:
        words[RESULT] = *(volatile uint64_t *)(KERNEL + (value & ~7ul));
        break;
    case WAY_CODE:
        *(volatile uint8_t *)(uintptr_t)program = 0;
        break;
    case WAY_THREAD_FAULTS:
        more_threads(spin, THREADS - 1);
        more_threads(load_nowhere, 1);
        spin(value);
        break;
    case WAY_KILLED_THREADS:
        more_threads(spin, THREADS);
        spin(value);
        break;
    case WAY_COMPUTE:
        words[RESULT] = chain(words[SEED], words[ROUNDS]);
        return (int64_t)value;
    default:
        spin(value);
    }
    return -1;
}

static bool is_killed(uint64_t way) { return way >= WAY_KILLED && way <= WAY_KILLED_TWICE; }

int64_t first_main(const void *passed, struct ipc_page *page)
{
    static struct child children[CHILDREN];
    (void)page;
    test_begin(passed, "deaths");
    test_priority(PRIORITY_DEFAULT + 1);
    unsigned count = 0;
    for (; test_more() && count < CHILDREN; count++) {
        struct child *child = &children[count];
        test_need(child_new(child, "deaths", NULL), "a child");
        child->words[WAY] = test_next();
        child->words[VALUE] = test_next();
        child->words[SEED] = test_next();
        child->words[ROUNDS] = test_next();
        if (child->words[WAY] != WAY_KILLED_UNSTARTED)
            test_need(child_start(child, program, PRIORITY_DEFAULT), "process_start");
    }
    test_priority(PRIORITY_DEFAULT);
    for (unsigned i = 0; i < count; i++) { /* some are running now, some ready, some not started */
        uint64_t way = children[i].words[WAY];
        if (!is_killed(way))
            continue;
        while (way == WAY_KILLED_THREADS && children[i].words[READY] <= THREADS)
            thread_yield();
        say("killed %ld\n",
            (long)process_kill(children[i].process, (int64_t)children[i].words[VALUE]));
        if (way == WAY_KILLED_TWICE)
            say("killed %ld\n", (long)process_kill(children[i].process, 1));
    }
    for (unsigned i = 0; i < count; i++) {
        struct process_status status = child_wait(&children[i]);
        say("ended %u %u %ld 0x%lx 0x%lx\n", i, (unsigned)status.reason, (long)status.value,
            (unsigned long)status.address, (unsigned long)children[i].words[RESULT]);
        child_end(&children[i]);
    }
    test_end();
    return 0;
}
