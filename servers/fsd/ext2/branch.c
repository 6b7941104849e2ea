/* Which slots lead to a file block, and which of the tables on the way exist. */
#include "branch.h"
#include "fs.h"

void table_put(struct table *table)
{
    if (table->buffer)
        cache_release(table->buffer);
}

/* exercise 6.2 */
int branch_find(const struct ext2 *fs, uint64_t logical, struct branch *branch)
{
    const unsigned bits = fs->pointer_bits;
    if (logical < EXT2_DIRECT) {
        *branch = (struct branch){.index = {(uint32_t)logical}, .depth = 1};
        return 0;
    }
    logical -= EXT2_DIRECT;
    for (unsigned height = 1; height < BRANCH_LEVELS; height++) {
        if (logical >> (bits * height)) {
            logical -= 1ull << (bits * height);
            continue;
        }
        branch->depth = height + 1;
        branch->index[0] = EXT2_SINGLE + height - 1;
        for (unsigned level = height; level > 0; level--, logical >>= bits)
            branch->index[level] = (uint32_t)(logical & ((1u << bits) - 1));
        return 0;
    }
    return -EFBIG;
}
/* end 6.2 */

/* exercise 6.3 */
int table_find(struct ext2 *fs, struct inode *inode, const struct branch *branch,
               struct table *table)
{
    *table = (struct table){.slots = inode->disk->block};
    while (table->level + 1 < branch->depth) {
        uint32_t next = table->slots[branch->index[table->level]];
        struct buffer *buffer;
        if (!next)
            return 0;
        int error = fs_block_valid(fs, next) ? metadata_get(fs, next, &buffer) : fs_error(fs);
        table_put(table);
        if (error)
            return error;
        table->buffer = buffer;
        table->slots = (uint32_t *)buffer->data;
        table->level++;
    }
    return 0;
}
/* end 6.3 */
