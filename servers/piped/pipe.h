/* One pipe: a ring of bytes between a write end and a read end, and the requests that wait at
 * either. A pure state machine: how bytes move to and from a request is the caller's business.
 *
 * What must outlive piped is in struct pipe_state and the ring, the caller's memory. It is valid at
 * every moment: bytes count once written or read (one word each) goes on. Requests are not in there,
 * for they come again; but of the one at each end that bytes have moved for (the active one) it
 * says which call it was, and where the counter stood when it began.
 *
 * Writes up to PIPE_ATOMIC bytes go in whole; longer ones as room comes. Requests at an end are
 * served in the order they came. A read takes what is there; it waits only while there is
 * nothing and the write end is open. */
#pragma once

#include "proto/pipe.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pipe_end { PIPE_READ_END, PIPE_WRITE_END };

/* One read or write, in the caller's memory; it stays there until it is finished. */
struct pipe_io {
    struct pipe_io *next;
    uint64_t call; /* which one it is, in the caller's numbers; 0: nobody will ask */
    bool resumes;  /* it is the active call of its end, come again after piped was started anew */
    uint64_t length; /* bytes asked for */
    uint64_t done;   /* bytes moved so far */
};

/* move: up to count bytes from the request (at its offset io->done) into data, or from data to
 * the request; how many, fewer only if the rest cannot be moved, or -errno. finish: a request
 * that had to wait is over: bytes moved or -errno; io is the caller's again. */
struct pipe_mover {
    int64_t (*move_in)(struct pipe_io *io, char *data, size_t count);
    int64_t (*move_out)(struct pipe_io *io, const char *data, size_t count);
    void (*finish)(struct pipe_io *io, int64_t result);
};

struct pipe_state {
    uint64_t moved[2]; /* by enum pipe_end: bytes read and written, ever */
    uint64_t origin;   /* of these, the one that is or was at the ring's begin */
    struct {
        uint64_t call, start; /* call 0: none */
    } active[2];
    uint8_t open[2], nonblocking[2];
};

struct pipe {
    struct pipe_state *state;
    char *ring;                 /* PIPE_CAPACITY bytes */
    struct pipe_io *waiting[2]; /* the first that waits at each end */
    bool awaits[2];             /* the active call of this end has not come again yet */
    struct pipe_io *starting;   /* the one that pipe_start is about */
    int64_t result;             /* its result */
};

#define PIPE_WAITS INT64_MIN

/* pipe_init: an empty pipe with both ends open. pipe_adopt: one that another process left; false if
 * there can be no such pipe. Nothing moves at an end whose active call is awaited, until it has
 * come, or pipe_settled says that it will not. */
void pipe_init(struct pipe *pipe, struct pipe_state *state, char *ring);
bool pipe_adopt(struct pipe *pipe, struct pipe_state *state, char *ring);
void pipe_settled(struct pipe *pipe, const struct pipe_mover *mover);

/* pipe_length: bytes written and not yet read. */
static inline size_t pipe_length(const struct pipe *pipe)
{
    return (size_t)(pipe->state->moved[PIPE_WRITE_END] - pipe->state->moved[PIPE_READ_END]);
}

static inline bool pipe_open(const struct pipe *pipe, enum pipe_end end)
{
    return pipe->state->open[end];
}

/* pipe_start: a read or write of io->length bytes at an open end. Bytes moved (0: end of file),
 * -EPIPE, -EAGAIN where a nonblocking request would wait, an error of move, or PIPE_WAITS:
 * finish will be called. It may be called for others before this returns. */
int64_t pipe_start(struct pipe *pipe, enum pipe_end end, struct pipe_io *io, bool nonblocking,
                   const struct pipe_mover *mover);

/* pipe_cancel: takes a waiting request back; finish is not called for it. */
void pipe_cancel(struct pipe *pipe, struct pipe_io *io, const struct pipe_mover *mover);

/* pipe_close: closes an end; what waits there is finished with EBADF. */
void pipe_close(struct pipe *pipe, enum pipe_end end, const struct pipe_mover *mover);

/* pipe_poll: the FS_POLL_* bits of an end. */
unsigned pipe_poll(const struct pipe *pipe, enum pipe_end end);
