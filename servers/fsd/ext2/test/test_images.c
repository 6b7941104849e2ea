/* Images as they come: what mke2fs can make is mounted, refused, or read only, as its features
 * demand; trees that mke2fs wrote read back; mounting leaves the marks that it should. */
#include "../format.h"
#include "check.h"
#include "image.h"
#include "paths.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct superblock *super_of(struct image *image)
{
    return (struct superblock *)(image->bytes + EXT2_SUPER_OFFSET);
}

static void test_features(void)
{
    static const struct {
        const char *options;
        int expect;     /* of the mount */
        bool read_only; /* whether it refuses to be written */
    } cases[] = {
        {"-t ext2", 0, false},
        {"-t ext3", 0, false}, /* clean: the journal holds nothing */
        {"-t ext4", -EOPNOTSUPP, false},
        {"-t ext2 -r 0", 0, false},
        {"-t ext2 -O none", 0, false},
        {"-t ext2 -O extents", -EOPNOTSUPP, false},
        {"-t ext2 -O 64bit,extents", -EOPNOTSUPP, false},
        {"-t ext2 -O meta_bg,^resize_inode", -EOPNOTSUPP, false},
        {"-t ext2 -O flex_bg", -EOPNOTSUPP, false},
        {"-t ext2 -O inline_data", -EOPNOTSUPP, false},
        {"-t ext2 -O metadata_csum", 0, true},
        {"-t ext2 -O huge_file", 0, true},
        {"-t ext2 -O uninit_bg", 0, true},
        {"-t ext2 -O sparse_super2,^resize_inode", 0, false},
        {"-t ext2 -b 8192", -EOPNOTSUPP, false},
        {"-t ext2 -I 512", 0, false},
        {"-t ext2 -b 4096 -I 4096 -N 64", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct image image;
        struct ext2 *fs;
        uint32_t inode;
        image_make(&image, cases[i].options, 8192);
        uint8_t *before = malloc(image.size);
        memcpy(before, image.bytes, image.size);
        int result = image_mount_try(&image, 64, false, &fs);
        CHECK(result == cases[i].expect, "%s: mount gives %d", cases[i].options, result);
        if (result) {
            CHECK(!memcmp(before, image.bytes, image.size), "a refused disk is not touched");
        } else {
            result = path_create(fs, "/f", &inode);
            CHECK(result == (cases[i].read_only ? -EROFS : 0), "%s: create gives %d",
                  cases[i].options, result);
            CHECK(!path_walk(fs, "/lost+found", true, &inode), "%s", cases[i].options);
            CHECK(!ext2_unmount(fs), "unmount");
            if (cases[i].read_only)
                CHECK(!memcmp(before, image.bytes, image.size), "read only means that");
            image_fsck(&image, cases[i].options);
        }
        free(before);
        image_free(&image);
    }
}

static void test_not_ext2(void)
{
    struct image image;
    struct ext2 *fs;
    image_empty(&image, 1024);
    CHECK(image_mount_try(&image, 64, false, &fs) == -EINVAL, "zeros");
    image_free(&image);
    image_empty(&image, 1);
    CHECK(image_mount_try(&image, 64, false, &fs) == -EINVAL, "too short for a superblock");
    image_free(&image);
    image_make(&image, "-b 1024", 4096);
    image.device.size = image.size = 2048 * 1024;
    CHECK(image_mount_try(&image, 64, false, &fs) == -EIO, "cut in half");
    image_free(&image);
}

/* state, counters, times, and the backups, which nobody may touch. */
static void test_marks(void)
{
    struct image image;
    struct ext2 *fs;
    struct ext2_info info;
    image_make(&image, "-b 1024 -g 1024 -O ^resize_inode,^meta_bg", 8192);
    struct superblock *super = super_of(&image);
    uint8_t backup[2048];
    memcpy(backup, image.bytes + 1025 * 1024, sizeof backup); /* group 1: superblock, descriptors */
    CHECK(((struct superblock *)backup)->magic == EXT2_MAGIC, "there is a backup");

    fs = image_mount(&image, 64);
    CHECK(super->state == 0 && super->mount_count == 1 && super->mount_time == NOW / 1000000000,
          "in use: state %u, mounted %u times", super->state, super->mount_count);
    CHECK(path_write(fs, "/f", 0, "x", 1) == 1 && !ext2_sync(fs), "write");
    CHECK(super->state == 0, "still in use");
    ext2_set_time(fs, NOW + 5000000000);
    CHECK(!ext2_unmount(fs), "unmount");
    CHECK(super->state == EXT2_STATE_VALID && super->write_time == NOW / 1000000000 + 5, "clean");
    CHECK(!memcmp(backup, image.bytes + 1025 * 1024, sizeof backup), "the backup was written to");

    /* Not unmounted: what was unclean stays so until e2fsck has seen it. */
    super->state = 0;
    fs = image_mount(&image, 64);
    CHECK(!ext2_unmount(fs) && super->state == 0, "state %u", super->state);
    super->state = EXT2_STATE_VALID;

    memcpy(backup, super, 1024);
    CHECK(!image_mount_try(&image, 64, true, &fs), "read only");
    CHECK(path_write(fs, "/f", 0, "y", 1) == -EROFS && path_unlink(fs, "/f") == -EROFS, "-");
    CHECK(path_mkdir(fs, "/d") == -EROFS && path_truncate(fs, "/f", 0) == -EROFS, "-");
    CHECK(path_rename(fs, "/f", "/g") == -EROFS && ext2_chmod(fs, 2, 0) == -EROFS, "-");
    ext2_info(fs, &info);
    CHECK(info.read_only && !info.errors && info.block_size == 1024 && info.groups == 8, "info");
    CHECK(!ext2_unmount(fs) && !memcmp(backup, super, 1024), "nothing was written");
    image.device.read_only = 1;
    CHECK(!image_mount_try(&image, 64, false, &fs), "read-only device");
    CHECK(path_write(fs, "/f", 0, "y", 1) == -EROFS && !ext2_unmount(fs), "-");
    image_free(&image);
}

/* Compares a directory of the host with one of the image. */
static void compare_tree(struct ext2 *fs, const char *host, const char *path)
{
    char command[1024], *list = malloc(1 << 20), file[600];
    snprintf(command, sizeof command, "cd %s && find . -type f | sort", host);
    run(command, list, 1 << 20);
    unsigned files = 0;
    for (char *name = strtok(list, "\n"); name; name = strtok(NULL, "\n"), files++) {
        static uint8_t expect[1 << 20], found[1 << 20];
        snprintf(file, sizeof file, "%s/%s/%s", test_directory(), host, name);
        FILE *stream = fopen(file, "rb");
        size_t length = stream ? fread(expect, 1, sizeof expect, stream) : 0;
        if (stream)
            fclose(stream);
        snprintf(file, sizeof file, "%s/%s", path, name);
        int64_t result = path_read(fs, file, 0, found, sizeof found);
        CHECK(result == (int64_t)length && !memcmp(expect, found, length), "%s: %lld", file,
              (long long)result);
    }
    CHECK(files > 0, "%s is empty", host);
    free(list);
}

/* A tree that mke2fs wrote; with a directory so large that e2fsck -D gives it an index. */
static void test_tree(const char *options)
{
    struct image image;
    char output[8192], command[256];
    run("rm -rf tree; mkdir -p tree/d/e/f tree/many; cd tree;"
        "for i in $(seq 1 700); do echo $i > many/a-rather-long-name-for-a-small-file-$i; done;"
        "seq 1 40000 > d/numbers; seq 1 90000 > d/e/more; : > d/empty; ln -s d/e link;"
        "ln d/numbers d/e/f/same; ln -s $(printf 'x%.0s' $(seq 1 200)) long;"
        "mkfifo pipe; chmod 700 d",
        output, sizeof output);
    snprintf(command, sizeof command, "%s -d tree", options);
    image_make(&image, command, 16384);
    image_save(&image, "tree.img");
    run("e2fsck -fyD tree.img", output, sizeof output);
    image_load(&image, "tree.img");
    image_debugfs(&image, "htree_dump /many", output, sizeof output);
    bool indexed = strstr(output, "Root node dump") != NULL;
    CHECK(indexed == !strstr(options, "^dir_index"), "%s: %s", options, output);

    struct ext2 *fs = image_mount(&image, 64);
    struct ext2_stat stat;
    uint32_t inode;
    compare_tree(fs, "tree", "");
    CHECK(!path_stat(fs, "/d", &stat) && (stat.mode & 07777) == 0700 && stat.links == 3, "d");
    CHECK(!path_stat(fs, "/pipe", &stat) && (stat.mode & 0170000) == 0010000, "pipe");
    CHECK(path_read(fs, "/pipe", 0, output, 1) == -EINVAL, "a pipe is nobody's file");
    CHECK(path_readlink(fs, "/long", output, sizeof output) == 200 && output[199] == 'x', "long");
    CHECK(path_readlink(fs, "/link", output, sizeof output) == 3, "link");
    CHECK(!path_walk(fs, "/link/f/same", true, &inode), "through a link");

    /* Changing the indexed directory takes the index off, and keeps every name. */
    CHECK(path_write(fs, "/many/new", 0, "new", 3) == 3, "create");
    CHECK(!path_unlink(fs, "/many/a-rather-long-name-for-a-small-file-5"), "unlink");
    CHECK(!path_unlink(fs, "/pipe") && !path_unlink(fs, "/long"), "unlink");
    CHECK(!path_rename(fs, "/many", "/d/many"), "a directory moves");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, options);
    image_debugfs(&image, "htree_dump /d/many", output, sizeof output);
    CHECK(!strstr(output, "Root node dump"), "the index is gone");
    /* A record that was the first of its block keeps its name, with inode 0. */
    run("debugfs -R 'ls -p /d/many' debug.img | grep -v ^/0/ | "
        "grep -e /new/ -e -file-5/ -e -file-700/",
        output, sizeof output);
    CHECK(strstr(output, "/new/") && strstr(output, "-file-700/") && !strstr(output, "-file-5/"),
          "debugfs sees %s", output);
    run("mv tree/many tree/d/; rm tree/d/many/*-file-5; printf new > tree/d/many/new", NULL, 0);
    fs = image_mount(&image, 64);
    compare_tree(fs, "tree", "");
    CHECK(!ext2_unmount(fs), "unmount");

    /* And what we wrote, debugfs reads. */
    run("rm -rf out; mkdir out; debugfs -R 'rdump /d out' debug.img", output, sizeof output);
    CHECK(run("diff -r tree/d out/d", output, sizeof output) == 0, "%s", output);
    image_free(&image);
}

