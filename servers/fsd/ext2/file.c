/* File contents. Invariant: bytes behind the end of a file, in its last block, are zero before
 * the file grows over them (they are cleared when it shrinks, and again, for the sake of other
 * systems' images, when it grows). */
#include "alloc.h"
#include "fs.h"
#include "map.h"
#include "orphan.h"
#include <string.h>

#define READ_AHEAD_BYTES (2 * CACHE_RUN_BYTES)

/* Metadata blocks that writing one block changes, at most: the inode, four allocations (bitmap,
 * descriptors), the superblock, tables. */
#define POKE_BLOCKS 17u

static int get_regular(struct ext2 *fs, uint32_t number, struct inode *inode)
{
    int error = inode_get_live(fs, number, inode);
    if (error || inode_type(inode) == MODE_REGULAR)
        return error;
    error = inode_type(inode) == MODE_DIRECTORY ? -EISDIR : -EINVAL;
    inode_put(inode);
    return error;
}

/* ---- Reading ---------------------------------------------------------------------------- */

static void read_ahead(struct ext2 *fs, struct inode *inode, uint64_t offset, uint64_t length)
{
    const uint64_t size = inode_size(inode);
    if (offset >= size || !length)
        return;
    if (length > size - offset)
        length = size - offset;
    uint64_t logical = offset >> fs->block_bits;
    uint64_t end = ((offset + length - 1) >> fs->block_bits) + 1;
    if (end - logical > fs->cache.count / 4)
        end = logical + fs->cache.count / 4;
    uint32_t first = 0, count = 0; /* the run of disk blocks collected so far */
    for (; logical < end; logical++) {
        uint32_t physical;
        if (map_lookup(fs, inode, logical, &physical))
            break;
        if (count && physical == first + count) {
            count++;
            continue;
        }
        if (count)
            cache_read_ahead(fs, first, count);
        first = physical;
        count = physical != 0;
    }
    if (count)
        cache_read_ahead(fs, first, count);
}

void ext2_read_ahead(struct ext2 *fs, uint32_t number, uint64_t offset, size_t length)
{
    struct inode inode;
    if (get_regular(fs, number, &inode))
        return;
    read_ahead(fs, &inode, offset, length);
    inode_put(&inode);
}

static int64_t peek(struct ext2 *fs, struct inode *inode, uint64_t offset, const void **data)
{
    const uint64_t size = inode_size(inode), logical = offset >> fs->block_bits;
    const uint32_t start = (uint32_t)offset & (fs->block_size - 1);
    uint32_t physical, length = fs->block_size - start;
    if (offset >= size)
        return 0;
    if (length > size - offset)
        length = (uint32_t)(size - offset);
    int error = map_lookup(fs, inode, logical, &physical);
    if (error)
        return error == -EFBIG ? fs_error(fs) : error; /* the size is beyond any map */

    const bool sequential = logical == inode->state->next_read;
    inode->state->next_read = (uint32_t)logical + 1;
    if (!physical) {
        *data = fs->zeros + start;
        return length;
    }
    struct buffer *buffer = cache_find(fs, physical);
    if (buffer) {
        fs->cache.hits++;
    } else {
        if (sequential)
            read_ahead(fs, inode, offset - start, READ_AHEAD_BYTES);
        error = cache_get(fs, physical, &buffer);
        if (error)
            return error;
    }
    *data = buffer->data + start;
    cache_release(buffer);
    return length;
}

int64_t ext2_peek(struct ext2 *fs, uint32_t number, uint64_t offset, const void **data)
{
    struct inode inode;
    int64_t result = get_regular(fs, number, &inode);
    if (result)
        return result;
    result = peek(fs, &inode, offset, data);
    inode_put(&inode);
    return result;
}

