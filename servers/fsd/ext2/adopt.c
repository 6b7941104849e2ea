/* Adopting a mounted file system from a process that has ended between any two of its stores.
 *
 * What survives is what cannot be had again: the dirty and running blocks with their numbers and
 * flags, the journal's place, the list of freed blocks, the undo area of the operation. Everything
 * else - lists, hash table, counters, hints, who holds what - is made anew. A block that was
 * neither dirty nor running is dropped: it is on the disk, and perhaps it was just being filled.
 *
 * The half-done operation is undone; transaction.active says that there is one. Its blocks get
 * their old contents back. New ones among them, free again by that, must not be logged: nothing
 * would revoke them when they become file data. A block that it freed is still there, as its buffer
 * is dropped when the block is released, at the commit. File data that it wrote stays; a program
 * that repeats the operation writes it again.
 *
 * All of this can be done twice, so the adopting process may end, too. */
#include "alloc.h"
#include "fs.h"
#include "orphan.h"
#include <string.h>

static int undo_operation(struct ext2 *fs)
{
    struct transaction *transaction = &fs->transaction;
    if (!transaction->active)
        return 0;
    for (uint32_t i = 0; i < transaction->used; i++) {
        struct buffer *buffer;
        int error = cache_take(fs, transaction->undo[i].block, &buffer);
        if (error)
            return error;
        memcpy(buffer->data, transaction->undo[i].contents, fs->block_size);
        buffer->flags |= BUFFER_METADATA;
        cache_join(fs, buffer);
        cache_release(buffer);
    }
    journal_undo(fs, &transaction->mark);
    store_barrier();
    transaction->active = false;
    return 0;
}

static void drop_free_blocks(struct ext2 *fs)
{
    for (uint32_t i = 0; i < fs->cache.count; i++) {
        const struct buffer *buffer = &fs->cache.buffers[i];
        if (buffer->flags & BUFFER_RUNNING && !block_in_use(fs, buffer->block))
            cache_forget(fs, buffer->block);
    }
}

static int adopt(struct ext2 *fs, const uint32_t *held, size_t count)
{
    cache_adopt(fs);
    int error = fs_super_get(fs);
    if (!error)
        error = undo_operation(fs);
    if (!error)
        error = fs_groups_load(fs);
    if (!error)
        error = journal_adopt(fs);
    if (error)
        return error;
    drop_free_blocks(fs);
    inode_table_adopt(fs, held, count);
    memset(fs->lookup_cache.entries, 0, LOOKUP_CACHE_SIZE * sizeof *fs->lookup_cache.entries);
    fs->readdir_inode = 0;
    orphans_finish(fs); /* on failure the file system is read-only, but readable */
    return 0;
}

int ext2_adopt(struct ext2 *fs, struct block_device *device, const struct ext2_options *options,
               const uint32_t *held, size_t count)
{
    if (!fs->journal.active || fs->errors || !fs->transaction.undo[0].contents)
        return -EINVAL;
    fs->device = device;
    fs->release = options->release;
    fs->transaction.committing = options->committing;
    fs->unflushed = true;
    return adopt(fs, held, count);
}
