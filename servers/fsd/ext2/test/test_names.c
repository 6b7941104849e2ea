/* Names: every operation that makes, removes or moves one, with every error it can give, as a
 * table of commands; what remains is judged by e2fsck and debugfs. */
#include "check.h"
#include "image.h"
#include "paths.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum command { CREATE, MKDIR, RMDIR, UNLINK, LINK, SYMLINK, RENAME, WALK, WALK_LAST, LINKS, LIST };

struct step {
    enum command command;
    const char *a, *b;
    int expect; /* the result; LINKS: the link count; LIST compares with b */
};

#define LONG                                                                                       \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"  \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"  \
    "0123456789012345678901234567890123456789012345678901234567890123456789abc"

static const struct step steps[] = {
    /* creation */
    {CREATE, "/f", 0, 0},
    {CREATE, "/f", 0, -EEXIST},
    {CREATE, "/no/f", 0, -ENOENT},
    {CREATE, "/f/x", 0, -ENOTDIR},
    {CREATE, "/" LONG, 0, 0},
    {CREATE, "/" LONG "d", 0, -ENAMETOOLONG},
    {UNLINK, "/" LONG, 0, 0},
    {CREATE, "/.", 0, -EINVAL},
    {CREATE, "/", 0, -EINVAL},
    {MKDIR, "/d", 0, 0},
    {MKDIR, "/d", 0, -EEXIST},
    {MKDIR, "/d/..", 0, -EINVAL},
    {MKDIR, "/d/e/", 0, 0},
    {LINKS, "/d", 0, 3},
    {LINKS, "/d/e", 0, 2},
    {LINKS, "/", 0, 4}, /* lost+found, d */
    {MKDIR, "/f/d", 0, -ENOTDIR},
    /* hard links */
    {LINK, "/f", "/d/f2", 0},
    {LINKS, "/f", 0, 2},
    {LINK, "/f", "/d/f2", -EEXIST},
    {LINK, "/d", "/d2", -EPERM},
    {LINK, "/no", "/x", -ENOENT},
    {UNLINK, "/d/f2", 0, 0},
    {LINKS, "/f", 0, 1},
    /* removal */
    {UNLINK, "/no", 0, -ENOENT},
    {UNLINK, "/d", 0, -EISDIR},
    {RMDIR, "/f", 0, -ENOTDIR},
    {RMDIR, "/d", 0, -ENOTEMPTY},
    {RMDIR, "/no", 0, -ENOENT},
    {RMDIR, "/d/.", 0, -EINVAL},
    {RMDIR, "/d/e", 0, 0},
    {LINKS, "/d", 0, 2},
    {WALK, "/d/e", 0, -ENOENT},
    /* symbolic links */
    {SYMLINK, "d", "/s", 0},
    {SYMLINK, "d", "/s", -EEXIST},
    {SYMLINK, "", "/empty", -ENOENT},
    {MKDIR, "/s/in", 0, 0},
    {WALK, "/d/in", 0, 0},
    {WALK, "/s/in/../../f", 0, 0},
    {SYMLINK, "/d/in", "/d/in/absolute", 0},
    {WALK, "/s/in/absolute/absolute/absolute", 0, 0},
    {SYMLINK, "loop", "/loop", 0},
    {WALK, "/loop", 0, -ELOOP},
    {WALK_LAST, "/loop", 0, 0},
    {WALK_LAST, "/loop/", 0, -ELOOP},
    {WALK_LAST, "/s/", 0, 0},
    {SYMLINK, "gone", "/dangling", 0},
    {WALK, "/dangling", 0, -ENOENT},
    {SYMLINK, "f", "/s1", 0},
    {SYMLINK, "s1", "/s2", 0},
    {SYMLINK, "s2", "/s3", 0},
    {SYMLINK, "s3", "/s4", 0},
    {SYMLINK, "s4", "/s5", 0},
    {SYMLINK, "s5", "/s6", 0},
    {SYMLINK, "s6", "/s7", 0},
    {SYMLINK, "s7", "/s8", 0},
    {SYMLINK, "s8", "/s9", 0},
    {WALK, "/s8", 0, 0},
    {WALK, "/s9", 0, -ELOOP},
    {SYMLINK, LONG "/" LONG, "/d/slow", 0},
    {UNLINK, "/d/slow", 0, 0},
    {SYMLINK, LONG "/" LONG, "/d/slow2", 0},
    {LINK, "/s", "/d/s-too", 0},
    {UNLINK, "/d/s-too", 0, 0},
    {RMDIR, "/s", 0, -ENOTDIR},
    /* walking */
    {WALK, "/f/", 0, -ENOTDIR},
    {WALK, "/f/.", 0, -ENOTDIR},
    {WALK, "//d/./in//", 0, 0},
    {WALK, "/../../d", 0, 0},
    {WALK, "/f/..", 0, -ENOTDIR},
    /* renaming files */
    {CREATE, "/g", 0, 0},
    {RENAME, "/no", "/x", -ENOENT},
    {RENAME, "/f", "/no/x", -ENOENT},
    {RENAME, "/f", "/f", 0},
    {RENAME, "/f", "/g", 0},
    {WALK, "/f", 0, -ENOENT},
    {RENAME, "/g", "/d/f", 0},
    {RENAME, "/d/f", "/d", -EISDIR},
    {RENAME, "/d/f", "/f", 0},
    {LINK, "/f", "/f2", 0},
    {RENAME, "/f", "/f2", 0}, /* names of one file: nothing happens */
    {LINKS, "/f", 0, 2},
    {UNLINK, "/f2", 0, 0},
    {RENAME, "/f", "/" LONG, 0},
    {RENAME, "/" LONG, "/f", 0},
    {RENAME, "/f", "/d/..", -EINVAL},
    {RENAME, "/d/.", "/x", -EINVAL},
    /* renaming directories */
    {MKDIR, "/a", 0, 0},
    {MKDIR, "/a/b", 0, 0},
    {MKDIR, "/a/b/c", 0, 0},
    {MKDIR, "/z", 0, 0},
    {RENAME, "/a", "/a/b/c/a", -EINVAL},
    {RENAME, "/a", "/a/x", -EINVAL},
    {RENAME, "/a/b/c", "/a", -ENOTEMPTY},
    {RENAME, "/a/b", "/f", -ENOTDIR},
    {RENAME, "/f", "/z", -EISDIR},
    {RENAME, "/a/b", "/z/b", 0},
    {LINKS, "/a", 0, 2},
    {LINKS, "/z", 0, 3},
    {LINKS, "/z/b", 0, 3},
    {WALK, "/z/b/../../f", 0, 0},
    {RENAME, "/z/b", "/a", 0}, /* replaces an empty directory, from another parent */
    {LINKS, "/a", 0, 3},
    {LINKS, "/z", 0, 2},
    {WALK, "/a/c", 0, 0},
    {MKDIR, "/q", 0, 0},
    {RENAME, "/a", "/q", 0}, /* in the same parent */
    {LINKS, "/", 0, 6},      /* lost+found, d, q, z */
    {RENAME, "/q", "/d", -ENOTEMPTY},
    {RENAME, "/q/c", "/z", 0},
    {LINKS, "/", 0, 6},
    {LINKS, "/q", 0, 2},
    {LINKS, "/z", 0, 2},
    {WALK, "/z/../q", 0, 0},
    {RENAME, "/q", "/r", 0},
    {RENAME, "/s1", "/z/s1", 0}, /* a link moves, not what it names */
    {WALK, "/z/s1", 0, -ENOENT},
    {RENAME, "/z/s1", "/s1", 0},
    {LIST, "/d", "in slow2", 0},
    {RMDIR, "/r", 0, 0},
    {LINKS, "/", 0, 5},
};

