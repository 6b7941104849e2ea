/* Block and inode allocation. Invariant: bitmap, group descriptor, struct group, superblock and
 * the sums in struct ext2 change together, after everything that can fail. */
#include "alloc.h"
#include "fs.h"
#include <string.h>

/* One group's bitmap and descriptor, pinned, about to change. */
struct group_blocks {
    struct buffer *bitmap, *descriptors;
    struct group_descriptor *descriptor;
};

static int group_get(struct ext2 *fs, uint32_t index, uint32_t bitmap, struct group_blocks *blocks)
{
    const uint32_t per_block = fs->block_size / sizeof(struct group_descriptor);
    int error = metadata_get(fs, bitmap, &blocks->bitmap);
    if (error)
        return error;
    error = metadata_get(fs, fs->descriptor_first + index / per_block, &blocks->descriptors);
    if (error) {
        cache_release(blocks->bitmap);
        return error;
    }
    blocks->descriptor = (struct group_descriptor *)blocks->descriptors->data + index % per_block;
    return 0;
}

static void group_put(struct group_blocks *blocks)
{
    cache_release(blocks->descriptors);
    cache_release(blocks->bitmap);
}

static void group_add(struct ext2 *fs, struct group_blocks *blocks)
{
    transaction_add(fs, blocks->bitmap);
    transaction_add(fs, blocks->descriptors);
    transaction_add(fs, fs->super_buffer);
}

static void count_blocks(struct ext2 *fs, struct group *group, struct group_blocks *blocks,
                         int change)
{
    group->free_blocks += (uint32_t)change;
    blocks->descriptor->free_blocks = (uint16_t)group->free_blocks;
    fs->free_blocks += (uint32_t)change;
    fs->super->free_blocks_count = fs->free_blocks;
}

static void count_inodes(struct ext2 *fs, struct group *group, struct group_blocks *blocks,
                         int change, bool directory)
{
    group->free_inodes += (uint32_t)change;
    blocks->descriptor->free_inodes = (uint16_t)group->free_inodes;
    if (directory) {
        group->directories -= (uint32_t)change;
        blocks->descriptor->directories = (uint16_t)group->directories;
    }
    fs->free_inodes += (uint32_t)change;
    fs->super->free_inodes_count = fs->free_inodes;
}

/* ---- Bitmaps ---------------------------------------------------------------------------- */

#define NO_BIT UINT32_MAX

static bool bit_test(const uint8_t *bitmap, uint32_t bit)
{
    return bitmap[bit / 8] >> bit % 8 & 1;
}

/* The first clear bit in start .. end - 1. */
static uint32_t clear_bit(const uint8_t *bitmap, uint32_t start, uint32_t end)
{
    for (uint32_t bit = start & ~63u; bit < end; bit += 64) {
        uint64_t word;
        memcpy(&word, bitmap + bit / 8, sizeof word);
        if (bit < start)
            word |= (1ull << (start - bit)) - 1;
        if (word == UINT64_MAX)
            continue;
        bit += (uint32_t)__builtin_ctzll(~word);
        return bit < end ? bit : NO_BIT;
    }
    return NO_BIT;
}

/* The first of eight clear bits in a row (in one byte): room for a file to grow. */
static uint32_t clear_byte(const uint8_t *bitmap, uint32_t start, uint32_t end)
{
    for (uint32_t byte = (start + 7) / 8; byte < end / 8; byte++)
        if (!bitmap[byte])
            return byte * 8;
    return NO_BIT;
}

static uint32_t block_search(const uint8_t *bitmap, uint32_t goal, uint32_t size)
{
    if (goal && !bit_test(bitmap, goal))
        return goal;
    uint32_t near = (goal | 63) + 1; /* the rest of the goal's word */
    uint32_t bit = goal ? clear_bit(bitmap, goal, near < size ? near : size) : NO_BIT;
    if (bit == NO_BIT)
        bit = clear_byte(bitmap, goal, size);
    if (bit == NO_BIT)
        bit = clear_bit(bitmap, goal, size);
    return bit != NO_BIT ? bit : clear_bit(bitmap, 0, goal);
}

/* ---- Blocks ----------------------------------------------------------------------------- */

uint32_t blocks_available(const struct ext2 *fs)
{
    return fs->free_blocks > fs->reserved_blocks ? fs->free_blocks - fs->reserved_blocks : 0;
}

