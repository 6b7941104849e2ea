/* The reads and writes that piped has in hand: a bounded pool, and how their bytes move. */
#pragma once

#include "cairn/server.h"
#include "piped/pipe.h"
#include "proto/fs.h"

#define TRANSFERS_MAX      512
#define TRANSFERS_A_CLIENT 64

struct transfer {
    struct pipe_io io; /* first: the core hands it back */
    struct pipe *pipe; /* NULL: free */
    uint64_t token;
    uint32_t client; /* pid */
    bool waited;
    bool is_inline; /* a write whose bytes came with the request */
    uint8_t data[FS_INLINE_DATA];
};

extern const struct pipe_mover transfer_mover;

/* transfer_take: a transfer for a request on pipe, or NULL: the client has too many, or all
 * have. Callers that have given up are forgotten first. transfer_release: back to the pool; what
 * waits is released when it is finished. */
struct transfer *transfer_take(struct request *request, struct pipe *pipe);
void transfer_release(struct transfer *transfer);
