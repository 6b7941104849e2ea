/* Brackets around every change of metadata: all blocks of one transaction belong together.
 *
 * transaction_begin .. transaction_commit enclose each operation that modifies; they do not
 * nest. Before a metadata block (superblock, descriptor, bitmap, inode table, indirect block,
 * directory, attributes) is modified, it is added; the caller has it pinned. A data block that a
 * transaction makes reachable is ordered: it must be on disk before the transaction is. A
 * block that is freed stays out of use until the transaction is on disk, and if it was metadata,
 * its older copies must never be written again.
 *
 * Adding and ordering cannot fail, freeing only for damage: begin reserves room for
 * TRANSACTION_BLOCKS blocks, and no transaction adds more. Long work (truncation) asks
 * transaction_room and restarts at a point where everything is consistent; blocks must then be
 * added again.
 *
 * The word `active` is what makes an operation whole for a process that adopts the memory of this
 * one (ext2_adopt): while it is set, all that was added is to be undone.
 *
 * With a journal (journal/journal.h) all operations since the last commit to the disk make up one
 * transaction there: transaction_commit ends an operation, ext2_sync makes it last. Without one
 * all of this only marks blocks dirty. */
#pragma once

#include "journal/journal.h"
#include <stdbool.h>
#include <stdint.h>

struct ext2;
struct buffer;

#define TRANSACTION_BLOCKS 32u

/* What a block was before the current operation changed it; for ext2_adopt. */
struct undo {
    uint32_t block;
    uint8_t *contents; /* one block; NULL: nobody will adopt */
};

struct transaction {
    bool active;
    uint32_t id;    /* of the current or last one; a buffer remembers the last that it joined */
    uint32_t used;  /* blocks added so far */
    uint32_t worst; /* the largest transaction since the mount */
    struct undo undo[TRANSACTION_BLOCKS]; /* `used` of them */
    struct journal_mark mark;             /* what the operation found */
    void (*committing)(void);             /* NULL, or: ext2_options */
};

int transaction_begin(struct ext2 *fs); /* EROFS */
void transaction_add(struct ext2 *fs, struct buffer *buffer);
void transaction_order(struct ext2 *fs, struct buffer *buffer);
int transaction_free(struct ext2 *fs, uint32_t block, bool metadata); /* its bitmap was added */
bool transaction_room(const struct ext2 *fs, uint32_t blocks);
int transaction_restart(struct ext2 *fs); /* commit, begin */
int transaction_commit(struct ext2 *fs);

/* transaction_abort: the operation failed. What it has changed so far is consistent (its callers
 * see to that), or the file system is read-only by now because of damage or an I/O error. */
void transaction_abort(struct ext2 *fs);
