/* Process groups, as far as jobs have them: a child can join a job, a job can be in the
 * foreground of a terminal. There are no sessions. */
#include "../file/fd.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "proto/console.h"
#include <errno.h>
#include <unistd.h>

int setpgid(pid_t pid, pid_t group)
{
    const struct spawn_block *block = start_block();
    if (pid == 0 || pid == getpid())
        return 0;
    return (int)libc_error(!block ? -ESRCH
                                  : call_words(block->process_service, PROC_JOIN_JOB,
                                               (uint64_t)pid, (uint64_t)group, 0));
}

pid_t getpgrp(void)
{
    return getpid();
}

pid_t getpgid(pid_t pid)
{
    return pid ? pid : getpid();
}

pid_t setsid(void)
{
    return getpid();
}

/* The terminal gets a handle that can signal the job and do nothing else. */
static int64_t set_foreground(handle_t terminal, pid_t group)
{
    const struct spawn_block *block = start_block();
    struct message m = {.type = CON_SET_FOREGROUND, .len = 8};
    if (group != getpid()) {
        struct message ask = {.type = PROC_JOB, .len = 8};
        ask.words[0] = (uint64_t)group;
        int64_t result = block ? channel_call(block->process_service, &ask) : -ESRCH;
        if (result == 0)
            result = (int64_t)ask.words[0];
        if (result < 0)
            return result;
        if (ask.handle_count != 1)
            return -EPROTO;
        m.handles[m.handle_count++] = ask.handles[0];
    }
    int64_t result = channel_call(terminal, &m);
    if (m.handle_count && result < 0)
        handle_close(m.handles[0]);
    return result < 0 ? result : (int64_t)m.words[0];
}

int tcsetpgrp(int fd, pid_t group)
{
    handle_t terminal = fd_handle(fd);
    return (int)libc_error(terminal < 0 ? terminal : set_foreground(terminal, group));
}

pid_t tcgetpgrp(int fd)
{
    return isatty(fd) ? getpid() : (pid_t)-1;
}
