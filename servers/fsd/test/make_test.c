/* Tests the maker of empty file systems: at many sizes e2fsck finds nothing to mend in what it
 * makes, and nothing after it was mounted, filled, emptied and unmounted. */
#include "fsd/ext2/format.h"
#include "fsd/ext2/make.h"
#include "fsd/ext2/test/check.h"
#include "fsd/ext2/test/image.h"
#include "fsd/ext2/test/paths.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KIB     1024u
#define MIB     (1024u * KIB)
#define BLOCK   4096u
#define LARGEST (128 * MIB)

static uint32_t clock_seconds(void) { return (uint32_t)(NOW / 1000000000); }

/* An empty device of any number of bytes. */
static void make_device(struct image *image, size_t bytes)
{
    image_empty(image, (bytes + KIB - 1) / KIB);
    image->size = bytes;
    image->device.size = bytes;
}

static void make(struct image *image, size_t bytes)
{
    make_device(image, bytes);
    int error = ext2_make(&image->device, clock_seconds());
    CHECK(error == 0, "%zu bytes: %s", bytes, strerror(-error));
}

static void check_empty(struct ext2 *fs, size_t bytes)
{
    struct ext2_info info;
    struct ext2_stat stat;
    char names[64];
    ext2_info(fs, &info);
    CHECK(!info.read_only && info.block_size == BLOCK && info.groups == 1, "%zu bytes", bytes);
    CHECK(info.blocks == bytes / BLOCK, "%zu bytes: %u blocks", bytes, info.blocks);
    CHECK(info.journal_blocks == (bytes < 16 * MIB ? 0 : 1024), "%zu bytes: %u", bytes,
          info.journal_blocks);
    CHECK(info.inodes >= 32 && info.inodes_free == info.inodes - 11, "%zu bytes", bytes);
    CHECK(info.blocks_free > info.blocks / 2, "%zu bytes: %u free", bytes, info.blocks_free);
    CHECK(path_list(fs, "/", names, sizeof names) >= 0 && !strcmp(names, "lost+found"),
          "%zu bytes: %s", bytes, names);
    CHECK(path_stat(fs, "/", &stat) == 0 && stat.mode == 040755 && stat.links == 3 &&
              stat.mtime == clock_seconds(),
          "%zu bytes", bytes);
    CHECK(path_stat(fs, "/lost+found", &stat) == 0 && stat.mode == 040700 && stat.links == 2,
          "%zu bytes", bytes);
}

/* Writes until the disk is full; how many bytes fitted. */
static uint64_t fill(struct ext2 *fs, const char *path, uint64_t most)
{
    static char data[65536];
    uint64_t at = 0;
    memset(data, 'f', sizeof data);
    while (at < most) {
        int64_t n = path_write(fs, path, at, data, sizeof data);
        if (n <= 0) {
            CHECK(n == -ENOSPC, "%lld", (long long)n);
            break;
        }
        at += (uint64_t)n;
    }
    return at;
}

/* Files until there is no inode left; how many. */
static unsigned create_all(struct ext2 *fs)
{
    char name[32];
    uint32_t inode;
    for (unsigned i = 0;; i++) {
        snprintf(name, sizeof name, "/d/file%u", i);
        int error = path_create(fs, name, &inode);
        if (error) {
            CHECK(error == -ENOSPC, "%s: %s", name, strerror(-error));
            return i;
        }
    }
}

