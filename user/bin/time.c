/* time: runs a command and tells how long it took. The processor time comes with its end. */
#include "common/utility.h"

#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include <spawn.h>

static const char usage[] = "usage: time [-p] COMMAND [ARGUMENT]...\n"
                            "Run COMMAND; then print, on standard error, the time that passed and\n"
                            "the processor time that it and the children it waited for used, in\n"
                            "user mode and in the kernel together.\n"
                            "  -p  in seconds alone, as POSIX has it (sys is part of user)\n";

#define SECOND 1000000000ull

static void print_time(const char *name, uint64_t ns, bool posix)
{
    unsigned long long seconds = ns / SECOND, ms = ns / 1000000 % 1000;
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
    bool posix = false;
    pid_t pid;

    utility_start(usage, 125);
    while (utility_option(argc, argv, "+p") != -1)
        posix = true;
    if (optind == argc)
        utility_misuse("no command given");
    uint64_t start = (uint64_t)clock_now();
    int error = posix_spawnp(&pid, argv[optind], NULL, NULL, argv + optind, environ);
    if (error != 0) {
        warnx("%s: %s", argv[optind], strerror(error));
        return error == ENOENT ? 127 : 126;
    }
    do
        error = process_wait_for(pid, 0, &status);
    while (error == -EINTR);
    if (error < 0)
        errx(125, "wait: %s", strerror(-error));
    if (!posix)
        fputc('\n', stderr);
    print_time("real", (uint64_t)clock_now() - start, posix);
    print_time("user", status.cpu_time, posix);
    if (posix)
        print_time("sys", 0, true);
    return exit_status(&status);
}
