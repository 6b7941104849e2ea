/* The ext2 core: the on-disk format, a write-back block cache, and the operations of a POSIX
 * file system on inode numbers. It knows nothing of messages, sessions or processes, takes the
 * time from its caller, and compiles unchanged for the host.
 *
 * Format: "The Second Extended File System" as mke2fs, e2fsck and Linux read it; revision 0 and
 * 1, block sizes 1, 2 and 4 KiB, inode sizes 128 to 1024; and its journal (ext3). Feature words
 * decide: incompatible ones other than FILETYPE, RECOVER refuse the mount (EOPNOTSUPP);
 * read-only-compatible ones other than SPARSE_SUPER, LARGE_FILE mount it read-only; a directory
 * with an index that is modified loses its INDEX flag.
 *
 * Errors are negative errno values. Nothing in an image may crash or hang the core: every
 * number from disk is checked before use (EIO for a damaged structure), and after such an error
 * in metadata the file system turns read-only.
 *
 * Names are found without regard to permissions and owners: new inodes belong to user 0, atime is
 * changed by ext2_utime only, and blocks reserved for the administrator are given to nobody.
 *
 * Order of updates: every operation brackets its changes with transaction_begin/commit
 * (transaction.h). With a journal (feature HAS_JOURNAL; journal/journal.h) what was done up to an
 * ext2_sync is there after a crash, and of what was done later a beginning. Without one these
 * only mark blocks dirty. */
#pragma once

#include "block_device.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ext2; /* a mounted file system */

struct ext2_options {
    bool read_only;
    size_t cache_blocks;             /* blocks in the cache, at least 64 */
    void *(*allocate)(size_t bytes); /* used at mount only: all memory is taken there */
    void (*release)(void *memory);
    uint64_t now;             /* ns since 1970, for the superblock */
    bool adoptable;           /* for ext2_adopt: remembers how to undo an operation */
    void (*committing)(void); /* or NULL: called right before an operation's changes are final */
};

/* ext2_mount: EINVAL not ext2, EOPNOTSUPP features (the journal's too), EIO damaged beyond use,
 * EROFS: the journal is to be replayed, which a disk that cannot be written forbids (one that is
 * only mounted read_only is replayed). On success *out. */
int ext2_mount(struct ext2 **out, struct block_device *device, const struct ext2_options *options);

/* ext2_adopt: goes on with a file system that another process has mounted as `adoptable` and that
 * has ended at any moment, in the memory that it left, at the addresses that it had there. The
 * operation that it was in has then not happened at all, or up to some commit of it. held: the
 * inodes that are held from now on, one entry for each hold. EINVAL: not adoptable (no journal,
 * errors were met); after any error only a new mount is possible, which loses what was not synced.
 */
int ext2_adopt(struct ext2 *fs, struct block_device *device, const struct ext2_options *options,
               const uint32_t *held, size_t count);

/* ext2_unmount: writes everything back, marks the superblock clean (unless it was not when it was
 * mounted, or errors were met: e2fsck is to look then), frees what nobody can hold any more. */
int ext2_unmount(struct ext2 *fs);

/* ext2_sync: makes all that was done last: a commit, or without a journal all dirty blocks; and
 * flushes the disk. ext2_fsync: at least what was done to this inode. After an I/O error both
 * are EIO for ever: something was lost. ext2_sync_some: writes back at most this many dirty
 * blocks (in disk order, merged into long writes); result: how many are left. */
int ext2_sync(struct ext2 *fs);
int ext2_sync_some(struct ext2 *fs, size_t blocks);

/* ext2_set_time: the clock for the following operations, ns since 1970. */
void ext2_set_time(struct ext2 *fs, uint64_t now);

#define EXT2_ROOT_INODE    2u
#define EXT2_NAME_MAX      255
#define EXT2_SYMLINK_DEPTH 8

struct ext2_stat {
    uint32_t inode, mode, links, uid, gid, generation;
    uint64_t size, blocks;        /* bytes; 512-byte units */
    uint32_t atime, mtime, ctime; /* s since 1970 */
};

struct ext2_info {
    uint32_t block_size, blocks, blocks_free, blocks_reserved, inodes, inodes_free, groups;
    bool read_only;
    bool errors; /* damage was met since the mount */
    uint64_t cache_hits, cache_misses, blocks_read, blocks_written;
    uint32_t journal_blocks; /* 0: changes are not journaled */
    uint64_t commits, checkpoints, blocks_logged;
};
void ext2_info(const struct ext2 *fs, struct ext2_info *info);

