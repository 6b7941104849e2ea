/* The file protocol (proto/fs.h) on disks, which are files of bytes, and on the directory of them.
 */
#include "blkd.h"

#include "abi/errno.h"
#include "cairn/syscall.h"
#include "proto/fs.h"
#include <stdio.h>
#include <string.h>

#define DIRECTORY_INODE 1 /* disk n has inode n + 2 */
#define DIRENT_BYTES    32
_Static_assert(sizeof(struct fs_dirent) + 2 <= DIRENT_BYTES && DISKS_MAX <= 10, "one digit fits");

static uint64_t disk_bytes(unsigned number)
{
    return disks[number]->disk.sectors * BLK_SECTOR_SIZE;
}

static uint32_t disk_mode(unsigned number)
{
    return FS_IFBLK | (disks[number]->disk.read_only ? 0440u : 0660u);
}

/* number -1: the directory. */
static int64_t stat_reply(struct request *request, int number)
{
    struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
    *reply = (struct fs_stat_reply){.stat = {.inode = DIRECTORY_INODE,
                                             .mode = FS_IFDIR | 0555u,
                                             .links = 1,
                                             .block_size = BLK_SECTOR_SIZE}};
    if (number >= 0) {
        reply->stat.inode = DIRECTORY_INODE + 1 + (uint64_t)number;
        reply->stat.mode = disk_mode((unsigned)number);
        reply->stat.size = disk_bytes((unsigned)number);
        reply->stat.blocks = disks[number]->disk.sectors;
        reply->stat.block_size = CHUNK_BYTES_MAX;
    }
    request->reply->len = sizeof *reply;
    return 0;
}

/* ---- A disk ------------------------------------------------------------------------------- */

/* Data of a write that travels in the message: its length is checked against what came. */
static int inline_data(const struct request *request, uint64_t length, struct io *io)
{
    const struct message *m = request->message;
    const size_t fixed = offsetof(struct fs_io_request, data);
    if (length > IO_INLINE_MAX || m->len < fixed + length)
        return -EINVAL;
    if (io) {
        io->inline_length = (uint16_t)length;
        memcpy(io->inline_data, m->data + fixed, length);
    }
    return 0;
}

static int64_t file_transfer(struct request *request, struct session *session, bool write)
{
    const struct message *m = request->message;
    const struct fs_io_request *r = (const struct fs_io_request *)m->data;
    struct disk *disk = &disks[session->disk]->disk;
    struct transfer t;
    if (m->len < offsetof(struct fs_io_request, data))
        return -EINVAL;
    if (!(session->flags & (write ? FS_O_WRITE : FS_O_READ)))
        return -EBADF;
    bool current = r->offset == FS_OFFSET_CURRENT, inlined = write && m->window_count == 0;
    if (inlined && inline_data(request, r->length, NULL) != 0)
        return -EINVAL;
    uint64_t room = inlined ? r->length : window_size(request, write ? WINDOW_READ : WINDOW_WRITE);
    int64_t result = transfer_of_bytes(current ? session->offset : r->offset, r->length, write,
                                       disk->sectors, room, &t);
    if (result <= 0)
        return result;
    struct io *io = io_new(request, session, write ? DISK_WRITE : DISK_READ);
    if (!io)
        return -EAGAIN;
    if (inlined)
        inline_data(request, r->length, io);
    io->moves_offset = current;
    io->position = t.position;
    io->remaining = t.length;
    disk_start(disk, io);
    return SERVER_DEFERRED;
}

static int64_t file_seek(struct request *request, struct session *session)
{
    const struct fs_seek_request *r = (const struct fs_seek_request *)request->message->data;
    if (request->message->len < sizeof *r)
        return -EINVAL;
    int64_t position =
        seek_position(session->offset, disk_bytes(session->disk), r->offset, r->whence);
    if (position >= 0)
        session->offset = (uint64_t)position;
    return position;
}

static int64_t file_close(struct session *session)
{
    session->flags = 0; /* neither read nor write any more */
    return 0;
}

int64_t file_request(struct request *request, struct session *session)
{
    switch (request->message->type) {
    case FS_READ:
        return file_transfer(request, session, false);
    case FS_WRITE:
        return file_transfer(request, session, true);
    case FS_SEEK:
        return file_seek(request, session);
    case FS_FSTAT:
        return stat_reply(request, (int)session->disk);
    case FS_FSYNC:
        return io_flush(request, session);
    case FS_POLL:
        return FS_POLL_IN | FS_POLL_OUT;
    case FS_CLOSE:
        return file_close(session);
    case FS_FTRUNCATE:
        return -EINVAL;
    case FS_OPEN:
    case FS_STAT:
    case FS_READDIR:
        return -ENOTDIR;
    }
    return -ENOSYS;
}

/* ---- The directory of disks --------------------------------------------------------------- */

/* The path of a request: a disk's number, -1 for the directory itself, or -ENOENT and others as
 * *error. */
