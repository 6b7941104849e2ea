/* Contents: holes and every level of indirect blocks, growing and shrinking, the limits of size
 * and space, and files that outlive their names. */
#include "../fs.h"
#include "check.h"
#include "image.h"
#include "paths.h"
#include "random.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *pattern(size_t length, uint64_t seed)
{
    uint8_t *data = malloc(length);
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)random_next(&seed);
    return data;
}

static uint32_t free_blocks(struct ext2 *fs)
{
    struct ext2_info info;
    ext2_info(fs, &info);
    return info.blocks_free;
}

/* debugfs finds the same block in the file. */
static void compare_dump(struct image *image, uint64_t at, const uint8_t *data, size_t length)
{
    char text[4096];
    uint8_t *back = malloc(length);
    image_debugfs(image, "dump /f dumped", text, sizeof text);
    snprintf(text, sizeof text, "%s/dumped", test_directory());
    FILE *dump = fopen(text, "rb");
    CHECK(dump && !fseek(dump, (long)at, SEEK_SET) && fread(back, 1, length, dump) == length &&
              !memcmp(back, data, length),
          "debugfs reads something else at %llu", (unsigned long long)at);
    if (dump)
        fclose(dump);
    free(back);
}

/* One block at each interesting place; `tables` = indirect blocks that it needs alone. */
static void test_levels(unsigned bits)
{
    const uint64_t p = 1u << (bits - 2), block = 1u << bits;
    const struct {
        uint64_t logical;
        unsigned tables;
    } places[] = {
        {0, 0},
        {11, 0},
        {12, 1},
        {12 + p - 1, 1},
        {12 + p, 2},
        {12 + 2 * p, 2},
        {12 + p + p * p - 1, 2},
        {12 + p + p * p, 3},
        {12 + p + p * p + p + 5, 3},
    };
    struct image image;
    char options[64];
    snprintf(options, sizeof options, "-b %u", 1u << bits);
    image_make(&image, options, 4096);
    struct ext2 *fs = image_mount(&image, 64);
    uint8_t *data = pattern(block, bits), *back = malloc(3 * block);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const uint64_t at = places[i].logical * block;
        const uint32_t before = free_blocks(fs);
        struct ext2_stat stat;
        CHECK(path_write(fs, "/f", at, data, block) == (int64_t)block, "place %zu", i);
        CHECK(!path_stat(fs, "/f", &stat) && stat.size == at + block &&
                  stat.blocks == (places[i].tables + 1) * block / 512,
              "place %zu: %llu sectors", i, (unsigned long long)stat.blocks);
        CHECK(before - free_blocks(fs) == places[i].tables + 1, "place %zu", i);
        /* the block before is a hole, and so is what the file gets behind it */
        CHECK(!path_truncate(fs, "/f", at + 2 * block), "grow");
        const uint64_t from = at >= block ? at - block : at;
        memset(back, 1, 3 * block);
        CHECK(path_read(fs, "/f", from, back, 3 * block) == (int64_t)(at + 2 * block - from),
              "read");
        CHECK(!memcmp(back + (at - from), data, block), "place %zu", i);
        for (size_t k = 0; k < block; k++)
            if ((at >= block && back[k]) || back[at - from + block + k]) {
                CHECK(false, "place %zu: a hole with data in it", i);
                break;
            }
        CHECK(!ext2_sync(fs), "sync");
        image_fsck(&image, options);
        if (i < 6) /* debugfs writes the holes out */
            compare_dump(&image, at, data, block);
        CHECK(!path_unlink(fs, "/f") && free_blocks(fs) == before, "all blocks come back");
    }
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, options);
    free(data);
    free(back);
    image_free(&image);
}

