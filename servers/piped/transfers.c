/* Transfers: requests that may have to wait. Invariant: a transfer in use is either the one being
 * started or in a queue of its pipe, which is open as long as it has any. */
#include "piped/transfers.h"
#include "abi/errno.h"
#include "cairn/syscall.h"
#include <string.h>

static struct transfer transfers[TRANSFERS_MAX];
static size_t in_use;
static size_t next_free; /* where to look first */

/* A caller that was killed or whose deadline passed left a stale token. */
static bool caller_waits(uint64_t token)
{
    char nothing;
    return copy_in(token, 0, 0, &nothing, 0) != -ESTALE;
}

static int64_t move_in(struct pipe_io *io, char *data, size_t count)
{
    struct transfer *transfer = (struct transfer *)io;
    if (transfer->is_inline) {
        if (transfer->waited && !caller_waits(transfer->token))
            return -ESTALE;
        memcpy(data, transfer->data + io->done, count);
        return (int64_t)count;
    }
    size_t done = 0;
    while (done < count) {
        int64_t n = copy_in(transfer->token, 0, io->done + done, data + done, count - done);
        if (n <= 0)
            return done > 0 ? (int64_t)done : n;
        done += (size_t)n;
    }
    return (int64_t)done;
}

static int64_t move_out(struct pipe_io *io, const char *data, size_t count)
{
    struct transfer *transfer = (struct transfer *)io;
    size_t done = 0;
    while (done < count) {
        int64_t n = copy_out(transfer->token, 0, io->done + done, data + done, count - done);
        if (n <= 0)
            return done > 0 ? (int64_t)done : n;
        done += (size_t)n;
    }
    return (int64_t)done;
}

static void finish(struct pipe_io *io, int64_t result)
{
    struct transfer *transfer = (struct transfer *)io;
    server_reply(transfer->token, result, NULL, 0);
    transfer_release(transfer);
}

const struct pipe_mover transfer_mover = {move_in, move_out, finish};

static unsigned count_of(uint32_t client)
{
    unsigned own = 0;
    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        own += transfers[i].pipe != NULL && transfers[i].client == client;
    return own;
}

/* While few are in use, nobody can have too many. */
static bool may_take(uint32_t client)
{
    return in_use < TRANSFERS_A_CLIENT ||
           (in_use < TRANSFERS_MAX && count_of(client) < TRANSFERS_A_CLIENT);
}

static void forget_stale(void)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *transfer = &transfers[i];
        if (transfer->pipe == NULL || caller_waits(transfer->token))
            continue;
        pipe_cancel(transfer->pipe, &transfer->io, &transfer_mover);
        transfer_release(transfer);
    }
}

struct transfer *transfer_take(struct request *request, struct pipe *pipe)
{
    uint32_t client = request->message->sender;
    if (!may_take(client))
        forget_stale();
    if (!may_take(client))
        return NULL;
    size_t i = next_free;
    while (transfers[i].pipe != NULL)
        i = (i + 1) % TRANSFERS_MAX;
    in_use++;
    transfers[i].pipe = pipe;
    transfers[i].token = request->token;
    transfers[i].client = client;
    transfers[i].waited = transfers[i].is_inline = false;
    return &transfers[i];
}

void transfer_release(struct transfer *transfer)
{
    transfer->pipe = NULL;
    next_free = (size_t)(transfer - transfers);
    in_use--;
}
