/* Signals and jobs: who may send what to whom is decided here, what it does in processes.c. */

#include "process_service.h"
#include "proto/process.h"

void signal_send(struct process *process, unsigned signal)
{
    switch (signal_effect(process, signal)) {
    case SIGNAL_KILLS:
        process_kill(process->process, signal);
        break;
    case SIGNAL_PULSES:
        pulse(process->channel, 1ul << signal);
        break;
    case SIGNAL_NOTHING:
        break;
    }
}

/* A job: every member that the caller may signal; caller NULL: all (it holds a job handle). */
static int64_t signal_job(uint32_t job, const struct process *caller, unsigned signal)
{
    struct process *member = NULL;
    bool any = false, allowed = false;

    while ((member = job_next(&init.table, job, member)) != NULL) {
        any = true;
        if (caller != NULL && !process_may_signal(&init.table, caller, member))
            continue;
        allowed = true;
        if (signal != 0)
            signal_send(member, signal);
    }
    if (!any)
        return -ESRCH;
    return allowed ? 0 : -EPERM;
}

int64_t signal_request(struct request *request, struct process *caller)
{
    int64_t target = (int64_t)request->message->words[0];
    uint64_t signal = request->message->words[1];

    if (signal >= SIGNALS || target > UINT32_MAX || target < -(int64_t)UINT32_MAX)
        return -EINVAL;
    if (target <= 0)
        return signal_job(target == 0 ? caller->job : (uint32_t)-target, caller, (unsigned)signal);
    struct process *process = process_find(&init.table, (uint32_t)target);
    if (process == NULL)
        return -ESRCH;
    if (!process_may_signal(&init.table, caller, process))
        return -EPERM;
    if (signal != 0)
        signal_send(process, (unsigned)signal);
    return 0;
}

int64_t sigaction_request(struct request *request, struct process *caller)
{
    caller->handled = request->message->words[0];
    caller->ignored = request->message->words[1];
    return 0;
}

/* The job that a pid stands for: that of the process; or the job that it led and outlived it. */
static uint32_t job_of(uint32_t pid)
{
    const struct process *process = process_find(&init.table, pid);
    return process != NULL ? process->job : pid;
}

/* A job handle reaches every member, so who is given one must be allowed to reach every member. */
static int may_signal_all(uint32_t job, const struct process *caller)
{
    const struct process *member = NULL;
    int result = -ESRCH;

    while ((member = job_next(&init.table, job, member)) != NULL) {
        if (!process_may_signal(&init.table, caller, member))
            return -EPERM;
        result = 0;
    }
    return result;
}

int64_t job_handle_request(struct request *request, struct process *caller)
{
    uint64_t pid = request->message->words[0];
    if (pid > UINT32_MAX)
        return -ESRCH;
    uint32_t job = job_of((uint32_t)pid);
    int error = may_signal_all(job, caller);
    if (error < 0)
        return error;
    int64_t handle = handle_mint(init.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER,
                                 BADGE(BADGE_JOB, job));
    if (handle < 0)
        return handle;
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    return 0;
}

int64_t job_request(struct request *request)
{
    const struct message *m = request->message;

    if (m->type != PROC_JOB_SIGNAL)
        return -ENOSYS;
    if (m->len < 8 || m->words[0] >= SIGNALS)
        return -EINVAL;
    return signal_job((uint32_t)BADGE_NUMBER(m->badge), NULL, (unsigned)m->words[0]);
}

int64_t join_job_request(struct request *request, struct process *caller)
{
    uint64_t pid = request->message->words[0], leader = request->message->words[1];

    if (pid > UINT32_MAX || leader > UINT32_MAX)
        return -ESRCH;
    struct process *child = pid == 0 ? caller : process_find(&init.table, (uint32_t)pid);
    if (child == NULL)
        return -ESRCH;
    return job_join(&init.table, caller, child, (uint32_t)leader);
}
