/* The tree of indirect blocks. Invariant: the hints in inode_state agree with the tree; a hint
 * is written only behind a change of the tree, and all are dropped before blocks are freed. */
#include "map.h"
#include "alloc.h"
#include "branch.h"
#include "fs.h"
#include <string.h>

#define EXTENT_SEARCHED 32u /* slots looked at beyond the wanted one, to make an extent */
#define FREE_BLOCKS     5u  /* metadata blocks that freeing one block changes, at most */

static int check_inode(struct ext2 *fs, const struct inode *inode)
{
    return inode->disk->flags & (EXT2_FLAG_EXTENTS | EXT2_FLAG_INLINE) ? fs_error(fs) : 0;
}

/* ---- Looking up ------------------------------------------------------------------------- */

static void remember_leaf(struct inode *inode, uint64_t logical, const struct branch *branch,
                          const struct table *table)
{
    if (!table->buffer)
        return;
    inode->state->leaf_block = table->buffer->block;
    inode->state->leaf_logical = (uint32_t)logical - branch->index[branch->depth - 1];
}

static void remember_extent(const struct ext2 *fs, struct inode *inode, uint64_t logical,
                            const uint32_t *slot, uint32_t slots_left)
{
    const uint32_t physical = *slot;
    uint32_t length = 1, most = slots_left < EXTENT_SEARCHED ? slots_left : EXTENT_SEARCHED;
    if (most > fs->blocks - physical)
        most = fs->blocks - physical;
    while (length < most && slot[length] == physical + length)
        length++;
    inode->state->extent_logical = (uint32_t)logical;
    inode->state->extent_physical = physical;
    inode->state->extent_length = length;
}

int map_lookup(struct ext2 *fs, struct inode *inode, uint64_t logical, uint32_t *physical)
{
    struct inode_state *state = inode->state;
    const uint32_t pointers = 1u << fs->pointer_bits;
    if (state->extent_length && logical - state->extent_logical < state->extent_length) {
        *physical = state->extent_physical + ((uint32_t)logical - state->extent_logical);
        return 0;
    }

    struct table table = {0};
    uint32_t index, count;
    int error = check_inode(fs, inode);
    if (error)
        return error;
    if (state->leaf_block && logical - state->leaf_logical < pointers) {
        error = metadata_get(fs, state->leaf_block, &table.buffer);
        if (error)
            return error;
        table.slots = (uint32_t *)table.buffer->data;
        index = (uint32_t)logical - state->leaf_logical;
        count = pointers;
    } else {
        struct branch branch;
        error = branch_find(fs, logical, &branch);
        if (!error)
            error = table_find(fs, inode, &branch, &table);
        if (error)
            return error;
        *physical = 0;
        if (table.level + 1 < branch.depth)
            goto out;
        remember_leaf(inode, logical, &branch, &table);
        index = branch.index[table.level];
        count = table.level ? pointers : EXT2_DIRECT;
    }
    *physical = table.slots[index];
    if (*physical && !fs_block_valid(fs, *physical))
        error = fs_error(fs);
    else if (*physical)
        remember_extent(fs, inode, logical, &table.slots[index], count - index);
out:
    table_put(&table);
    return error;
}

/* ---- Allocating ------------------------------------------------------------------------- */

static uint32_t goal_find(const struct ext2 *fs, const struct inode *inode,
                          const struct table *table, uint32_t index)
{
    for (uint32_t i = index; i > 0 && index - i < EXTENT_SEARCHED; i--)
        if (table->slots[i - 1])
            return table->slots[i - 1] + 1; /* block_alloc checks goals */
    if (table->buffer)
        return table->buffer->block + 1;
    return fs_group_first(fs, (inode->number - 1) / fs->inodes_per_group);
}

/* exercise 6.8 */
/* All of them or none; each next to the one before: indirect blocks lie in front of what they
 * refer to. */
static int blocks_alloc(struct ext2 *fs, uint32_t goal, uint32_t *blocks, unsigned count)
{
    if (blocks_available(fs) < count)
        return -ENOSPC;
    for (unsigned i = 0; i < count; i++) {
        int error = block_alloc(fs, goal, &blocks[i]);
        if (error) {
            while (i-- > 0)
                block_free(fs, blocks[i], false);
            return error;
        }
        goal = blocks[i] + 1;
    }
    return 0;
}

/* Makes the new tables, the lowest first, each with the one slot that leads down. */
static int tables_make(struct ext2 *fs, const struct branch *branch, unsigned level,
                       const uint32_t *blocks)
{
    for (unsigned i = branch->depth - 1; i > level; i--) {
        struct buffer *buffer;
        int error = cache_take(fs, blocks[i - level - 1], &buffer);
        if (error)
            return error;
        transaction_add(fs, buffer);
        memset(buffer->data, 0, fs->block_size);
        ((uint32_t *)buffer->data)[branch->index[i]] = blocks[i - level];
        cache_release(buffer);
    }
    return 0;
}

