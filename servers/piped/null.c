/* null: has no state, so all who open it share one session. */
#include "piped/null.h"
#include "abi/errno.h"
#include "cairn/names.h"
#include "cairn/syscall.h"
#include "proto/fs.h"
#include <stddef.h>

static handle_t shared; /* what every opener gets a copy of */

int null_start(handle_t service, uint64_t badge)
{
    int64_t handle = handle_mint(service, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER, badge);
    if (handle < 0)
        return (int)handle;
    shared = (handle_t)handle;
    return name_register("null:", shared);
}

static int64_t open_null(struct request *request)
{
    const struct fs_path_request *path = (const struct fs_path_request *)request->message->data;
    if (request->message->len < offsetof(struct fs_path_request, path))
        return -EINVAL;
    if (path->path_len != 0 || path->flags & FS_O_DIRECTORY)
        return -ENOTDIR;
    int64_t handle = handle_dup(shared, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    if (handle < 0)
        return handle;
    struct fs_open_reply *reply = (struct fs_open_reply *)request->reply->data;
    *reply = (struct fs_open_reply){.mode = FS_IFCHR | 0666};
    request->reply->len = sizeof *reply;
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    return 0;
}

int64_t null_request(struct request *request)
{
    const struct message *m = request->message;
    switch (m->type) {
    case FS_OPEN:
        return open_null(request);
    case FS_STAT:
    case FS_FSTAT: {
        struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
        reply->stat = (struct fs_stat){
            .inode = 1, .mode = FS_IFCHR | 0666, .links = 1, .block_size = 4096};
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
