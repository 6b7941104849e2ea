/* The block map of an inode: file block -> disk block through direct, single, double and triple
 * indirect blocks. */
#pragma once

#include <stdint.h>

struct ext2;
struct inode;

/* map_lookup: *physical = 0 for a hole. EFBIG: beyond what the map can address. */
int map_lookup(struct ext2 *fs, struct inode *inode, uint64_t logical, uint32_t *physical);

/* map_allocate: fills a hole (in a transaction). ENOSPC changes nothing. The new block's
 * contents are the caller's to write. */
int map_allocate(struct ext2 *fs, struct inode *inode, uint64_t logical, uint32_t *physical);

/* map_free: frees file blocks from `from` on, and the indirect blocks that become empty by it.
 * In a transaction, which it may restart: the inode must be an orphan then. */
int map_free(struct ext2 *fs, struct inode *inode, uint64_t from);
