/* trace: shows the messages that pass while a command runs.
 *
 * A thread empties the kernel's ring meanwhile; its own questions are left out. What the ring lost
 * because it was too slow is counted. */
#include "common/kernel_call.h"

#include "cairn/syscall.h"
#include "cairn/thread.h"
#include <spawn.h>
#include <sys/wait.h>

static const char usage[] =
    "usage: trace [-p PID] [-o FILE] SECONDS | COMMAND [ARGUMENT]...\n"
    "Print the messages of all processes while COMMAND runs, or for a number\n"
    "of seconds: time (us), event, from -> to, channel, type, length, result.\n"
    "  -p  only those from or to this process\n"
    "  -o  into FILE instead of standard output\n";

#define PAUSE 1000000ull /* ns between looks into the ring */

static struct {
    handle_t stats;
    uint32_t self, only;
    uint64_t next, lost;
    _Atomic bool stop;
    FILE *out;
} tracer;

static const char *name_of(uint32_t pid)
{
    static struct {
        uint32_t pid;
        char name[PROCESS_NAME_MAX + 12];
    } known[64];
    struct process_facts facts;
    unsigned slot = pid % 64;
    if (pid == 0) /* of a call: nobody receives on the channel yet, or the kernel serves it */
        return "-";
    if (known[slot].pid != pid) {
        bool alive = next_process(pid, &facts) && facts.pid == pid;
        known[slot].pid = pid;
        snprintf(known[slot].name, sizeof(known[slot].name), "%s:%u", alive ? facts.name : "ended",
                 (unsigned)pid);
    }
    return known[slot].name;
}

static void print_event(const struct ipc_trace *event)
{
    static const char *const names[] = {
        [TRACE_CALL] = "call",   [TRACE_RECV] = "recv",    [TRACE_REPLY] = "reply",
        [TRACE_PULSE] = "pulse", [TRACE_CLOSED] = "close", [TRACE_ERROR] = "error"};
    const char *name = event->event < sizeof(names) / sizeof(names[0]) ? names[event->event] : NULL;
    if (event->from == tracer.self || event->to == tracer.self)
        return;
    if (tracer.only != 0 && event->from != tracer.only && event->to != tracer.only)
        return;
    fprintf(tracer.out, "%10llu.%03llu %-5s %-16s -> %-16s ch %-4u type 0x%-4x len %-3u",
            (unsigned long long)(event->time / 1000), (unsigned long long)(event->time % 1000),
            name != NULL ? name : "?", name_of(event->from), name_of(event->to),
            (unsigned)event->channel, (unsigned)event->type, (unsigned)event->len);
    if (event->event == TRACE_REPLY || event->event == TRACE_ERROR || event->result != 0)
        fprintf(tracer.out, " = %lld%s%s", (long long)event->result,
                event->result < 0 && event->result > -4096 ? " " : "",
                event->result < 0 && event->result > -4096 ? strerror((int)-event->result) : "");
    fputc('\n', tracer.out);
}

/* What is in the ring now. False after an error. */
static bool drain(void)
{
    for (;;) {
        struct message m = {.type = KSTAT_TRACE_READ, .len = 8};
        struct ipc_trace events[5];
        m.words[0] = tracer.next;
        if (channel_call(tracer.stats, &m) < 0 || (int64_t)m.words[0] < 0)
            return false;
        uint64_t count = m.words[0] < 5 ? m.words[0] : 5, next = m.words[1];
        memcpy(events, &m.words[2], count * sizeof(events[0]));
        if (count == 0)
            return true;
        if (next > tracer.next + count)
            tracer.lost += next - tracer.next - count;
        tracer.next = next;
        for (uint64_t i = 0; i < count; i++)
            print_event(&events[i]);
    }
}

static void *watch(void *unused)
{
    (void)unused;
    while (!tracer.stop && drain())
        sleep_until((uint64_t)clock_now() + PAUSE);
    return NULL;
}

static int64_t switch_trace(uint64_t on)
{
    return call_words(tracer.stats, KSTAT_TRACE_ON, on, 0, 0);
}

static int run(char **argv)
{
    extern char **environ;
    uint64_t seconds;
    pid_t pid;
    int status, error;

    if (argv[1] == NULL && parse_count(argv[0], &seconds)) {
        sleep_until((uint64_t)clock_now() + seconds * 1000000000ull);
        return 0;
    }
    error = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (error != 0) {
        warnx("%s: %s", argv[0], strerror(error));
        return error == ENOENT ? 127 : 126;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            err(125, "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void parse_options(int argc, char **argv)
{
    uint64_t pid;
    int option;
    tracer.out = stdout;
    while ((option = utility_option(argc, argv, "+p:o:")) != -1) {
        if (option == 'p') {
            if (!parse_count(optarg, &pid) || pid == 0 || pid > UINT32_MAX)
                errx(125, "%s: not a process id", optarg);
            tracer.only = (uint32_t)pid;
        } else {
            tracer.out = fopen(optarg, "w");
            if (tracer.out == NULL)
                err(125, "%s", optarg);
        }
    }
    if (optind == argc)
        utility_misuse("no command given");
}

int main(int argc, char **argv)
{
    char rest[NS_URI_MAX];
    int error;

    utility_start(usage, 125);
    parse_options(argc, argv);
    tracer.self = (uint32_t)getpid();
    tracer.stats = name_resolve("sys:stats", rest);
    if (tracer.stats < 0)
        errx(125, "sys:stats: %s", strerror(-tracer.stats));
    error = (int)switch_trace(1);
    if (error < 0)
        errx(125, "cannot switch the trace on: %s", strerror(-error));
    struct thread *watcher = thread_start(watch, NULL, 0, &error);
    int status = run(argv + optind);
    switch_trace(0);
    tracer.stop = true;
    if (watcher != NULL)
        thread_join(watcher, NULL);
    drain();
    if (fflush(tracer.out) != 0 || (tracer.out != stdout && fclose(tracer.out) != 0))
        err(125, "write error");
    if (tracer.lost > 0)
        warnx("%llu events were lost", (unsigned long long)tracer.lost);
    return status;
}