/* Attribute blocks are shared between inodes; freeing one leaves the other's. */
static void test_attributes(void)
{
    struct image image;
    char output[4096];
    image_make(&image, "-b 1024 -I 128", 2048);
    struct ext2 *fs = image_mount(&image, 64);
    struct ext2_info before, after;
    ext2_info(fs, &before);
    CHECK(path_write(fs, "/a", 0, "x", 1) == 1 && !path_symlink(fs, "a", "/s"), "make");
    CHECK(!ext2_unmount(fs), "unmount");
    image_save(&image, "attributes.img");
    run("debugfs -w -R 'ea_set /a user.colour green' attributes.img;"
        "debugfs -w -R 'ea_set /s user.colour blue' attributes.img",
        output, sizeof output);
    image_load(&image, "attributes.img");
    image_fsck(&image, "attributes");
    fs = image_mount(&image, 64);
    ext2_info(fs, &after);
    CHECK(after.blocks_free == before.blocks_free - 3, "two attribute blocks");
    CHECK(path_readlink(fs, "/s", output, 10) == 1 && output[0] == 'a', "a fast link with one");
    CHECK(path_write(fs, "/a", 0, "xyz", 3) == 3 && !path_truncate(fs, "/a", 0), "-");
    CHECK(!ext2_sync(fs), "sync");
    image_fsck(&image, "attributes");
    CHECK(!path_unlink(fs, "/a") && !path_unlink(fs, "/s"), "unlink");
    ext2_info(fs, &after);
    CHECK(after.blocks_free == before.blocks_free, "%u, not %u", after.blocks_free,
          before.blocks_free);
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "attributes freed");
    image_free(&image);
}