static int step_run(struct ext2 *fs, const struct step *step)
{
    char list[4096];
    uint32_t inode;
    struct ext2_stat stat;
    int result;
    switch (step->command) {
    case CREATE:
        return path_create(fs, step->a, &inode);
    case MKDIR:
        return path_mkdir(fs, step->a);
    case RMDIR:
        return path_rmdir(fs, step->a);
    case UNLINK:
        return path_unlink(fs, step->a);
    case LINK:
        return path_link(fs, step->a, step->b);
    case SYMLINK:
        return path_symlink(fs, step->a, step->b);
    case RENAME:
        return path_rename(fs, step->a, step->b);
    case WALK:
        return path_walk(fs, step->a, true, &inode);
    case WALK_LAST:
        return path_walk(fs, step->a, false, &inode);
    case LINKS:
        result = path_stat(fs, step->a, &stat);
        return result ? result : (int)stat.links;
    case LIST:
        result = path_list(fs, step->a, list, sizeof list);
        CHECK(!strcmp(list, step->b), "%s lists \"%s\"", step->a, list);
        return result;
    }
    return -ENOSYS;
}

static void test_steps(const char *options)
{
    struct image image;
    image_make(&image, options, 4096);
    struct ext2 *fs = image_mount(&image, 64);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int result = step_run(fs, &steps[i]);
        CHECK(result == steps[i].expect, "%s: step %zu (%s) gives %d, not %d", options, i,
              steps[i].a, result, steps[i].expect);
    }
    char list[1024], other[1024];
    CHECK(!path_list(fs, "/", list, sizeof list), "list");
    CHECK(ext2_unmount(fs) == 0, "unmount");
    image_fsck(&image, options);
    /* A mount that has nothing in its caches sees the same. */
    fs = image_mount(&image, 64);
    CHECK(!path_list(fs, "/", other, sizeof other) && !strcmp(list, other), "%s", other);
    CHECK(ext2_unmount(fs) == 0, "unmount");
    image_free(&image);
}

