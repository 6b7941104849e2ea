/* Inodes: pinned access to the record on disk, and the small memory kept beside it. */
#pragma once

#include "format.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ext2;
struct buffer;

#define INODES_HELD_MAX 1024u
#define INODES_SCRATCH  16u /* remembered though nobody holds them; more than one operation uses */

/* What is remembered of an inode between calls: how often it is held, and where the last access
 * went, so that the next one need not walk the tree of indirect blocks. All but the
 * counts and `changed` is a hint that may be forgotten at any time; every change of the tree keeps it true. */
struct inode_state {
    uint32_t number; /* 0: unused */
    uint32_t holds;
    uint32_t pins;                                           /* struct inodes that point here now */
    uint32_t extent_logical, extent_physical, extent_length; /* a contiguous piece of the file */
    uint32_t leaf_logical, leaf_block; /* the last indirect block of data, and the first file
                                          block that it maps; leaf_block 0: none */
    uint32_t next_read; /* file block that a sequential reader wants next */
    uint32_t changed;   /* journal.sequence at the last change; only of held inodes */
    struct inode_state *hash_next;
};

struct inode_table {
    struct inode_state *states; /* INODES_HELD_MAX */
    struct inode_state **hash;  /* INODES_HELD_MAX chains of held ones */
    struct inode_state *free;
    struct inode_state scratch[INODES_SCRATCH];
    uint32_t scratch_next; /* where to look for one to reuse */
};

/* An inode in use by an operation: its block is pinned. */
struct inode {
    uint32_t number;
    struct buffer *buffer;
    struct disk_inode *disk;
    struct inode_state *state;
};

/* inode_get: any number; EINVAL out of range. inode_get_live: ENOENT unless it is in use.
 * inode_get_entry: one that a directory entry named, so a dead one is damage (EIO).
 * inode_get_directory: live, and a directory that makes sense (ENOTDIR, EIO). */
int inode_get(struct ext2 *fs, uint32_t number, struct inode *inode);
int inode_get_live(struct ext2 *fs, uint32_t number, struct inode *inode);
int inode_get_entry(struct ext2 *fs, uint32_t number, struct inode *inode);
int inode_get_directory(struct ext2 *fs, uint32_t number, struct inode *inode);
void inode_put(struct inode *inode);

bool inode_held(const struct ext2 *fs, uint32_t number);
bool inode_synced(const struct ext2 *fs, uint32_t number); /* surely no change since a commit? */
void inode_state_forget(struct inode_state *state); /* the hints, not the holds */

uint64_t inode_size(const struct inode *inode);
void inode_set_size(struct ext2 *fs, struct inode *inode, uint64_t size); /* in a transaction */
void inode_changed(struct ext2 *fs, struct inode *inode); /* in a transaction: adds the block */
void inode_data_changed(struct ext2 *fs, struct inode *inode); /* without any other change */
bool inode_has_blocks(const struct ext2 *fs, const struct inode *inode); /* is block[] a map? */

static inline unsigned inode_type(const struct inode *inode)
{
    return inode->disk->mode & MODE_TYPE;
}

/* inode_create: allocates and fills a record, links = 1 (in a transaction). */
int inode_create(struct ext2 *fs, const struct inode *parent, uint32_t mode, struct inode *inode);

/* inode_discard: undoes inode_create and puts, before the inode got a name (in the same
 * transaction); the block that it may have is freed. */
void inode_discard(struct ext2 *fs, struct inode *inode);

int inode_table_init(struct ext2 *fs, void *(*allocate)(size_t bytes));
/* inode_table_adopt: forgets all but that these are held, once for each time that they are listed. */
void inode_table_adopt(struct ext2 *fs, const uint32_t *held, size_t count);