static void test_shared_attributes(void)
{
    struct image image;
    char output[4096], command[512];
    unsigned block = 0;
    image_make(&image, "-b 1024 -I 128", 2048);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(path_write(fs, "/a", 0, "x", 1) == 1 && path_write(fs, "/b", 0, "x", 1) == 1, "make");
    CHECK(!ext2_unmount(fs), "unmount");
    image_save(&image, "attributes.img");
    run("debugfs -w -R 'ea_set /a user.colour green' attributes.img >/dev/null 2>&1;"
        "debugfs -R 'stat /a' attributes.img 2>/dev/null | sed -n 's/^File ACL: "
        "*\\([0-9]*\\).*/\\1/p'",
        output, sizeof output);
    CHECK(sscanf(output, "%u", &block) == 1 && block, "%s", output);
    snprintf(command, sizeof command,
             "debugfs -w -R 'set_inode_field /b file_acl %u' attributes.img;"
             "debugfs -w -R 'set_inode_field /b blocks 4' attributes.img",
             block);
    run(command, output, sizeof output);
    image_load(&image, "attributes.img");
    struct attribute_header *header =
        (struct attribute_header *)(image.bytes + (block % 2048) * 1024);
    CHECK(header->magic == EXT2_ATTRIBUTE_MAGIC && header->references == 1, "attributes");
    header->references = 2;
    image_fsck(&image, "shared attributes");
    fs = image_mount(&image, 64);
    CHECK(!path_unlink(fs, "/a") && !ext2_sync(fs) && header->references == 1, "one is left");
    image_fsck(&image, "shared attributes");
    CHECK(!path_unlink(fs, "/b") && !ext2_unmount(fs), "unlink");
    image_fsck(&image, "shared attributes");
    image_free(&image);
}

