/* null: and zero: have no state, so all who open one of them share one session. */
#include "piped/null.h"
#include "abi/errno.h"
#include "cairn/names.h"
#include "cairn/syscall.h"
#include "proto/fs.h"
#include <stddef.h>

#define CLIENT_RIGHTS (RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER)
#define ZEROS_MAX     65536 /* bytes that one read gets */

enum { NULL_FILE, ZERO_FILE, FILES };
static uint64_t first_badge;
static handle_t shared[FILES]; /* what every opener gets a copy of */

int null_start(handle_t service, uint64_t badge)
{
    first_badge = badge;
    for (unsigned i = 0; i < FILES; i++) {
        int64_t handle = handle_mint(service, CLIENT_RIGHTS, badge + i);
        if (handle < 0)
            return (int)handle;
        shared[i] = (handle_t)handle;
    }
    int error = name_register("null:", shared[NULL_FILE]);
    return error < 0 ? error : name_register("zero:", shared[ZERO_FILE]);
}

bool null_badge(uint64_t badge)
{
    return badge - first_badge < FILES;
}

static int64_t open_file(struct request *request, unsigned file)
{
    const struct fs_path_request *path = (const struct fs_path_request *)request->message->data;
    if (request->message->len < offsetof(struct fs_path_request, path))
        return -EINVAL;
    if (path->path_len != 0 || path->flags & FS_O_DIRECTORY)
        return -ENOTDIR;
    int64_t handle = handle_dup(shared[file], CLIENT_RIGHTS);
    if (handle < 0)
        return handle;
    struct fs_open_reply *reply = (struct fs_open_reply *)request->reply->data;
    *reply = (struct fs_open_reply){.mode = FS_IFCHR | 0666};
    request->reply->len = sizeof *reply;
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    return 0;
}

static int64_t read_zeros(struct request *request)
{
    static const char zeros[4096];
    const struct message *m = request->message;
    const struct fs_io_request *r = (const struct fs_io_request *)m->data;
    if (m->len < offsetof(struct fs_io_request, data))
        return -EINVAL;
    if (r->length > 0 && (m->window_count == 0 || !(m->windows[0].access & WINDOW_WRITE) ||
                          r->length > m->windows[0].length))
        return -EINVAL;
    uint64_t length = r->length < ZEROS_MAX ? r->length : ZEROS_MAX;
    for (uint64_t at = 0, n; at < length; at += n) {
        n = length - at < sizeof zeros ? length - at : sizeof zeros;
        int error = request_copy_out(request, 0, at, zeros, n);
        if (error < 0)
            return error;
    }
    return (int64_t)length;
}

int64_t null_request(struct request *request)
{
    const struct message *m = request->message;
    unsigned file = (unsigned)(m->badge - first_badge);
    switch (m->type) {
    case FS_OPEN:
        return open_file(request, file);
    case FS_STAT:
    case FS_FSTAT: {
        struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
        reply->stat = (struct fs_stat){
            .inode = 1 + file, .mode = FS_IFCHR | 0666, .links = 1, .block_size = 4096};
        request->reply->len = sizeof *reply;
        return 0;
    }
    case FS_WRITE:
        if (m->len < offsetof(struct fs_io_request, data))
            return -EINVAL;
        if (((const struct fs_io_request *)m->data)->length > INT64_MAX)
            return -EINVAL;
        return (int64_t)((const struct fs_io_request *)m->data)->length;
    case FS_POLL:
        return FS_POLL_IN | FS_POLL_OUT;
    case FS_READ:
        return file == ZERO_FILE ? read_zeros(request) : 0;
    case FS_SEEK:
    case FS_FSYNC:
    case FS_FTRUNCATE:
    case FS_SET_FLAGS:
    case FS_CLOSE:
        return 0;
    default:
        return -ENOSYS;
    }
}