/* Records that split, merge and fit exactly. */
static void test_records(void)
{
    static const int sizes[] = {1, 3, 4, 5, 8, 60, 200, 254, 255};
    struct image image;
    char name[300] = "/", list[16384];
    uint32_t inode;
    image_make(&image, "-b 1024", 2048);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(!path_mkdir(fs, "/d"), "mkdir");
    /* Fill, remove every other one, fill the gaps with names that fit exactly or not. */
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            memset(name, 'a' + round, sizeof name);
            memcpy(name, "/d/", 3);
            name[3 + sizes[i]] = '\0';
            CHECK(!path_create(fs, name, &inode), "create %d", sizes[i]);
        }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i += 2) {
        memset(name, 'b', sizeof name);
        memcpy(name, "/d/", 3);
        name[3 + sizes[i]] = '\0';
        CHECK(!path_unlink(fs, name), "unlink %d", sizes[i]);
        memset(name + 3, 'z', (size_t)sizes[i]);
        CHECK(!path_create(fs, name, &inode), "create again %d", sizes[i]);
    }
    CHECK(!ext2_sync(fs), "sync");
    image_fsck(&image, "records");
    struct ext2_stat stat;
    CHECK(!path_stat(fs, "/d", &stat), "stat");
    uint64_t size = stat.size;
    /* Removing all and filling again must not make the directory grow: records merge. */
    for (int round = 0; round < 20; round++) {
        CHECK(!path_list(fs, "/d", list, sizeof list), "list");
        for (char *at = strtok(list, " "); at; at = strtok(NULL, " ")) {
            snprintf(name, sizeof name, "/d/%.255s", at);
            CHECK(!path_unlink(fs, name), "unlink %s", name);
        }
        for (int i = 0; i < 27; i++) {
            snprintf(name, sizeof name, "/d/%0*d", sizes[i % 9], i % 9 == 0 ? i / 9 : i % 10);
            int error = path_create(fs, name, &inode);
            CHECK(!error || error == -EEXIST, "create %d", error);
        }
    }
    CHECK(!path_stat(fs, "/d", &stat) && stat.size == size, "size %llu, was %llu",
          (unsigned long long)stat.size, (unsigned long long)size);
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "records again");
    image_free(&image);
}

/* Removing small names makes room for a large one. */
static void test_merging(void)
{
    struct image image;
    struct ext2_stat stat;
    char name[300], list[4096];
    uint32_t inode;
    image_make(&image, "-b 1024", 2048);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(!path_mkdir(fs, "/d"), "mkdir");
    for (int i = 0; i < 80; i++) {
        snprintf(name, sizeof name, "/d/%02d", i);
        CHECK(!path_create(fs, name, &inode), "create");
    }
    CHECK(!path_stat(fs, "/d", &stat) && stat.size == 1024, "80 names fit");
    for (int i = 79; i >= 0; i--) {
        snprintf(name, sizeof name, "/d/%02d", i);
        CHECK(!path_unlink(fs, name), "unlink");
    }
    for (int i = 0; i < 3; i++) {
        memset(name, 'a' + i, sizeof name);
        memcpy(name, "/d/", 3);
        name[258] = '\0';
        CHECK(!path_create(fs, name, &inode), "create");
    }
    CHECK(!path_stat(fs, "/d", &stat) && stat.size == 1024, "size %llu",
          (unsigned long long)stat.size);
    CHECK(!path_list(fs, "/d", list, sizeof list) && strlen(list) == 3 * 255 + 2, "%s", list);
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "merging");
    image_free(&image);
}

