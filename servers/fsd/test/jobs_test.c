/* Background syncs: shares, the order of work, and a successor that goes on with them. */
#include "../ext2/test/check.h"
#include "../fsd.h"
#include "../jobs.h"
#include "cairn/kept.h"
#include "cairn/syscall.h"
#include <errno.h>
#include <setjmp.h>

unsigned check_passed, check_failed;

/* ---- Stand-ins: the file system, the kernel, init ----------------------------------------- */

struct ext2 *volume;
static int left;        /* blocks that are dirty, or what an error is */
static unsigned pulsed; /* bits */
static handle_t places[JOBS_PLACE + JOBS_MAX];
static int dies; /* at so many more of the calls that leave the process; 0: never */
static jmp_buf death;

static void step(void)
{
    if (dies && --dies == 0)
        longjmp(death, 1);
}

int ext2_sync_some(struct ext2 *fs, size_t blocks)
{
    (void)fs, (void)blocks;
    return left > 0 ? left-- : left;
}

int ext2_sync(struct ext2 *fs)
{
    (void)fs;
    step();
    return 0;
}

int64_t pulse(handle_t channel, uint64_t bits)
{
    step();
    pulsed |= (unsigned)bits;
    return channel > 0 ? 0 : -EBADF;
}

int64_t handle_close(handle_t handle)
{
    step();
    return handle > 0 ? 0 : -EBADF;
}

int kept_put(unsigned place, handle_t handle)
{
    step();
    places[place] = handle;
    return 0;
}

void kept_drop(unsigned place) { kept_put(place, 0); }

handle_t kept_get(unsigned place) { return places[place] ? places[place] : -ENOENT; }

/* ---- The tests ---------------------------------------------------------------------------- */

static struct jobs state;

static int64_t start(uint32_t client, unsigned bit)
{
    static struct server server;
    struct message m = {.sender = client, .handle_count = 1, .words = {bit}, .handles = {7}};
    struct request request = {.server = &server, .message = &m};
    return job_start(&request);
}

static int64_t status(int64_t id)
{
    struct message m = {.words = {(uint64_t)id}};
    struct request request = {.message = &m};
    return job_status(&request);
}

static void test_shares(void)
{
    int64_t first = start(1, 0), last = first;
    left = 100;
    for (unsigned i = 1; i < JOBS_PER_CLIENT; i++)
        last = start(1, i);
    CHECK(last == first + JOBS_PER_CLIENT - 1, "%d", (int)last);
    CHECK(start(1, 9) == -EAGAIN, "more than its share");
    unsigned others = 0;
    while (start(2 + others / JOBS_PER_CLIENT, 10) > 0)
        others++;
    CHECK(others == JOBS_MAX - JOBS_PER_CLIENT, "%u", others);
    CHECK(status(first) == 1 && status(999) == -ESRCH, "status");
    left = 2;
    CHECK(job_step() && pulsed == 0, "not yet");
    while (job_step())
        ;
    CHECK(pulsed == (1u << 10 | 0xf), "%x", pulsed);
    CHECK(status(last) == 0, "done");
    left = -EIO;
    last = start(1, 0);
    CHECK(!job_step() && status(last) == -EIO, "failed");
    left = 0;
}

/* Killed at each step in turn, by a successor too: every job that was acknowledged is finished, its
 * caller pulsed, and nothing is left at init. */
static void test_deaths(void)
{
    for (int at = 1; at < 20; at++) {
        state = (struct jobs){0};
        jobs_adopt(&state);
        pulsed = 0;
        volatile int64_t id = 0;
        for (volatile int deaths = 0; deaths < 2; deaths++) {
            dies = at;
            if (setjmp(death) == 0) {
                if (id == 0)
                    id = start(1, 3);
                while (job_step())
                    ;
            }
            dies = 0;
            jobs_adopt(&state);
        }
        while (job_step())
            ;
        CHECK(id == 0 || (pulsed == 1u << 3 && status(id) == 0), "death at %d: %x", at, pulsed);
        for (unsigned i = 0; i < JOBS_MAX; i++)
            CHECK(state.jobs[i].result == 0 && places[JOBS_PLACE + i] == 0, "death at %d: job %u",
                  at, i);
    }
}

int main(void)
{
    jobs_adopt(&state);
    test_shares();
    test_deaths();
    return check_end();
}
