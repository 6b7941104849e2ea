/* The file protocol (proto/fs.h) on the ext2 core: from a message to a call of the core and
 * back. Invariant: each session holds its inode (ext2_hold) from open to close. */
#include "abi/handle.h"
#include "cairn/syscall.h"
#include "cairn/kept.h"
#include "fsd.h"
#include "jobs.h"
#include "keep.h"
#include "proto/fs.h"
#include <errno.h>
#include <string.h>

#define BUFFER_SIZE 65536
#define READ_AHEAD (128u << 10)

static char buffer[BUFFER_SIZE] __attribute__((aligned(4096)));

static uint64_t seconds(uint32_t time) { return (uint64_t)time * 1000000000; }

/* The session that a request came in on, or NULL for the volume's own handle. */
static int64_t session_of(struct request *request, struct session **session)
{
    *session = NULL;
    if (request->message->badge == 0)
        return 0;
    *session = session_find(request->message->badge);
    return *session && !(*session)->dead ? 0 : -EBADF;
}

static int64_t open_session(struct request *request, struct session **session)
{
    int64_t error = session_of(request, session);
    return error || *session ? error : -EBADF;
}

/* Where a path begins: the volume's root, or the directory that the session has open. */
static int64_t base_of(struct request *request, uint32_t *inode)
{
    struct session *session;
    int64_t error = session_of(request, &session);
    *inode = session ? session->inode : EXT2_ROOT_INODE;
    return error;
}

/* The path of a struct fs_path_request, and where it begins. */
struct path {
    uint32_t base;
    size_t len;
    char text[FS_PATH_MAX];
};

static int64_t get_path(struct request *request, struct path *path)
{
    int64_t error = base_of(request, &path->base);
    if (error)
        return error;
    int len = request_path(request, path->text, sizeof(path->text));
    if (len < 0)
        return len;
    path->len = (size_t)len;
    ext2_set_time(volume, wall_clock());
    return 0;
}

static int64_t walk(const struct path *path, bool follow, uint32_t *inode)
{
    return ext2_walk(volume, path->base, path->text, path->len, follow, inode);
}

/* The directory of a path's last segment, and that segment. */
struct place {
    uint32_t parent;
    size_t len;
    char name[EXT2_NAME_MAX + 1];
};

static int64_t walk_parent(const struct path *path, struct place *place)
{
    return ext2_walk_parent(volume, path->base, path->text, path->len, &place->parent, place->name,
                            &place->len);
}

static void offset_set(struct session *session, uint64_t offset)
{
    keep_begun();
    session->offset = offset;
}

static const struct fs_path_request *path_request(const struct request *request)
{
    return (const struct fs_path_request *)request->message->data;
}

/* The inode to open, made if the flags say so. */
static int64_t open_inode(const struct path *path, uint32_t flags, uint32_t mode, uint32_t *inode)
{
    struct place place;
    if (!(flags & FS_O_CREATE))
        return walk(path, !(flags & FS_O_NOFOLLOW), inode);
    int64_t error = flags & FS_O_EXCLUSIVE ? -ENOENT
                                           : walk(path, !(flags & FS_O_NOFOLLOW), inode);
    if (error != -ENOENT)
        return error;
    error = walk_parent(path, &place);
    return error ? error
                 : ext2_create(volume, place.parent, place.name, place.len, mode & 07777, inode);
}

/* Whether an inode of this kind may be opened like that. */
static int64_t check_open(const struct ext2_stat *stat, uint32_t flags)
{
    uint32_t type = stat->mode & FS_IFMT;
    if (type == FS_IFLNK)
        return -ELOOP;
    if (type == FS_IFDIR)
        return flags & (FS_O_WRITE | FS_O_TRUNCATE) ? -EISDIR : 0;
    if (flags & FS_O_DIRECTORY)
        return -ENOTDIR;
    return type == FS_IFREG ? 0 : -ENXIO;
}