int map_allocate(struct ext2 *fs, struct inode *inode, uint64_t logical, uint32_t *physical)
{
    struct inode_state *state = inode->state;
    struct branch branch;
    struct table table;
    uint32_t blocks[BRANCH_LEVELS];
    int error = check_inode(fs, inode);
    if (!error)
        error = branch_find(fs, logical, &branch);
    if (!error)
        error = table_find(fs, inode, &branch, &table);
    if (error)
        return error;

    const uint32_t index = branch.index[table.level];
    const unsigned count = branch.depth - table.level;
    const uint32_t sectors = count << (fs->block_bits - 9);
    if (inode->disk->sectors > UINT32_MAX - sectors)
        error = -EFBIG;
    else if (table.slots[index])
        error = fs_error(fs); /* no hole: the caller's size does not fit the tree */
    if (!error)
        error = blocks_alloc(fs, goal_find(fs, inode, &table, index), blocks, count);
    if (error)
        goto out;
    error = tables_make(fs, &branch, table.level, blocks);
    if (error) {
        for (unsigned i = 0; i < count; i++)
            block_free(fs, blocks[i], i + 1 < count);
        goto out;
    }
    if (table.buffer)
        transaction_add(fs, table.buffer);
    inode_changed(fs, inode);
    table.slots[index] = blocks[0];
    inode->disk->sectors += sectors;

    *physical = blocks[count - 1];
    if (count == 1)
        remember_leaf(inode, logical, &branch, &table);
    if (state->extent_length && logical == (uint64_t)state->extent_logical + state->extent_length &&
        *physical == state->extent_physical + state->extent_length) {
        state->extent_length++;
    } else {
        state->extent_logical = (uint32_t)logical;
        state->extent_physical = *physical;
        state->extent_length = 1;
    }
out:
    table_put(&table);
    return error;
}
/* end 6.8 */

/* ---- Freeing ---------------------------------------------------------------------------- */

/* Frees one block that *slot names, in the table `owner` (NULL: the inode's slots). Room for it
 * is made by a restart, at which everything is consistent. */
static int slot_free(struct ext2 *fs, struct inode *inode, struct buffer *owner, uint32_t *slot,
                     bool metadata)
{
    const uint32_t sectors = fs->block_size / 512;
    int error = transaction_room(fs, FREE_BLOCKS) ? 0 : transaction_restart(fs);
    if (!error)
        error = block_free(fs, *slot, metadata);
    if (error)
        return error;
    if (owner)
        transaction_add(fs, owner);
    inode_changed(fs, inode);
    *slot = 0;
    inode->disk->sectors = inode->disk->sectors > sectors ? inode->disk->sectors - sectors : 0;
    return 0;
}

/* Frees, from the back, what lies behind file block `from` (counted from the start of this
 * subtree); the tables go when nothing is left in them. A damaged tree that refers to a block
 * twice ends with an error at the second block_free. */
static int branch_free(struct ext2 *fs, struct inode *inode, struct buffer *owner, uint32_t *slot,
                       unsigned height, uint64_t from)
{
    if (!*slot)
        return 0;
    const bool directory = inode_type(inode) == MODE_DIRECTORY;
    if (height == 0)
        return slot_free(fs, inode, owner, slot, directory);
    if (!fs_block_valid(fs, *slot))
        return fs_error(fs);
    struct buffer *buffer;
    int error = metadata_get(fs, *slot, &buffer);
    if (error)
        return error;
    const unsigned shift = fs->pointer_bits * (height - 1);
    const uint32_t first = (uint32_t)(from >> shift);
    uint32_t *slots = (uint32_t *)buffer->data;
    for (uint32_t i = 1u << fs->pointer_bits; i > first && !error; i--) {
        uint64_t below = i - 1 == first ? from & ((1ull << shift) - 1) : 0;
        error = branch_free(fs, inode, buffer, &slots[i - 1], height - 1, below);
    }
    cache_release(buffer);
    return error || from > 0 ? error : slot_free(fs, inode, owner, slot, true);
}

int map_free(struct ext2 *fs, struct inode *inode, uint64_t from)
{
    uint32_t *slots = inode->disk->block;
    uint64_t start[BRANCH_LEVELS] = {0, EXT2_DIRECT};
    for (unsigned height = 1; height + 1 < BRANCH_LEVELS; height++)
        start[height + 1] = start[height] + (1ull << (fs->pointer_bits * height));
    int error = check_inode(fs, inode);
    inode_state_forget(inode->state);
    for (unsigned height = BRANCH_LEVELS - 1; height > 0 && !error; height--) {
        uint64_t below = from > start[height] ? from - start[height] : 0;
        if (below >> (fs->pointer_bits * height) == 0)
            error = branch_free(fs, inode, NULL, &slots[EXT2_SINGLE + height - 1], height, below);
    }
    for (uint32_t i = EXT2_DIRECT; i > from && !error; i--)
        error = branch_free(fs, inode, NULL, &slots[i - 1], 0, 0);
    return error;
}
