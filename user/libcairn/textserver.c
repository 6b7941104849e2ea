/* The file protocol in front of generated text: requests on roots and on open sessions. */
#include "cairn/server.h"
#include "cairn/syscall.h"
#include "cairn/textfile.h"
#include <string.h>

static struct text_session *session_of(struct text_server *server, uint64_t badge)
{
    uint64_t slot = badge - server->badge_base;
    if (badge < server->badge_base || slot >= TEXT_SESSIONS || !server->sessions[slot].used)
        return NULL;
    return &server->sessions[slot];
}

static const struct text_tree *tree_of(const struct text_server *server, uint64_t badge)
{
    for (size_t i = 0; i < server->tree_count; i++)
        if (server->trees[i].badge == badge)
            return &server->trees[i];
    return NULL;
}

/* The path of a request, below the directory that it came on. */
static int full_path(struct request *request, const struct text_session *session, char *path)
{
    size_t base = 0;
    if (session && session->path[0]) {
        base = strlen(session->path);
        memcpy(path, session->path, base);
        path[base++] = '/';
    }
    int len = request_path(request, path + base, TEXT_NAME_MAX - base);
    if (len == 0 && base > 0)
        path[base - 1] = '\0';
    if (len > 0 && (path[base + (size_t)len - 1] == ':' || path[base + (size_t)len - 1] == '/'))
        path[base + (size_t)len - 1] = '\0'; /* "12:" is "12" */
    return len < 0 ? len : 0;
}

static int64_t reply_stat(struct request *request, const struct fs_stat *stat)
{
    struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
    reply->stat = *stat;
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t on_open(struct text_server *server, struct request *request,
                       const struct text_tree *tree, const struct text_session *base)
{
    char path[TEXT_NAME_MAX];
    const struct fs_path_request *r = (const struct fs_path_request *)request->message->data;
    int error = full_path(request, base, path);
    if (error)
        return error;
    int slot = text_open(server, tree, request->message->sender, path, r->flags);
    if (slot < 0)
        return slot;
    int64_t handle = handle_mint(server->channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER,
                                 server->badge_base + (unsigned)slot);
    if (handle < 0) {
        text_release(server, (unsigned)slot);
        return handle;
    }
    struct fs_stat stat;
    text_fstat(&server->sessions[slot], &stat);
    struct fs_open_reply *reply = (struct fs_open_reply *)request->reply->data;
    *reply = (struct fs_open_reply){.mode = stat.mode, .size = stat.size};
    request->reply->len = sizeof *reply;
    request->reply->handle_count = 1;
    request->reply->handles[0] = (handle_t)handle;
    return 0;
}

static int64_t on_stat(struct text_server *server, struct request *request,
                       const struct text_tree *tree, const struct text_session *base)
{
    char path[TEXT_NAME_MAX];
    struct fs_stat stat;
    int error = full_path(request, base, path);
    if (!error)
        error = text_stat(server, tree, path, &stat);
    return error ? error : reply_stat(request, &stat);
}

static int64_t on_read(struct text_session *session, struct request *request)
{
    const struct message *m = request->message;
    const struct fs_io_request *r = (const struct fs_io_request *)m->data;
    bool entries = m->type == FS_READDIR;
    const char *data;
    if (m->len < offsetof(struct fs_io_request, data))
        return -EINVAL;
    if (session->directory != entries)
        return entries ? -ENOTDIR : -EISDIR;
    size_t len = r->length;
    uint64_t before = session->offset;
    if (len == 0)
        return 0;
    if (m->window_count < 1)
        return -EINVAL;
    if (entries) {
        int error = text_peek_entries(session, r->offset, &data, &len);
        if (error)
            return error;
    } else {
        data = text_peek(session, r->offset, &len);
    }
    int error = request_copy_out(request, 0, 0, data, len);
    if (error)
        session->offset = before;
    return error ? error : (int64_t)len;
}

static int64_t on_session(struct text_session *session, struct request *request)
{
    const struct message *m = request->message;
    struct fs_stat stat;
    if (session->dead)
        return -EBADF;
    switch (m->type) {
    case FS_READ:
    case FS_READDIR:
        return on_read(session, request);
    case FS_SEEK: {
        const struct fs_seek_request *seek = (const struct fs_seek_request *)m->data;
        return m->len < sizeof *seek ? -EINVAL : text_seek(session, seek->offset, seek->whence);
    }
    case FS_FSTAT:
        text_fstat(session, &stat);
        return reply_stat(request, &stat);
    case FS_POLL:
        return FS_POLL_IN;
    case FS_FSYNC:
        return 0;
    case FS_CLOSE:
        session->dead = true;
        return 0;
    case FS_WRITE:
    case FS_FTRUNCATE:
        return -EBADF;
    default:
        return -ENOSYS;
    }
}

int64_t text_server_request(struct text_server *server, struct request *request)
{
    const struct message *m = request->message;
    struct text_session *session = session_of(server, m->badge);
    const struct text_tree *tree = session ? session->tree : tree_of(server, m->badge);
    if (!tree)
        return -EBADF;
    switch (m->type) {
    case FS_OPEN:
        return session && !session->directory ? -ENOTDIR : on_open(server, request, tree, session);
    case FS_STAT:
        return session && !session->directory ? -ENOTDIR : on_stat(server, request, tree, session);
    case FS_MKDIR:
    case FS_RMDIR:
    case FS_UNLINK:
    case FS_RENAME:
    case FS_LINK:
    case FS_SYMLINK:
    case FS_TRUNCATE:
    case FS_CHMOD:
    case FS_UTIME:
        return -EROFS;
    case FS_READLINK:
        return -EINVAL;
    case FS_SYNC:
        return 0;
    default:
        return session ? on_session(session, request) : -ENOSYS;
    }
}

void text_server_closed(struct text_server *server, uint64_t badge)
{
    if (session_of(server, badge))
        text_release(server, (unsigned)(badge - server->badge_base));
}