static int64_t op_open(struct request *request)
{
    struct path path;
    struct ext2_stat stat;
    uint32_t inode, flags = path_request(request)->flags;
    int refused;
    struct session *session = session_open(request->message->sender, &refused);
    int64_t error = session ? get_path(request, &path) : refused;
    if (!error)
        error = open_inode(&path, flags, path_request(request)->mode, &inode);
    if (!error)
        error = ext2_stat(volume, inode, &stat);
    if (!error)
        error = check_open(&stat, flags);
    if (!error && flags & FS_O_TRUNCATE && flags & FS_O_WRITE) {
        error = ext2_truncate(volume, inode, 0);
        stat.size = 0;
    }
    if (error)
        return error;
    error = ext2_hold(volume, inode);
    if (error)
        goto close;
    session->inode = inode;
    session->mode = stat.mode;
    session->flags = flags;
    handle_t handle =
        (handle_t)handle_mint(request->server->channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER,
                              session_badge(session));
    error = handle;
    if (handle < 0)
        goto drop;
    kept_barrier();
    session->used = true;
    struct fs_open_reply *reply = (struct fs_open_reply *)request->reply->data;
    reply->mode = stat.mode;
    reply->pad = 0;
    reply->size = stat.size;
    request->reply->len = sizeof(*reply);
    request->reply->handle_count = 1;
    request->reply->handles[0] = handle;
    return 0;
drop:
    ext2_drop(volume, inode);
close:
    session_close(session);
    return error;
}

static int64_t op_close(struct request *request)
{
    struct session *session;
    int64_t error = open_session(request, &session);
    if (error)
        return error;
    keep_begun();
    session->dead = true;
    ext2_drop(volume, session->inode);
    return 0;
}

/* The bytes of one read, straight from the block cache into the caller's window. */
static int64_t read_to_window(struct request *request, uint32_t inode, uint64_t offset,
                              uint64_t length)
{
    uint64_t done = 0;
    while (done < length) {
        const void *data;
        int64_t n = ext2_peek(volume, inode, offset + done, &data);
        if (n <= 0)
            return done ? (int64_t)done : n;
        n = (uint64_t)n < length - done ? n : (int64_t)(length - done);
        int error = request_copy_out(request, 0, done, data, (size_t)n);
        if (error)
            return done ? (int64_t)done : error;
        done += (uint64_t)n;
    }
    return (int64_t)done;
}

static int64_t op_read(struct request *request)
{
    const struct fs_io_request *io = (const struct fs_io_request *)request->message->data;
    struct session *session;
    int64_t error = open_session(request, &session);
    if (error)
        return error;
    if (!(session->flags & FS_O_READ))
        return -EBADF;
    if ((session->mode & FS_IFMT) == FS_IFDIR)
        return -EISDIR;
    if (request->message->window_count == 0)
        return io->length ? -EINVAL : 0;
    bool own = io->offset == FS_OFFSET_CURRENT;
    uint64_t offset = own ? session->offset : io->offset;
    uint64_t length = io->length < request->message->windows[0].length
                          ? io->length
                          : request->message->windows[0].length;
    if (offset > INT64_MAX)
        return -EINVAL;
    /* Only a reader that goes through the file from front to back is read ahead for. */
    if (length && offset + length > session->ahead && offset <= session->ahead) {
        uint64_t amount = length > READ_AHEAD ? length : READ_AHEAD;
        ext2_read_ahead(volume, session->inode, offset, amount < 1u << 20 ? amount : 1u << 20);
        session->ahead = offset + amount;
    }
    int64_t n = read_to_window(request, session->inode, offset, length);
    if (own && n > 0)
        offset_set(session, offset + (uint64_t)n);
    return n;
}

/* The bytes of one write, BUFFER_SIZE at a time, from the message or the caller's window. */
static int64_t write_from_request(struct request *request, uint32_t inode, uint64_t offset,
                                  uint64_t length)
{
    const struct fs_io_request *io = (const struct fs_io_request *)request->message->data;
    bool is_inline = request->message->window_count == 0;
    uint64_t done = 0;
    while (done < length) {
        size_t n = length - done < BUFFER_SIZE ? length - done : BUFFER_SIZE;
        int error = is_inline ? 0 : request_copy_in(request, 0, done, buffer, n);
        int64_t written =
            error ? error : ext2_write(volume, inode, offset + done, is_inline ? io->data : (uint8_t *)buffer, n);
        if (written <= 0)
            return done ? (int64_t)done : written;
        done += (uint64_t)written;
        if ((size_t)written < n)
            break;
    }
    return (int64_t)done;
}