/* Does the group's own metadata lie there? Then no file may get or give the block. */
static bool in_metadata(const struct ext2 *fs, const struct group *group, uint32_t block)
{
    return block == group->block_bitmap || block == group->inode_bitmap ||
           block - group->inode_table < fs->inode_table_blocks;
}

/* exercise 6.7 */
static int block_alloc_in(struct ext2 *fs, uint32_t index, uint32_t goal, uint32_t *block)
{
    struct group *group = &fs->groups[index];
    struct group_blocks blocks;
    int error = group_get(fs, index, group->block_bitmap, &blocks);
    if (error)
        return error;
    uint32_t bit = block_search(blocks.bitmap->data, goal, fs_group_size(fs, index));
    *block = fs_group_first(fs, index) + bit;
    if (bit == NO_BIT) {
        error = -ENOSPC; /* the counter was wrong; others may still have some */
    } else if (!fs_block_valid(fs, *block) || in_metadata(fs, group, *block)) {
        error = fs_error(fs);
    } else {
        group_add(fs, &blocks);
        blocks.bitmap->data[bit / 8] |= (uint8_t)(1u << bit % 8);
        count_blocks(fs, group, &blocks, -1);
    }
    group_put(&blocks);
    return error;
}
/* end 6.7 */

int block_alloc(struct ext2 *fs, uint32_t goal, uint32_t *block)
{
    if (!blocks_available(fs))
        return -ENOSPC;
    if (!fs_block_valid(fs, goal))
        goal = fs->first_block;
    uint32_t start = (goal - fs->first_block) / fs->blocks_per_group;
    uint32_t bit = (goal - fs->first_block) % fs->blocks_per_group;
    for (uint32_t i = 0; i < fs->group_count; i++, bit = 0) {
        uint32_t index = start + i < fs->group_count ? start + i : start + i - fs->group_count;
        if (!fs->groups[index].free_blocks)
            continue;
        int error = block_alloc_in(fs, index, bit, block);
        if (error != -ENOSPC)
            return error;
    }
    return fs_error(fs); /* the counters promised a block */
}

/* Finds the block's group and bit; its blocks are pinned on success. EIO if it is not in use. */
static int used_block_get(struct ext2 *fs, uint32_t block, struct group **group,
                          struct group_blocks *blocks, uint32_t *bit)
{
    if (!fs_block_valid(fs, block))
        return fs_error(fs);
    const uint32_t index = (block - fs->first_block) / fs->blocks_per_group;
    *bit = (block - fs->first_block) % fs->blocks_per_group;
    *group = &fs->groups[index];
    int error = group_get(fs, index, (*group)->block_bitmap, blocks);
    if (error)
        return error;
    if (!in_metadata(fs, *group, block) && bit_test(blocks->bitmap->data, *bit) &&
        (*group)->free_blocks < fs_group_size(fs, index))
        return 0;
    group_put(blocks);
    return fs_error(fs);
}

int block_release(struct ext2 *fs, uint32_t block)
{
    struct group *group;
    struct group_blocks blocks;
    uint32_t bit;
    int error = used_block_get(fs, block, &group, &blocks, &bit);
    if (error)
        return error;
    blocks.bitmap->data[bit / 8] &= (uint8_t) ~(1u << bit % 8);
    count_blocks(fs, group, &blocks, 1);
    group_put(&blocks);
    cache_forget(fs, block);
    return 0;
}

static uint32_t count_clear(const uint8_t *bitmap, uint32_t size)
{
    uint32_t count = 0;
    for (uint32_t bit = 0; bit < size; bit++)
        count += !bit_test(bitmap, bit);
    return count;
}

/* The counters may not have followed the bit: they are counted anew. */
int block_retake(struct ext2 *fs, uint32_t block)
{
    const uint32_t index = (block - fs->first_block) / fs->blocks_per_group;
    const uint32_t bit = (block - fs->first_block) % fs->blocks_per_group;
    struct group *group = &fs->groups[index];
    struct group_blocks blocks;
    int error = group_get(fs, index, group->block_bitmap, &blocks);
    if (error)
        return error;
    if (!bit_test(blocks.bitmap->data, bit)) {
        blocks.bitmap->data[bit / 8] |= (uint8_t)(1u << bit % 8);
        uint32_t free = count_clear(blocks.bitmap->data, fs_group_size(fs, index));
        count_blocks(fs, group, &blocks, (int)(free - group->free_blocks));
    }
    group_put(&blocks);
    return 0;
}

