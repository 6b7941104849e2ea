/* The bitmaps and their counters. All functions run inside a transaction, and change the bitmap,
 * the group descriptor and the superblock together, or, when they fail, nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ext2;

uint32_t blocks_available(const struct ext2 *fs); /* free, and not reserved */

/* block_alloc: the goal itself if it is free, else one behind it, else anywhere. ENOSPC, EIO. */
int block_alloc(struct ext2 *fs, uint32_t goal, uint32_t *block);

/* block_free: metadata says that the block is to be revoked. EIO if it was not in use. With a
 * journal it can be allocated again when the transaction is on disk, and not before: the journal
 * calls block_release then. */
int block_free(struct ext2 *fs, uint32_t block, bool metadata);
int block_release(struct ext2 *fs, uint32_t block);
/* block_retake: undoes a block_release, even a half-done one (for adopt.h). */
int block_retake(struct ext2 *fs, uint32_t block);
bool block_in_use(struct ext2 *fs, uint32_t block);

/* inode_alloc: a file near its parent's inode; a directory where there is room. */
int inode_alloc(struct ext2 *fs, uint32_t parent, bool directory, uint32_t *number);
int inode_free(struct ext2 *fs, uint32_t number, bool directory);
