/* Directories: chains of records in the blocks of a file, searched from the front. */
#pragma once

#include "inode.h"
#include <stddef.h>

/* A place in a directory: a record in a pinned block (released with slot_put). */
struct slot {
    struct buffer *buffer; /* NULL: no place */
    uint32_t offset;       /* of the record in its block */
    uint32_t inode;        /* 0: an unused record, or room behind a used one */
    uint8_t type;
};
void slot_put(struct slot *slot);

/* dir_find: the record of this name, ENOENT, or EIO. A slot with nothing in it after an error. */
int dir_find(struct ext2 *fs, struct inode *directory, const char *name, size_t len,
             struct slot *slot);

/* dir_find_space: EEXIST if the name is there (then *slot is its record), else *slot is room for
 * it, or empty if a block must be added (dir_grow). */
int dir_find_space(struct ext2 *fs, struct inode *directory, const char *name, size_t len,
                   struct slot *slot);

/* The rest runs inside a transaction. dir_grow appends an empty block and points slot to it
 * (ENOSPC changes nothing); the others cannot fail for lack of anything: they return EIO if the
 * block is not what it was when the slot was found. */
int dir_grow(struct ext2 *fs, struct inode *directory, struct slot *slot);
int dir_insert(struct ext2 *fs, struct inode *directory, struct slot *slot, const char *name,
               size_t len, const struct inode *inode);
int dir_replace(struct ext2 *fs, struct inode *directory, struct slot *slot,
                const struct inode *inode); /* the record now names another inode */
int dir_remove(struct ext2 *fs, struct inode *directory, struct slot *slot);

/* dir_make: gives a new directory its first block with "." and "..". */
int dir_make(struct ext2 *fs, struct inode *directory, uint32_t parent);
int dir_empty(struct ext2 *fs, struct inode *directory);                     /* 0, ENOTEMPTY, EIO */
int dir_parent(struct ext2 *fs, struct inode *directory, struct slot *slot); /* finds ".." */