static void test_times_and_modes(void)
{
    struct image image;
    struct ext2_stat stat;
    uint32_t inode = 0, s = NOW / 1000000000;
    image_make(&image, "-b 1024", 2048);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(!ext2_create(fs, 2, "f", 1, 0654, &inode), "create");
    CHECK(!ext2_stat(fs, inode, &stat) && stat.mode == 0100654 && stat.mtime == s, "new");
    ext2_set_time(fs, NOW + 1000000000);
    CHECK(ext2_write(fs, inode, 0, "x", 1) == 1, "write");
    CHECK(!ext2_stat(fs, inode, &stat) && stat.mtime == s + 1 && stat.ctime == s + 1, "written");
    ext2_set_time(fs, NOW + 2000000000);
    CHECK(ext2_write(fs, inode, 0, "y", 1) == 1, "write");
    CHECK(!ext2_stat(fs, inode, &stat) && stat.mtime == s + 2, "written over");
    ext2_set_time(fs, NOW + 3000000000);
    CHECK(!ext2_chmod(fs, inode, 0107070707), "chmod");
    CHECK(!ext2_stat(fs, inode, &stat) && stat.mode == (0100000 | 0707) && stat.ctime == s + 3 &&
              stat.mtime == s + 2,
          "%o", stat.mode);
    CHECK(!ext2_utime(fs, inode, 5, 6), "utime");
    CHECK(!ext2_stat(fs, inode, &stat) && stat.atime == 5 && stat.mtime == 6, "utime");
    CHECK(!ext2_stat(fs, 2, &stat) && stat.mtime == s, "the root changed with the name");
    CHECK(!ext2_unlink(fs, 2, "f", 1), "unlink");
    CHECK(!ext2_stat(fs, 2, &stat) && stat.mtime == s + 3, "and again");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "times");
    image_free(&image);
}

int main(void)
{
    test_features();
    test_not_ext2();
    test_marks();
    test_tree("-b 1024");
    test_tree("-b 2048 -O ^dir_index -I 128");
    test_tree("-b 4096 -t ext3");
    test_attributes();
    test_shared_attributes();
    test_times_and_modes();
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
