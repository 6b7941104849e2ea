/* Programs of one priority that count as fast as they can: who counts how far? */
#include "lib/work.h"

#define CHILDREN    8
#define MILLISECOND 1000000

static int64_t count(volatile uint64_t *words)
{
    for (;;)
        words[0]++;
    return 0;
}

/* Makes many system calls, and so has many chances to be put to the wrong end of the queue. */
static int64_t count_and_call(volatile uint64_t *words)
{
    for (;; process_self())
        words[0]++;
    return 0;
}

int64_t first_main(const void *passed, struct ipc_page *page)
{
    static struct child children[CHILDREN];
    (void)page;
    test_begin(passed, "fair");
    uint64_t number = test_next(), milliseconds = test_next(), priority = test_next();
    uint64_t calls = test_next();
    test_priority((uint32_t)priority + 1);
    for (uint64_t i = 0; i < number && i < CHILDREN; i++) {
        test_need(child_new(&children[i], "fair", NULL), "a child");
        test_need(
            child_start(&children[i], calls >> i & 1 ? count_and_call : count, (uint32_t)priority),
            "process_start");
    }
    int64_t end = clock_now() + (int64_t)milliseconds * MILLISECOND;
    uint64_t own = 0;
    test_priority((uint32_t)priority);
    while (clock_now() < end)
        own++;
    test_priority((uint32_t)priority + 1);
    say("own %d\n", own > 0);
    for (uint64_t i = 0; i < number && i < CHILDREN; i++) {
        say("counted %lu\n", (unsigned long)children[i].words[0]);
        child_end(&children[i]);
    }
    test_end();
    return 0;
}