static int64_t op_write(struct request *request)
{
    const struct fs_io_request *io = (const struct fs_io_request *)request->message->data;
    struct session *session;
    int64_t error = open_session(request, &session);
    if (error)
        return error;
    if (!(session->flags & FS_O_WRITE))
        return -EBADF;
    uint64_t most = request->message->window_count ? request->message->windows[0].length
                                                   : request->message->len - 16u;
    if (io->length > most)
        return -EINVAL;
    bool own = io->offset == FS_OFFSET_CURRENT;
    uint64_t offset = own ? session->offset : io->offset;
    ext2_set_time(volume, wall_clock());
    if (session->flags & FS_O_APPEND) {
        struct ext2_stat stat;
        error = ext2_stat(volume, session->inode, &stat);
        if (error)
            return error;
        offset = stat.size;
    }
    if (offset > INT64_MAX)
        return -EINVAL;
    int64_t n = write_from_request(request, session->inode, offset, io->length);
    if (n > 0 && own)
        offset_set(session, offset + (uint64_t)n);
    if (n > 0 && session->flags & FS_O_SYNC)
        error = ext2_fsync(volume, session->inode);
    return error ? error : n;
}

static int64_t op_seek(struct request *request)
{
    const struct fs_seek_request *seek = (const struct fs_seek_request *)request->message->data;
    struct session *session;
    struct ext2_stat stat;
    int64_t error = open_session(request, &session);
    if (!error)
        error = ext2_stat(volume, session->inode, &stat);
    if (error)
        return error;
    int64_t base = seek->whence == FS_SEEK_CUR   ? (int64_t)session->offset
                   : seek->whence == FS_SEEK_END ? (int64_t)stat.size
                                                 : 0;
    int64_t target;
    if (seek->whence > FS_SEEK_END || __builtin_add_overflow(base, seek->offset, &target) ||
        target < 0)
        return -EINVAL;
    offset_set(session, (uint64_t)target);
    return target;
}

static int64_t answer_stat(struct request *request, uint32_t inode)
{
    struct ext2_stat stat;
    struct ext2_info info;
    int64_t error = ext2_stat(volume, inode, &stat);
    if (error)
        return error;
    ext2_info(volume, &info);
    struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
    reply->stat = (struct fs_stat){.inode = stat.inode,
                                   .size = stat.size,
                                   .blocks = stat.blocks,
                                   .atime = seconds(stat.atime),
                                   .mtime = seconds(stat.mtime),
                                   .ctime = seconds(stat.ctime),
                                   .mode = stat.mode,
                                   .links = stat.links,
                                   .uid = stat.uid,
                                   .gid = stat.gid,
                                   .block_size = info.block_size,
                                   .device = (uint32_t)process_self()};
    request->reply->len = sizeof(*reply);
    return 0;
}

static int64_t op_stat(struct request *request)
{
    struct path path;
    uint32_t inode;
    int64_t error = get_path(request, &path);
    if (!error)
        error = walk(&path, !(path_request(request)->flags & FS_STAT_NOFOLLOW), &inode);
    return error ? error : answer_stat(request, inode);
}

static int64_t op_fstat(struct request *request)
{
    struct session *session;
    int64_t error = session_of(request, &session);
    return error ? error : answer_stat(request, session ? session->inode : EXT2_ROOT_INODE);
}

static int64_t op_fsync(struct request *request)
{
    struct session *session;
    int64_t error = open_session(request, &session);
    return error ? error : ext2_fsync(volume, session->inode);
}

static int64_t op_ftruncate(struct request *request)
{
    const struct fs_io_request *io = (const struct fs_io_request *)request->message->data;
    struct session *session;
    int64_t error = open_session(request, &session);
    if (error)
        return error;
    if (!(session->flags & FS_O_WRITE))
        return -EINVAL;
    ext2_set_time(volume, wall_clock());
    return ext2_truncate(volume, session->inode, io->offset);
}

/* One packed record; its length, or 0 if it does not fit into room. */
static size_t put_dirent(char *to, size_t room, const struct ext2_dirent *entry, uint64_t next)
{
    size_t len = (sizeof(struct fs_dirent) + entry->name_len + 1u + 7u) & ~7ul;
    if (len > room)
        return 0;
    struct fs_dirent *out = (struct fs_dirent *)to;
    memset(out, 0, len);
    out->inode = entry->inode;
    out->next = next;
    out->record_len = (uint16_t)len;
    out->type = entry->type;
    out->name_len = entry->name_len;
    memcpy(out->name, entry->name, entry->name_len);
    return len;
}

