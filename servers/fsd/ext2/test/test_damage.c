/* Damaged images: first known kinds of damage with what must come of them, then thousands of
 * random ones, of which nothing may come. */
#include "../format.h"
#include "check.h"
#include "damage.h"
#include "image.h"
#include "make_image.h"
#include "paths.h"
#include "random.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { INODE_TABLE = 5 };

static struct disk_inode *inode_of(struct image *image, uint32_t number)
{
    return (struct disk_inode *)(image->bytes + INODE_TABLE * MADE_BLOCK) + number - 1;
}

static uint32_t *block_of(struct image *image, uint32_t block)
{
    return (uint32_t *)(image->bytes + block * MADE_BLOCK);
}

/* ---- The kinds of damage; each returns what the mount must give -------------------------- */

static struct superblock *super(struct image *image)
{
    return (struct superblock *)(image->bytes + EXT2_SUPER_OFFSET);
}
static struct disk_inode *file(struct image *image)
{
    return inode_of(image, 12);
}
static void magic(struct image *image)
{
    super(image)->magic++;
}
static void block_size_huge(struct image *image)
{
    super(image)->log_block_size = 0xffffffff;
}
static void no_groups(struct image *image)
{
    super(image)->blocks_per_group = 0;
}
static void no_inodes(struct image *image)
{
    super(image)->inodes_per_group = 0;
}
static void too_many_inodes(struct image *image)
{
    super(image)->inodes_count += 1;
}
static void too_many_blocks(struct image *image)
{
    super(image)->blocks_count = 0xffffffff;
}
static void inode_size_odd(struct image *image)
{
    super(image)->inode_size = 129;
}
static void inode_size_huge(struct image *image)
{
    super(image)->inode_size = 2048;
}
static void table_outside(struct image *image)
{
    ((struct group_descriptor *)block_of(image, 2))->inode_table = MADE_BLOCKS - 3;
}
static void bitmap_is_super(struct image *image)
{
    ((struct group_descriptor *)block_of(image, 2))->block_bitmap = 1;
}
static void count_huge(struct image *image)
{
    ((struct group_descriptor *)block_of(image, 2))->free_blocks = 0xffff;
}
static void block_outside(struct image *image)
{
    file(image)->block[0] = MADE_BLOCKS;
}
static void block_is_super(struct image *image)
{
    file(image)->block[0] = 1;
}
static void block_is_table(struct image *image)
{
    file(image)->block[0] = INODE_TABLE;
}
static void table_block_outside(struct image *image)
{
    file(image)->block[EXT2_SINGLE] = 0x80000000;
}
static void table_loop(struct image *image)
{
    uint32_t block = file(image)->block[EXT2_SINGLE];
    for (uint32_t i = 0; i < MADE_BLOCK / 4; i++)
        block_of(image, block)[i] = block;
    file(image)->block[EXT2_DOUBLE] = file(image)->block[EXT2_TRIPLE] = block;
    file(image)->size_high = 3;
}
static void record_zero(struct image *image)
{
    ((struct disk_dirent *)block_of(image, inode_of(image, 2)->block[0]))->record_len = 0;
}
static void record_long(struct image *image)
{
    ((struct disk_dirent *)block_of(image, inode_of(image, 2)->block[0]))->record_len = 2048;
}
static void record_odd(struct image *image)
{
    ((struct disk_dirent *)block_of(image, inode_of(image, 2)->block[0]))->record_len = 13;
}
static void record_tail(struct image *image)
{
    ((struct disk_dirent *)block_of(image, inode_of(image, 2)->block[0]))->record_len = 1020;
}
static void record_short(struct image *image)
{
    ((struct disk_dirent *)block_of(image, inode_of(image, 2)->block[0]))->name_len = 20;
}
static void record_inode(struct image *image)
{
    ((struct disk_dirent *)block_of(image, inode_of(image, 2)->block[0]))->inode = 33;
}
static void root_is_file(struct image *image)
{
    inode_of(image, 2)->mode = MODE_REGULAR | 0644;
}
static void root_size(struct image *image)
{
    inode_of(image, 2)->size = 0xfffffc00;
}
static void root_hole(struct image *image)
{
    inode_of(image, 2)->block[0] = 0;
}
static void bit_clear(struct image *image)
{
    ((uint8_t *)block_of(image, 3))[1] = 0;
}
static void all_bits_set(struct image *image)
{
    memset(block_of(image, 3), 0xff, MADE_BLOCK);
}
static void table_bits_clear(struct image *image)
{
    memset(block_of(image, 3), 0, MADE_BLOCK / 8);
}
static void inode_bit_clear(struct image *image)
{
    ((uint8_t *)block_of(image, 4))[1] = 0;
}
static void dead_inode(struct image *image)
{
    file(image)->links = 0;
}
static void extents(struct image *image)
{
    file(image)->flags = EXT2_FLAG_EXTENTS;
}
static void orphan_outside(struct image *image)
{
    super(image)->last_orphan = 77;
}
static void orphan_circle(struct image *image)
{
    super(image)->last_orphan = 12;
    file(image)->dtime = 14;
    inode_of(image, 14)->dtime = 12;
}
static void fine(struct image *image)
{
    (void)image;
}

