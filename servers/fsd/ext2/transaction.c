/* Transactions without a journal: adding marks dirty. The blocks are counted all the same, so
 * that the promise of TRANSACTION_BLOCKS is tested before a journal relies on it. */
#include "transaction.h"
#include "fs.h"

int transaction_begin(struct ext2 *fs)
{
    if (fs->read_only)
        return -EROFS;
    fs->transaction.active = true;
    fs->transaction.id++;
    fs->transaction.used = 0;
    return 0;
}

void transaction_add(struct ext2 *fs, struct buffer *buffer)
{
    struct transaction *transaction = &fs->transaction;
    if (buffer->transaction != transaction->id) {
        buffer->transaction = transaction->id;
        if (++transaction->used > transaction->worst)
            transaction->worst = transaction->used;
    }
    buffer->flags |= BUFFER_METADATA;
    cache_dirty(fs, buffer);
}

void transaction_order(struct ext2 *fs, struct buffer *buffer)
{
    buffer->flags &= (uint16_t)~BUFFER_METADATA;
    cache_dirty(fs, buffer);
}

void transaction_revoke(struct ext2 *fs, uint32_t block)
{
    (void)fs;
    (void)block;
}

bool transaction_room(const struct ext2 *fs, uint32_t blocks)
{
    return fs->transaction.used + blocks <= TRANSACTION_BLOCKS;
}

int transaction_restart(struct ext2 *fs)
{
    int error = transaction_commit(fs);
    return error ? error : transaction_begin(fs);
}

int transaction_commit(struct ext2 *fs)
{
    fs->transaction.active = false;
    return fs->errors ? -EIO : 0;
}

void transaction_abort(struct ext2 *fs)
{
    fs->transaction.active = false;
}
