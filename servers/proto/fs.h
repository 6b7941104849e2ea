/* The file protocol. fsd, consoled, piped, init, blkd, randd, ... all answer it on their names,
 * so that cat, ls and hexdump work on every URI.
 *
 * An open file, directory, pipe end or terminal is a badged send handle; closing its last copy
 * closes it. The handle that nsd gives for a prefix names the server's root: on it, the
 * operations that take a path (relative to the prefix, no leading slash, already folded: no
 * "." or ".."; "" is the root itself) are allowed. On an open directory they are too, relative
 * to it.
 *
 * Every reply starts with int64_t result (>= 0, or -errno). A path travels behind the fixed
 * part of its request if it fits (FS_PATH_INLINE), else in lent window 0 (readable). Bulk data
 * travels through a lent window: for FS_READ and FS_READDIR window 0 writable, for FS_WRITE
 * window 0 readable; up to 200 bytes of FS_WRITE data may be inline (no window). */
#pragma once

#include <stdint.h>

enum fs_operation {
    FS_OPEN = 1,       /* struct fs_path_request; handle 0, struct fs_open_reply */
    FS_CLOSE = 2, /* optional early close: reports write errors; the handle stays valid but dead */
    FS_READ = 3,       /* struct fs_io_request, window 0; result: bytes, 0 at the end */
    FS_WRITE = 4,      /* struct fs_io_request, window 0 or inline; result: bytes */
    FS_SEEK = 5,       /* struct fs_seek_request; result: the new offset */
    FS_STAT = 6,       /* struct fs_path_request; struct fs_stat_reply */
    FS_FSTAT = 7,      /* struct fs_stat_reply, of the open file */
    FS_FSYNC = 8,      /* result 0: what was written to the file is on the medium */
    FS_FTRUNCATE = 9,  /* struct fs_io_request: offset = the new size */
    FS_READDIR = 10,   /* struct fs_io_request, window 0; struct fs_dirent[] there */
    FS_MKDIR = 11,     /* struct fs_path_request, as the next two */
    FS_RMDIR = 12,
    FS_UNLINK = 13,
    FS_RENAME = 14,    /* struct fs_two_paths_request, as the next */
    FS_LINK = 15,
    FS_TRUNCATE = 16,  /* struct fs_path_request, as the next two */
    FS_CHMOD = 17,
    FS_UTIME = 18,
    FS_SYNC = 19,      /* result 0: everything is on the medium */
    FS_SYMLINK = 20,   /* struct fs_two_paths_request */
    FS_READLINK = 21,  /* struct fs_path_request; result: bytes of the target */
    FS_STATFS = 22,    /* struct fs_statfs_reply */
    FS_SYNC_ASYNC = 23, /* the async pattern: result = job id now; a pulse at completion */
    FS_JOB_STATUS = 24, /* struct fs_job_request */
    FS_POLL = 25, /* word 0 = FS_POLL_* bits asked for; result = those that are ready now, and
                     always ERR and HUP. With a channel (PULSE right) as handle 0: if none is ready,
                     the server keeps the handle, answers word 1 = 1, and pulses it with the bits
                     of word 1 as soon as one is, once; the handle's closing ends the wait. A server
                     that cannot do this answers without word 1, and the client asks again later */
    FS_SET_FLAGS = 26, /* word 0 = FS_O_NONBLOCK | FS_O_APPEND, as the open session has them from
                          now on; ENOSYS where they mean nothing */
};

#define FS_PATH_INLINE 200
#define FS_PATH_MAX 1024
#define FS_NAME_MAX 255
#define FS_INLINE_DATA 200
#define FS_OFFSET_CURRENT UINT64_MAX /* read, write: at the session's own offset, and move it */