int64_t ext2_read(struct ext2 *fs, uint32_t number, uint64_t offset, void *buffer, size_t length)
{
    struct inode inode;
    int64_t result = get_regular(fs, number, &inode);
    if (result)
        return result;
    size_t done = 0, ahead = 0;
    while (done < length) {
        const void *data;
        if (done >= ahead && length - done > fs->block_size) {
            size_t left = length - done;
            ahead = done + (left < READ_AHEAD_BYTES ? left : READ_AHEAD_BYTES);
            read_ahead(fs, &inode, offset + done, ahead - done);
        }
        result = peek(fs, &inode, offset + done, &data);
        if (result <= 0)
            break;
        size_t part = (size_t)result < length - done ? (size_t)result : length - done;
        memcpy((uint8_t *)buffer + done, data, part);
        done += part;
    }
    inode_put(&inode);
    return result < 0 ? result : (int64_t)done;
}

/* ---- Writing ---------------------------------------------------------------------------- */

/* The block with the byte at `offset`, if that is inside a block and the block exists: what has
 * to be cleared from there on. NULL: nothing. */
static int tail_get(struct ext2 *fs, struct inode *inode, uint64_t offset, struct buffer **buffer)
{
    uint32_t physical;
    *buffer = NULL;
    if (!(offset & (fs->block_size - 1)))
        return 0;
    int error = map_lookup(fs, inode, offset >> fs->block_bits, &physical);
    if (error || !physical)
        return error;
    return cache_get(fs, physical, buffer);
}

static void tail_clear(struct ext2 *fs, struct buffer *buffer, uint64_t offset)
{
    const uint32_t start = (uint32_t)offset & (fs->block_size - 1);
    if (!buffer)
        return;
    transaction_order(fs, buffer);
    memset(buffer->data + start, 0, fs->block_size - start);
    cache_release(buffer);
}

/* One write inside one block, and what the steps below need to know of it. */
struct poke {
    uint64_t offset, end;
    uint32_t physical; /* 0: a hole */
    struct buffer *buffer;
};

/* In a transaction: gives the hole a block. What the caller will not fill is zero. */
static int fill_hole(struct ext2 *fs, struct inode *inode, struct poke *poke)
{
    int error = map_allocate(fs, inode, poke->offset >> fs->block_bits, &poke->physical);
    if (error)
        return error;
    if (cache_take(fs, poke->physical, &poke->buffer))
        return fs_error(fs);
    if (poke->end - poke->offset < fs->block_size)
        memset(poke->buffer->data, 0, fs->block_size);
    return 0;
}

/* The buffer of a block that exists: its old contents are needed only where they remain. */
static int get_block(struct ext2 *fs, const struct inode *inode, struct poke *poke)
{
    const uint64_t start = poke->offset & ~(uint64_t)(fs->block_size - 1);
    if (poke->end - poke->offset == fs->block_size)
        return cache_take(fs, poke->physical, &poke->buffer);
    if (start < inode_size(inode))
        return cache_get(fs, poke->physical, &poke->buffer);
    int error = cache_take(fs, poke->physical, &poke->buffer);
    if (!error)
        memset(poke->buffer->data, 0, fs->block_size);
    return error;
}

/* The blocks of one write share transactions: each block leaves everything consistent. */
static int writing_begin(struct ext2 *fs)
{
    if (!fs->transaction.active)
        return transaction_begin(fs);
    bool room = transaction_room(fs, POKE_BLOCKS) && !journal_holds_blocks(fs);
    return room ? 0 : transaction_restart(fs);
}

static int writing_end(struct ext2 *fs)
{
    return fs->transaction.active ? transaction_commit(fs) : 0;
}

