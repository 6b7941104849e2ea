/* The journal: whole transactions or nothing, after any crash.
 *
 * Operations (transaction.h) join one running transaction. It is a set of metadata buffers that
 * must not be written home, and a list of blocks that are free from its commit on. A commit is
 * synchronous:
 *
 *     1  the freed blocks become free in the bitmaps
 *     2  file data is written home (ordered mode: what the metadata refers to is there)
 *     3  descriptors, copies of the metadata, revoke blocks are written to the log
 *     4  flush: all of that is on the medium
 *     5  the commit block
 *     6  flush: the transaction is on the medium
 *
 * From then on its buffers are written home at leisure, like file data. When the log has no room
 * for one more transaction of the largest size, everything is written home and the log starts
 * anew (a checkpoint); that happens right behind a commit, where no transaction is running.
 *
 * Why a freed block must not be used before the commit. Until then the disk says that its old
 * owner has it. File data goes home before the commit, so a crash in between would leave the old
 * owner with foreign bytes: a file with another's data, or a table full of text. So the bit in
 * the bitmap is cleared in step 1 and not earlier. It follows that no block is revoked and logged
 * by one transaction, in this order, and a revocation is never taken back: what is logged of the
 * block later belongs to a later transaction, which the revocation does not concern.
 *
 * Why a revocation is needed. A block of metadata is logged in transaction 5, freed in 6 and
 * given to a file in 7, whose data goes straight home. A replay of 5 would overwrite it. The
 * revoke record in 6 forbids that. It disappears with the checkpoint, together with 5.
 *
 * A buffer of a committed transaction that joins the running one before it was written home stays
 * away from its home until that commits; meanwhile a replay takes its committed version from the
 * log. The log's tail moves in checkpoints only, and then there is no such buffer.
 *
 * After an I/O error or damage nothing more is written to log or superblock: what the last commit
 * left is what the next mount finds. */
#pragma once

#include "format.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;
struct ext2;
struct ext2_options;

#define JOURNAL_FREED_MAX 1024u

/* Neighbouring blocks that the running transaction frees. */
struct freed {
    uint32_t block, count;
    bool metadata; /* to be revoked */
};

/* As much of the list of freed blocks as an operation may change. */
struct journal_mark {
    struct freed last;
    uint32_t count, blocks, revoked;
};

struct journal {
    bool active;                 /* mounted for writing: transactions go through the log */
    bool wide, checksums;        /* features 64BIT, CHECKSUM_3 */
    uint32_t *map;               /* disk block of each block of the journal */
    uint32_t length, first;      /* blocks; the log is first .. length - 1 */
    struct journal_super *super; /* one block of memory, written to map[0] */
    uint8_t *scratch;            /* one block: a descriptor, revoke or commit block in the making */
    uint32_t seed;               /* of checksums: that of the UUID */

    uint32_t sequence;    /* of the running transaction */
    uint32_t head;        /* where it will begin in the log */
    uint32_t available;   /* blocks of the log that may be overwritten */
    uint32_t limit;       /* the most that one transaction takes */
    uint32_t at;          /* where the next block goes during a commit */
    uint32_t gathered;    /* blocks in cache.bounce that are still to be written, */
    uint32_t gathered_at; /* to this disk block and the next ones */

    struct freed *freed;
    uint32_t freed_count;
    uint32_t freed_blocks; /* in all of them */
    uint32_t revoked;      /* those of them that are metadata */

    enum { JOURNAL_IDLE, JOURNAL_COMMITTING, JOURNAL_COMMITTED } phase; /* for adopt.h */
    uint32_t commit_size;                              /* of the one in COMMITTING, blocks */
    uint32_t next_head, next_available, next_sequence; /* behind the one in COMMITTED */

    uint64_t commits, checkpoints, blocks_logged;
};

/* ---- Mounting ---- */

/* journal_open: finds the journal of the superblock and checks its own. EIO damaged, EOPNOTSUPP
 * features or an external journal, ENOMEM. Nothing is written. Close it, also after an error. */
int journal_open(struct ext2 *fs, const struct ext2_options *options);
void journal_close(struct ext2 *fs);

/* journal_replay: writes home what whole transactions in the log say, and leaves an empty log. EIO
 * if one of them makes no sense; then nothing has been written. */
int journal_replay(struct ext2 *fs, const struct ext2_options *options);

/* journal_start: an empty log, ready for transactions (EROFS: its features forbid); on disk it has
 * no start yet. journal_stop: commits, brings everything home, leaves the log empty, flushes. */
int journal_start(struct ext2 *fs);
int journal_stop(struct ext2 *fs);

/* ---- The running transaction ---- */

/* journal_reserve: before an operation: makes room for TRANSACTION_BLOCKS more blocks in it. */
int journal_reserve(struct ext2 *fs);
/* journal_room: would so many more blocks and revocations fit? */
bool journal_room(const struct ext2 *fs, uint32_t blocks);
/* journal_holds_blocks: the disk is nearly full, and a commit would give it blocks. */
bool journal_holds_blocks(const struct ext2 *fs);
/* journal_free: the block is free when the transaction has been committed. */
void journal_free(struct ext2 *fs, uint32_t block, bool metadata);
/* journal_mark, journal_undo: the list of freed blocks as it is; as it was. */
void journal_mark(const struct ext2 *fs, struct journal_mark *mark);
void journal_undo(struct ext2 *fs, const struct journal_mark *mark);
/* journal_commit: on success everything that was done so far is on the medium. */
int journal_commit(struct ext2 *fs);
/* journal_abort: notes on disk that something went wrong, as far as that is possible. */
void journal_abort(struct ext2 *fs);
/* journal_adopt: finishes a commit that its process did not. */
int journal_adopt(struct ext2 *fs);

/* ---- Between the files of the journal ---- */

/* journal_checkpoint: writes everything home and moves the tail to the head. No transaction runs.
 */
int journal_checkpoint(struct ext2 *fs);

/* journal_tail_write: the log begins at `start` with journal.sequence, says the journal's
 * superblock from now on; 0: it is empty. Without a flush. */
int journal_tail_write(struct ext2 *fs, uint32_t start);

/* log_append: one more block for the log; result: the copy that will be written, or NULL after
 * an error. log_write: writes what was gathered. */
uint8_t *log_append(struct ext2 *fs, const void *block);
int log_write(struct ext2 *fs);

/* log_all_buffers: appends the running transaction's buffers, with their descriptors. */
int log_all_buffers(struct ext2 *fs);

static inline uint32_t log_next(const struct journal *journal, uint32_t position)
{
    return position + 1 < journal->length ? position + 1 : journal->first;
}

/* journal_tag_size: bytes. journal_tail_size: of descriptors and revoke blocks. */
static inline uint32_t journal_tag_size(const struct journal *journal)
{
    return journal->checksums ? (uint32_t)sizeof(struct journal_tag_3) : journal->wide ? 12 : 8;
}

static inline uint32_t journal_tail_size(const struct journal *journal)
{
    return journal->checksums ? JOURNAL_TAIL_SIZE : 0;
}

/* journal_checksum: of a whole block that holds its checksum (big-endian) at `offset`, which
 * counts as 0. journal_data_checksum: of a logged block, for its tag. */
uint32_t journal_checksum(const struct ext2 *fs, const uint8_t *block, size_t offset);
uint32_t journal_data_checksum(const struct ext2 *fs, uint32_t sequence, const uint8_t *block);
