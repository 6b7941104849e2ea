/* Tests of the pipe: each state that readers and writers can meet in, and random traffic. */
#include "abi/errno.h"
#include "pipe_stream.h"
#include "piped/pipe.h"
#include "proto/fs.h"
#include <stdio.h>
#include <string.h>

static int passed, failed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition) {                                                                           \
            passed++;                                                                              \
        } else {                                                                                   \
            failed++;                                                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
        }                                                                                          \
    } while (0)

#define NOT_YET INT64_MAX

/* A request with its own buffer; result: NOT_YET while it waits. */
struct request {
    struct pipe_io io;
    char *buffer;
    int64_t result;
    int64_t error; /* of move, instead of moving */
    size_t limit;  /* bytes that can be moved at all; 0 = no limit */
    bool stuck;    /* none */
};

static struct pipe pipe_;
static struct pipe_state kept;
static char ring[PIPE_CAPACITY];
static char text[PIPE_CAPACITY * 2];

static size_t allowed(const struct request *r, size_t count)
{
    if (r->stuck)
        return 0;
    if (r->limit == 0)
        return count;
    size_t left = r->io.done < r->limit ? r->limit - r->io.done : 0;
    return count < left ? count : left;
}

static int64_t move_in(struct pipe_io *io, char *data, size_t count)
{
    struct request *r = (struct request *)io;
    if (r->error)
        return r->error;
    memcpy(data, r->buffer + io->done, allowed(r, count));
    return (int64_t)allowed(r, count);
}

static int64_t move_out(struct pipe_io *io, const char *data, size_t count)
{
    struct request *r = (struct request *)io;
    if (r->error)
        return r->error;
    memcpy(r->buffer + io->done, data, allowed(r, count));
    return (int64_t)allowed(r, count);
}

static void finished(struct pipe_io *io, int64_t result)
{
    struct request *r = (struct request *)io;
    CHECK(r->result == NOT_YET);
    r->result = result;
}

static const struct pipe_mover mover = {move_in, move_out, finished};

static int64_t start(struct request *r, enum pipe_end end, char *buffer, size_t len, bool nonblock)
{
    r->buffer = buffer;
    r->io = (struct pipe_io){.length = len, .done = 77};
    r->result = NOT_YET;
    int64_t result = pipe_start(&pipe_, end, &r->io, nonblock, &mover);
    if (result != PIPE_WAITS)
        r->result = result;
    return r->result;
}

static int64_t reads(struct request *r, char *buffer, size_t len)
{
    return start(r, PIPE_READ_END, buffer, len, false);
}

static int64_t writes(struct request *r, const char *buffer, size_t len)
{
    return start(r, PIPE_WRITE_END, (char *)buffer, len, false);
}

static void fresh(void)
{
    pipe_init(&pipe_, &kept, ring);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i % 251);
}

static void test_simple(void)
{
    struct request a = {0}, b = {0}, c = {0};
    char x[16], y[16];
    fresh();
    CHECK(writes(&a, "hello", 5) == 5);
    CHECK(pipe_poll(&pipe_, PIPE_READ_END) == FS_POLL_IN);
    CHECK(reads(&b, x, 2) == 2 && memcmp(x, "he", 2) == 0);
    CHECK(reads(&b, x, 16) == 3 && memcmp(x, "llo", 3) == 0);
    CHECK(pipe_poll(&pipe_, PIPE_READ_END) == 0);
    CHECK(pipe_poll(&pipe_, PIPE_WRITE_END) == FS_POLL_OUT);

    /* readers wait in order, and each takes what is there */
    CHECK(reads(&a, x, 3) == NOT_YET && reads(&b, y, 16) == NOT_YET);
    CHECK(writes(&c, "abcdef", 6) == 6);
    CHECK(a.result == 3 && b.result == 3);
    CHECK(memcmp(x, "abc", 3) == 0 && memcmp(y, "def", 3) == 0);
    CHECK(reads(&a, x, 3) == NOT_YET && reads(&b, y, 16) == NOT_YET);
    CHECK(writes(&c, "g", 1) == 1 && a.result == 1 && b.result == NOT_YET);
    CHECK(writes(&c, "h", 1) == 1 && b.result == 1 && y[0] == 'h');

    CHECK(reads(&a, x, 0) == 0 && writes(&a, x, 0) == 0);
    CHECK(start(&a, PIPE_READ_END, x, 4, true) == -EAGAIN && pipe_.waiting[PIPE_READ_END] == NULL);
}

