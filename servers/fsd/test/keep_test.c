/* Requests that come again to a successor: done once, or of unknown outcome. */
#include "../keep.h"
#include "../ext2/test/check.h"
#include "../fsd.h"
#include "../jobs.h"
#include "cairn/kept.h"
#include "proto/fs.h"
#include <errno.h>
#include <setjmp.h>
#include <string.h>

unsigned check_passed, check_failed;

/* ---- Stand-ins: the kept memory, the operations ------------------------------------------- */

static char memory[1 << 18] __attribute__((aligned(8)));

void *kept_state(uint32_t layout, size_t size, bool *adopted)
{
    (void)layout;
    *adopted = false;
    return size <= sizeof(memory) ? memory : NULL;
}

void kept_reset(void) { memset(memory, 0, sizeof(memory)); }

void kept_note(struct kept_calls *calls, uint64_t token, uint64_t value)
{
    calls->of[token % THREADS_MAX].call = token;
    calls->of[token % THREADS_MAX].value = value;
}

const uint64_t *kept_noted(const struct kept_calls *calls, uint64_t token)
{
    bool same = calls->of[token % THREADS_MAX].call == token;
    return same ? &calls->of[token % THREADS_MAX].value : NULL;
}

void session_table(struct session *table) { (void)table; }

void jobs_adopt(struct jobs *jobs) { (void)jobs; }

static int64_t result;
static bool begins, dies;
static unsigned runs;
static uint64_t token; /* a new one for each call */
static jmp_buf death;

int64_t operation_run(struct request *request)
{
    (void)request;
    runs++;
    if (begins)
        keep_begun();
    if (dies)
        longjmp(death, 1);
    return result;
}

/* ---- The tests ---------------------------------------------------------------------------- */

static int64_t serve(uint32_t type, uint32_t flags, bool resent)
{
    struct message m = {.type = type, .flags = resent ? MESSAGE_RESENT : 0}, reply = {0};
    ((struct fs_path_request *)m.data)->flags = flags;
    struct request request = {.token = token, .message = &m, .reply = &reply};
    if (setjmp(death))
        return 1; /* no answer */
    return keep_serve(&request);
}

/* What a request gets that comes again, and how often it was done. */
static void again(uint32_t type, uint32_t flags, int64_t expected, unsigned times, const char *what)
{
    runs = 0;
    token += THREADS_MAX;
    serve(type, flags, false);
    dies = false;
    int64_t answer = serve(type, flags, true);
    CHECK(answer == expected, "%s: %lld", what, (long long)answer);
    CHECK(runs == times, "%s: done %u times", what, runs);
}

int main(void)
{
    CHECK(keep_open() == 0, "open");
    result = 42;
    again(FS_STAT, 0, 42, 2, "what changes nothing");
    begins = true;
    again(FS_WRITE, 0, 42, 1, "what was done");
    result = -ENOSPC;
    again(FS_WRITE, 0, -ENOSPC, 1, "what failed");
    result = 3;
    again(FS_OPEN, 0, 3, 2, "an open");
    dies = true;
    again(FS_WRITE, 0, -EPEER, 1, "what had begun");
    dies = true;
    again(FS_OPEN, FS_O_CREATE, 3, 2, "an open that had begun");
    dies = true;
    again(FS_OPEN, FS_O_CREATE | FS_O_EXCLUSIVE, -EPEER, 1, "an exclusive one");
    dies = true;
    begins = false;
    again(FS_UNLINK, 0, 3, 2, "what had not begun");
    keep_begun(); /* outside a request: nothing happens */
    return check_end();
}
