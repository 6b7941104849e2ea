/* A pipe: ring, ends and waiting requests. Invariant: between calls no waiting request could go
 * on: readers wait only at an empty ring, writers only at one without room for them, and
 * neither when the other end is closed; or their end awaits its active call. */
#include "piped/pipe.h"
#include "abi/errno.h"
#include "cairn/kept.h"
#include "proto/fs.h"

void pipe_init(struct pipe *pipe, struct pipe_state *state, char *ring)
{
    *state = (struct pipe_state){.open = {true, true}};
    *pipe = (struct pipe){.state = state, .ring = ring};
}

bool pipe_adopt(struct pipe *pipe, struct pipe_state *state, char *ring)
{
    *pipe = (struct pipe){.state = state, .ring = ring};
    for (int end = PIPE_READ_END; end <= PIPE_WRITE_END; end++)
        pipe->awaits[end] = state->active[end].call != 0;
    return pipe_length(pipe) <= PIPE_CAPACITY && state->origin <= state->moved[PIPE_READ_END];
}

static size_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? (size_t)a : (size_t)b;
}

/* Where in the ring the byte with this number is. */
static size_t place(const struct pipe *pipe, uint64_t number)
{
    return (size_t)((number - pipe->state->origin) % PIPE_CAPACITY);
}

/* Bytes are about to move for io, the first of them perhaps. */
static void activate(struct pipe *pipe, enum pipe_end end, const struct pipe_io *io)
{
    if (io->done > 0)
        return;
    pipe->state->active[end].call = 0;
    kept_barrier();
    pipe->state->active[end].start = pipe->state->moved[end];
    kept_barrier();
    pipe->state->active[end].call = io->call;
    kept_barrier();
}

/* Bytes have moved for the active io: from here on they have. */
static void commit(struct pipe *pipe, enum pipe_end end, struct pipe_io *io, size_t count)
{
    kept_barrier();
    pipe->state->moved[end] += count;
    kept_barrier();
    io->done += count;
}

/* take: moves bytes from the ring to the request. Bytes, or the error if there were none. */
static int64_t take(struct pipe *pipe, struct pipe_io *io, const struct pipe_mover *mover)
{
    size_t count = smaller(io->length, pipe_length(pipe));
    activate(pipe, PIPE_READ_END, io);
    while (io->done < count) {
        size_t head = place(pipe, pipe->state->moved[PIPE_READ_END]);
        size_t n = smaller(count - io->done, PIPE_CAPACITY - head);
        int64_t moved = mover->move_out(io, pipe->ring + head, n);
        if (moved <= 0 && io->done == 0)
            return moved < 0 ? moved : -EFAULT;
        if (moved < 0)
            break;
        commit(pipe, PIPE_READ_END, io, (size_t)moved);
        if ((size_t)moved < n)
            break;
    }
    if (pipe_length(pipe) == 0) /* an emptied pipe goes on using the same few pages */
        pipe->state->origin = pipe->state->moved[PIPE_READ_END];
    return (int64_t)io->done;
}

/* put: moves count bytes from the request behind those in the ring. They count only when all of
 * them came, unless the write may be split. 0, or the error that ends the request. */
static int64_t put(struct pipe *pipe, struct pipe_io *io, size_t count,
                   const struct pipe_mover *mover)
{
    bool whole = io->length <= PIPE_ATOMIC;
    uint64_t before = io->done;
    size_t len = 0;
    int64_t error = 0;
    activate(pipe, PIPE_WRITE_END, io);
    while (len < count && error == 0) {
        size_t tail = place(pipe, pipe->state->moved[PIPE_WRITE_END] + len);
        size_t n = smaller(count - len, PIPE_CAPACITY - tail);
        io->done = before + len;
        int64_t moved = mover->move_in(io, pipe->ring + tail, n);
        if (moved < 0) {
            error = moved;
            break;
        }
        len += (size_t)moved;
        if ((size_t)moved < n)
            error = -EFAULT;
    }
    io->done = before;
    if (!error || !whole)
        commit(pipe, PIPE_WRITE_END, io, len);
    return error;
}