/* The buffer of one block of a write, pinned; perhaps in a transaction that stays open. */
static int prepare(struct ext2 *fs, struct inode *inode, struct poke *poke)
{
    const uint64_t size = inode_size(inode);
    struct buffer *tail = NULL;
    int error = map_lookup(fs, inode, poke->offset >> fs->block_bits, &poke->physical);
    if (error)
        return error;
    if (poke->physical && poke->end <= size && inode->disk->mtime == fs->now) {
        error = get_block(fs, inode, poke); /* only data changes */
        if (!error)
            cache_dirty(fs, poke->buffer);
        inode_data_changed(fs, inode);
        return error;
    }
    error = writing_begin(fs);
    if (error)
        return error;
    if (poke->offset > size)
        error = tail_get(fs, inode, size, &tail);
    if (!error)
        error = poke->physical ? get_block(fs, inode, poke) : fill_hole(fs, inode, poke);
    if (error) {
        if (tail)
            cache_release(tail);
        transaction_abort(fs);
        return error;
    }
    transaction_order(fs, poke->buffer);
    tail_clear(fs, tail, size);
    if (poke->end > size)
        inode_set_size(fs, inode, poke->end);
    inode_changed(fs, inode);
    inode->disk->mtime = inode->disk->ctime = fs->now;
    return 0;
}

static int64_t poke_inode(struct ext2 *fs, struct inode *inode, uint64_t offset, size_t length,
                          void **data)
{
    const uint32_t start = (uint32_t)offset & (fs->block_size - 1);
    uint64_t part = fs->block_size - start;
    if (part > length)
        part = length;
    if (fs->read_only)
        return -EROFS;
    if (part == 0)
        return 0;
    if (offset >= fs->size_max)
        return -EFBIG;
    if (part > fs->size_max - offset)
        part = fs->size_max - offset;
    struct poke poke = {.offset = offset, .end = offset + part};
    int error = prepare(fs, inode, &poke);
    if (error)
        return error;
    *data = poke.buffer->data + start;
    cache_release(poke.buffer);
    return (int64_t)part;
}

int64_t ext2_poke(struct ext2 *fs, uint32_t number, uint64_t offset, size_t length, void **data)
{
    struct inode inode;
    int64_t result = get_regular(fs, number, &inode);
    if (result)
        return result;
    result = poke_inode(fs, &inode, offset, length, data);
    int error = writing_end(fs);
    inode_put(&inode);
    return error && result >= 0 ? error : result;
}

int64_t ext2_write(struct ext2 *fs, uint32_t number, uint64_t offset, const void *buffer,
                   size_t length)
{
    struct inode inode;
    int64_t result = get_regular(fs, number, &inode);
    if (result)
        return result;
    size_t done = 0;
    while (done < length) {
        void *data = NULL;
        result = poke_inode(fs, &inode, offset + done, length - done, &data);
        if (result < 0)
            break;
        memcpy(data, (const uint8_t *)buffer + done, (size_t)result);
        done += (size_t)result;
    }
    int error = writing_end(fs);
    inode_put(&inode);
    if (error && result >= 0)
        return error;
    if (result < 0 && (done == 0 || (result != -ENOSPC && result != -EFBIG)))
        return result;
    return (int64_t)done;
}

/* ---- Truncating ------------------------------------------------------------------------- */

static int truncate(struct ext2 *fs, struct inode *inode, uint64_t size)
{
    const uint64_t old = inode_size(inode);
    struct buffer *tail;
    if (size > fs->size_max)
        return -EFBIG;
    int error = tail_get(fs, inode, size < old ? size : old, &tail);
    if (error)
        return error;
    error = transaction_begin(fs);
    if (error) {
        if (tail)
            cache_release(tail);
        return error;
    }
    tail_clear(fs, tail, size < old ? size : old);
    inode_set_size(fs, inode, size);
    inode->disk->mtime = inode->disk->ctime = fs->now;
    if (size < old)
        error = inode_trim(fs, inode);
    if (error)
        transaction_abort(fs);
    else
        error = transaction_commit(fs);
    return error;
}

int ext2_truncate(struct ext2 *fs, uint32_t number, uint64_t size)
{
    struct inode inode;
    int error = get_regular(fs, number, &inode);
    if (error)
        return error;
    if (fs->read_only)
        error = -EROFS;
    else if (size != inode_size(&inode))
        error = truncate(fs, &inode, size);
    inode_put(&inode);
    return error;
}
