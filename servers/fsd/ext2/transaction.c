/* The brackets of operations. What they enclose joins the journal's running transaction; without
 * a journal, adding only marks dirty. */
#include "transaction.h"
#include "alloc.h"
#include "fs.h"
#include <string.h>

int transaction_begin(struct ext2 *fs)
{
    if (fs->read_only)
        return -EROFS;
    int error = fs->journal.active ? journal_reserve(fs) : 0;
    if (error)
        return error;
    fs->transaction.id++;
    fs->transaction.used = 0;
    if (fs->journal.active)
        journal_mark(fs, &fs->transaction.mark);
    store_barrier();
    fs->transaction.active = true;
    store_barrier();
    return 0;
}

static void undo_save(struct transaction *transaction, uint32_t size, const struct buffer *buffer)
{
    if (transaction->used >= TRANSACTION_BLOCKS)
        return; /* begin has promised that it does not come to that */
    struct undo *undo = &transaction->undo[transaction->used];
    if (!undo->contents)
        return;
    undo->block = buffer->block;
    memcpy(undo->contents, buffer->data, size);
    store_barrier();
}

/* The one word that ends an operation. */
static void end(struct ext2 *fs)
{
    store_barrier();
    fs->transaction.active = false;
    store_barrier();
}

void transaction_add(struct ext2 *fs, struct buffer *buffer)
{
    struct transaction *transaction = &fs->transaction;
    if (buffer->transaction != transaction->id) {
        undo_save(transaction, fs->block_size, buffer);
        buffer->transaction = transaction->id;
        if (++transaction->used > transaction->worst)
            transaction->worst = transaction->used;
        store_barrier();
    }
    buffer->flags |= BUFFER_METADATA;
    if (fs->journal.active)
        cache_join(fs, buffer);
    else
        cache_dirty(fs, buffer);
}

void transaction_order(struct ext2 *fs, struct buffer *buffer)
{
    buffer->flags &= (uint16_t)~BUFFER_METADATA;
    cache_dirty(fs, buffer);
}

int transaction_free(struct ext2 *fs, uint32_t block, bool metadata)
{
    if (!fs->journal.active)
        return block_release(fs, block);
    journal_free(fs, block, metadata);
    return 0;
}

bool transaction_room(const struct ext2 *fs, uint32_t blocks)
{
    return fs->transaction.used + blocks <= TRANSACTION_BLOCKS &&
           (!fs->journal.active || journal_room(fs, blocks));
}

int transaction_restart(struct ext2 *fs)
{
    int error = transaction_commit(fs);
    return error ? error : transaction_begin(fs);
}

int transaction_commit(struct ext2 *fs)
{
    if (fs->transaction.committing)
        fs->transaction.committing();
    end(fs);
    return fs->errors ? -EIO : 0;
}

void transaction_abort(struct ext2 *fs) { end(fs); }
