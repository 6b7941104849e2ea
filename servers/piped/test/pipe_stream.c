/* Random readers and writers on one pipe, judged by a shadow of it: a plain queue of bytes into
 * which each write goes as its bytes are fetched, and against which each read is compared. */
#include "pipe_stream.h"
#include "abi/errno.h"
#include "piped/pipe.h"
#include "proto/fs.h"
#include <stdio.h>
#include <string.h>

#define REQUESTS 24 /* in flight */
#define SHADOW   (1 << 22)

enum fault { NO_FAULT, FAULT_ALL, FAULT_HALF, FAULT_GONE };

struct request {
    struct pipe_io io; /* first: the pipe hands it back */
    bool used, waits;
    enum pipe_end end;
    enum fault fault;
};

static struct request requests[REQUESTS];
static struct pipe pipe_;
static struct pipe_state kept;
static char ring[PIPE_CAPACITY];
static const char *broken;

static char shadow[SHADOW];
static size_t shadow_first, shadow_end;
static size_t staged; /* bytes behind shadow_end, of a write whose fetching goes on */
static const struct pipe_io *staged_by;
static uint8_t next_value;

static void check(bool condition, const char *promise)
{
    if (!condition && !broken)
        broken = promise;
}

/* A small write is in the pipe when all of it came, a large one with every piece. */
static void settle_staged(void)
{
    if (staged_by && (staged_by->length > PIPE_ATOMIC || staged == staged_by->length))
        shadow_end += staged;
    staged = 0;
    staged_by = NULL;
}

static int64_t allowed(const struct request *r, size_t count)
{
    switch (r->fault) {
    case FAULT_ALL:
        return -EFAULT;
    case FAULT_GONE:
        return -ESTALE;
    case FAULT_HALF:
        return (int64_t)(count / 2);
    default:
        return (int64_t)count;
    }
}

static void check_move(const struct request *r, enum pipe_end end, const char *data, size_t count)
{
    check(r->used && r->end == end, "moves for a live request");
    check(count > 0 && data >= ring && data + count <= ring + PIPE_CAPACITY, "stays in the ring");
    check(r->io.done + count <= r->io.length, "moves no more than was asked");
}

static int64_t move_in(struct pipe_io *io, char *data, size_t count)
{
    struct request *r = (struct request *)io;
    int64_t n = allowed(r, count);
    check_move(r, PIPE_WRITE_END, data, count);
    if (staged_by != io)
        settle_staged();
    staged_by = io;
    check(shadow_end + staged + count <= SHADOW, "the test's own queue is large enough");
    for (int64_t i = 0; i < n && !broken; i++)
        data[i] = shadow[shadow_end + staged++] = (char)next_value++;
    next_value = (uint8_t)(next_value % 251); /* no power of two, so that a shift is seen */
    return n;
}

static int64_t move_out(struct pipe_io *io, const char *data, size_t count)
{
    struct request *r = (struct request *)io;
    int64_t n = allowed(r, count);
    check_move(r, PIPE_READ_END, data, count);
    settle_staged();
    check(count <= shadow_end - shadow_first, "gives no more than was written");
    if (!broken && n > 0) {
        check(memcmp(data, shadow + shadow_first, (size_t)n) == 0, "gives what was written");
        shadow_first += (size_t)n;
    }
    return n;
}

static void over(struct request *r, int64_t result)
{
    check(r->used, "finishes once");
    check(result <= (int64_t)r->io.length, "moves no more than was asked");
    check(result < 0 || (uint64_t)result == r->io.done, "the result is what was moved");
    check(result >= 0 || r->io.done == 0, "what was moved is not an error");
    if (r->end == PIPE_WRITE_END && result >= 0 && r->io.length <= PIPE_ATOMIC)
        check(result == (int64_t)r->io.length, "small writes go in whole");
    if (r->end == PIPE_READ_END && result == 0)
        check(!kept.open[PIPE_WRITE_END] && pipe_length(&pipe_) == 0, "end of file only at the end");
    r->used = false;
}