static void test_full(void)
{
    static char out[PIPE_CAPACITY * 2];
    struct request a = {0}, b = {0}, c = {0}, r = {0};
    fresh();
    CHECK(writes(&a, text, PIPE_CAPACITY - 10) == PIPE_CAPACITY - 10);
    CHECK(pipe_poll(&pipe_, PIPE_WRITE_END) == 0);
    CHECK(writes(&a, "0123456789", 10) == 10);
    /* full: small writes wait whole, one behind the other */
    CHECK(writes(&a, "abcd", 4) == NOT_YET && writes(&b, "e", 1) == NOT_YET);
    CHECK(start(&c, PIPE_WRITE_END, text, 1, true) == -EAGAIN);
    CHECK(a.io.next == &b.io && b.io.next == NULL);
    CHECK(reads(&r, out, 3) == 3 && a.result == NOT_YET && b.result == NOT_YET);
    CHECK(reads(&r, out + 3, 1) == 1 && a.result == 4 && b.result == NOT_YET);
    CHECK(reads(&r, out + 4, 1) == 1 && b.result == 1);
    CHECK(reads(&r, out + 5, sizeof out) == PIPE_CAPACITY);
    CHECK(memcmp(out, text, PIPE_CAPACITY - 10) == 0);
    CHECK(memcmp(out + PIPE_CAPACITY - 10, "0123456789abcde", 15) == 0);
    CHECK(pipe_length(&pipe_) == 0 && kept.origin == kept.moved[PIPE_READ_END]);
}

static void test_large_writes(void)
{
    static char out[PIPE_CAPACITY * 2];
    struct request a = {0}, b = {0}, r = {0}, s = {0};
    fresh();
    CHECK(writes(&a, text, PIPE_CAPACITY + 100) == NOT_YET && pipe_length(&pipe_) == PIPE_CAPACITY);
    CHECK(writes(&b, "tail", 4) == NOT_YET);
    CHECK(pipe_poll(&pipe_, PIPE_WRITE_END) == 0);
    CHECK(reads(&r, out, 60) == 60 && a.result == NOT_YET && a.io.done == PIPE_CAPACITY + 60);
    CHECK(reads(&r, out + 60, 40) == 40 && a.result == PIPE_CAPACITY + 100);
    CHECK(b.result == NOT_YET); /* the ring is full again */
    CHECK(reads(&r, out + 100, sizeof out) == PIPE_CAPACITY && b.result == 4);
    CHECK(memcmp(out, text, PIPE_CAPACITY + 100) == 0);
    CHECK(reads(&r, out, 9) == 4 && memcmp(out, "tail", 4) == 0);

    /* nonblocking: as much as there is room for, if it may be split */
    CHECK(writes(&a, text, PIPE_CAPACITY - 5000) == PIPE_CAPACITY - 5000);
    CHECK(start(&b, PIPE_WRITE_END, text, 6000, true) == 5000);
    CHECK(start(&b, PIPE_WRITE_END, text, 6000, true) == -EAGAIN);
    CHECK(reads(&r, out, 4095) == 4095);
    CHECK(start(&b, PIPE_WRITE_END, text, PIPE_ATOMIC, true) == -EAGAIN);
    CHECK(start(&b, PIPE_WRITE_END, text, PIPE_ATOMIC + 1, true) == 4095);

    fresh();
    CHECK(writes(&a, text, PIPE_CAPACITY - PIPE_ATOMIC) == PIPE_CAPACITY - PIPE_ATOMIC);
    CHECK(pipe_poll(&pipe_, PIPE_WRITE_END) == FS_POLL_OUT);
    CHECK(writes(&a, text, PIPE_ATOMIC) == PIPE_ATOMIC && pipe_poll(&pipe_, PIPE_WRITE_END) == 0);

    /* a reader that waits takes the first ring-full of a large write, the next one what follows */
    fresh();
    CHECK(reads(&r, out, sizeof out) == NOT_YET && reads(&s, out, 10) == NOT_YET);
    CHECK(writes(&a, text, PIPE_CAPACITY + 10) == PIPE_CAPACITY + 10);
    CHECK(r.result == PIPE_CAPACITY && s.result == 10);
}

static void test_wrap(void)
{
    struct request a = {0}, r = {0};
    char out[3001];
    fresh();
    CHECK(writes(&a, text, 1) == 1); /* keeps the ring from starting afresh */
    for (int i = 0; i < 100; i++) {
        CHECK(writes(&a, text + i, 3001) == 3001 && reads(&r, out, 3001) == 3001);
        CHECK(out[0] == (i ? text[i - 1 + 3000] : text[0]) && memcmp(out + 1, text + i, 3000) == 0);
    }
}

