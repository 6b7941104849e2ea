/* The hand-made image. One group, 32 inodes of 128 bytes; blocks are given out in order. */
#include "make_image.h"
#include "../format.h"
#include <stdio.h>
#include <string.h>

enum { SUPER = 1, DESCRIPTORS, BLOCK_BITMAP, INODE_BITMAP, INODE_TABLE, FIRST = INODE_TABLE + 4 };
enum { INODES = 32, FIRST_INODE = 11, MANY = 10 };
enum { FILE_F = 12, DIRECTORY_D, FILE_G, LINK_FAST, LINK_SLOW, FILE_BIG, DIRECTORY_MANY, USED };

struct maker {
    uint8_t *image;
    uint32_t next;                             /* the first free block */
    uint32_t directory_offset, directory_last; /* in the block being filled */
    uint8_t *directory;
};

static uint32_t *block_at(struct maker *maker, uint32_t block)
{
    return (uint32_t *)(maker->image + block * MADE_BLOCK);
}

static struct disk_inode *inode_make(struct maker *maker, uint32_t number, unsigned mode,
                                     unsigned links, uint32_t size)
{
    struct disk_inode *inode =
        (struct disk_inode *)(maker->image + INODE_TABLE * MADE_BLOCK) + number - 1;
    inode->mode = (uint16_t)mode;
    inode->links = (uint16_t)links;
    inode->size = size;
    inode->atime = inode->mtime = inode->ctime = 1700000000;
    return inode;
}

/* A block for this slot (0 if it has one already), counted in the inode. */
static uint32_t give(struct maker *maker, struct disk_inode *inode, uint32_t *slot)
{
    if (!*slot) {
        *slot = maker->next++;
        inode->sectors += MADE_BLOCK / 512;
    }
    return *slot;
}

static void file_block(struct maker *maker, struct disk_inode *inode, uint32_t *slot)
{
    memset(block_at(maker, give(maker, inode, slot)), 'f', MADE_BLOCK);
}

static void directory_open(struct maker *maker, struct disk_inode *inode, uint32_t *slot)
{
    maker->directory = (uint8_t *)block_at(maker, give(maker, inode, slot));
    maker->directory_offset = maker->directory_last = 0;
}

/* Each record takes the whole rest until the next one comes. */
static void name_add(struct maker *maker, uint32_t number, unsigned type, const char *name)
{
    struct disk_dirent *last = (struct disk_dirent *)(maker->directory + maker->directory_last);
    struct disk_dirent *record = (struct disk_dirent *)(maker->directory + maker->directory_offset);
    if (maker->directory_offset)
        last->record_len = (uint16_t)(maker->directory_offset - maker->directory_last);
    record->inode = number;
    record->name_len = (uint8_t)strlen(name);
    record->type = (uint8_t)type;
    memcpy(record->name, name, strlen(name));
    record->record_len = (uint16_t)(MADE_BLOCK - maker->directory_offset);
    maker->directory_last = maker->directory_offset;
    maker->directory_offset += DIRENT_SIZE(strlen(name));
}

static void make_files(struct maker *maker)
{
    struct disk_inode *inode =
        inode_make(maker, FILE_F, MODE_REGULAR | 0644, 1, 14 * MADE_BLOCK - 9);
    for (int i = 0; i < 12; i++)
        file_block(maker, inode, &inode->block[i]);
    uint32_t *table = block_at(maker, give(maker, inode, &inode->block[EXT2_SINGLE]));
    file_block(maker, inode, &table[0]);
    file_block(maker, inode, &table[1]);

    inode = inode_make(maker, FILE_G, MODE_REGULAR | 0600, 1, 100);
    file_block(maker, inode, &inode->block[0]);

    inode = inode_make(maker, FILE_BIG, MODE_REGULAR | 0644, 1, 0);
    inode->size = (12 + 256 + 65536 + 3) * MADE_BLOCK;
    for (int level = EXT2_SINGLE; level <= EXT2_TRIPLE; level++) {
        uint32_t *slot = &inode->block[level];
        for (int i = EXT2_SINGLE; i <= level; i++)
            slot = block_at(maker, give(maker, inode, slot)) + (i == level ? 2 : 0);
        file_block(maker, inode, slot);
    }

    inode = inode_make(maker, LINK_FAST, MODE_SYMLINK | 0777, 1, 4);
    memcpy(inode->block, "../f", 4);
    inode = inode_make(maker, LINK_SLOW, MODE_SYMLINK | 0777, 1, 90);
    uint32_t *text = block_at(maker, give(maker, inode, &inode->block[0]));
    memset(text, '/', 89);
    memcpy((char *)text + 89, "d", 1);
}