static void use(struct image *image, size_t bytes)
{
    struct ext2_info before, after;
    struct ext2 *fs = image_mount(image, 64);
    char name[32], text[8];
    check_empty(fs, bytes);
    ext2_info(fs, &before);
    uint64_t filled = fill(fs, "/big", 8 * MIB);
    CHECK(filled == 8 * MIB || filled > (uint64_t)before.blocks_free * BLOCK / 100 * 90,
          "%zu bytes: %llu fitted", bytes, (unsigned long long)filled);
    CHECK(path_unlink(fs, "/big") == 0, "%zu bytes", bytes);
    CHECK(path_mkdir(fs, "/d") == 0, "%zu bytes", bytes);
    if (before.inodes <= 1024) {
        unsigned count = create_all(fs);
        CHECK(count == before.inodes_free - 1, "%zu bytes: %u files", bytes, count);
        for (unsigned i = 0; i < count; i++) {
            snprintf(name, sizeof name, "/d/file%u", i);
            CHECK(path_unlink(fs, name) == 0, "%s", name);
        }
    }
    CHECK(path_rmdir(fs, "/d") == 0, "%zu bytes", bytes);
    ext2_info(fs, &after);
    CHECK(after.blocks_free == before.blocks_free && after.inodes_free == before.inodes_free,
          "%zu bytes: %u and %u blocks, %u and %u inodes", bytes, before.blocks_free,
          after.blocks_free, before.inodes_free, after.inodes_free);
    CHECK(path_write(fs, "/lost+found/kept", 0, "kept", 4) == 4, "%zu bytes", bytes);
    CHECK(ext2_unmount(fs) == 0, "%zu bytes", bytes);
    fs = image_mount(image, 64);
    CHECK(path_read(fs, "/lost+found/kept", 0, text, sizeof text) == 4 && !memcmp(text, "kept", 4),
          "%zu bytes", bytes);
    CHECK(ext2_unmount(fs) == 0, "%zu bytes", bytes);
}

static void test_size(size_t bytes)
{
    char what[64];
    struct image image;
    snprintf(what, sizeof what, "%zu bytes", bytes);
    make(&image, bytes);
    const struct superblock *super = (struct superblock *)(image.bytes + EXT2_SUPER_OFFSET);
    CHECK(super->state == EXT2_STATE_VALID, "%s", what);
    image_fsck(&image, what);
    use(&image, bytes);
    image_fsck(&image, what);
    image_free(&image);
}

/* Around everything that changes with the size: whole blocks, the inode table's length, bytes of
 * the bitmaps, the two limits. */
static void test_sizes(void)
{
    static const size_t sizes[] = {
        256 * KIB,     260 * KIB,       300 * KIB,     508 * KIB,       512 * KIB,
        516 * KIB,     1 * MIB - BLOCK, 1 * MIB,       1 * MIB + BLOCK, 1 * MIB + 512 * KIB,
        3 * MIB,       4 * MIB - BLOCK, 4 * MIB,       5 * MIB,         8 * MIB,
        9 * MIB,       16 * MIB,        17 * MIB,      31 * MIB,        32 * MIB,
        33 * MIB,      64 * MIB,        LARGEST - MIB, LARGEST - BLOCK, LARGEST,
        1 * MIB + 512, 2 * MIB + 3584,  LARGEST - 512,
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        test_size(sizes[i]);
    for (size_t blocks = 65; blocks < 400; blocks += 29)
        test_size(blocks * BLOCK);
}

static void test_refused(void)
{
    static const size_t sizes[] = {512, BLOCK, 256 * KIB - BLOCK, 256 * KIB - 512, LARGEST + BLOCK};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct image image;
        make_device(&image, sizes[i]);
        CHECK(ext2_make(&image.device, 1) == -EINVAL, "%zu bytes", sizes[i]);
        CHECK(image.writes == 0, "%zu bytes", sizes[i]);
        image_free(&image);
    }
}

/* Each write in turn fails, and the caller hears of it. */
static void test_write_errors(void)
{
    struct image image;
    make(&image, MIB);
    unsigned writes = image.writes;
    image_free(&image);
    CHECK(writes > 4, "%u", writes);
    for (unsigned i = 1; i <= writes; i++) {
        make_device(&image, MIB);
        image.fail_write = i;
        CHECK(ext2_make(&image.device, 1) == -EIO, "write %u", i);
        image_free(&image);
    }
}

int main(void)
{
    test_refused();
    test_write_errors();
    test_sizes();
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