static void test_ends(void)
{
    struct request a = {0}, b = {0}, r = {0}, s = {0};
    char x[16];
    fresh();
    CHECK(reads(&r, x, 16) == NOT_YET && reads(&s, x, 16) == NOT_YET);
    pipe_close(&pipe_, PIPE_WRITE_END, &mover);
    CHECK(r.result == 0 && s.result == 0 && reads(&r, x, 16) == 0);
    CHECK(pipe_poll(&pipe_, PIPE_READ_END) == FS_POLL_HUP);
    CHECK(start(&r, PIPE_READ_END, x, 16, true) == 0);

    fresh(); /* what was written before is read first */
    CHECK(writes(&a, "bye", 3) == 3);
    pipe_close(&pipe_, PIPE_WRITE_END, &mover);
    CHECK(pipe_poll(&pipe_, PIPE_READ_END) == (FS_POLL_IN | FS_POLL_HUP));
    CHECK(reads(&r, x, 16) == 3 && reads(&r, x, 16) == 0);

    fresh();
    pipe_close(&pipe_, PIPE_READ_END, &mover);
    CHECK(writes(&a, "x", 1) == -EPIPE && writes(&a, text, 9999) == -EPIPE);
    CHECK(writes(&a, "", 0) == -EPIPE && pipe_poll(&pipe_, PIPE_WRITE_END) == FS_POLL_ERR);

    fresh(); /* writers that wait get EPIPE, or what they had written */
    CHECK(writes(&a, text, PIPE_CAPACITY + 1) == NOT_YET && writes(&b, "x", 1) == NOT_YET);
    pipe_close(&pipe_, PIPE_READ_END, &mover);
    CHECK(a.result == PIPE_CAPACITY && b.result == -EPIPE);

    fresh(); /* an end closed under its own requests */
    CHECK(reads(&r, x, 16) == NOT_YET);
    pipe_close(&pipe_, PIPE_READ_END, &mover);
    CHECK(r.result == -EBADF && pipe_.waiting[PIPE_READ_END] == NULL);
    fresh();
    CHECK(writes(&a, text, PIPE_CAPACITY) == PIPE_CAPACITY && writes(&a, "x", 1) == NOT_YET);
    CHECK(writes(&b, text, 9000) == NOT_YET);
    pipe_close(&pipe_, PIPE_WRITE_END, &mover);
    CHECK(a.result == -EBADF && b.result == -EBADF);
    pipe_close(&pipe_, PIPE_READ_END, &mover);
}

static void test_faults(void)
{
    static char out[PIPE_CAPACITY];
    struct request a = {0}, r = {0}, s = {0}, gone = {.error = -ESTALE};
    fresh();
    /* a caller that is gone is passed over, and takes nothing with it */
    CHECK(start(&gone, PIPE_READ_END, out, 16, false) == NOT_YET && reads(&r, out, 16) == NOT_YET);
    CHECK(writes(&a, "data", 4) == 4);
    CHECK(gone.result == -ESTALE && r.result == 4 && memcmp(out, "data", 4) == 0);
    CHECK(start(&gone, PIPE_WRITE_END, text, 16, false) == -ESTALE && pipe_length(&pipe_) == 0);

    /* a small write whose second half cannot be fetched leaves nothing behind */
    a.limit = 2;
    CHECK(writes(&a, "data", 4) == -EFAULT && pipe_length(&pipe_) == 0 && a.io.done == 0);
    CHECK(writes(&a, text, PIPE_ATOMIC) == -EFAULT && pipe_length(&pipe_) == 0);
    a.limit = 5000;
    CHECK(writes(&a, text, 9000) == 5000 && pipe_length(&pipe_) == 5000);
    CHECK(writes(&s, "+", 1) == 1);
    r.limit = 3000;
    CHECK(reads(&r, out, 5000) == 3000);
    r.error = -EFAULT;
    CHECK(reads(&r, out, 10) == -EFAULT);
    r = (struct request){0};
    CHECK(reads(&r, out + 3000, 9000) == 2001);
    CHECK(memcmp(out, text, 5000) == 0 && out[5000] == '+');

    /* a reader's buffer that takes nothing at all does not look like the end of the file */
    struct request stuck = {.stuck = true};
    CHECK(writes(&s, "ab", 2) == 2);
    CHECK(start(&stuck, PIPE_READ_END, out, 1, false) == -EFAULT && pipe_length(&pipe_) == 2);
    CHECK(start(&stuck, PIPE_WRITE_END, out, 1, false) == -EFAULT && pipe_length(&pipe_) == 2);
}

static void test_cancel(void)
{
    struct request a = {0}, b = {0}, c = {0}, r = {0};
    char x[16];
    fresh();
    CHECK(reads(&a, x, 1) == NOT_YET && reads(&b, x, 2) == NOT_YET && reads(&c, x, 3) == NOT_YET);
    pipe_cancel(&pipe_, &b.io, &mover);
    CHECK(writes(&r, "xyz", 3) == 3 && a.result == 1 && b.result == NOT_YET && c.result == 2);

    fresh(); /* the small write behind a larger one may go when that is cancelled */
    CHECK(writes(&r, text, PIPE_CAPACITY - 10) == PIPE_CAPACITY - 10);
    CHECK(writes(&a, text, 11) == NOT_YET && writes(&b, "0123456789", 10) == NOT_YET);
    pipe_cancel(&pipe_, &a.io, &mover);
    CHECK(a.result == NOT_YET && b.result == 10 && pipe_.waiting[PIPE_WRITE_END] == NULL);
}

static void test_random(void)
{
    static uint8_t bytes[6000];
    uint64_t state = 3;
    for (int round = 0; round < 60; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (uint8_t)(state >> 56);
        }
        CHECK(pipe_stream_run(bytes, sizeof bytes));
    }
}

int main(void)
{
    test_simple();
    test_full();
    test_large_writes();
    test_wrap();
    test_ends();
    test_faults();
    test_cancel();
    test_random();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