/* Shrinks a file with blocks everywhere to every place in turn: what stays, stays. */
static void test_truncate(const char *options, unsigned bits)
{
    const uint64_t p = 1u << (bits - 2), block = 1u << bits;
    const uint64_t cuts[] = {12 + p + 3 * p,
                             12 + p + 2 * p + 1,
                             12 + p + p,
                             12 + p + 1,
                             12 + p,
                             12 + p - 1,
                             13,
                             12,
                             11,
                             1,
                             0};
    struct image image;
    image_make(&image, options, 16384);
    struct ext2 *fs = image_mount(&image, 128);
    const uint32_t before = free_blocks(fs);
    uint8_t *data = pattern((12 + 5 * p) * block, 7), *back = malloc((12 + 5 * p) * block);
    CHECK(path_write(fs, "/f", 0, data, (12 + 5 * p) * block) == (int64_t)((12 + 5 * p) * block),
          "write");
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        const uint64_t size = cuts[i] * block + (i % 3) * 100, full = (size + block - 1) / block;
        CHECK(!path_truncate(fs, "/f", size), "cut %zu", i);
        struct ext2_stat stat;
        uint64_t tables = full <= 12 ? 0 : full <= 12 + p ? 1 : 2 + (full - 12 - 1) / p;
        CHECK(!path_stat(fs, "/f", &stat) && stat.size == size &&
                  stat.blocks == (full + tables) * block / 512,
              "cut %zu: %llu sectors, not %llu", i, (unsigned long long)stat.blocks,
              (unsigned long long)((full + tables) * block / 512));
        CHECK(path_read(fs, "/f", 0, back, size + 1) == (int64_t)size && !memcmp(back, data, size),
              "cut %zu", i);
        /* what was cut off must not come back */
        CHECK(!path_truncate(fs, "/f", size + 50), "grow");
        CHECK(path_read(fs, "/f", size, back, 100) == 50, "read");
        for (int k = 0; k < 50; k++)
            CHECK(back[k] == 0, "cut %zu: old data at %d", i, k);
        CHECK(!ext2_sync(fs), "sync");
        image_fsck(&image, options);
    }
    CHECK(fs->transaction.worst <= TRANSACTION_BLOCKS, "%u", fs->transaction.worst);
    CHECK(!path_unlink(fs, "/f") && free_blocks(fs) == before, "%u of %u", free_blocks(fs), before);
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, options);
    free(data);
    free(back);
    image_free(&image);
}

static bool large_file(struct image *image)
{
    char output[4096];
    image_debugfs(image, "stats -h", output, sizeof output);
    return strstr(output, "large_file") != NULL;
}

static void test_limits(const char *options, uint64_t limit, bool grows)
{
    struct image image;
    struct ext2_stat stat;
    uint8_t byte = 'x', back[2];
    image_make(&image, options, 4096);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(path_write(fs, "/f", 0x7ffffffe, &byte, 1) == 1, "2 GiB - 1");
    CHECK(!ext2_sync(fs) && !large_file(&image), "LARGE_FILE too early");
    int64_t result = path_write(fs, "/f", 0x7fffffff, &byte, 1);
    CHECK(result == (grows ? 1 : -EFBIG), "2 GiB: %lld", (long long)result);
    if (grows) {
        CHECK(!ext2_sync(fs) && large_file(&image), "LARGE_FILE");
        image_fsck(&image, options);
        CHECK(path_write(fs, "/f", 0x180000005, &byte, 1) == 1, "6 GiB");
        CHECK(path_read(fs, "/f", 0x180000004, back, 2) == 2 && !back[0] && back[1] == 'x', "read");
    }
    result = path_write(fs, "/f", limit - 1, "ab", 2);
    CHECK(result == 1, "at the end: %lld", (long long)result);
    CHECK(path_write(fs, "/f", limit, &byte, 1) == -EFBIG, "behind the end");
    CHECK(path_write(fs, "/f", UINT64_MAX, &byte, 1) == -EFBIG, "far behind the end");
    CHECK(path_read(fs, "/f", UINT64_MAX - 1, back, 2) == 0, "read behind the end");
    CHECK(path_truncate(fs, "/f", limit + 1) == -EFBIG, "truncate");
    CHECK(!path_stat(fs, "/f", &stat) && stat.size == limit, "size");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, options);
    fs = image_mount(&image, 64);
    CHECK(path_read(fs, "/f", limit - 1, back, 2) == 1 && back[0] == 'a', "read at the end");
    CHECK(!path_truncate(fs, "/f", 5) && !path_unlink(fs, "/f"), "remove");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, options);
    image_free(&image);
}

