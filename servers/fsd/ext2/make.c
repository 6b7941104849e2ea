/* Makes a one-group ext2: superblock, descriptor, two bitmaps, inode table, root, lost+found, and a
 * journal if there is room. */
#include "make.h"
#include "ext2.h"
#include "format.h"
#include "journal/format.h"
#include <errno.h>
#include <string.h>

#define BLOCK 4096u
#define INODE_SIZE 128u
#define BYTES_PER_INODE 16384u
#define JOURNAL_BLOCKS 1024u /* the least that e2fsck accepts */
#define JOURNAL_FROM (16u << 20) /* bytes: smaller devices have none */

enum { SUPER_BLOCK, DESCRIPTOR_BLOCK, BLOCK_BITMAP, INODE_BITMAP, INODE_TABLE };
enum { JOURNAL_INODE = 8, FIRST_INODE = 11, LOST_FOUND = 11, LOST_FOUND_BLOCKS = 4 };

/* Where everything is, computed from the size alone. */
struct plan {
    uint32_t blocks, inodes, table_blocks;
    uint32_t root_block, lost_block; /* first data blocks */
    uint32_t journal_block;          /* an indirect block, then the journal; 0: none */
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

static struct disk_inode journal_inode(const struct plan *plan)
{
    struct disk_inode inode = {.mode = MODE_REGULAR | 0600,
                               .links = 1,
                               .size = JOURNAL_BLOCKS * BLOCK,
                               .sectors = (JOURNAL_BLOCKS + 1) * (BLOCK / 512),
                               .atime = plan->now,
                               .ctime = plan->now,
                               .mtime = plan->now};
    for (uint32_t i = 0; i < EXT2_DIRECT; i++)
        inode.block[i] = plan->journal_block + 1 + i;
    inode.block[EXT2_DIRECT] = plan->journal_block;
    return inode;
}

/* An empty log: the ring is what the device had there. */
static int put_journal(struct block_device *device, const struct plan *plan)
{
    uint32_t block[BLOCK / sizeof(uint32_t)] = {0};
    for (uint32_t i = 0; i < JOURNAL_BLOCKS - EXT2_DIRECT; i++)
        block[i] = plan->journal_block + 1 + EXT2_DIRECT + i;
    int error = put(device, plan->journal_block, block);
    if (error)
        return error;
    memset(block, 0, sizeof(block));
    *(struct journal_super *)block = (struct journal_super){
        .header = {to_be(JOURNAL_MAGIC), to_be(JOURNAL_SUPER_2), 0},
        .block_size = to_be(BLOCK),
        .length = to_be(JOURNAL_BLOCKS),
        .first = to_be(1),
        .sequence = to_be(1),
        .users = to_be(1),
    };
    return put(device, plan->journal_block + 1, block);
}

static void add_journal(struct superblock *super, const struct plan *plan)
{
    const struct disk_inode inode = journal_inode(plan);
    super->feature_compat = EXT2_COMPAT_HAS_JOURNAL;
    super->journal_inode = JOURNAL_INODE;
    super->journal_backup_type = 1; /* of the inode: its block numbers, and its size as the last */
    memcpy(super->journal_blocks, inode.block, sizeof(inode.block));
    super->journal_blocks[16] = inode.size;
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
    if (plan->journal_block)
        add_journal(&super, plan);
    memcpy(block + EXT2_SUPER_OFFSET, &super, sizeof(super));
    return put(device, SUPER_BLOCK, block);
}

static int put_descriptor(struct block_device *device, const struct plan *plan)
{
    uint8_t block[BLOCK] = {0};
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

static int put_inodes(struct block_device *device, const struct plan *plan)
{
    uint8_t block[BLOCK] = {0};
    struct disk_inode root = directory(plan, 0755, 3, plan->root_block, 1);
    struct disk_inode lost = directory(plan, 0700, 2, plan->lost_block, LOST_FOUND_BLOCKS);
    memcpy(block + (EXT2_ROOT_INODE - 1) * INODE_SIZE, &root, sizeof(root));
    memcpy(block + (LOST_FOUND - 1) * INODE_SIZE, &lost, sizeof(lost));
    if (plan->journal_block) {
        struct disk_inode journal = journal_inode(plan);
        memcpy(block + (JOURNAL_INODE - 1) * INODE_SIZE, &journal, sizeof(journal));
    }
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
    if (device->size >= JOURNAL_FROM) {
        plan.journal_block = plan.used;
        plan.used += 1 + JOURNAL_BLOCKS;
    }
    int error = put_descriptor(device, &plan);
    if (!error)
        error = put_bitmaps(device, &plan);
    if (!error && plan.journal_block)
        error = put_journal(device, &plan);
    if (!error)
        error = put_inodes(device, &plan);
    return error ? error : put_super(device, &plan); /* at last: now there is a file system */
}
