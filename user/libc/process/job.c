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

/* A handle that can signal a job and do nothing else, for the terminal; or -errno. */
static handle_t job_handle(pid_t group)
{
    const struct spawn_block *block = start_block();
    struct message m = {.type = PROC_JOB, .len = 8};
    m.words[0] = (uint64_t)group;
    int64_t result = block ? channel_call(block->process_service, &m) : -ESRCH;
    if (result == 0)
        result = (int64_t)m.words[0];
    if (result < 0)
        return (handle_t)result;
    return m.handle_count == 1 ? m.handles[0] : -EPROTO;
}

static int64_t set_foreground(handle_t terminal, pid_t group)
{
    struct message m = {.type = CON_SET_FOREGROUND, .len = 8};
    handle_t job = group == getpid() ? 0 : job_handle(group);
    if (job < 0)
        return job;
    m.handle_count = job ? 1 : 0;
    m.handles[0] = job;
    int64_t result = channel_call(terminal, &m);
    if (job)
        handle_close(job);
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