/* Full: a write stops short, everything else says ENOSPC, and removing makes room again. */
static void test_full(const char *options)
{
    struct image image;
    struct ext2_info info;
    uint32_t inode;
    size_t length = 6 << 20;
    uint8_t *data = pattern(length, 3);
    int error = 0;
    char name[32];
    image_make(&image, options, 4096);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(!path_mkdir(fs, "/d"), "mkdir");
    int64_t result = path_write(fs, "/f", 0, data, length);
    CHECK(result > 0 && result < (int64_t)length && result % 1024 == 0, "%lld", (long long)result);
    ext2_info(fs, &info);
    CHECK(info.blocks_free >= info.blocks_reserved && info.blocks_free < info.blocks_reserved + 4,
          "%u free, %u reserved", info.blocks_free, info.blocks_reserved);
    CHECK(path_write(fs, "/f", (uint64_t)result, data, length) == -ENOSPC, "write");
    for (int i = 0; i < 100 && !error; i++) {
        snprintf(name, sizeof name, "/d/directory%d", i);
        error = path_mkdir(fs, name);
    }
    CHECK(error == -ENOSPC, "mkdir: %d", error);
    for (int i = 0; i < 2000 && path_create(fs, name, &inode) != -ENOSPC; i++)
        snprintf(name, sizeof name, "/d/file%d", i);
    CHECK(path_create(fs, name, &inode) == -ENOSPC, "create");
    CHECK(!ext2_sync(fs), "sync");
    image_fsck(&image, options);
    CHECK(!path_truncate(fs, "/f", 100), "truncate");
    CHECK(path_write(fs, "/h", 0, data, 1 << 20) == 1 << 20, "there is room again");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, options);
    free(data);
    image_free(&image);
}

/* ---- Files without names ------------------------------------------------------------------ */

static void test_hold(void)
{
    struct image image;
    struct ext2_stat stat;
    uint32_t a = 0, b = 0, directory = 0;
    char back[8], output[4096];
    uint8_t *data = pattern(300000, 9);
    image_make(&image, "-b 1024", 4096);
    struct ext2 *fs = image_mount(&image, 64);
    const uint32_t before = free_blocks(fs);
    CHECK(path_write(fs, "/a", 0, data, 300000) == 300000 && !path_walk(fs, "/a", true, &a), "a");
    CHECK(path_write(fs, "/b", 0, "hello", 5) == 5 && !path_walk(fs, "/b", true, &b), "b");
    CHECK(!path_mkdir(fs, "/d") && !path_walk(fs, "/d", true, &directory), "d");
    CHECK(!ext2_hold(fs, a) && !ext2_hold(fs, a) && !ext2_hold(fs, b) && !ext2_hold(fs, directory),
          "hold");
    CHECK(!path_unlink(fs, "/a") && !path_rename(fs, "/b", "/c") && !path_unlink(fs, "/c"), "-");
    CHECK(!path_rmdir(fs, "/d"), "rmdir");

    CHECK(!ext2_stat(fs, a, &stat) && stat.links == 0 && stat.size == 300000, "still there");
    CHECK(ext2_write(fs, b, 5, " x", 2) == 2 && ext2_read(fs, b, 0, back, 8) == 7, "still a file");
    CHECK(ext2_link(fs, a, EXT2_ROOT_INODE, "again", 5) == -ENOENT, "no way back");
    struct ext2_dirent entry;
    uint64_t next;
    CHECK(ext2_readdir(fs, directory, 0, &entry, &next) == 0, "a removed directory is empty");
    CHECK(ext2_create(fs, directory, "x", 1, 0644, &a) == -ENOENT, "and stays so");
    CHECK(ext2_lookup(fs, directory, "..", 2, &a) == -ENOENT, "and leads nowhere");
    CHECK(!ext2_sync(fs), "sync");

    /* The power fails now: e2fsck frees all three, and so does the next mount. */
    struct image copy = image;
    copy.bytes = malloc(image.size);
    memcpy(copy.bytes, image.bytes, image.size);
    image_save(&copy, "crash.img");
    int status = run("e2fsck -fy crash.img", output, sizeof output);
    CHECK(status == 1 && strstr(output, "Clearing orphaned inode"), "%d: %s", status, output);
    CHECK(run("e2fsck -fn crash.img", output, sizeof output) == 0, "%s", output);
    struct ext2 *other = image_mount(&copy, 64);
    CHECK(free_blocks(other) == before, "%u free, %u before", free_blocks(other), before);
    CHECK(!ext2_unmount(other), "unmount");
    image_fsck(&copy, "after a crash");
    image_free(&copy);

    /* The middle of the list, then the rest at unmount. */
    ext2_drop(fs, b);
    CHECK(ext2_stat(fs, b, &stat) == -ENOENT, "gone");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "hold");
    fs = image_mount(&image, 64);
    CHECK(free_blocks(fs) == before, "%u free, %u before", free_blocks(fs), before);
    CHECK(!ext2_unmount(fs), "unmount");
    free(data);
    image_free(&image);
}

