/* Waiting for children, and from Cairn's exit reasons to POSIX's status word. */
#include "../file/fd.h"
#include "cairn/spawn.h"
#include "children_time.h"
#include "signal.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>

int signal_of_fault(unsigned long scause)
{
    switch (scause) {
    case 2: /* illegal instruction */
        return SIGILL;
    case 3: /* ebreak */
        return SIGTRAP;
    case 0: /* misaligned fetch, load, store */
    case 4:
    case 6:
        return SIGBUS;
    default: /* access and page faults */
        return SIGSEGV;
    }
}

static int status_word(const struct process_status *status)
{
    switch (status->reason) {
    case EXIT_NORMAL:
        return (int)(status->value & 0xff) << 8;
    case EXIT_FAULT:
        return signal_of_fault((unsigned long)status->value);
    default:
        return status->value > 0 && status->value < NSIG ? (int)status->value : SIGKILL;
    }
}

static _Atomic uint64_t children_time; /* ns, of those that were waited for */

uint64_t wait_children_time(void)
{
    return children_time;
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    struct process_status native;
    unsigned flags = options & WNOHANG ? PROC_NOHANG : 0;
    int result = process_wait_for(pid, flags, &native);
    if (result > 0) {
        children_time += native.cpu_time;
        if (status)
            *status = status_word(&native);
        if (usage)
            *usage = (struct rusage){.ru_utime = timeval_of_ns(native.cpu_time)};
    }
    return (pid_t)libc_error(result);
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
    return wait4(-1, status, options, usage);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return wait4(pid, status, options, NULL);
}

pid_t wait(int *status)
{
    return waitpid(-1, status, 0);
}