/* One attempt at a request: its result, or PIPE_WAITS. */
static int64_t read_step(struct pipe *pipe, struct pipe_io *io, const struct pipe_mover *mover)
{
    if (io->done > 0) /* before piped was started anew; only the answer is missing */
        return (int64_t)io->done;
    if (pipe_length(pipe) > 0)
        return take(pipe, io, mover);
    return pipe_open(pipe, PIPE_WRITE_END) ? PIPE_WAITS : 0;
}

static int64_t write_step(struct pipe *pipe, struct pipe_io *io, const struct pipe_mover *mover)
{
    size_t room = PIPE_CAPACITY - pipe_length(pipe);
    uint64_t left = io->length - io->done;
    int64_t error = 0;
    if (!pipe_open(pipe, PIPE_READ_END))
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
    if (io == pipe->starting && !io->resumes) {
        pipe->result = result;
        return;
    }
    if (io == pipe->starting) /* answered at once: the next call at its end becomes the active one */
        pipe->starting = NULL;
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
        before = pipe_length(pipe);
        for (int end = PIPE_READ_END; end <= PIPE_WRITE_END; end++)
            while (pipe->waiting[end] != NULL && !pipe->awaits[end]) {
                int64_t result = end == PIPE_READ_END ? read_step(pipe, pipe->waiting[end], mover)
                                                      : write_step(pipe, pipe->waiting[end], mover);
                if (result == PIPE_WAITS)
                    break;
                finish(pipe, remove_first(pipe, end), result, mover);
                progress = true;
            }
    } while (progress || pipe_length(pipe) != before);
}

/* In order of arrival; but what was active before goes on before all others. */
static void enqueue(struct pipe *pipe, enum pipe_end end, struct pipe_io *io)
{
    struct pipe_io **at = &pipe->waiting[end];
    if (io->resumes) {
        io->done = pipe->state->moved[end] - pipe->state->active[end].start;
        pipe->state->active[end].call = io->call;
        pipe->awaits[end] = false;
    } else {
        while (*at != NULL)
            at = &(*at)->next;
    }
    io->next = *at;
    *at = io;
}

int64_t pipe_start(struct pipe *pipe, enum pipe_end end, struct pipe_io *io, bool nonblocking,
                   const struct pipe_mover *mover)
{
    if (io->length == 0)
        return end == PIPE_WRITE_END && !pipe_open(pipe, PIPE_READ_END) ? -EPIPE : 0;
    io->done = 0;
    enqueue(pipe, end, io);
    pipe->starting = io;
    pipe->result = PIPE_WAITS;
    settle(pipe, mover);
    bool answered = pipe->starting == NULL;
    pipe->starting = NULL;
    if (answered || pipe->result != PIPE_WAITS || !nonblocking)
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
    pipe->state->open[end] = false;
    pipe->awaits[end] = false;
    while (pipe->waiting[end] != NULL) {
        struct pipe_io *io = remove_first(pipe, end);
        mover->finish(io, io->done > 0 ? (int64_t)io->done : -EBADF);
    }
    settle(pipe, mover);
}

void pipe_settled(struct pipe *pipe, const struct pipe_mover *mover)
{
    for (int end = PIPE_READ_END; end <= PIPE_WRITE_END; end++) {
        if (pipe->awaits[end])
            pipe->state->active[end].call = 0;
        pipe->awaits[end] = false;
    }
    settle(pipe, mover);
}

unsigned pipe_poll(const struct pipe *pipe, enum pipe_end end)
{
    if (end == PIPE_READ_END)
        return (pipe_length(pipe) > 0 ? FS_POLL_IN : 0) |
               (pipe_open(pipe, PIPE_WRITE_END) ? 0 : FS_POLL_HUP);
    if (!pipe_open(pipe, PIPE_READ_END))
        return FS_POLL_ERR;
    return PIPE_CAPACITY - pipe_length(pipe) >= PIPE_ATOMIC ? FS_POLL_OUT : 0; /* so nobody waits, either */
}
