/* Makes a one-group ext2: superblock, descriptor, two bitmaps, inode table, root, lost+found. */
#include "make.h"
#include "ext2.h"
#include "format.h"
#include <errno.h>
#include <string.h>

#define BLOCK 4096u
#define INODE_SIZE 128u
#define BYTES_PER_INODE 16384u

enum { SUPER_BLOCK, DESCRIPTOR_BLOCK, BLOCK_BITMAP, INODE_BITMAP, INODE_TABLE };
enum { FIRST_INODE = 11, LOST_FOUND = 11, LOST_FOUND_BLOCKS = 4 };

/* Where everything is, computed from the size alone. */
struct plan {
    uint32_t blocks, inodes, table_blocks;
    uint32_t root_block, lost_block; /* first data blocks */
    uint32_t used;                   /* blocks from 0 that are taken */
    uint32_t now;
};

static int put(struct block_device *device, uint32_t block, const void *data)
{
    return device->write(device, (uint64_t)block * BLOCK, data, BLOCK);
}

static void set_bits(uint8_t *bitmap, uint32_t from, uint32_t to)
{
    for (uint32_t bit = from; bit < to; bit++)
        bitmap[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static struct disk_dirent *put_entry(uint8_t *block, uint32_t at, uint32_t len, uint32_t inode,
                                     const char *name)
{
    struct disk_dirent *entry = (struct disk_dirent *)(block + at);
    entry->inode = inode;
    entry->record_len = (uint16_t)len;
    entry->name_len = (uint8_t)strlen(name);
    entry->type = 2; /* all of them are directories */
    memcpy(entry->name, name, entry->name_len);
    return entry;
}

static struct disk_inode directory(const struct plan *plan, uint16_t mode, uint16_t links,
                                   uint32_t first, uint32_t blocks)
{
    struct disk_inode inode = {.mode = (uint16_t)(MODE_DIRECTORY | mode),
                               .links = links,
                               .size = blocks * BLOCK,
                               .sectors = blocks * (BLOCK / 512),
                               .atime = plan->now,
                               .ctime = plan->now,
                               .mtime = plan->now};
    for (uint32_t i = 0; i < blocks; i++)
        inode.block[i] = first + i;
    return inode;
}

static int put_super(struct block_device *device, const struct plan *plan)
{
    uint8_t block[BLOCK] = {0};
    struct superblock super = {
        .inodes_count = plan->inodes,
        .blocks_count = plan->blocks,
        .free_blocks_count = plan->blocks - plan->used,
        .free_inodes_count = plan->inodes - FIRST_INODE,
        .log_block_size = 2,
        .log_fragment_size = 2,
        .blocks_per_group = BLOCK * 8,
        .fragments_per_group = BLOCK * 8,
        .inodes_per_group = plan->inodes,
        .write_time = plan->now,
        .max_mount_count = 0xffff,
        .magic = EXT2_MAGIC,
        .state = EXT2_STATE_VALID,
        .error_behaviour = 1,
        .last_check = plan->now,
        .revision = EXT2_REVISION_DYNAMIC,
        .first_inode = FIRST_INODE,
        .inode_size = INODE_SIZE,
        .feature_incompat = EXT2_INCOMPAT_FILETYPE,
        .feature_ro_compat = EXT2_RO_COMPAT_SPARSE_SUPER | EXT2_RO_COMPAT_LARGE_FILE,
        .uuid = "cairn ram disk", /* sixteen bytes, told apart from nothing */
        .made_time = plan->now,
    };
    memcpy(block + EXT2_SUPER_OFFSET, &super, sizeof(super));
    int error = put(device, SUPER_BLOCK, block);
    if (error)
        return error;
    memset(block, 0, sizeof(block));
    struct group_descriptor *group = (struct group_descriptor *)block;
    *group = (struct group_descriptor){
        .block_bitmap = BLOCK_BITMAP,
        .inode_bitmap = INODE_BITMAP,
        .inode_table = INODE_TABLE,
        .free_blocks = (uint16_t)(plan->blocks - plan->used),
        .free_inodes = (uint16_t)(plan->inodes - FIRST_INODE),
        .directories = 2,
    };
    return put(device, DESCRIPTOR_BLOCK, block);
}

static int put_bitmaps(struct block_device *device, const struct plan *plan)
{
    uint8_t block[BLOCK] = {0};
    set_bits(block, 0, plan->used);
    set_bits(block, plan->blocks, BLOCK * 8); /* what is behind the end counts as taken */
    int error = put(device, BLOCK_BITMAP, block);
    if (error)
        return error;
    memset(block, 0, sizeof(block));
    set_bits(block, 0, FIRST_INODE);
    set_bits(block, plan->inodes, BLOCK * 8);
    return put(device, INODE_BITMAP, block);
}

static int put_directories(struct block_device *device, const struct plan *plan)
{
    uint8_t block[BLOCK] = {0};
    struct disk_inode root = directory(plan, 0755, 3, plan->root_block, 1);
    struct disk_inode lost = directory(plan, 0700, 2, plan->lost_block, LOST_FOUND_BLOCKS);
    memcpy(block + (EXT2_ROOT_INODE - 1) * INODE_SIZE, &root, sizeof(root));
    memcpy(block + (LOST_FOUND - 1) * INODE_SIZE, &lost, sizeof(lost));
    int error = put(device, INODE_TABLE, block);
    memset(block, 0, sizeof(block));
    put_entry(block, 0, 12, EXT2_ROOT_INODE, ".");
    put_entry(block, 12, 12, EXT2_ROOT_INODE, "..");
    put_entry(block, 24, BLOCK - 24, LOST_FOUND, "lost+found");
    if (!error)
        error = put(device, plan->root_block, block);
    memset(block, 0, sizeof(block));
    put_entry(block, 0, 12, LOST_FOUND, ".");
    put_entry(block, 12, BLOCK - 12, EXT2_ROOT_INODE, "..");
    for (uint32_t i = 0; i < LOST_FOUND_BLOCKS && !error; i++) {
        error = put(device, plan->lost_block + i, block);
        memset(block, 0, sizeof(block));
        put_entry(block, 0, BLOCK, 0, "");
    }
    return error;
}

int ext2_make(struct block_device *device, uint32_t now)
{
    if (device->size < 64 * BLOCK || device->size > (uint64_t)BLOCK * BLOCK * 8)
        return -EINVAL;
    struct plan plan = {.blocks = (uint32_t)(device->size / BLOCK), .now = now};
    plan.inodes = plan.blocks * BLOCK / BYTES_PER_INODE / 32 * 32; /* whole table blocks */
    if (plan.inodes < 32)
        plan.inodes = 32;
    plan.table_blocks = plan.inodes * INODE_SIZE / BLOCK;
    plan.root_block = INODE_TABLE + plan.table_blocks;
    plan.lost_block = plan.root_block + 1;
    plan.used = plan.lost_block + LOST_FOUND_BLOCKS;
    int error = put_super(device, &plan);
    if (!error)
        error = put_bitmaps(device, &plan);
    return error ? error : put_directories(device, &plan);
}