/* A cookie may be older than the records: the next call must not read the middle of one. */
static void test_cookies(void)
{
    struct image image;
    struct ext2_dirent entry;
    uint64_t cookie = 0;
    uint32_t inode, directory = 0;
    char name[16], long_name[210] = "/d/";
    image_make(&image, "-b 1024", 2048);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(!path_mkdir(fs, "/d") && !path_walk(fs, "/d", true, &directory), "mkdir");
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "/d/%02d", i);
        CHECK(!path_create(fs, name, &inode), "create");
    }
    do
        CHECK(ext2_readdir(fs, directory, cookie, &entry, &cookie) == 1, "readdir");
    while (strcmp(entry.name, "09"));
    for (int i = 0; i < 20; i++) { /* one record over the place where the cookie points to */
        snprintf(name, sizeof name, "/d/%02d", i);
        CHECK(!path_unlink(fs, name), "unlink");
    }
    memset(long_name + 3, '\1', 200);
    CHECK(!path_create(fs, long_name, &inode), "create");
    for (int i = 20; i < 30; i++) {
        CHECK(ext2_readdir(fs, directory, cookie, &entry, &cookie) == 1, "readdir");
        snprintf(name, sizeof name, "%02d", i);
        CHECK(!strcmp(entry.name, name), "%s, not %s", entry.name, name);
    }
    CHECK(ext2_readdir(fs, directory, cookie, &entry, &cookie) == 0, "the end");
    CHECK(ext2_readdir(fs, directory, UINT64_MAX - 3, &entry, &cookie) == 0, "behind it");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* The cache of names: it must not know what is no longer so, nor take one name for another. */
static void test_lookup_cache(void)
{
    struct image image;
    char name[64];
    uint32_t inode, x = 0, y = 0, b = 0;
    image_make(&image, "-b 1024", 2048);
    struct ext2 *fs = image_mount(&image, 64);
    CHECK(!path_mkdir(fs, "/a") && !path_mkdir(fs, "/b") && !path_mkdir(fs, "/a/x"), "mkdir");
    CHECK(!path_walk(fs, "/a/x", true, &x) && !path_walk(fs, "/b", true, &b), "walk");
    CHECK(!ext2_lookup(fs, x, "..", 2, &inode) && inode != b, "..");
    CHECK(!path_rmdir(fs, "/a/x") && !path_mkdir(fs, "/b/y"), "-");
    CHECK(!path_walk(fs, "/b/y", true, &y) && x == y, "the number is used again");
    CHECK(!ext2_lookup(fs, y, "..", 2, &inode) && inode == b, "the other directory's ..");
    CHECK(!path_rename(fs, "/b/y", "/a/y"), "rename");
    CHECK(!ext2_lookup(fs, y, "..", 2, &inode) && inode != b, ".. has moved");
    CHECK(path_walk(fs, "/b/y", true, &inode) == -ENOENT, "gone");
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "a-name-of-31-bytes-%012d", i);
        CHECK(!ext2_create(fs, b, name, 31, 0644, &x), "create");
        CHECK(!ext2_lookup(fs, b, name, 31, &inode) && inode == x, "lookup");
        for (size_t len = 1; len < 31; len++)
            CHECK(ext2_lookup(fs, b, name, len, &inode) == -ENOENT, "a part of the name");
        CHECK(!ext2_lookup(fs, b, name, 31, &inode) && inode == x, "lookup again");
    }
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* Link counts end at 32000, for files and for the ".." of subdirectories. */
static void test_link_max(void)
{
    struct image image;
    char path[64];
    uint32_t inode;
    int error = 0, count = 0;
    image_make(&image, "-b 4096", 16 * 1024);
    struct ext2 *fs = image_mount(&image, 1024);
    CHECK(!path_mkdir(fs, "/l") && !path_mkdir(fs, "/l/5"), "mkdir");
    CHECK(!path_mkdir(fs, "/m") && !path_mkdir(fs, "/m/moved"), "mkdir");
    CHECK(!path_create(fs, "/f", &inode), "create");
    for (; !error && count < 33000; count++) {
        if (count % 256 == 0) { /* small directories: each name is searched for */
            snprintf(path, sizeof path, "/m/%d", count / 256);
            path_mkdir(fs, path);
        }
        snprintf(path, sizeof path, "/m/%d/%d", count / 256, count);
        error = path_link(fs, "/f", path);
    }
    CHECK(error == -EMLINK && count == 32000, "%d after %d", error, count);
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "link counts");

    char output[256];
    image_save(&image, "links.img");
    run("debugfs -w -R 'set_inode_field /l links_count 32000' links.img", output, sizeof output);
    image_load(&image, "links.img");
    fs = image_mount(&image, 64);
    CHECK(path_mkdir(fs, "/l/last") == -EMLINK, "mkdir");
    CHECK(path_rename(fs, "/m/moved", "/l/moved") == -EMLINK, "rename");
    CHECK(path_rename(fs, "/m/moved", "/l/5") == 0, "rename onto a directory needs no more links");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

int main(void)
{
    test_steps("-b 1024");
    test_steps("-b 2048");
    test_steps("-b 4096 -I 128");
    test_steps("-b 1024 -O ^filetype -m 0");
    test_steps("-b 1024 -g 256 -O ^resize_inode,^meta_bg");
    test_records();
    test_merging();
    test_cookies();
    test_lookup_cache();
    test_link_max();
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
