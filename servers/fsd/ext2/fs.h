/* A mounted file system: the geometry, checked once at mount, and the state shared by the files
 * of the core. Everything in it comes from checked numbers; the superblock in the cache is only
 * written to after the mount. */
#pragma once

#include "abi/errno.h"
#include "cache.h"
#include "ext2.h"
#include "format.h"
#include "inode.h"
#include "journal/journal.h"
#include "lookup_cache.h"
#include "transaction.h"

/* A group's descriptor in memory; changes go to the descriptor's block at the same time. */
struct group {
    uint32_t block_bitmap, inode_bitmap, inode_table;
    uint32_t free_blocks, free_inodes, directories;
};

struct ext2 {
    struct block_device *device;
    void (*release)(void *memory);
    bool read_only;
    bool errors;          /* damage or an I/O error in metadata was met */
    bool file_types;      /* directory entries carry the type */
    uint16_t mount_state; /* superblock.state as it was found */
    bool unflushed;       /* something was written since the last flush */
    uint32_t now;         /* s since 1970, never 0 */

    uint32_t block_size, block_bits; /* bytes; log2 */
    uint32_t blocks, first_block;    /* the file system is blocks first_block .. blocks - 1 */
    uint32_t reserved_blocks;        /* kept for the administrator */
    uint32_t blocks_per_group, inodes_per_group, group_count;
    uint32_t inodes, first_inode; /* below first_inode: reserved, but for the root */
    uint32_t inode_size, inode_table_blocks;
    uint32_t descriptor_first, descriptor_blocks;
    uint32_t pointer_bits; /* log2 of the block numbers in an indirect block */
    uint64_t size_max;     /* of a file, bytes */

    struct buffer *super_buffer; /* pinned from mount to unmount */
    struct superblock *super;
    struct group *groups;
    uint32_t free_blocks, free_inodes; /* sums over groups */
    uint32_t generation;               /* for new inodes */

    struct cache cache;
    struct transaction transaction;
    uint8_t *undo_memory; /* what transaction.undo points to, or NULL */
    struct journal journal;
    struct inode_table inode_table;
    struct lookup_cache lookup_cache;
    uint32_t readdir_inode;  /* where ext2_readdir stopped: at a record of this directory, */
    uint64_t readdir_cookie; /* unless it has been modified since (then readdir_inode = 0) */
    uint8_t *zeros;          /* one block of them: what a hole reads as */
};

/* fs_error: damage or an I/O error in metadata: no more changes, and e2fsck is to know. Result:
 * -EIO, always. */
int fs_error(struct ext2 *fs);

/* Parts of a mount: fs_super_get pins the superblock's buffer; fs_groups_load reads the descriptors
 * into groups[] and the sums (EIO: impossible ones). */
int fs_super_get(struct ext2 *fs);
int fs_groups_load(struct ext2 *fs);

/* metadata_get: cache_get of a metadata block; failure is an fs_error. */
int metadata_get(struct ext2 *fs, uint32_t block, struct buffer **out);

/* fs_block_valid: may this block belong to a file? (Not: does it.) */
static inline bool fs_block_valid(const struct ext2 *fs, uint32_t block)
{
    return block >= fs->descriptor_first + fs->descriptor_blocks && block < fs->blocks;
}

static inline uint32_t fs_group_first(const struct ext2 *fs, uint32_t group)
{
    return fs->first_block + group * fs->blocks_per_group;
}

/* Blocks in this group; the last one may be shorter. */
static inline uint32_t fs_group_size(const struct ext2 *fs, uint32_t group)
{
    uint32_t left = fs->blocks - fs_group_first(fs, group);
    return left < fs->blocks_per_group ? left : fs->blocks_per_group;
}