static void finished(struct pipe_io *io, int64_t result)
{
    struct request *r = (struct request *)io;
    check(r->waits, "finish only for what waited");
    over(r, result);
}

static const struct pipe_mover mover = {move_in, move_out, finished};

static void start(enum pipe_end end, uint64_t length, bool nonblocking, enum fault fault)
{
    struct request *r = NULL;
    for (int i = 0; i < REQUESTS && !r; i++)
        r = requests[i].used ? NULL : &requests[i];
    if (!r || !kept.open[end] || length == 0)
        return;
    *r = (struct request){.used = true, .end = end, .fault = fault, .io.length = length};
    int64_t result = pipe_start(&pipe_, end, &r->io, nonblocking, &mover);
    check(!nonblocking || result != PIPE_WAITS, "nonblocking requests do not wait");
    check(nonblocking || result != -EAGAIN, "blocking requests do");
    if (result == PIPE_WAITS)
        r->waits = true;
    else
        over(r, result);
}

/* What the core calls its invariant, the count of bytes, and poll. */
static void check_state(void)
{
    settle_staged();
    check(pipe_length(&pipe_) == shadow_end - shadow_first, "no byte is lost or doubled");
    check(pipe_length(&pipe_) <= PIPE_CAPACITY, "the ring holds its size");
    const struct pipe_io *reader = pipe_.waiting[PIPE_READ_END];
    const struct pipe_io *writer = pipe_.waiting[PIPE_WRITE_END];
    size_t room = PIPE_CAPACITY - pipe_length(&pipe_);
    check(!reader || (pipe_length(&pipe_) == 0 && kept.open[PIPE_WRITE_END]), "readers wait for a reason");
    if (writer) {
        check(room < (writer->length <= PIPE_ATOMIC ? writer->length : 1) &&
                  kept.open[PIPE_READ_END],
              "writers wait for a reason");
    }
    unsigned in = pipe_poll(&pipe_, PIPE_READ_END), out = pipe_poll(&pipe_, PIPE_WRITE_END);
    check(!(in & FS_POLL_IN) == (pipe_length(&pipe_) == 0), "poll tells of data");
    check(!(in & FS_POLL_HUP) == (kept.open[PIPE_WRITE_END] != 0), "poll tells of the write end");
    check(!(out & FS_POLL_ERR) == (kept.open[PIPE_READ_END] != 0), "poll tells of the read end");
    check(!(out & FS_POLL_OUT) == (room < PIPE_ATOMIC || writer || !kept.open[PIPE_READ_END]),
          "poll tells of room");
}

/* The stream: an operation byte and two bytes of size. */
bool pipe_stream_run(const uint8_t *bytes, size_t count)
{
    memset(requests, 0, sizeof requests);
    shadow_first = shadow_end = staged = 0;
    staged_by = NULL;
    next_value = 0;
    broken = NULL;
    pipe_init(&pipe_, &kept, ring);
    size_t i = 0;
    for (; i + 2 < count && !broken && shadow_end < SHADOW / 2; i += 3) {
        uint8_t op = bytes[i];
        uint64_t size = bytes[i + 1] * (bytes[i + 2] % 4 ? bytes[i + 2] * 2u : 1u);
        enum fault fault = op % 16 == 5 ? (enum fault)(1 + bytes[i + 2] % 3) : NO_FAULT;
        if (op == 255 && bytes[i + 1] < 32)
            pipe_close(&pipe_, bytes[i + 1] % 2 ? PIPE_WRITE_END : PIPE_READ_END, &mover);
        else
            start(op & 128 ? PIPE_WRITE_END : PIPE_READ_END, size, op & 64, fault);
        check_state();
    }
    for (int end = 0; end < 2; end++)
        if (kept.open[end])
            pipe_close(&pipe_, (enum pipe_end)end, &mover);
    for (int r = 0; r < REQUESTS; r++)
        check(!requests[r].used, "closing both ends finishes everything");
    if (broken)
        fprintf(stderr, "at byte %zu: not so: %s\n", i - 3, broken);
    return broken == NULL;
}