enum { READS = 1, CREATES = 2, REMOVES = 4, LISTS = 8, ALL = 15 };

static const struct {
    const char *name;
    void (*apply)(struct image *image);
    int mount;
    unsigned works; /* what must still work; the rest must give an error */
    bool errors;    /* the core must have noticed in the end */
} cases[] = {
    {"fine", fine, 0, ALL, false},
    {"magic", magic, -EINVAL, 0, 0},
    {"block_size_huge", block_size_huge, -EOPNOTSUPP, 0, 0},
    {"no_groups", no_groups, -EIO, 0, 0},
    {"no_inodes", no_inodes, -EIO, 0, 0},
    {"too_many_inodes", too_many_inodes, -EIO, 0, 0},
    {"too_many_blocks", too_many_blocks, -EIO, 0, 0},
    {"inode_size_odd", inode_size_odd, -EIO, 0, 0},
    {"inode_size_huge", inode_size_huge, -EIO, 0, 0},
    {"table_outside", table_outside, -EIO, 0, 0},
    {"bitmap_is_super", bitmap_is_super, -EIO, 0, 0},
    {"count_huge", count_huge, -EIO, 0, 0},
    {"block_outside", block_outside, 0, LISTS, true},
    {"block_is_super", block_is_super, 0, LISTS, true},
    {"block_is_table", block_is_table, 0, LISTS | READS | CREATES, true},
    {"table_block_outside", table_block_outside, 0, LISTS, true},
    {"table_loop", table_loop, 0, LISTS | READS | CREATES, true},
    {"record_zero", record_zero, 0, 0, true},
    {"record_long", record_long, 0, 0, true},
    {"record_odd", record_odd, 0, 0, true},
    {"record_tail", record_tail, 0, 0, true},
    {"record_short", record_short, 0, 0, true},
    {"record_inode", record_inode, 0, 0, true},
    {"root_is_file", root_is_file, 0, 0, false},
    {"root_size", root_size, 0, 0, true},
    {"root_hole", root_hole, 0, 0, true},
    {"bit_clear", bit_clear, 0, LISTS | READS | CREATES, true},
    {"all_bits_set", all_bits_set, 0, LISTS | READS, true},
    {"table_bits_clear", table_bits_clear, 0, LISTS | READS, true},
    {"inode_bit_clear", inode_bit_clear, 0, LISTS | READS | CREATES, true},
    {"dead_inode", dead_inode, 0, LISTS, true},
    {"extents", extents, 0, LISTS, true},
    {"orphan_outside", orphan_outside, 0, LISTS | READS, true},
    {"orphan_circle", orphan_circle, 0, ALL, false},
};

static void test_case(size_t index)
{
    static uint8_t contents[20 * MADE_BLOCK];
    char list[256];
    struct image image;
    struct ext2 *fs;
    struct ext2_info info;
    image_empty(&image, MADE_SIZE / 1024);
    make_image(image.bytes);
    cases[index].apply(&image);
    int error = image_mount_try(&image, 64, false, &fs);
    const char *name = cases[index].name;
    CHECK(error == cases[index].mount, "%s: mount gives %d", name, error);
    if (!error) {
        unsigned works = cases[index].works;
        error = path_list(fs, "/", list, sizeof list);
        CHECK(!error == !!(works & LISTS), "%s: list gives %d", name, error);
        int64_t length = path_read(fs, "/f", 0, contents, sizeof contents);
        CHECK((length > 0) == !!(works & READS), "%s: read gives %lld", name, (long long)length);
        length = path_write(fs, "/d/new", 0, contents, 2000);
        CHECK((length == 2000) == !!(works & CREATES), "%s: write gives %lld", name,
              (long long)length);
        for (int i = 0; i < 30; i++) {
            char link[64];
            snprintf(link, sizeof link, "/many/one-of-many-names-of-f-%d-%d", i / 10, i % 10);
            path_unlink(fs, link);
        }
        error = path_unlink(fs, "/f");
        if (!error)
            error = path_unlink(fs, "/d/new");
        CHECK(!error == !!(works & REMOVES), "%s: unlink gives %d", name, error);
        ext2_info(fs, &info);
        CHECK(info.errors == cases[index].errors && (!info.errors || info.read_only),
              "%s: errors %d", name, info.errors);
        error = ext2_unmount(fs);
        CHECK(!info.errors == !error || info.errors, "%s: unmount gives %d", name, error);
        CHECK(!(super(&image)->state & EXT2_STATE_ERROR) == !info.errors, "%s: state %u", name,
              super(&image)->state);
        if (!cases[index].errors && cases[index].works == ALL)
            image_fsck(&image, name);
    }
    image_free(&image);
}