static int64_t op_readdir(struct request *request)
{
    const struct fs_io_request *io = (const struct fs_io_request *)request->message->data;
    struct session *session;
    int64_t error = open_session(request, &session);
    if (error)
        return error;
    if (request->message->window_count == 0)
        return -EINVAL;
    bool own = io->offset == FS_OFFSET_CURRENT;
    uint64_t cookie = own ? session->offset : io->offset;
    size_t room = request->message->windows[0].length;
    room = room < BUFFER_SIZE ? room : BUFFER_SIZE;
    size_t filled = 0;
    for (;;) {
        struct ext2_dirent entry;
        uint64_t next;
        int more = ext2_readdir(volume, session->inode, cookie, &entry, &next);
        if (more < 0)
            return more;
        if (more == 0)
            break;
        size_t len = put_dirent(buffer + filled, room - filled, &entry, next);
        if (len == 0) {
            if (filled == 0)
                return -EINVAL; /* not even one record fits */
            break;
        }
        filled += len;
        cookie = next;
    }
    if (own)
        offset_set(session, cookie);
    error = request_copy_out(request, 0, 0, buffer, filled);
    return error ? error : (int64_t)filled;
}

static int64_t op_mkdir(struct request *request)
{
    struct path path;
    struct place place;
    int64_t error = get_path(request, &path);
    if (!error)
        error = walk_parent(&path, &place);
    return error ? error
                 : ext2_mkdir(volume, place.parent, place.name, place.len,
                              path_request(request)->mode & 07777);
}

static int64_t op_rmdir(struct request *request)
{
    struct path path;
    struct place place;
    int64_t error = get_path(request, &path);
    if (!error)
        error = walk_parent(&path, &place);
    return error ? error : ext2_rmdir(volume, place.parent, place.name, place.len);
}

static int64_t op_unlink(struct request *request)
{
    struct path path;
    struct place place;
    int64_t error = get_path(request, &path);
    if (!error)
        error = walk_parent(&path, &place);
    return error ? error : ext2_unlink(volume, place.parent, place.name, place.len);
}

/* Both strings of a struct fs_two_paths_request. */
static int64_t get_two(struct request *request, struct path *old, struct path *new)
{
    const struct fs_two_paths_request *two =
        (const struct fs_two_paths_request *)request->message->data;
    int64_t error = base_of(request, &old->base);
    if (error)
        return error;
    new->base = old->base;
    old->len = two->old_len;
    new->len = two->new_len;
    if (old->len >= FS_PATH_MAX || new->len >= FS_PATH_MAX)
        return -ENAMETOOLONG;
    ext2_set_time(volume, wall_clock());
    if (request->message->window_count) {
        if (request->message->window_count != 2)
            return -EINVAL;
        error = request_copy_in(request, 0, 0, old->text, old->len);
        return error ? error : request_copy_in(request, 1, 0, new->text, new->len);
    }
    if (old->len + new->len > FS_PATH_INLINE || old->len + new->len > request->message->len - 16u)
        return -EINVAL;
    memcpy(old->text, two->paths, old->len);
    memcpy(new->text, two->paths + old->len, new->len);
    return 0;
}

static int64_t op_rename(struct request *request)
{
    struct path old, new;
    struct place from, to;
    int64_t error = get_two(request, &old, &new);
    if (!error)
        error = walk_parent(&old, &from);
    if (!error)
        error = walk_parent(&new, &to);
    return error ? error
                 : ext2_rename(volume, from.parent, from.name, from.len, to.parent, to.name,
                               to.len);
}

static int64_t op_link(struct request *request)
{
    struct path old, new;
    struct place to;
    uint32_t inode;
    int64_t error = get_two(request, &old, &new);
    if (!error)
        error = walk(&old, false, &inode);
    if (!error)
        error = walk_parent(&new, &to);
    return error ? error : ext2_link(volume, inode, to.parent, to.name, to.len);
}

static int64_t op_symlink(struct request *request)
{
    struct path text, new;
    struct place to;
    int64_t error = get_two(request, &text, &new);
    if (!error)
        error = walk_parent(&new, &to);
    return error ? error
                 : ext2_symlink(volume, to.parent, to.name, to.len, text.text, text.len);
}

static int64_t op_readlink(struct request *request)
{
    struct path path;
    uint32_t inode;
    unsigned window = path_request(request)->path_len > FS_PATH_INLINE;
    int64_t error = get_path(request, &path);
    if (!error)
        error = walk(&path, false, &inode);
    if (error)
        return error;
    if (request->message->window_count <= window)
        return -EINVAL;
    size_t room = request->message->windows[window].length;
    int len = ext2_readlink(volume, inode, buffer, room < BUFFER_SIZE ? room : BUFFER_SIZE);
    if (len < 0)
        return len;
    error = request_copy_out(request, window, 0, buffer, (size_t)len);
    return error ? error : len;
}

