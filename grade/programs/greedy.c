/* greedy: takes from a server all that it gives, until it refuses, and then goes on asking, while a
 * bystander works with the same server. Prints where the limit was, with which error, and what part
 * of its throughput the bystander keeps. */
#include "abi/memory.h"
#include "cairn/names.h"
#include "cairn/syscall.h"
#include "proto/fs.h"
#include "proto/ns.h"
#include "proto/pipe.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000ul
#define SLICE       (20 * MILLISECOND) /* in turns the greedy one rests and asks */
#define SLICES      60
#define PAUSE       MILLISECOND /* of the greedy one after each refusal */
#define TAKERS      100         /* threads that wait at a server */
#define REPORT      "fs:temp:taken"
#define SETTLED     10 /* looks at their number that find it unchanged */

extern char **environ;

static handle_t server;
static char rest[NS_URI_MAX];

/* ---- Requests ---------------------------------------------------------------------------------
 */

static int64_t result_of(struct message *m, int error, bool keep)
{
    if (error)
        return error;
    for (unsigned i = 0; !keep && i < m->handle_count; i++)
        handle_close(m->handles[i]);
    return (int64_t)m->words[0];
}

static int64_t open_rest(bool keep)
{
    struct message m = {.type = FS_OPEN};
    struct fs_path_request *request = (struct fs_path_request *)m.data;
    request->flags = FS_O_READ;
    request->path_len = (uint32_t)strlen(rest);
    memcpy(request->path, rest, strlen(rest));
    m.len = (uint16_t)(offsetof(struct fs_path_request, path) + strlen(rest));
    return result_of(&m, channel_call(server, &m), keep);
}

static int64_t ask_names(uint32_t operation, const char *text, size_t len)
{
    struct message m = {.type = operation};
    struct ns_request *request = (struct ns_request *)m.data;
    request->len = (uint32_t)len;
    memcpy(request->text, text, len);
    m.len = (uint16_t)(offsetof(struct ns_request, text) + len);
    return result_of(&m, channel_call(namespace_get(), &m), operation == NS_VIEW);
}

/* ---- Ways to take and ways to work ------------------------------------------------------------
 */

static int64_t take_open(void) { return open_rest(true); }

static int64_t work_open(void) { return open_rest(false); }

static int64_t take_alias(void)
{
    static unsigned number;
    char text[64];
    int len = snprintf(text, sizeof text, "greedy%d.%u:", getpid(), number++);
    strcpy(text + len + 1, "fs:root:home/");
    return ask_names(NS_ALIAS, text, (size_t)len + 1 + strlen(text + len + 1));
}

static int64_t take_view(void) { return ask_names(NS_VIEW, "", 0); }

static int64_t work_names(void) { return ask_names(NS_RESOLVE, "fs:root:etc/motd", 16); }

static int64_t take_pipe(void)
{
    struct message m = {.type = PIPE_CREATE, .len = 8};
    return result_of(&m, channel_call(server, &m), true);
}

static int64_t work_pipe(void)
{
    static int own[2] = {-1, -1};
    char byte = 'x';
    if (own[0] < 0 && pipe(own) < 0)
        return -errno;
    return write(own[1], &byte, 1) == 1 && read(own[0], &byte, 1) == 1 ? 0 : -errno;
}

static int64_t take_handle(void)
{
    static handle_t channel;
    if (channel == 0)
        channel = (handle_t)channel_create(0);
    return handle_dup(channel, RIGHT_SEND);
}

static int64_t take_memory(void) { return memory_create(1 << 20, MEMORY_CONTIGUOUS); }

static int64_t work_kernel(void)
{
    int64_t channel = channel_create(0);
    return channel < 0 ? channel : handle_close((handle_t)channel);
}

static int64_t take_channel(void) { return channel_create(0); }

static void *sleep_in_thread(void *argument)
{
    sleep_until(UINT64_MAX);
    return argument;
}

static int64_t take_thread(void)
{
    pthread_t thread;
    return -pthread_create(&thread, NULL, sleep_in_thread, NULL);
}

static int64_t wait_for_name(void) { return ask_names(NS_WAIT, "never:", 6); }

/* Not through the libc, which has one thread at a time read from a file. */
static handle_t source; /* where nothing ever comes */

static int64_t wait_for_byte(void)
{
    struct message m = {
        .type = FS_READ, .len = offsetof(struct fs_io_request, data), .window_count = 1};
    char byte;
    *(struct fs_io_request *)m.data =
        (struct fs_io_request){.offset = FS_OFFSET_CURRENT, .length = 1};
    m.windows[0] = (struct window){(uint64_t)&byte, 1, WINDOW_WRITE};
    return result_of(&m, channel_call(source, &m), false);
}

static volatile unsigned refused;
static int64_t (*wait_for)(void);

static void *wait_in_thread(void *argument)
{
    if (wait_for() == -EAGAIN)
        __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
    return argument;
}

/* Threads that wait for what never comes, all at once; those that are not refused count, one after
 * the other. */
