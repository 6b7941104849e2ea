/* What reaches the disk: few and long requests, in order, and everything by a sync; and that
 * all of it also works through the smallest cache. */
#include "../fs.h"
#include "check.h"
#include "image.h"
#include "paths.h"
#include "random.h"
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)

static uint8_t data[8 * MIB], back[8 * MIB];

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < sizeof data; i += 4) {
        uint32_t word = random_next(&seed);
        memcpy(data + i, &word, 4);
    }
}

static uint32_t file_make(struct ext2 *fs, size_t length)
{
    uint32_t inode = 0;
    CHECK(path_write(fs, "/f", 0, data, length) == (int64_t)length, "write");
    CHECK(!path_walk(fs, "/f", true, &inode), "walk");
    return inode;
}

/* Sequential work in long requests, in both directions. */
static void test_long_requests(const char *options)
{
    struct image image;
    const void *peeked;
    image_make(&image, options, 32 * 1024);
    struct ext2 *fs = image_mount(&image, 6000);
    uint32_t inode = file_make(fs, 4 * MIB);
    unsigned before = image.writes;
    CHECK(!ext2_fsync(fs, inode), "fsync");
    CHECK(image.writes - before < 64 + 20 && image.largest == 65536, "%u writes for 4 MiB",
          image.writes - before);
    CHECK(image.flushes > 0, "no flush");
    before = image.writes;
    CHECK(!ext2_sync(fs) && image.writes == before, "a second sync has nothing to write");
    CHECK(!ext2_unmount(fs), "unmount");

    fs = image_mount(&image, 6000);
    CHECK(!path_walk(fs, "/f", true, &inode), "walk");
    before = image.reads;
    for (size_t at = 0; at < 4 * MIB;) {
        int64_t part = ext2_peek(fs, inode, at, &peeked);
        CHECK(part > 0 && !memcmp(peeked, data + at, (size_t)part), "peek at %zu", at);
        at += part > 0 ? (size_t)part : 4 * MIB;
    }
    CHECK(image.reads - before < 64 + 50, "%u reads for 4 MiB by peek", image.reads - before);
    before = image.reads;
    CHECK(ext2_read(fs, inode, 0, back, 4 * MIB) == 4 * MIB && !memcmp(back, data, 4 * MIB), "-");
    CHECK(image.reads == before, "cached: %u reads", image.reads - before);
    CHECK(!ext2_unmount(fs), "unmount");

    fs = image_mount(&image, 6000);
    before = image.reads;
    CHECK(path_read(fs, "/f", 0, back, 4 * MIB) == 4 * MIB && !memcmp(back, data, 4 * MIB), "-");
    CHECK(image.reads - before < 64 + 50, "%u reads for 4 MiB by read", image.reads - before);
    struct ext2_info info;
    ext2_info(fs, &info);
    CHECK(info.blocks_read >= 4 * MIB / info.block_size && info.cache_hits > 0, "counters");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* A file lies in one piece, but for its tables. */
static void test_contiguous(void)
{
    struct image image;
    char output[8192];
    image_make(&image, "-b 1024", 16 * 1024);
    struct ext2 *fs = image_mount(&image, 64);
    file_make(fs, 2 * MIB);
    CHECK(!ext2_sync(fs), "sync");
    image_debugfs(&image, "stat /f", output, sizeof output);
    const char *blocks = strstr(output, "BLOCKS:");
    CHECK(blocks, "%s", output);
    unsigned pieces = 1;
    for (const char *c = blocks; c && *c; c++)
        pieces += *c == ',';
    /* 12 direct, then the tables between the runs: (0-11), (IND), (12-267), (DIND) ... */
    CHECK(pieces <= 24, "%u pieces:\n%s", pieces, blocks);
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* Write-back in parts, until nothing is left; then the disk is as it should be. */
static void test_sync_some(void)
{
    struct image image;
    image_make(&image, "-b 1024", 16 * 1024);
    struct ext2 *fs = image_mount(&image, 6000);
    file_make(fs, MIB);
    int left = 1 << 20, rounds = 0;
    while (left > 0 && rounds++ < 1000) {
        uint64_t before = fs->cache.blocks_written;
        int now = ext2_sync_some(fs, 50);
        CHECK(now >= 0 && now < left, "%d left, %d before", now, left);
        CHECK(fs->cache.blocks_written - before <= 50, "too many at once");
        left = now;
    }
    CHECK(left == 0 && rounds > 20, "%d left after %d", left, rounds);
    image_fsck(&image, "sync_some");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* Eight MiB through 64 blocks: everything is evicted many times, dirty or not. */
static void test_small_cache(const char *options)
{
    struct image image;
    uint64_t random = 5;
    image_make(&image, options, 32 * 1024);
    struct ext2 *fs = image_mount(&image, 1); /* less than the minimum: gets the minimum */
    CHECK(fs->cache.count == CACHE_BLOCKS_MIN, "%u", fs->cache.count);
    uint32_t inode = file_make(fs, 8 * MIB);
    for (int i = 0; i < 3000; i++) {
        size_t at = random_below(&random, 8 * MIB - 5000), length = random_below(&random, 5000);
        if (i % 2) {
            memset(data + at, i, length);
            CHECK(ext2_write(fs, inode, at, data + at, length) == (int64_t)length, "write");
        } else {
            CHECK(ext2_read(fs, inode, at, back, length) == (int64_t)length &&
                      !memcmp(back, data + at, length),
                  "read at %zu", at);
        }
    }
    for (uint32_t i = 0; i < fs->cache.count; i++) {
        const struct buffer *buffer = &fs->cache.buffers[i];
        CHECK(buffer->pins == (buffer == fs->super_buffer), "block %u is pinned", buffer->block);
    }
    CHECK(!ext2_unmount(fs), "unmount");
    fs = image_mount(&image, 64);
    CHECK(path_read(fs, "/f", 0, back, 8 * MIB) == 8 * MIB && !memcmp(back, data, 8 * MIB), "-");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "small cache");
    image_free(&image);
}

/* What was deleted before it was written is never written. */
static void test_forgotten(void)
{
    struct image image;
    image_make(&image, "-b 1024", 16 * 1024);
    struct ext2 *fs = image_mount(&image, 4000);
    file_make(fs, MIB);
    CHECK(fs->cache.dirty > 1000 && !path_unlink(fs, "/f"), "unlink");
    CHECK(fs->cache.dirty < 20, "%u dirty", fs->cache.dirty);
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* A file in many groups is freed in several transactions, all but the last nearly full. */
static void test_large_truncate(void)
{
    struct image image;
    image_make(&image, "-b 1024 -g 256 -O ^resize_inode,^meta_bg -m 0", 16 * 1024);
    struct ext2 *fs = image_mount(&image, 1024);
    uint32_t inode = file_make(fs, 8 * MIB), before = fs->transaction.id;
    CHECK(!ext2_truncate(fs, inode, 20 * 1024), "truncate");
    CHECK(fs->transaction.worst <= TRANSACTION_BLOCKS, "%u blocks", fs->transaction.worst);
    CHECK(fs->transaction.worst > TRANSACTION_BLOCKS - 6, "%u blocks", fs->transaction.worst);
    CHECK(fs->transaction.id > before + 1, "one transaction");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "large truncate");
    image_free(&image);
}

/* Data is told from metadata, and no transaction is larger than promised. */
static void test_kinds(void)
{
    struct image image;
    image_make(&image, "-b 1024 -g 256 -O ^resize_inode,^meta_bg -m 0", 8 * 1024);
    struct ext2 *fs = image_mount(&image, 1024);
    char name[300], text[200];
    memset(text, 'A', sizeof text);
    for (size_t i = 0; i < sizeof data; i += 64)
        memset(data + i, 'A', 64); /* all file contents are this letter, and no metadata is */
    uint32_t inode = file_make(fs, 400000);
    CHECK(!ext2_symlink(fs, 2, "s", 1, text, sizeof text), "symlink");
    CHECK(ext2_write(fs, inode, 100, data, 5000) == 5000 && !ext2_truncate(fs, inode, 390001), "-");
    CHECK(ext2_write(fs, inode, 391000, data, 500) == 500, "write behind the end");
    for (int i = 0; i < 200; i++) { /* a directory with indirect blocks */
        snprintf(name, sizeof name, "/%0250d", i);
        CHECK(!path_mkdir(fs, name), "mkdir");
    }
    unsigned kinds[2] = {0, 0};
    for (uint32_t i = 0; i < fs->cache.count; i++) {
        const struct buffer *buffer = &fs->cache.buffers[i];
        if (!(buffer->flags & BUFFER_DIRTY))
            continue;
        bool metadata = buffer->flags & BUFFER_METADATA;
        bool contents = memmem(buffer->data, 1024, "AAAAAAAA", 8) != NULL;
        kinds[metadata]++;
        CHECK(metadata != contents, "block %u is %s", buffer->block,
              metadata ? "metadata" : "data");
    }
    CHECK(kinds[0] > 300 && kinds[1] > 200, "%u, %u", kinds[0], kinds[1]);
    CHECK(fs->transaction.worst > 8 && fs->transaction.worst <= TRANSACTION_BLOCKS, "%u blocks",
          fs->transaction.worst);
    CHECK(!path_unlink(fs, "/f"), "unlink");
    CHECK(fs->transaction.worst <= TRANSACTION_BLOCKS, "%u blocks", fs->transaction.worst);
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "kinds");
    image_free(&image);
}

int main(void)
{
    fill(1);
    test_long_requests("-b 1024");
    test_long_requests("-b 4096");
    test_contiguous();
    test_sync_some();
    test_small_cache("-b 1024");
    test_small_cache("-b 4096");
    test_forgotten();
    test_large_truncate();
    test_kinds();
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
