/* Syncs that go on in the background (FS_SYNC_ASYNC). */
#pragma once

#include "cairn/server.h"
#include <stdbool.h>

#define JOBS_MAX        16
#define JOBS_PER_CLIENT 4 /* running */

/* What the next fsd is to know; the channels to pulse are at init, in places from JOBS_PLACE on. */
struct jobs {
    uint64_t last_id;
    struct job {
        uint64_t id; /* 0 = free; the most recent finished ones stay to be asked about */
        uint32_t client, bit;
        int result; /* stored last: 1 = running */
    } jobs[JOBS_MAX];
};
#define JOBS_PLACE 3

/* jobs_adopt: before anything else; goes on with those that run. job_start, job_status: the
 * requests. job_step does a piece of the oldest job; true while there is more. */
void jobs_adopt(struct jobs *jobs);
int64_t job_start(struct request *request);
int64_t job_status(struct request *request);
bool job_step(void);