/* Symbolic links longer than what holds their text. */
static void test_links(void)
{
    static const struct {
        uint32_t inode, size;
    } links[] = {{15, 60}, {15, 5000}, {15, 0}, {16, 1025}, {16, 0x80000000}, {16, 0}};
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        struct image image;
        struct ext2 *fs;
        char text[64];
        uint32_t inode;
        image_empty(&image, MADE_SIZE / 1024);
        make_image(image.bytes);
        CHECK(!image_mount_try(&image, 64, true, &fs), "mount");
        CHECK(ext2_readlink(fs, 15, text, 64) == 4 && ext2_readlink(fs, 16, text, 64) == 64,
              "sound");
        CHECK(!path_walk(fs, "/d/link", true, &inode) && inode == 12, "walk");
        CHECK(!ext2_unmount(fs), "unmount");
        inode_of(&image, links[i].inode)->size = links[i].size;
        CHECK(!image_mount_try(&image, 64, true, &fs), "mount");
        CHECK(ext2_readlink(fs, links[i].inode, text, 64) == -EIO, "link %zu", i);
        CHECK(path_walk(fs, i < 3 ? "/d/link" : "/long", true, &inode) == -EIO, "link %zu", i);
        ext2_unmount(fs);
        image_free(&image);
    }
}

/* The counters promise more blocks than the bitmap has: what was taken is given back. */
static void test_half(void)
{
    struct image image;
    struct ext2 *fs;
    image_empty(&image, MADE_SIZE / 1024);
    make_image(image.bytes);
    uint8_t *bitmap = (uint8_t *)block_of(&image, 3);
    memset(bitmap, 0xff, MADE_BLOCK);
    bitmap[14] = 0xfe; /* one block is free */
    CHECK(!image_mount_try(&image, 64, false, &fs), "mount");
    /* needs an indirect block and one of data */
    CHECK(path_write(fs, "/d/g", 20 * MADE_BLOCK, "x", 1) == -EIO, "write");
    CHECK(path_write(fs, "/d/g", 0, "x", 1) == -EROFS, "read only");
    CHECK(!ext2_unmount(fs), "unmount");
    CHECK(bitmap[14] == 0xfe && inode_of(&image, 14)->block[EXT2_SINGLE] == 0, "half done");
    image_free(&image);
}

/* Mostly in the first blocks, where the structure is, and mostly small changes. */
static void random_damage(uint8_t *image, uint64_t *random)
{
    static const uint16_t values[] = {0,    1,     2,     5,      8,      12,
                                      0xff, 0x100, 0x400, 0x7fff, 0x8000, 0xffff};
    unsigned count = 1 + random_below(random, 6);
    for (unsigned i = 0; i < count; i++) {
        uint32_t limit = random_below(random, 4) ? 12 * MADE_BLOCK : MADE_SIZE;
        uint32_t at = 1024 + random_below(random, limit - 1026);
        uint16_t value = (uint16_t)random_next(random);
        if (random_below(random, 2))
            value = values[random_below(random, sizeof values / sizeof values[0])];
        if (random_below(random, 2))
            at &= ~3u;
        if (random_below(random, 8) == 0) /* a whole record of another */
            memcpy(image + (at & ~127u), image + (random_below(random, MADE_SIZE) & ~127u), 128);
        else
            memcpy(image + at, &value, 2);
    }
}

int main(void)
{
    static uint8_t pristine[MADE_SIZE], image[MADE_SIZE];
    uint64_t random = 42;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_case(i);
    test_links();
    test_half();
    make_image(pristine);
    for (int i = 0; i < 20000; i++) {
        memcpy(image, pristine, sizeof image);
        random_damage(image, &random);
        damage_work(image, sizeof image);
        check_passed++;
    }
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