enum fs_open_flags {
    FS_O_READ = 1,
    FS_O_WRITE = 2,
    FS_O_CREATE = 4,
    FS_O_EXCLUSIVE = 8,
    FS_O_TRUNCATE = 16,
    FS_O_APPEND = 32,
    FS_O_DIRECTORY = 64, /* fail with ENOTDIR otherwise */
    FS_O_NOFOLLOW = 128, /* ELOOP on a symbolic link */
    FS_O_SYNC = 256,
    FS_O_NONBLOCK = 512,
    FS_O_SOCKET = 1024, /* of a descriptor that is passed on: its handle is a socket (proto/net.h) */
};

enum { FS_POLL_IN = 1, FS_POLL_OUT = 4, FS_POLL_ERR = 8, FS_POLL_HUP = 16 };
enum { FS_SEEK_SET, FS_SEEK_CUR, FS_SEEK_END };
enum { FS_STAT_NOFOLLOW = 1 };

/* POSIX file types and permission bits, as in st_mode. */
enum {
    FS_IFMT = 0170000,
    FS_IFSOCK = 0140000,
    FS_IFLNK = 0120000,
    FS_IFREG = 0100000,
    FS_IFBLK = 0060000,
    FS_IFDIR = 0040000,
    FS_IFCHR = 0020000,
    FS_IFIFO = 0010000,
};

/* open, stat, mkdir, rmdir, unlink, truncate, chmod, utime, readlink; reply of open: handle 0,
 * struct fs_open_reply. readlink: target into window 1 (or window 0 if the path is inline). */
struct fs_path_request {
    uint32_t flags; /* FS_O_*, FS_STAT_* */
    uint32_t mode;  /* permission bits of open(CREATE), mkdir, chmod */
    uint64_t size;  /* truncate: bytes; utime: ns since 1970 of mtime */
    uint32_t path_len;
    uint32_t pad;
    char path[FS_PATH_INLINE];
};

struct fs_open_reply {
    int64_t result;
    uint32_t mode; /* type and permissions, so that the client knows what it opened */
    uint32_t pad;
    uint64_t size;
};

/* rename, link, symlink (old = the link's text). Both strings, old first, inline when they fit
 * together, else old in window 0 and new in window 1. */
struct fs_two_paths_request {
    uint32_t flags;
    uint32_t old_len, new_len;
    uint32_t pad;
    char paths[FS_PATH_INLINE];
};

/* read, write (result: bytes moved; 0 at end of file), ftruncate (offset = size). */
struct fs_io_request {
    uint64_t offset; /* or FS_OFFSET_CURRENT */
    uint64_t length; /* bytes */
    uint8_t data[FS_INLINE_DATA]; /* write without window */
};

struct fs_seek_request { /* result: the new offset */
    int64_t offset;
    uint32_t whence;
    uint32_t pad;
};

struct fs_stat {
    uint64_t inode;
    uint64_t size;    /* bytes */
    uint64_t blocks;  /* of 512 bytes */
    uint64_t atime, mtime, ctime; /* ns since 1970 */
    uint32_t mode, links, uid, gid;
    uint32_t block_size;
    uint32_t device; /* tells file systems apart */
};
struct fs_stat_reply {
    int64_t result;
    struct fs_stat stat;
};

/* readdir: request struct fs_io_request (offset = cookie, 0 first, or FS_OFFSET_CURRENT); window
 * 0 receives packed records; result: bytes, 0 at the end. Continue with the last record's next. */
struct fs_dirent {
    uint64_t inode;
    uint64_t next; /* cookie of the entry behind this one */
    uint16_t record_len; /* of this record, a multiple of 8 */
    uint8_t type;  /* mode >> 12 */
    uint8_t name_len;
    char name[]; /* NUL-terminated */
};

struct fs_statfs_reply {
    int64_t result;
    uint64_t block_size, blocks, blocks_free, inodes, inodes_free;
    uint32_t read_only;
    uint32_t name_max;
    char type[16]; /* "ext2"; "ext3": with a journal */
    uint64_t commits; /* transactions that the journal has written since the mount */
};

/* sync_async: handle 0 = a channel to pulse (PULSE right), word 0 = bit. job_status: word 0 = job
 * id; result: 0 done, 1 running, or -errno of the job. */
struct fs_job_request {
    uint64_t value;
};