/* truncate, chmod, utime: an operation with one number on a path. */
static int64_t on_inode(struct request *request, int (*act)(uint32_t inode, const struct fs_path_request *))
{
    struct path path;
    uint32_t inode;
    int64_t error = get_path(request, &path);
    if (!error)
        error = walk(&path, true, &inode);
    return error ? error : act(inode, path_request(request));
}

static int act_truncate(uint32_t inode, const struct fs_path_request *request)
{
    return ext2_truncate(volume, inode, request->size);
}

static int act_chmod(uint32_t inode, const struct fs_path_request *request)
{
    return ext2_chmod(volume, inode, request->mode & 07777);
}

static int act_utime(uint32_t inode, const struct fs_path_request *request)
{
    uint32_t time = (uint32_t)(request->size / 1000000000);
    return ext2_utime(volume, inode, time, time);
}

static int64_t op_truncate(struct request *request) { return on_inode(request, act_truncate); }
static int64_t op_chmod(struct request *request) { return on_inode(request, act_chmod); }
static int64_t op_utime(struct request *request) { return on_inode(request, act_utime); }

static int64_t op_sync(struct request *request)
{
    (void)request;
    return ext2_sync(volume);
}

static int64_t op_statfs(struct request *request)
{
    struct ext2_info info;
    ext2_info(volume, &info);
    struct fs_statfs_reply *reply = (struct fs_statfs_reply *)request->reply->data;
    *reply = (struct fs_statfs_reply){.block_size = info.block_size,
                                      .blocks = info.blocks,
                                      .blocks_free = info.blocks_free,
                                      .inodes = info.inodes,
                                      .inodes_free = info.inodes_free,
                                      .read_only = info.read_only,
                                      .name_max = EXT2_NAME_MAX,
                                      .type = "ext2",
                                      .commits = info.commits};
    if (info.journal_blocks)
        reply->type[3] = '3';
    request->reply->len = sizeof(*reply);
    return 0;
}

static int64_t op_poll(struct request *request)
{
    (void)request;
    return FS_POLL_IN | FS_POLL_OUT; /* a disk never keeps anyone waiting */
}

#define PATH_MIN offsetof(struct fs_path_request, path)
static const struct server_operation handlers[] = {
    {FS_OPEN, PATH_MIN, op_open},
    {FS_CLOSE, 0, op_close},
    {FS_READ, 16, op_read},
    {FS_WRITE, 16, op_write},
    {FS_SEEK, sizeof(struct fs_seek_request), op_seek},
    {FS_STAT, PATH_MIN, op_stat},
    {FS_FSTAT, 0, op_fstat},
    {FS_FSYNC, 0, op_fsync},
    {FS_FTRUNCATE, 8, op_ftruncate},
    {FS_READDIR, 8, op_readdir},
    {FS_MKDIR, PATH_MIN, op_mkdir},
    {FS_RMDIR, PATH_MIN, op_rmdir},
    {FS_UNLINK, PATH_MIN, op_unlink},
    {FS_RENAME, 16, op_rename},
    {FS_LINK, 16, op_link},
    {FS_TRUNCATE, PATH_MIN, op_truncate},
    {FS_CHMOD, PATH_MIN, op_chmod},
    {FS_UTIME, PATH_MIN, op_utime},
    {FS_SYNC, 0, op_sync},
    {FS_SYMLINK, 16, op_symlink},
    {FS_READLINK, PATH_MIN, op_readlink},
    {FS_STATFS, 0, op_statfs},
    {FS_SYNC_ASYNC, 8, job_start},
    {FS_JOB_STATUS, 8, job_status},
    {FS_POLL, 0, op_poll},
};
#define OPERATIONS (sizeof(handlers) / sizeof(handlers[0]))
struct server_operation operations[OPERATIONS];
const size_t operation_count = OPERATIONS;

void operations_prepare(void)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        operations[i] = handlers[i];
        operations[i].handle = keep_serve;
    }
}

int64_t operation_run(struct request *request)
{
    size_t i = 0;
    while (handlers[i].type != request->message->type)
        i++; /* it came by the same table */
    return handlers[i].handle(request);
}