static void test_hold_table(void)
{
    struct image image;
    char name[32];
    uint32_t inodes[INODES_HELD_MAX + 1];
    image_make(&image, "-b 1024 -N 1200", 4096);
    struct ext2 *fs = image_mount(&image, 64);
    for (uint32_t i = 0; i <= INODES_HELD_MAX; i++) {
        snprintf(name, sizeof name, "/%u", i);
        CHECK(!path_create(fs, name, &inodes[i]), "create");
        int error = ext2_hold(fs, inodes[i]);
        CHECK(error == (i < INODES_HELD_MAX ? 0 : -ENFILE), "hold %u: %d", i, error);
    }
    CHECK(ext2_hold(fs, inodes[5]) == 0, "one that is held already");
    for (uint32_t i = 0; i < INODES_HELD_MAX; i += 2) {
        snprintf(name, sizeof name, "/%u", i);
        CHECK(!path_unlink(fs, name), "unlink");
    }
    for (uint32_t i = 0; i < INODES_HELD_MAX; i += 3)
        ext2_drop(fs, inodes[i]);
    CHECK(ext2_hold(fs, inodes[INODES_HELD_MAX]) == 0, "room again");
    CHECK(ext2_hold(fs, 1199) == -ENOENT && ext2_hold(fs, 0) == -EINVAL, "no such inode");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "many held");
    image_free(&image);
}

/* A truncation that was cut short: size is set, blocks are still there, the list says so. */
static void test_interrupted(void)
{
    struct image image;
    char command[512], output[4096];
    uint32_t inode;
    uint8_t *data = pattern(400000, 1);
    image_make(&image, "-b 1024", 4096);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(path_write(fs, "/f", 0, data, 400000) == 400000, "write");
    CHECK(!path_walk(fs, "/f", true, &inode), "walk");
    CHECK(!ext2_unmount(fs), "unmount");
    image_save(&image, "cut.img");
    snprintf(command, sizeof command,
             "debugfs -w -R 'set_inode_field /f size 20000' cut.img;"
             "debugfs -w -R 'set_super_value last_orphan %u' cut.img",
             inode);
    run(command, output, sizeof output);
    image_load(&image, "cut.img");
    fs = image_mount(&image, 64);
    struct ext2_stat stat;
    CHECK(!path_stat(fs, "/f", &stat) && stat.blocks == 2 * 21, "%llu sectors",
          (unsigned long long)stat.blocks);
    CHECK(path_read(fs, "/f", 0, data + 200000, 50000) == 20000 &&
              !memcmp(data, data + 200000, 20000),
          "contents");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "interrupted truncation");
    free(data);
    image_free(&image);
}

int main(void)
{
    for (unsigned bits = 10; bits <= 12; bits++)
        test_levels(bits);
    test_truncate("-b 1024 -m 0", 10);
    test_truncate("-b 1024 -m 0 -g 256 -O ^resize_inode,^meta_bg", 10);
    test_limits("-b 1024 -O ^large_file,^resize_inode", (12 + 256 + 65536 + 16777216ull) * 1024,
                true);
    test_limits("-b 2048 -O ^large_file,^resize_inode", (12 + 512 + 262144 + 134217728ull) * 2048,
                true);
    test_limits("-b 4096 -O ^large_file,^resize_inode", (1ull << 41) - (1ull << 32), true);
    test_limits("-b 1024 -r 0", 0x7fffffff, false);
    test_full("-b 1024");
    test_full("-b 1024 -m 20");
    test_full("-b 2048 -m 0");
    test_hold();
    test_hold_table();
    test_interrupted();
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
