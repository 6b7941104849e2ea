/* The power goes off behind every single write of a fixed piece of work. Whatever is on the disk
 * then is replayed, by the core and, on a copy, by e2fsck; both leave the same files, e2fsck finds
 * nothing to ask, and what was synced before is there. */
#include "../format.h"
#include "check.h"
#include "image.h"
#include "paths.h"
#include <stdlib.h>
#include <string.h>

#define STEPS     24
#define FILE_SIZE 9000

static char output[16384];

/* What had been acknowledged, and after how many writes to the disk. */
struct progress {
    unsigned steps;
    unsigned writes[STEPS];
};

static void fill(uint8_t data[FILE_SIZE], unsigned step)
{
    memset(data, 'a' + (int)step, FILE_SIZE);
}

static const char *name_of(const char *kind, unsigned step)
{
    static char names[4][96];
    static unsigned next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "/%s-with-a-name-that-needs-room-%u", kind, step);
    return name;
}

/* One step: a file that stays for three steps, a directory that goes with the next one, a big file
 * that is cut, one that is renamed over another, one that is unlinked but held. */
static void step(struct ext2 *fs, unsigned n)
{
    static uint8_t data[FILE_SIZE];
    static const uint8_t big[150000];
    uint32_t inode;
    fill(data, n);
    path_write(fs, name_of("file", n), 0, data, sizeof data);
    path_mkdir(fs, name_of("dir", n));
    path_write(fs, "/new", 0, data, 5000);
    path_rename(fs, "/new", "/replaced");
    if (n % 4 == 0)
        path_write(fs, "/big", 0, big, sizeof big);
    if (n % 4 == 2)
        path_truncate(fs, "/big", 3000);
    if (!path_create(fs, name_of("orphan", n), &inode) && !ext2_hold(fs, inode)) {
        ext2_write(fs, inode, 0, data, sizeof data);
        path_unlink(fs, name_of("orphan", n));
    }
    if (n > 0)
        path_rmdir(fs, name_of("dir", n - 1));
    if (n > 2)
        path_unlink(fs, name_of("file", n - 3));
}

static void work(struct ext2 *fs, const struct image *image, struct progress *progress)
{
    progress->steps = 0;
    for (unsigned n = 0; n < STEPS; n++) {
        step(fs, n);
        ext2_set_time(fs, NOW + n * UINT64_C(1000000000));
        if (n % 5 == 4) {
            ext2_sync_some(fs, 20);
            continue; /* this one goes with the next */
        }
        ext2_sync(fs);
        while (progress->steps <= n)
            progress->writes[progress->steps++] = image->writes;
    }
}

static bool is_file_of(struct ext2 *fs, unsigned step)
{
    static uint8_t data[FILE_SIZE], back[FILE_SIZE];
    fill(data, step);
    return path_read(fs, name_of("file", step), 0, back, sizeof back) == FILE_SIZE &&
           !memcmp(data, back, sizeof back);
}

/* The file of the last step that was acknowledged is there (those before may be removed again by
 * a step that was not), and what replaces another file is whole. */
static void check_files(struct ext2 *fs, const struct progress *progress, unsigned cut)
{
    struct ext2_stat stat;
    unsigned acknowledged = 0;
    while (acknowledged < progress->steps && progress->writes[acknowledged] <= cut)
        acknowledged++;
    if (acknowledged)
        CHECK(is_file_of(fs, acknowledged - 1), "cut %u: file %u", cut, acknowledged - 1);
    if (!path_stat(fs, "/replaced", &stat))
        CHECK(stat.size == 5000, "cut %u: replaced by %llu bytes", cut,
              (unsigned long long)stat.size);
    else
        CHECK(!acknowledged, "cut %u: nothing replaced", cut);
}

static void judge(struct image *image, const struct progress *progress, unsigned cut)
{
    char here[8192], there[8192];
    struct image other = {0};
    image_save(image, "replay.img");
    int status = run("e2fsck -fy replay.img", output, sizeof output);
    CHECK(status <= 1 && !strstr(output, "? yes"), "cut %u: e2fsck exits with %d:\n%s", cut, status,
          output);
    image_empty(&other, image->size / 1024);
    image_load(&other, "replay.img");

    struct ext2 *fs = image_mount(image, 300), *second = image_mount(&other, 300);
    check_files(fs, progress, cut);
    check_files(second, progress, cut);
    CHECK(path_list(fs, "/", here, sizeof here) == path_list(second, "/", there, sizeof there) &&
              !strcmp(here, there),
          "cut %u: %s, %s", cut, here, there);
    struct ext2_info info, info_second;
    ext2_info(fs, &info);
    ext2_info(second, &info_second);
    CHECK(info.blocks_free == info_second.blocks_free &&
              info.inodes_free == info_second.inodes_free,
          "cut %u: %u and %u blocks, %u and %u inodes free", cut, info.blocks_free,
          info_second.blocks_free, info.inodes_free, info_second.inodes_free);
    CHECK(!ext2_unmount(second) && !ext2_unmount(fs), "unmount");
    image_fsck(image, "replayed");
    image_free(&other);
}

static void test_cuts(const char *options, size_t kib, size_t cache, unsigned stride)
{
    struct image base, image;
    struct progress progress;
    unsigned total = 0;
    image_make(&base, options, kib);
    image_make(&image, options, kib);
    for (unsigned cut = 0; cut == 0 || cut <= total; cut += cut < 40 ? 1 : stride) {
        memcpy(image.bytes, base.bytes, base.size);
        image.writes = image.cut = 0;
        struct ext2 *fs = image_mount(&image, cache);
        image.cut = cut;
        work(fs, &image, &progress);
        if (cut == 0) {
            total = image.writes;
            CHECK(!ext2_unmount(fs), "unmount");
            continue;
        }
        image.cut = cut < image.writes ? cut : image.writes;
        ext2_unmount(fs);
        image.cut = 0;
        judge(&image, &progress, cut);
    }
    CHECK(total > 100, "%u writes", total);
    image_free(&base);
    image_free(&image);
}

int main(void)
{
    test_cuts("-b 1024 -N 128 -g 1024 -O ^resize_inode -m 0 -j -J size=1", 3072, 500, 3);
    test_cuts("-b 2048 -N 128 -m 0 -j -J size=2", 6144, 64, 19);
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
