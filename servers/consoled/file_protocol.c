/* The file protocol (proto/fs.h) on ports. There are no sessions: a badge says which port and
 * whether to wait, and that is all there is to know, so a consoled that was started again goes on
 * serving the handles that the one before gave out. */
#include "abi/errno.h"
#include "cairn/syscall.h"
#include "consoled/keep.h"
#include "proto/fs.h"
#include <string.h>

static bool nonblocking(const struct request *request)
{
    return BADGE_NONBLOCK(request->message->badge);
}

static int64_t read_request(struct request *request, struct console_port *port)
{
    const struct message *m = request->message;
    const struct fs_io_request *r = (const struct fs_io_request *)m->data;
    if (m->len < offsetof(struct fs_io_request, data))
        return -EINVAL;
    if (r->length > 0 && (m->window_count == 0 || !(m->windows[0].access & WINDOW_WRITE) ||
                          r->length > m->windows[0].length))
        return -EINVAL;
    int64_t given = keep_noted(request->token);
    if (given >= 0)
        return given;
    console_reading();
    return port_read(&port->port, m->sender, request->token, r->length, nonblocking(request));
}

static int64_t write_request(struct request *request, struct console_port *port)
{
    const struct message *m = request->message;
    const struct fs_io_request *r = (const struct fs_io_request *)m->data;
    const size_t fixed = offsetof(struct fs_io_request, data);
    const void *data = NULL;
    if (m->len < fixed || r->length > INT64_MAX)
        return -EINVAL;
    if (m->window_count > 0) {
        if (!(m->windows[0].access & WINDOW_READ) || r->length > m->windows[0].length)
            return -EINVAL;
    } else if (r->length > FS_INLINE_DATA || m->len < fixed + r->length) {
        return -EINVAL;
    } else {
        data = r->data;
    }
    int64_t done = keep_noted(request->token);
    return port_write(&port->port, m->sender, request->token, r->length,
                      done < 0 ? 0 : (uint64_t)done, data, (int64_t)r->length,
                      nonblocking(request));
}

/* There is nothing below a port. */
static int check_path(struct request *request)
{
    char path[8];
    if (request->message->len < offsetof(struct fs_path_request, path))
        return -EINVAL;
    int length = request_path(request, path, sizeof path);
    return length > 0 || length == -ENAMETOOLONG ? -ENOENT : length;
}

static int64_t open_request(struct request *request, struct console_port *port)
{
    int error = check_path(request);
    if (error)
        return error;
    uint32_t flags = ((const struct fs_path_request *)request->message->data)->flags;
    if (flags & FS_O_DIRECTORY)
        return -ENOTDIR;
    if ((flags & FS_O_CREATE) && (flags & FS_O_EXCLUSIVE))
        return -EEXIST;
    int64_t handle = console_open(port, flags & FS_O_NONBLOCK);
    if (handle < 0)
        return handle;
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    struct fs_open_reply *reply = (struct fs_open_reply *)request->reply->data;
    *reply = (struct fs_open_reply){.mode = FS_IFCHR | 0620u};
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t fstat_request(struct request *request, struct console_port *port)
{
    struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
    *reply = (struct fs_stat_reply){.stat = {.inode = port->port.line ? 1 : 2,
                                             .mode = FS_IFCHR | 0620u,
                                             .links = 1,
                                             .block_size = PORT_READ_MAX}};
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t stat_request(struct request *request, struct console_port *port)
{
    int error = check_path(request);
    return error ? error : fstat_request(request, port);
}

int64_t console_file_request(struct request *request)
{
    struct console_port *port = console_port_of(request->message->badge);
    int64_t result;
    if (!port)
        return -ENXIO;
    switch (request->message->type) {
    case FS_READ:
        result = read_request(request, port);
        break;
    case FS_WRITE:
        result = write_request(request, port);
        break;
    case FS_OPEN:
        return open_request(request, port);
    case FS_STAT:
        return stat_request(request, port);
    case FS_FSTAT:
        return fstat_request(request, port);
    case FS_POLL:
        return port_poll(&port->port);
    case FS_SEEK:
        return -ESPIPE;
    case FS_READDIR:
        return -ENOTDIR;
    case FS_CLOSE:
    case FS_FSYNC:
        return 0;
    default:
        return -EINVAL;
    }
    port->pump(port);
    return result;
}
