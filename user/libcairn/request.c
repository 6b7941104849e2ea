/* What handlers need of a request beyond its words: lent windows, and paths wherever they travel. */
#include "cairn/server.h"
#include "cairn/syscall.h"
#include "proto/fs.h"
#include <string.h>

int request_copy_in(struct request *request, unsigned window, uint64_t offset, void *buffer,
                    size_t len)
{
    while (len > 0) {
        int64_t moved = copy_in(request->token, window, offset, buffer, len);
        if (moved <= 0)
            return moved < 0 ? (int)moved : -EFAULT;
        buffer = (char *)buffer + moved;
        offset += (uint64_t)moved;
        len -= (size_t)moved;
    }
    return 0;
}

int request_copy_out(struct request *request, unsigned window, uint64_t offset, const void *buffer,
                     size_t len)
{
    while (len > 0) {
        int64_t moved = copy_out(request->token, window, offset, buffer, len);
        if (moved <= 0)
            return moved < 0 ? (int)moved : -EFAULT;
        buffer = (const char *)buffer + moved;
        offset += (uint64_t)moved;
        len -= (size_t)moved;
    }
    return 0;
}

int request_path(struct request *request, char *buffer, size_t size)
{
    const struct message *m = request->message;
    const size_t fixed = offsetof(struct fs_path_request, path);
    if (m->len < fixed)
        return -EINVAL;
    const struct fs_path_request *r = (const struct fs_path_request *)m->data;
    size_t len = r->path_len;
    if (len >= size)
        return -ENAMETOOLONG;
    if (len <= FS_PATH_INLINE) {
        if (fixed + len > m->len)
            return -EINVAL;
        memcpy(buffer, r->path, len);
    } else {
        if (m->window_count < 1)
            return -EINVAL;
        int error = request_copy_in(request, 0, 0, buffer, len);
        if (error)
            return error;
    }
    if (memchr(buffer, '\0', len))
        return -EINVAL;
    buffer[len] = '\0';
    return (int)len;
}
