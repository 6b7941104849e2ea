/* The way to a block of a file: through the inode's slots and up to three levels of tables
 * (indirect blocks), each 2^pointer_bits block numbers long. Slots 0 to 11 of the inode name data,
 * slot EXT2_SINGLE a table of data blocks, EXT2_DOUBLE a table of such tables, EXT2_TRIPLE one
 * level more. */
#pragma once

#include <stdint.h>

struct buffer;
struct ext2;
struct inode;

#define BRANCH_LEVELS 4u

/* index[0] is a slot of the inode, index[1] one of the table that it names, and so on;
 * index[depth - 1] is the slot that names the data. The indexes behind it mean nothing. */
struct branch {
    uint32_t index[BRANCH_LEVELS];
    unsigned depth; /* 1 to 4 */
};

/* The deepest table of a branch that exists: slots[branch.index[level]] names the data if level is
 * depth - 1, else it is 0. */
struct table {
    struct buffer *buffer; /* pinned; NULL: the inode's own slots */
    uint32_t *slots;
    unsigned level; /* 0: the inode's slots */
};

/* branch_find: looks at no disk. EFBIG: beyond the last block that a map can have. */
int branch_find(const struct ext2 *fs, uint64_t logical, struct branch *branch);

/* table_find: EIO (fs_error) if a number on the way cannot be a table's, or the table cannot be
 * read; nothing is pinned then. The inode is pinned by the caller. */
int table_find(struct ext2 *fs, struct inode *inode, const struct branch *branch,
               struct table *table);
void table_put(struct table *table);
