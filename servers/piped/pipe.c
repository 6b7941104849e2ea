/* A pipe: ring, ends and waiting requests. Invariant: between calls no waiting request could go
 * on: readers wait only at an empty ring, writers only at one without room for them, and
 * neither when the other end is closed. */
#include "piped/pipe.h"
#include "abi/errno.h"
#include "proto/fs.h"

void pipe_init(struct pipe *pipe, char *ring)
{
    *pipe = (struct pipe){.ring = ring, .open = {true, true}};
}

static size_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? (size_t)a : (size_t)b;
}

/* take: moves bytes from the ring to the request. Bytes, or the error if there were none. */
static int64_t take(struct pipe *pipe, struct pipe_io *io, const struct pipe_mover *mover)
{
    size_t count = smaller(io->length, pipe->len);
    while (io->done < count) {
        size_t n = smaller(count - io->done, PIPE_CAPACITY - pipe->head);
        int64_t moved = mover->move_out(io, pipe->ring + pipe->head, n);
        if (moved <= 0 && io->done == 0)
            return moved < 0 ? moved : -EFAULT;
        if (moved < 0)
            break;
        io->done += (uint64_t)moved;
        pipe->head = (pipe->head + (size_t)moved) % PIPE_CAPACITY;
        pipe->len -= (size_t)moved;
        if ((size_t)moved < n)
            break;
    }
    if (pipe->len == 0)
        pipe->head = 0; /* an emptied pipe goes on using the same few pages */
    return (int64_t)io->done;
}

/* put: moves count bytes from the request behind those in the ring. They count only when all of
 * them came, unless the write may be split. 0, or the error that ends the request. */
static int64_t put(struct pipe *pipe, struct pipe_io *io, size_t count,
                   const struct pipe_mover *mover)
{
    bool whole = io->length <= PIPE_ATOMIC;
    uint64_t before = io->done;
    size_t len = pipe->len;
    int64_t error = 0;
    while (count > 0 && error == 0) {
        size_t tail = (pipe->head + len) % PIPE_CAPACITY;
        size_t n = smaller(count, PIPE_CAPACITY - tail);
        int64_t moved = mover->move_in(io, pipe->ring + tail, n);
        if (moved < 0) {
            error = moved;
            break;
        }
        io->done += (uint64_t)moved;
        len += (size_t)moved;
        count -= (size_t)moved;
        if ((size_t)moved < n)
            error = -EFAULT;
    }
    if (error && whole)
        io->done = before;
    else
        pipe->len = len;
    return error;
}

/* One attempt at a request: its result, or PIPE_WAITS. */
static int64_t read_step(struct pipe *pipe, struct pipe_io *io, const struct pipe_mover *mover)
{
    if (pipe->len > 0)
        return take(pipe, io, mover);
    return pipe->open[PIPE_WRITE_END] ? PIPE_WAITS : 0;
}

static int64_t write_step(struct pipe *pipe, struct pipe_io *io, const struct pipe_mover *mover)
{
    size_t room = PIPE_CAPACITY - pipe->len;
    uint64_t left = io->length - io->done;
    int64_t error = 0;
    if (!pipe->open[PIPE_READ_END])
        error = -EPIPE;
    else if (io->length > PIPE_ATOMIC || left <= room)
        error = put(pipe, io, smaller(left, room), mover);
    if (error)
        return io->done > 0 ? (int64_t)io->done : error;
    return io->done == io->length ? (int64_t)io->done : PIPE_WAITS;
}

static void finish(struct pipe *pipe, struct pipe_io *io, int64_t result,
                   const struct pipe_mover *mover)
{
    if (io == pipe->starting)
        pipe->result = result;
    else
        mover->finish(io, result);
}

static struct pipe_io *remove_first(struct pipe *pipe, enum pipe_end end)
{
    struct pipe_io *io = pipe->waiting[end];
    pipe->waiting[end] = io->next;
    return io;
}

static void unlink_waiting(struct pipe *pipe, struct pipe_io *io)
{
    for (int end = PIPE_READ_END; end <= PIPE_WRITE_END; end++)
        for (struct pipe_io **at = &pipe->waiting[end]; *at != NULL; at = &(*at)->next)
            if (*at == io) {
                *at = io->next;
                return;
            }
}

/* settle: lets everything that waits go as far as it can. */
static void settle(struct pipe *pipe, const struct pipe_mover *mover)
{
    size_t before;
    bool progress;
    do {
        progress = false;
        before = pipe->len;
        for (int end = PIPE_READ_END; end <= PIPE_WRITE_END; end++)
            while (pipe->waiting[end] != NULL) {
                int64_t result = end == PIPE_READ_END ? read_step(pipe, pipe->waiting[end], mover)
                                                      : write_step(pipe, pipe->waiting[end], mover);
                if (result == PIPE_WAITS)
                    break;
                finish(pipe, remove_first(pipe, end), result, mover);
                progress = true;
            }
    } while (progress || pipe->len != before);
}

int64_t pipe_start(struct pipe *pipe, enum pipe_end end, struct pipe_io *io, bool nonblocking,
                   const struct pipe_mover *mover)
{
    if (io->length == 0)
        return end == PIPE_WRITE_END && !pipe->open[PIPE_READ_END] ? -EPIPE : 0;
    struct pipe_io **last = &pipe->waiting[end];
    while (*last != NULL)
        last = &(*last)->next;
    io->next = NULL;
    io->done = 0;
    *last = io;
    pipe->starting = io;
    pipe->result = PIPE_WAITS;
    settle(pipe, mover);
    pipe->starting = NULL;
    if (pipe->result != PIPE_WAITS || !nonblocking)
        return pipe->result;
    unlink_waiting(pipe, io);
    return io->done > 0 ? (int64_t)io->done : -EAGAIN;
}

void pipe_cancel(struct pipe *pipe, struct pipe_io *io, const struct pipe_mover *mover)
{
    unlink_waiting(pipe, io);
    settle(pipe, mover); /* it may have stood in the way of another */
}

void pipe_close(struct pipe *pipe, enum pipe_end end, const struct pipe_mover *mover)
{
    pipe->open[end] = false;
    while (pipe->waiting[end] != NULL) {
        struct pipe_io *io = remove_first(pipe, end);
        mover->finish(io, io->done > 0 ? (int64_t)io->done : -EBADF);
    }
    settle(pipe, mover);
}

unsigned pipe_poll(const struct pipe *pipe, enum pipe_end end)
{
    if (end == PIPE_READ_END)
        return (pipe->len > 0 ? FS_POLL_IN : 0) | (pipe->open[PIPE_WRITE_END] ? 0 : FS_POLL_HUP);
    if (!pipe->open[PIPE_READ_END])
        return FS_POLL_ERR;
    return PIPE_CAPACITY - pipe->len >= PIPE_ATOMIC ? FS_POLL_OUT : 0; /* so nobody waits, either */
}
