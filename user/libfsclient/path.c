/* Operations that name a file: the path inside the message if it fits, else lent. */
#include "fsclient/fsclient.h"

#include "cairn/syscall.h"
#include <string.h>

static int path_request(struct message *m, uint32_t operation, const char *path, unsigned flags,
                        unsigned mode, uint64_t size)
{
    struct fs_path_request *request = (struct fs_path_request *)m->data;
    const size_t fixed = offsetof(struct fs_path_request, path);
    size_t len = strlen(path);
    if (len > FS_PATH_MAX)
        return -ENAMETOOLONG;
    m->type = operation;
    m->handle_count = m->window_count = 0;
    m->request_id = 0;
    request->flags = flags;
    request->mode = mode;
    request->size = size;
    request->path_len = (uint32_t)len;
    request->pad = 0;
    if (len <= FS_PATH_INLINE) {
        memcpy(request->path, path, len);
        m->len = (uint16_t)(fixed + len);
    } else {
        m->len = (uint16_t)fixed;
        m->windows[m->window_count++] = (struct window){(uint64_t)path, len, WINDOW_READ};
    }
    return 0;
}

static int64_t reply_result(const struct message *m)
{
    return m->len >= sizeof(int64_t) ? (int64_t)m->words[0] : -EPROTO;
}

handle_t fs_open(handle_t root, const char *path, unsigned flags, unsigned mode,
                 struct fs_open_reply *reply)
{
    struct message m;
    int error = path_request(&m, FS_OPEN, path, flags, mode, 0);
    if (!error)
        error = channel_call(root, &m);
    if (error)
        return error;
    const struct fs_open_reply *r = (const struct fs_open_reply *)m.data;
    if (reply_result(&m) < 0)
        return (handle_t)r->result;
    if (m.handle_count != 1 || m.len < sizeof *r)
        return -EPROTO;
    if (reply)
        *reply = *r;
    return m.handles[0];
}

int fs_stat(handle_t root, const char *path, unsigned flags, struct fs_stat *stat)
{
    struct message m;
    int error = path_request(&m, FS_STAT, path, flags, 0, 0);
    if (!error)
        error = channel_call(root, &m);
    if (error)
        return error;
    const struct fs_stat_reply *r = (const struct fs_stat_reply *)m.data;
    if (reply_result(&m) < 0)
        return (int)r->result;
    if (m.len < sizeof *r)
        return -EPROTO;
    *stat = r->stat;
    return 0;
}

int64_t fs_path_operation(handle_t root, uint32_t operation, const char *path, unsigned flags,
                          unsigned mode, uint64_t size)
{
    struct message m;
    int error = path_request(&m, operation, path, flags, mode, size);
    if (!error)
        error = channel_call(root, &m);
    return error ? error : reply_result(&m);
}

int64_t fs_readlink(handle_t root, const char *path, char *buffer, size_t size)
{
    struct message m;
    int error = path_request(&m, FS_READLINK, path, 0, 0, 0);
    if (error)
        return error;
    m.windows[m.window_count++] = (struct window){(uint64_t)buffer, size, WINDOW_WRITE};
    error = channel_call(root, &m);
    if (error)
        return error;
    int64_t result = reply_result(&m);
    return result <= (int64_t)size ? result : -EPROTO;
}

int64_t fs_two_paths(handle_t root, uint32_t operation, const char *old, const char *new)
{
    struct message m;
    struct fs_two_paths_request *request = (struct fs_two_paths_request *)m.data;
    const size_t fixed = offsetof(struct fs_two_paths_request, paths);
    size_t old_len = strlen(old), new_len = strlen(new);
    if (old_len > FS_PATH_MAX || new_len > FS_PATH_MAX)
        return -ENAMETOOLONG;
    m.type = operation;
    m.len = (uint16_t)fixed;
    m.handle_count = m.window_count = 0;
    m.request_id = 0;
    request->flags = 0;
    request->old_len = (uint32_t)old_len;
    request->new_len = (uint32_t)new_len;
    request->pad = 0;
    if (old_len + new_len <= FS_PATH_INLINE) {
        memcpy(request->paths, old, old_len);
        memcpy(request->paths + old_len, new, new_len);
        m.len = (uint16_t)(fixed + old_len + new_len);
    } else {
        m.windows[m.window_count++] = (struct window){(uint64_t)old, old_len, WINDOW_READ};
        m.windows[m.window_count++] = (struct window){(uint64_t)new, new_len, WINDOW_READ};
    }
    int error = channel_call(root, &m);
    return error ? error : reply_result(&m);
}
