/* The async pattern: a long sync answers at once with a job id, goes on between requests, and
 * pulses the caller's channel when it is done. Jobs are kept: a successor goes on with them, and
 * perhaps pulses once more. */
#include "jobs.h"
#include "cairn/kept.h"
#include "cairn/syscall.h"
#include "fsd.h"
#include "proto/fs.h"
#include <errno.h>

#define STEP_BLOCKS 64

enum { RUNNING = 1 }; /* a result; 0 and -errno are those of jobs that are done */

static struct jobs *kept;
static handle_t channels[JOBS_MAX]; /* of running jobs */

/* A place for a handle that init keeps. */
static unsigned place_of(const struct job *job)
{
    return JOBS_PLACE + (unsigned)(job - kept->jobs);
}

void jobs_adopt(struct jobs *jobs)
{
    kept = jobs;
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        if (kept->jobs[i].result == RUNNING)
            channels[i] = kept_get(JOBS_PLACE + i);
        else if (kept->jobs[i].id)
            kept_drop(JOBS_PLACE + i); /* perhaps there was no time for it */
    }
}

/* The oldest that is not running; NULL and *error: all are, or the client has its share. */
static struct job *job_new(uint32_t client, int *error)
{
    struct job *job = NULL;
    unsigned own = 0;
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        struct job *at = &kept->jobs[i];
        if (at->result == RUNNING)
            own += at->client == client;
        else if (!job || at->id < job->id)
            job = at;
    }
    *error = own >= JOBS_PER_CLIENT || !job ? -EAGAIN : 0;
    return *error ? NULL : job;
}

/* Request: word 0 = bit, handle 0 = the channel to pulse. */
int64_t job_start(struct request *request)
{
    struct message *m = request->message;
    if (m->handle_count != 1 || m->words[0] >= 64)
        return -EINVAL;
    int error;
    struct job *job = job_new(m->sender, &error);
    if (!job)
        return error;
    error = kept_put(place_of(job), m->handles[0]);
    if (error)
        return error;
    m->handle_count = 0; /* the handle is ours now */
    channels[job - kept->jobs] = m->handles[0];
    *job = (struct job){.id = ++kept->last_id, .client = m->sender, .bit = (uint32_t)m->words[0]};
    kept_barrier();
    job->result = RUNNING;
    request->server->deadline = 1; /* the loop calls tick at once */
    return (int64_t)job->id;
}

int64_t job_status(struct request *request)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        const struct job *job = &kept->jobs[i];
        if (job->id && job->id == request->message->words[0])
            return job->result;
    }
    return -ESRCH;
}

static void finish(struct job *job, int result)
{
    handle_t *channel = &channels[job - kept->jobs];
    if (*channel > 0) {
        pulse(*channel, 1ul << job->bit);
        handle_close(*channel);
    }
    *channel = 0;
    kept_barrier();
    job->result = result;
    kept_drop(place_of(job));
}

bool job_step(void)
{
    struct job *job = NULL;
    for (size_t i = 0; i < JOBS_MAX; i++) {
        struct job *at = &kept->jobs[i];
        if (at->result == RUNNING && (!job || at->id < job->id))
            job = at;
    }
    if (!job)
        return false;
    int left = ext2_sync_some(volume, STEP_BLOCKS);
    if (left > 0)
        return true;
    finish(job, left < 0 ? left : ext2_sync(volume));
    return job_step();
}