static int path_number(struct request *request, int *error)
{
    char path[16];
    int length = request_path(request, path, sizeof path);
    *error = length == -ENAMETOOLONG ? -ENOENT : length < 0 ? length : 0;
    if (*error || length == 0)
        return -1;
    int number = disk_number(path, disk_count);
    *error = number < 0 ? number : 0;
    return number;
}

static int open_error(int number, uint32_t flags)
{
    if (number < 0)
        return flags & (FS_O_WRITE | FS_O_CREATE) ? -EISDIR : 0;
    if ((flags & FS_O_CREATE) && (flags & FS_O_EXCLUSIVE))
        return -EEXIST;
    if (flags & FS_O_DIRECTORY)
        return -ENOTDIR;
    if ((flags & FS_O_WRITE) && disks[number]->disk.read_only)
        return -EROFS;
    return flags & FS_O_SYNC ? -ENOTSUP : 0;
}

static int64_t directory_open(struct request *request)
{
    int error;
    int number = path_number(request, &error);
    if (error)
        return error;
    uint32_t flags = ((const struct fs_path_request *)request->message->data)->flags;
    error = open_error(number, flags);
    if (error)
        return error;
    struct session *session = session_new(number < 0 ? SESSION_DIRECTORY : SESSION_FILE,
                                          request->message->sender, &error);
    if (!session)
        return error;
    session->disk = number < 0 ? 0 : (unsigned)number;
    session->flags = flags;
    error = session_reply(request, session);
    if (error)
        return error;
    struct fs_open_reply *reply = (struct fs_open_reply *)request->reply->data;
    *reply = (struct fs_open_reply){.mode = FS_IFDIR | 0555u};
    if (number >= 0) {
        reply->mode = disk_mode((unsigned)number);
        reply->size = disk_bytes((unsigned)number);
    }
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t directory_channel(struct request *request)
{
    int error;
    int number = path_number(request, &error);
    if (!error && number < 0)
        error = -EISDIR;
    if (error)
        return error;
    struct session *session = session_new(SESSION_BLOCK, request->message->sender, &error);
    if (!session)
        return error;
    session->disk = (unsigned)number;
    return session_reply(request, session);
}

static int64_t directory_stat(struct request *request)
{
    int error;
    int number = path_number(request, &error);
    return error ? error : stat_reply(request, number);
}

/* One record per disk, all of the same size; the cookie of a record is its disk's number. */
static int64_t directory_read(struct request *request, struct session *session)
{
    const struct fs_io_request *r = (const struct fs_io_request *)request->message->data;
    if (request->message->len < offsetof(struct fs_io_request, data))
        return -EINVAL;
    uint64_t room = window_size(request, WINDOW_WRITE), written = 0;
    bool current = r->offset == FS_OFFSET_CURRENT;
    if (current && !session)
        return -EINVAL;
    uint64_t number = current ? session->offset : r->offset;
    if (r->length > room || (number < disk_count && r->length < DIRENT_BYTES))
        return -EINVAL;
    for (; number < disk_count && r->length - written >= DIRENT_BYTES; number++) {
        union {
            struct fs_dirent entry;
            char bytes[DIRENT_BYTES];
        } record;
        memset(&record, 0, sizeof record);
        record.entry.inode = DIRECTORY_INODE + 1 + number;
        record.entry.next = number + 1;
        record.entry.record_len = DIRENT_BYTES;
        record.entry.type = FS_IFBLK >> 12;
        record.entry.name_len = 1;
        record.entry.name[0] = (char)('0' + number);
        int error = request_copy_out(request, 0, written, &record, sizeof record);
        if (error)
            return error;
        written += DIRENT_BYTES;
    }
    if (current)
        session->offset = number;
    return (int64_t)written;
}

static int64_t directory_seek(struct request *request, struct session *session)
{
    const struct fs_seek_request *r = (const struct fs_seek_request *)request->message->data;
    if (request->message->len < sizeof *r || !session || r->whence != FS_SEEK_SET || r->offset < 0)
        return -EINVAL;
    session->offset = (uint64_t)r->offset;
    return r->offset;
}

int64_t directory_request(struct request *request, struct session *session)
{
    switch (request->message->type) {
    case FS_OPEN:
        return directory_open(request);
    case FS_STAT:
        return directory_stat(request);
    case FS_READDIR:
        return directory_read(request, session);
    case FS_SEEK:
        return directory_seek(request, session);
    case FS_FSTAT:
        return stat_reply(request, -1);
    case BLK_CHANNEL:
        return directory_channel(request);
    case FS_CLOSE:
    case FS_FSYNC:
        return 0;
    case FS_READ:
    case FS_WRITE:
        return -EISDIR;
    case FS_MKDIR:
    case FS_UNLINK:
    case FS_RMDIR:
    case FS_RENAME:
        return -EPERM;
    }
    return -ENOSYS;
}