bool block_in_use(struct ext2 *fs, uint32_t block)
{
    const uint32_t index = (block - fs->first_block) / fs->blocks_per_group;
    struct group_blocks blocks;
    if (!fs_block_valid(fs, block) || group_get(fs, index, fs->groups[index].block_bitmap, &blocks))
        return true;
    bool used = bit_test(blocks.bitmap->data, (block - fs->first_block) % fs->blocks_per_group);
    group_put(&blocks);
    return used;
}

int block_free(struct ext2 *fs, uint32_t block, bool metadata)
{
    struct group *group;
    struct group_blocks blocks;
    uint32_t bit;
    int error = used_block_get(fs, block, &group, &blocks, &bit);
    if (error)
        return error;
    group_add(fs, &blocks);
    group_put(&blocks);
    return transaction_free(fs, block, metadata);
}

/* ---- Inodes ----------------------------------------------------------------------------- */

/* A directory of the root starts a new region: the group with the fewest directories among those
 * with at least average room (after Orlov, BSD). Below that, children stay near their parents
 * as long as there is room for their files. */
static uint32_t group_for_directory(const struct ext2 *fs, uint32_t parent)
{
    uint32_t average_inodes = fs->free_inodes / fs->group_count;
    uint32_t average_blocks = fs->free_blocks / fs->group_count;
    uint32_t home = (parent - 1) / fs->inodes_per_group, best = home;
    uint32_t fewest = UINT32_MAX;
    if (parent != EXT2_ROOT_INODE) {
        average_inodes /= 2;
        average_blocks /= 2;
    }
    for (uint32_t i = 0; i < fs->group_count; i++) {
        uint32_t index = (home + i) % fs->group_count;
        const struct group *group = &fs->groups[index];
        if (!group->free_inodes || group->free_inodes < average_inodes ||
            group->free_blocks < average_blocks)
            continue;
        if (parent != EXT2_ROOT_INODE)
            return index;
        if (group->directories < fewest) {
            fewest = group->directories;
            best = index;
        }
    }
    return best;
}

static int inode_alloc_in(struct ext2 *fs, uint32_t index, bool directory, uint32_t *number)
{
    struct group *group = &fs->groups[index];
    struct group_blocks blocks;
    int error = group_get(fs, index, group->inode_bitmap, &blocks);
    if (error)
        return error;
    uint32_t first = index == 0 ? fs->first_inode - 1 : 0; /* the reserved ones, whatever bits */
    uint32_t bit = clear_bit(blocks.bitmap->data, first, fs->inodes_per_group);
    if (bit == NO_BIT) {
        error = -ENOSPC;
    } else {
        group_add(fs, &blocks);
        blocks.bitmap->data[bit / 8] |= (uint8_t)(1u << bit % 8);
        count_inodes(fs, group, &blocks, -1, directory);
        *number = index * fs->inodes_per_group + bit + 1;
    }
    group_put(&blocks);
    return error;
}

int inode_alloc(struct ext2 *fs, uint32_t parent, bool directory, uint32_t *number)
{
    if (!fs->free_inodes)
        return -ENOSPC;
    uint32_t start =
        directory ? group_for_directory(fs, parent) : (parent - 1) / fs->inodes_per_group;
    /* First where the file's blocks can be near, then anywhere. */
    for (int need_blocks = 1; need_blocks >= 0; need_blocks--)
        for (uint32_t i = 0; i < fs->group_count; i++) {
            uint32_t index = (start + i) % fs->group_count;
            const struct group *group = &fs->groups[index];
            if (!group->free_inodes || (need_blocks && !group->free_blocks))
                continue;
            int error = inode_alloc_in(fs, index, directory, number);
            if (error != -ENOSPC)
                return error;
        }
    return fs_error(fs);
}

int inode_free(struct ext2 *fs, uint32_t number, bool directory)
{
    if (number < fs->first_inode || number > fs->inodes)
        return fs_error(fs);
    uint32_t index = (number - 1) / fs->inodes_per_group;
    uint32_t bit = (number - 1) % fs->inodes_per_group;
    struct group *group = &fs->groups[index];
    struct group_blocks blocks;
    int error = group_get(fs, index, group->inode_bitmap, &blocks);
    if (error)
        return error;
    if (!bit_test(blocks.bitmap->data, bit) || group->free_inodes >= fs->inodes_per_group ||
        (directory && !group->directories)) {
        error = fs_error(fs);
    } else {
        group_add(fs, &blocks);
        blocks.bitmap->data[bit / 8] &= (uint8_t) ~(1u << bit % 8);
        count_inodes(fs, group, &blocks, 1, directory);
    }
    group_put(&blocks);
    return error;
}
