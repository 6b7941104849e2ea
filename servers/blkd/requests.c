/* The requests under way: a fixed pool, shared by all disks, with a limit for each session. */
#include "blkd.h"

#include "abi/errno.h"
#include "cairn/syscall.h"
#include <string.h>

#define IOS_MAX 256

static struct io ios[IOS_MAX];
static struct io *free_ios;
static unsigned fresh; /* ios[fresh..] were never used */

struct io *io_new(struct request *request, struct session *session, enum disk_command command)
{
    struct io *io = free_ios;
    if (session->in_flight >= SESSION_REQUESTS_MAX)
        return NULL;
    if (io)
        free_ios = io->next;
    else if (fresh < IOS_MAX)
        io = &ios[fresh++];
    else
        return NULL;
    memset(io, 0, offsetof(struct io, inline_data));
    io->token = request->token;
    io->command = command;
    io->owner = session;
    session->in_flight++;
    return io;
}

void io_finish(struct disk *disk, struct io *io, int64_t result)
{
    struct session *session = io->owner;
    (void)disk;
    if (io->moves_offset && result > 0)
        session->offset = io->position;
    server_reply(io->token, result, NULL, 0);
    session_done(session);
    io->next = free_ios;
    free_ios = io;
}

int64_t io_flush(struct request *request, struct session *session)
{
    struct disk *disk = &disks[session->disk]->disk;
    if (!disk->has_flush)
        return 0; /* then the device writes through */
    struct io *io = io_new(request, session, DISK_FLUSH);
    if (!io)
        return -EAGAIN;
    disk_start(disk, io);
    return SERVER_DEFERRED;
}

uint64_t window_size(const struct request *request, uint64_t access)
{
    const struct message *m = request->message;
    return m->window_count > 0 && (m->windows[0].access & access) ? m->windows[0].length : 0;
}

int session_reply(struct request *request, struct session *session)
{
    int64_t handle = handle_mint(request->server->channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER,
                                 session->badge);
    if (handle < 0) {
        session_close(session->badge);
        return (int)handle;
    }
    session->made = true;
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    return 0;
}
