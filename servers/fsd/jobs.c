/* The async pattern: a long sync answers at once with a job id, goes on between requests, and
 * pulses the caller's channel when it is done. */
#include "cairn/syscall.h"
#include "fsd.h"
#include "proto/fs.h"
#include <errno.h>

#define JOBS_MAX 16
#define STEP_BLOCKS 64

static struct job {
    uint64_t id;      /* 0 = free; the most recent finished ones stay to be asked about */
    handle_t channel; /* 0 = done and told */
    uint32_t bit;
    int result;       /* 1 = running */
} jobs[JOBS_MAX];
static uint64_t last_id;

/* Request: word 0 = bit, handle 0 = the channel to pulse. */
int64_t job_start(struct request *request)
{
    struct message *m = request->message;
    if (m->handle_count != 1 || m->words[0] >= 64)
        return -EINVAL;
    struct job *job = NULL;
    for (size_t i = 0; i < JOBS_MAX; i++) { /* the oldest that is not running */
        if (jobs[i].result != 1 && (!job || jobs[i].id < job->id))
            job = &jobs[i];
    }
    if (!job)
        return -EAGAIN;
    m->handle_count = 0; /* the handle is ours now */
    *job = (struct job){++last_id, m->handles[0], (uint32_t)m->words[0], 1};
    request->server->deadline = 1; /* the loop calls tick at once */
    return (int64_t)job->id;
}

int64_t job_status(struct request *request)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs[i].id && jobs[i].id == request->message->words[0])
            return jobs[i].result;
    }
    return -ESRCH;
}

bool job_step(void)
{
    struct job *job = NULL;
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs[i].result == 1 && (!job || jobs[i].id < job->id))
            job = &jobs[i];
    }
    if (!job)
        return false;
    int left = ext2_sync_some(volume, STEP_BLOCKS);
    if (left > 0)
        return true;
    job->result = left < 0 ? left : ext2_sync(volume);
    pulse(job->channel, 1ul << job->bit);
    handle_close(job->channel);
    job->channel = 0;
    return job_step();
}
