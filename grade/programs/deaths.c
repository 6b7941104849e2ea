/* deaths: kills services again and again, each time one by chance, and waits until init says that
 * it serves again. Prints how often each was killed, and how long they were away: median and worst.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEATHS_MAX   10000
#define SERVICES_MAX 16
#define PAUSE        10 /* ms that a service lives at most before the next is killed */
#define PATIENCE     60 /* s until one must be back */
#define MILLISECOND  1000000l

struct state {
    int pid;
    int running; /* it has answered since it was started */
    unsigned restarts;
    unsigned long away; /* us */
};

static unsigned long times[DEATHS_MAX];
static unsigned killed[SERVICES_MAX];

static void fail(const char *what, const char *name)
{
    printf("deaths: %s: %s\n", name, what);
    exit(1);
}

/* What sys:services says of one. */
static struct state look(const char *name)
{
    char line[256], found[32], state[16];
    struct state result = {0};
    unsigned in_a_row;
    FILE *file = fopen("sys:services", "r");
    if (!file)
        fail("sys:services cannot be opened", name);
    while (fgets(line, sizeof line, file)) {
        struct state now = {0};
        if (sscanf(line, "%31s %d %15s %u %u %lu", found, &now.pid, state, &now.restarts, &in_a_row,
                   &now.away) == 6 &&
            strcmp(found, name) == 0) {
            now.running = strcmp(state, "running") == 0;
            result = now;
            if (strcmp(state, "ended") == 0)
                fail("was given up", name);
        }
    }
    fclose(file);
    return result;
}

static void pause_for(long nanoseconds)
{
    struct timespec time = {0, nanoseconds};
    nanosleep(&time, NULL);
}

/* Kills it; how long it was away. */
static unsigned long kill_once(const char *name)
{
    time_t give_up = time(NULL) + PATIENCE;
    struct state before = look(name), now = before;
    if (before.pid == 0 || !before.running)
        fail("does not run", name);
    if (kill(before.pid, SIGKILL) < 0)
        fail("cannot be killed", name);
    while (!now.running || now.restarts == before.restarts) {
        if (time(NULL) > give_up)
            fail("did not come back", name);
        pause_for(MILLISECOND);
        now = look(name);
    }
    return now.away;
}

static int compare(const void *a, const void *b)
{
    unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        printf("usage: deaths COUNT SEED SERVICE...\n");
        return 2;
    }
    unsigned count = (unsigned)atoi(argv[1]), services = (unsigned)argc - 3;
    if (count == 0 || count > DEATHS_MAX || services > SERVICES_MAX)
        return 2;
    srand((unsigned)atoi(argv[2]));
    for (unsigned i = 0; i < count; i++) {
        unsigned which = i < services ? i : (unsigned)rand() % services; /* each once at least */
        times[i] = kill_once(argv[3 + which]);
        killed[which]++;
        pause_for(1 + rand() % PAUSE * MILLISECOND);
    }
    qsort(times, count, sizeof times[0], compare);
    for (unsigned i = 0; i < services; i++)
        printf("%s: %u\n", argv[3 + i], killed[i]);
    printf("deaths: %u, away: median %lu us, worst %lu us\n", count, times[count / 2],
           times[count - 1]);
    return 0;
}
