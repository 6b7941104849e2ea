/* Lab 2's first process: two programs that share the processor, and a third that goes wrong. */
#include "../child.h"

#define TURNS       6
#define MILLISECOND 1000000

/* Computes until this much time has passed, whoever ran in it. */
static uint64_t compute(uint64_t x, int64_t milliseconds)
{
    for (int64_t end = clock_now() + milliseconds * MILLISECOND; clock_now() < end;)
        x = x * 6364136223846793005u + 1442695040888963407u;
    return x;
}

static int64_t counter(volatile uint64_t *words)
{
    for (uint64_t turn = 1; turn <= TURNS; turn++) {
        words[1] = compute(words[1], 15);
        say("    program %lu, turn %lu of %d\n", (unsigned long)words[0], (unsigned long)turn,
            TURNS);
    }
    return (int64_t)words[0];
}

static int64_t bad(volatile uint64_t *words)
{
    words[1] = 8; /* an address where nothing is */
    compute(words[0], 30);
    *(volatile uint64_t *)words[1] = 1;
    return 0;
}

static const struct {
    const char *name;
    child_function *function;
} programs[] = {{"one", counter}, {"two", counter}, {"bad", bad}};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

int64_t first_main(const void *argument, struct ipc_page *page)
{
    const struct first_process_info *info = argument;
    struct child children[PROGRAMS];
    (void)page;
    say("first process: pid %ld; it starts two programs, and one that goes wrong\n",
        (long)process_self());
    for (unsigned i = 0; i < PROGRAMS; i++) {
        int64_t error = child_new(&children[i], programs[i].name, NULL);
        if (error) {
            say("%s cannot be made: %ld\n", programs[i].name, (long)error);
            return 1;
        }
        children[i].words[0] = i + 1;
        child_start(&children[i], programs[i].function, 0);
    }
    process_set_priority(info->self, 1); /* below theirs: they run, and it waits */
    for (unsigned i = 0; i < PROGRAMS; i++) {
        struct process_status status = child_wait(&children[i]);
        say("%s ended: %s %ld\n", programs[i].name,
            status.reason == EXIT_NORMAL ? "exit status" : "fault, scause", (long)status.value);
        child_end(&children[i]);
    }
    return 0;
}