/* Names. parent must be a directory. A name is len bytes, 1..255, without '/' or NUL. */
int ext2_lookup(struct ext2 *fs, uint32_t parent, const char *name, size_t len, uint32_t *inode);

/* ext2_walk: a whole path relative to start ('/' separated, "." and empty segments skipped);
 * symbolic links are followed (ELOOP after 8), the last one only if follow. A link's absolute
 * target starts at the root inode; ".." never leaves the root. */
int ext2_walk(struct ext2 *fs, uint32_t start, const char *path, size_t len, bool follow,
              uint32_t *inode);

/* ext2_walk_parent: the directory that the last segment of path is or would be in, and that
 * segment itself (into name, EXT2_NAME_MAX + 1 bytes). EINVAL if it is "." or "..", or empty. */
int ext2_walk_parent(struct ext2 *fs, uint32_t start, const char *path, size_t len,
                     uint32_t *parent, char *name, size_t *name_len);

int ext2_create(struct ext2 *fs, uint32_t parent, const char *name, size_t len, uint32_t mode,
                uint32_t *inode); /* regular file; mode = permission bits; EEXIST */
/* Results as in POSIX and Linux: unlink of a directory is EISDIR, link to one EPERM. */
int ext2_mkdir(struct ext2 *fs, uint32_t parent, const char *name, size_t len, uint32_t mode);
int ext2_rmdir(struct ext2 *fs, uint32_t parent, const char *name, size_t len);
int ext2_unlink(struct ext2 *fs, uint32_t parent, const char *name, size_t len);
int ext2_link(struct ext2 *fs, uint32_t inode, uint32_t parent, const char *name, size_t len);
int ext2_symlink(struct ext2 *fs, uint32_t parent, const char *name, size_t len, const char *target,
                 size_t target_len);
int ext2_readlink(struct ext2 *fs, uint32_t inode, char *buffer, size_t size); /* length */
/* POSIX rename: replaces an existing target atomically; EINVAL into an own subdirectory. */
int ext2_rename(struct ext2 *fs, uint32_t from_parent, const char *from, size_t from_len,
                uint32_t to_parent, const char *to, size_t to_len);

/* One directory entry ("." and ".." too) at cookie (0 first); *next is where to go on; result: 0 at
 * the end, 1 on success. */
struct ext2_dirent {
    uint32_t inode;
    uint8_t type; /* FS_IFMT bits >> 12, as struct fs_dirent has it; 0 = unknown */
    uint8_t name_len;
    char name[EXT2_NAME_MAX + 1];
};
int ext2_readdir(struct ext2 *fs, uint32_t directory, uint64_t cookie, struct ext2_dirent *entry,
                 uint64_t *next);

/* Files. read/write return bytes (write: short only with ENOSPC after some were written), holes
 * read as zeros. */
int64_t ext2_read(struct ext2 *fs, uint32_t inode, uint64_t offset, void *buffer, size_t length);
int64_t ext2_write(struct ext2 *fs, uint32_t inode, uint64_t offset, const void *buffer,
                   size_t length);

/* ext2_peek: a pointer to cached data of the file at offset, valid until the next call on fs;
 * result: bytes that may be read there (up to one block, 0 at end of file), so that a server can
 * copy out of the cache directly. ext2_poke: the same for writing length bytes (the result may be
 * less: up to the end of the block); allocates, and the file already has its new size. The caller
 * must fill all of it, with zeros if its own source fails: a new block that is wholly covered is
 * not cleared first. */
int64_t ext2_peek(struct ext2 *fs, uint32_t inode, uint64_t offset, const void **data);
int64_t ext2_poke(struct ext2 *fs, uint32_t inode, uint64_t offset, size_t length, void **data);

/* ext2_read_ahead: brings the file's next blocks into the cache with long reads. */
void ext2_read_ahead(struct ext2 *fs, uint32_t inode, uint64_t offset, size_t length);

int ext2_truncate(struct ext2 *fs, uint32_t inode, uint64_t size);
int ext2_stat(struct ext2 *fs, uint32_t inode, struct ext2_stat *stat);
int ext2_chmod(struct ext2 *fs, uint32_t inode, uint32_t mode);
int ext2_utime(struct ext2 *fs, uint32_t inode, uint32_t atime, uint32_t mtime);
int ext2_fsync(struct ext2 *fs, uint32_t inode);

/* ext2_hold/ext2_drop: an open file keeps its inode when the last link goes; it is freed at the
 * last drop. ENFILE when the table (1,024 inodes) is full. */
int ext2_hold(struct ext2 *fs, uint32_t inode);
void ext2_drop(struct ext2 *fs, uint32_t inode);