static void make_directories(struct maker *maker)
{
    char name[64];
    struct disk_inode *inode = inode_make(maker, 2, MODE_DIRECTORY | 0755, 5, MADE_BLOCK);
    directory_open(maker, inode, &inode->block[0]);
    name_add(maker, 2, DIRENT_DIRECTORY, ".");
    name_add(maker, 2, DIRENT_DIRECTORY, "..");
    name_add(maker, FIRST_INODE, DIRENT_DIRECTORY, "lost+found");
    name_add(maker, FILE_F, DIRENT_REGULAR, "f");
    name_add(maker, DIRECTORY_D, DIRENT_DIRECTORY, "d");
    name_add(maker, LINK_SLOW, DIRENT_SYMLINK, "long");
    name_add(maker, FILE_BIG, DIRENT_REGULAR, "big");
    name_add(maker, DIRECTORY_MANY, DIRENT_DIRECTORY, "many");

    inode = inode_make(maker, FIRST_INODE, MODE_DIRECTORY | 0700, 2, MADE_BLOCK);
    directory_open(maker, inode, &inode->block[0]);
    name_add(maker, FIRST_INODE, DIRENT_DIRECTORY, ".");
    name_add(maker, 2, DIRENT_DIRECTORY, "..");

    inode = inode_make(maker, DIRECTORY_D, MODE_DIRECTORY | 0755, 2, MADE_BLOCK);
    directory_open(maker, inode, &inode->block[0]);
    name_add(maker, DIRECTORY_D, DIRENT_DIRECTORY, ".");
    name_add(maker, 2, DIRENT_DIRECTORY, "..");
    name_add(maker, FILE_G, DIRENT_REGULAR, "g");
    name_add(maker, LINK_FAST, DIRENT_SYMLINK, "link");

    inode = inode_make(maker, DIRECTORY_MANY, MODE_DIRECTORY | 0755, 2, 3 * MADE_BLOCK);
    for (int block = 0; block < 3; block++) {
        directory_open(maker, inode, &inode->block[block]);
        if (block == 0) {
            name_add(maker, DIRECTORY_MANY, DIRENT_DIRECTORY, ".");
            name_add(maker, 2, DIRENT_DIRECTORY, "..");
        }
        for (int i = 0; i < MANY; i++) {
            snprintf(name, sizeof name, "one-of-many-names-of-f-%d-%d", block, i);
            name_add(maker, FILE_F, DIRENT_REGULAR, name);
        }
    }
    inode_make(maker, FILE_F, MODE_REGULAR | 0644, 1 + 3 * MANY, 14 * MADE_BLOCK - 9);
}

static void bits_set(uint8_t *bitmap, uint32_t used, uint32_t total)
{
    memset(bitmap, 0xff, MADE_BLOCK); /* what does not exist counts as used */
    for (uint32_t bit = used; bit < total; bit++)
        bitmap[bit / 8] &= (uint8_t) ~(1u << bit % 8);
}

void make_image(uint8_t image[MADE_SIZE])
{
    struct maker maker = {.image = image, .next = FIRST};
    memset(image, 0, MADE_SIZE);
    make_files(&maker);
    make_directories(&maker);

    uint32_t free_blocks = MADE_BLOCKS - maker.next, free_inodes = INODES - (USED - 1);
    struct superblock *super = (struct superblock *)(image + EXT2_SUPER_OFFSET);
    *super = (struct superblock){
        .inodes_count = INODES,
        .blocks_count = MADE_BLOCKS,
        .free_blocks_count = free_blocks,
        .free_inodes_count = free_inodes,
        .first_data_block = SUPER,
        .blocks_per_group = 8 * MADE_BLOCK,
        .fragments_per_group = 8 * MADE_BLOCK,
        .inodes_per_group = INODES,
        .max_mount_count = 0xffff,
        .magic = EXT2_MAGIC,
        .state = EXT2_STATE_VALID,
        .error_behaviour = 1,
        .last_check = 1700000000,
        .revision = EXT2_REVISION_DYNAMIC,
        .first_inode = FIRST_INODE,
        .inode_size = EXT2_OLD_INODE_SIZE,
        .feature_incompat = EXT2_INCOMPAT_FILETYPE,
        .feature_ro_compat = EXT2_RO_COMPAT_LARGE_FILE,
        .uuid = "cairn test disk",
    };
    struct group_descriptor *descriptor = (struct group_descriptor *)block_at(&maker, DESCRIPTORS);
    *descriptor = (struct group_descriptor){
        .block_bitmap = BLOCK_BITMAP,
        .inode_bitmap = INODE_BITMAP,
        .inode_table = INODE_TABLE,
        .free_blocks = (uint16_t)free_blocks,
        .free_inodes = (uint16_t)free_inodes,
        .directories = 4,
    };
    bits_set((uint8_t *)block_at(&maker, BLOCK_BITMAP), maker.next - SUPER, MADE_BLOCKS - SUPER);
    bits_set((uint8_t *)block_at(&maker, INODE_BITMAP), USED - 1, INODES);
}
