/* The kept state, and requests that come again.
 *
 * fsd serves one request at a time, and an operation of the core has happened or not when its
 * process dies (ext2_adopt). A request may be several operations, and moves a file's offset. So
 * before the first thing that cannot be repeated the request's call is noted as begun, and at its
 * end with its result. When it comes again (RESENT), it is
 *
 *     not noted   done: nothing has happened yet
 *     finished    answered with the noted result
 *     begun       answered with EPEER, the outcome is unknown; but an open is done again, as its
 *                 handle died with the process, and what it may have created is opened then
 */
#include "keep.h"
#include "cairn/kept.h"
#include "fsd.h"
#include "jobs.h"
#include "proto/fs.h"
#include <errno.h>

#define LAYOUT 2

enum { BEGUN = 0, FINISHED = 1 }; /* the lowest bit of a note; the rest is the result */

static struct kept {
    struct ext2 *volume;
    struct session sessions[SESSIONS_MAX];
    struct kept_calls calls;
    struct jobs jobs;
} * kept;

static struct request *current;
static bool noted; /* the current one */

int keep_open(void)
{
    bool adopted;
    kept = kept_state(LAYOUT, sizeof *kept, &adopted);
    if (!kept)
        return -ENOMEM;
    session_table(kept->sessions);
    jobs_adopt(&kept->jobs);
    return 0;
}

struct ext2 *keep_volume(void) { return kept->volume; }

void keep_set_volume(struct ext2 *mounted)
{
    kept->volume = mounted;
    kept_barrier();
}

/* Jobs go on: somebody waits for each. */
void keep_forget(void)
{
    const struct jobs jobs = kept->jobs;
    kept_reset();
    kept->jobs = jobs;
}

void keep_begun(void)
{
    if (!current || noted)
        return;
    kept_note(&kept->calls, current->token, BEGUN);
    noted = true;
}

static bool may_repeat(const struct message *m)
{
    return m->type == FS_OPEN &&
           !(((const struct fs_path_request *)m->data)->flags & FS_O_EXCLUSIVE);
}

int64_t keep_serve(struct request *request)
{
    const struct message *m = request->message;
    const uint64_t *note = kept_noted(&kept->calls, request->token);
    if (note && *note & FINISHED)
        return (int64_t)*note >> 1;
    if (note && !may_repeat(m))
        return -EPEER;
    current = request;
    noted = false;
    int64_t result = operation_run(request);
    if (noted && m->type != FS_OPEN)
        kept_note(&kept->calls, request->token, (uint64_t)result << 1 | FINISHED);
    current = NULL;
    return result;
}