static int64_t take_waiter(int64_t (*way)(void))
{
    static int granted = -1;
    pthread_t thread;
    wait_for = way;
    if (granted == 0)
        return way();
    if (granted < 0) {
        for (unsigned i = 0; i < TAKERS; i++)
            if (pthread_create(&thread, NULL, wait_in_thread, NULL) != 0)
                return -ENOSPC;
        for (unsigned before = 0, same = 0; same < SETTLED; before = refused) {
            sleep_until((uint64_t)clock_now() + 20 * MILLISECOND);
            same = refused != 0 && refused == before ? same + 1 : 0;
        }
        granted = TAKERS - (int)refused + 1;
    }
    return --granted == 0 ? -EAGAIN : 0;
}

static int64_t take_name(void) { return take_waiter(wait_for_name); }

static int64_t take_read(void)
{
    struct message m = {.type = PIPE_CREATE, .len = 8};
    if (source == 0 && result_of(&m, channel_call(server, &m), true) < 0)
        return -ENOSPC;
    source = source ? source : m.handles[0];
    return take_waiter(wait_for_byte);
}

static const struct way {
    const char *name, *uri;
    int64_t (*take)(void), (*work)(void);
} ways[] = {
    {"files", "fs:root:etc/motd", take_open, work_open},
    {"temporary", "fs:temp:greedy", take_open, work_open},
    {"disk", "block:virtio:0", take_open, work_open},
    {"listings", "ns:", take_open, work_open},
    {"facts", "proc:list", take_open, work_open},
    {"aliases", NULL, take_alias, work_names},
    {"views", NULL, take_view, work_names},
    {"pipes", "pipe:", take_pipe, work_pipe},
    {"waiters", NULL, take_name, work_names},
    {"reads", "pipe:", take_read, work_pipe},
    {"handles", NULL, take_handle, work_kernel},
    {"memory", NULL, take_memory, work_kernel},
    {"channels", NULL, take_channel, work_kernel},
    {"threads", NULL, take_thread, work_kernel},
};

/* ---- Two processes ----------------------------------------------------------------------------
 */

/* Both see by the clock whose turn it is. */
static bool is_asking(uint64_t now) { return now / SLICE % 2 == 1; }

static void take_all(const struct way *way)
{
    unsigned count = 0;
    int64_t result;
    char line[32];
    /* Opened while that can be done, and not a pipe: those may be all taken, too. */
    int report = open(REPORT, O_WRONLY);
    while ((result = way->take()) >= 0)
        count++;
    write(report, line, (size_t)snprintf(line, sizeof line, "%u %d\n", count, (int)-result));
    for (;;) {
        uint64_t now = (uint64_t)clock_now();
        sleep_until(is_asking(now) ? now + PAUSE : (now / SLICE + 1) * SLICE);
        way->take();
    }
}

/* Rounds of work in the slices in which the greedy one rests, and in those in which it asks. */
static void measure(const struct way *way, uint64_t rounds[2])
{
    uint64_t now = (uint64_t)clock_now(), end = now + SLICES * SLICE;
    for (rounds[0] = rounds[1] = 0; now < end; now = (uint64_t)clock_now()) {
        int64_t error = way->work();
        if (error < 0) {
            printf("greedy: %s: the bystander gets error %d\n", way->name, (int)-error);
            exit(1);
        }
        rounds[is_asking(now)]++;
    }
}

struct taker {
    pid_t pid;
    unsigned count;
    int error;
};

static struct taker start_taker(char *program, const struct way *way)
{
    struct taker taker;
    char *arguments[] = {program, (char *)way->name, "take", NULL};
    char line[32], end = 0;
    int report = open(REPORT, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (report < 0 || posix_spawnp(&taker.pid, program, NULL, NULL, arguments, environ) != 0)
        exit(2);
    while (end != '\n') {
        sleep_until((uint64_t)clock_now() + MILLISECOND);
        ssize_t n = pread(report, line, sizeof line - 1, 0);
        line[n < 0 ? 0 : n] = 0;
        if (n > 0 && sscanf(line, "%u %d%c", &taker.count, &taker.error, &end) < 2)
            exit(3);
    }
    close(report);
    return taker;
}

static void end_taker(struct taker taker)
{
    kill(taker.pid, SIGKILL);
    waitpid(taker.pid, NULL, 0);
}

int main(int argc, char **argv)
{
    const struct way *way = NULL;
    uint64_t rounds[2];
    for (size_t i = 0; argc >= 2 && i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i].name, argv[1]) == 0)
            way = &ways[i];
    if (way == NULL)
        return 2;
    if (way->uri != NULL && (server = name_resolve(way->uri, rest)) < 0)
        return 2;
    if (argc == 3)
        take_all(way);
    struct taker first = start_taker(argv[0], way);
    measure(way, rounds);
    end_taker(first);
    struct taker second = start_taker(argv[0], way); /* what the first had taken is back */
    end_taker(second);
    printf("%s: limit %u, then %u, error %d; bystander: %llu rounds while it rests, %llu while it "
           "asks: %llu %%\n",
           way->name, first.count, second.count, first.error, (unsigned long long)rounds[0],
           (unsigned long long)rounds[1], (unsigned long long)(rounds[1] * 100 / rounds[0]));
    return first.error != second.error;
}
