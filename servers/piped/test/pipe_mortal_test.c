/* A piped that dies at any instruction: its successor adopts the pipe, the requests that were not
 * answered come again, and each byte arrives once and in order. */
#include "../../../user/libcairn/test/mortal.h"
#include "piped/pipe.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUESTS 5
#define BUFFER   (2 * PIPE_CAPACITY)
#define DEATHS   12 /* in each life, at other instructions in each run */
#define NOT_YET  INT64_MIN

/* One read or write of a client, which waits until it is answered. */
struct request {
    struct pipe_io io; /* first: the pipe hands it back */
    enum pipe_end end;
    uint64_t length;
    int64_t result;
    char bytes[BUFFER]; /* the client's own memory */
};

/* What outlives piped: its kept memory, and its clients. */
static struct world {
    struct pipe_state state;
    char ring[PIPE_CAPACITY];
    struct request requests[REQUESTS];
} * world;
static struct pipe pipe_;

static int64_t move_in(struct pipe_io *io, char *data, size_t count)
{
    memcpy(data, ((struct request *)io)->bytes + io->done, count);
    return (int64_t)count;
}

static int64_t move_out(struct pipe_io *io, const char *data, size_t count)
{
    memcpy(((struct request *)io)->bytes + io->done, data, count);
    return (int64_t)count;
}

static void finished(struct pipe_io *io, int64_t result)
{
    ((struct request *)io)->result = result;
}

static const struct pipe_mover mover = {move_in, move_out, finished};

/* A call is received: for the first time, or again. */
static void serve(struct request *request, bool again)
{
    uint64_t number = (uint64_t)(request - world->requests) + 1;
    request->io.length = request->length;
    request->io.resumes = again && world->state.active[request->end].call == number;
    request->io.call = number;
    int64_t result = pipe_start(&pipe_, request->end, &request->io, false, &mover);
    if (result != PIPE_WAITS)
        request->result = result;
}

static void live(void *argument)
{
    (void)argument;
    for (int i = 0; i < REQUESTS; i++)
        serve(&world->requests[i], false);
}

static void begin(const int *lengths, size_t filled, size_t left)
{
    static struct request fill;
    int byte = 0;
    memset(world, 0, sizeof *world);
    pipe_init(&pipe_, &world->state, world->ring);
    /* the ring begins anywhere, and left bytes are in it */
    fill.length = fill.io.length = filled;
    pipe_start(&pipe_, PIPE_WRITE_END, &fill.io, false, &mover);
    fill.io.length = filled - left;
    pipe_start(&pipe_, PIPE_READ_END, &fill.io, false, &mover);
    for (int i = 0; i < REQUESTS; i++) {
        struct request *request = &world->requests[i];
        request->end = lengths[i] > 0 ? PIPE_WRITE_END : PIPE_READ_END;
        request->length = (uint64_t)(lengths[i] > 0 ? lengths[i] : -lengths[i]);
        request->result = NOT_YET;
        for (uint64_t n = 0; lengths[i] > 0 && n < request->length; n++)
            request->bytes[n] = (char)(byte++ % 251 + 1);
    }
}

/* The next piped, and then a reader of what is left. */
static bool rise_and_check(size_t left)
{
    static char got[3 * BUFFER];
    static struct request last;
    size_t count = 0;
    int byte = 0;
    if (!pipe_adopt(&pipe_, &world->state, world->ring))
        return false;
    for (int i = 0; i < REQUESTS; i++)
        if (world->requests[i].result == NOT_YET)
            serve(&world->requests[i], true);
    pipe_settled(&pipe_, &mover);
    for (int i = 0; i < REQUESTS; i++) {
        const struct request *request = &world->requests[i];
        if (request->result == NOT_YET || request->end != PIPE_READ_END)
            continue;
        memcpy(got + count, request->bytes, (size_t)request->result);
        count += (size_t)request->result;
    }
    while (pipe_length(&pipe_) > 0) {
        last.io = (struct pipe_io){.length = BUFFER};
        int64_t n = pipe_start(&pipe_, PIPE_READ_END, &last.io, false, &mover);
        memcpy(got + count, last.bytes, (size_t)n);
        count += (size_t)n;
    }
    size_t written = 0;
    for (int i = 0; i < REQUESTS; i++)
        if (world->requests[i].end == PIPE_WRITE_END && world->requests[i].result > 0)
            written += (size_t)world->requests[i].result;
    for (size_t i = 0; i < count; i++)
        if (got[i] != (i < left ? 0 : (char)(byte++ % 251 + 1)))
            return false;
    return count == written + left;
}

int main(void)
{
    /* lengths of writes, and, negative, of reads; how the ring was filled, and what is left of it.
     * Few bytes move: each is a step of its own. */
    static const struct {
        int lengths[REQUESTS];
        size_t filled, left;
    } lives[] = {
        {{100, -60, 50, -200, 7}, PIPE_CAPACITY - 30, 1},
        {{PIPE_ATOMIC + 1, -60, -70, 30, -40}, PIPE_CAPACITY, PIPE_CAPACITY - 100},
        {{-5, -5, 8, 4, -5}, 1, 0},
    };
    int passed = 0, failed = 0;
    world = mortal_memory(sizeof *world);
    srand((unsigned)time(NULL));
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        begin(lives[i].lengths, lives[i].filled, lives[i].left);
        unsigned long whole = mortal_run(live, NULL, ULONG_MAX);
        for (unsigned death = 0; death <= DEATHS; death++) {
            unsigned long steps =
                death == DEATHS ? whole : ((unsigned long)rand() % whole + whole * death) / DEATHS;
            begin(lives[i].lengths, lives[i].filled, lives[i].left);
            mortal_run(live, NULL, steps);
            if (rise_and_check(lives[i].left)) {
                passed++;
            } else {
                failed++;
                fprintf(stderr, "life %zu, dead after %lu of %lu instructions: not so\n", i, steps,
                        whole);
            }
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
