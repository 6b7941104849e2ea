/* time: runs a command and tells how long it took.
 *
 * The processor time is what the kernel's facts about the process showed last: they are read
 * while it runs, at intervals of about a sixtieth of its age, because they end with it. */
#include "common/kernel_call.h"

#include "cairn/syscall.h"
#include "cairn/thread.h"
#include <spawn.h>

static const char usage[] = "usage: time [-p] COMMAND [ARGUMENT]...\n"
                            "Run COMMAND; then print, on standard error, the time that passed and\n"
                            "the processor time that it used (as last seen while it ran).\n"
                            "  -p  in seconds alone, as POSIX has it\n";

#define MILLISECOND 1000000ull
#define SECOND      1000000000ull

struct watch {
    handle_t facts;
    uint32_t pid;
    uint64_t start;
    _Atomic bool ended;
    _Atomic uint64_t cpu_time;
};

static void *sample(void *argument)
{
    struct watch *watch = argument;
    while (!watch->ended) {
        struct message m = {.type = KFACT_PROCESS, .len = 8};
        const struct process_facts *facts = (const struct process_facts *)&m.words[1];
        m.words[0] = watch->pid;
        if (channel_call(watch->facts, &m) < 0 || m.words[0] != 0 || facts->pid != watch->pid)
            break;
        watch->cpu_time = facts->cpu_time;
        uint64_t now = (uint64_t)clock_now(), pause = (now - watch->start) / 64;
        sleep_until(now +
                    (pause > MILLISECOND / 2 ? pause < SECOND ? pause : SECOND : MILLISECOND / 2));
    }
    return NULL;
}

static void print_time(const char *name, uint64_t ns, bool posix)
{
    unsigned long long seconds = ns / SECOND, ms = ns / MILLISECOND % 1000;
    if (posix)
        fprintf(stderr, "%s %llu.%02llu\n", name, seconds, ms / 10);
    else
        fprintf(stderr, "%s\t%llum%llu.%03llus\n", name, seconds / 60, seconds % 60, ms);
}

static int exit_status(const struct process_status *status)
{
    if (status->reason == EXIT_NORMAL)
        return (int)(status->value & 0xff);
    if (status->reason == EXIT_FAULT) {
        warnx("the command crashed (cause %lld at 0x%llx, pc 0x%llx)", (long long)status->value,
              (unsigned long long)status->address, (unsigned long long)status->pc);
        return 128 + 11;
    }
    return 128 + (int)(status->value & 0x7f);
}

int main(int argc, char **argv)
{
    extern char **environ;
    struct process_status status = {0};
    struct watch watch = {0};
    char rest[NS_URI_MAX];
    bool posix = false;
    pid_t pid;
    int option, error;

    utility_start(usage, 125);
    while ((option = utility_option(argc, argv, "+p")) != -1)
        posix = true;
    if (optind == argc)
        utility_misuse("no command given");
    watch.facts = name_resolve("sys:facts", rest);
    watch.start = (uint64_t)clock_now();
    error = posix_spawnp(&pid, argv[optind], NULL, NULL, argv + optind, environ);
    if (error != 0) {
        warnx("%s: %s", argv[optind], strerror(error));
        return error == ENOENT ? 127 : 126;
    }
    watch.pid = (uint32_t)pid;
    struct thread *sampler = watch.facts > 0 ? thread_start(sample, &watch, 0, &error) : NULL;
    do
        error = process_wait_for(pid, 0, &status);
    while (error == -EINTR);
    uint64_t real = (uint64_t)clock_now() - watch.start;
    watch.ended = true; /* the sampler may sleep on: nobody waits for it */
    if (sampler != NULL)
        thread_detach(sampler);
    if (!posix)
        fputc('\n', stderr);
    print_time("real", real, posix);
    print_time("user", watch.cpu_time, posix);
    if (error < 0)
        errx(125, "wait: %s", strerror(-error));
    return exit_status(&status);
}
