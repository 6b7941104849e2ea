/* The disk fails once, at every request in turn, during a fixed piece of work. Nothing crashes,
 * the error is reported, after one in metadata nothing is changed any more, and what is on the
 * disk in the end is consistent: no operation is left half done. */
#include "../format.h"
#include "../journal/format.h"
#include "check.h"
#include "image.h"
#include "paths.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t data[300000];

struct outcome {
    unsigned io_errors, read_only; /* results -EIO, -EROFS */
    bool late;                     /* something else than EROFS after errors were known */
};

static void note(struct ext2 *fs, struct outcome *outcome, int64_t result, bool changes)
{
    struct ext2_info info;
    ext2_info(fs, &info);
    CHECK(!info.errors || info.read_only, "errors, but not read only");
    if (changes && outcome->read_only && result >= 0)
        outcome->late = true;
    outcome->io_errors += result == -EIO;
    outcome->read_only += result == -EROFS;
}

#define CHANGE(operation) note(fs, outcome, operation, true)
#define LOOK(operation)   note(fs, outcome, operation, false)

/* Everything that there is, through a cache too small for it. */
static void work(struct ext2 *fs, struct outcome *outcome)
{
    static uint8_t back[sizeof data];
    char name[64];
    struct ext2_stat stat;
    uint32_t inode = 0;
    CHANGE(path_mkdir(fs, "/d"));
    CHANGE(path_mkdir(fs, "/d/e"));
    CHANGE(path_write(fs, "/d/big", 0, data, sizeof data));
    CHANGE(path_write(fs, "/d/sparse", 70 << 20, data, 5000));
    LOOK(ext2_sync(fs));
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "/d/e/a-name-that-takes-some-room-%d", i);
        CHANGE(path_write(fs, name, (uint64_t)i * 700, data, 3000));
    }
    LOOK(path_read(fs, "/d/big", 0, back, sizeof back));
    CHANGE(path_symlink(fs, "e", "/d/short"));
    memset(back, 's', 500);
    back[500] = '\0';
    CHANGE(path_symlink(fs, (char *)back, "/d/long"));
    LOOK(path_readlink(fs, "/d/long", (char *)back, 600));
    CHANGE(path_link(fs, "/d/big", "/hard"));
    CHANGE(path_rename(fs, "/d/e", "/e"));
    CHANGE(path_mkdir(fs, "/d/e"));
    CHANGE(path_rename(fs, "/d/e", "/e/inner"));
    CHANGE(path_rename(fs, "/e/a-name-that-takes-some-room-1", "/e/a-name-that-takes-some-room-2"));
    CHANGE(path_truncate(fs, "/d/big", 100001));
    CHANGE(path_truncate(fs, "/d/big", 150000));
    LOOK(path_walk(fs, "/hard", true, &inode));
    LOOK(ext2_hold(fs, inode));
    CHANGE(path_unlink(fs, "/hard"));
    CHANGE(path_unlink(fs, "/d/big"));
    LOOK(path_list(fs, "/e", (char *)back, sizeof back));
    for (int i = 3; i < 40; i += 2) {
        snprintf(name, sizeof name, "/e/a-name-that-takes-some-room-%d", i);
        CHANGE(path_unlink(fs, name));
    }
    ext2_drop(fs, inode);
    CHANGE(path_unlink(fs, "/d/sparse"));
    CHANGE(path_rmdir(fs, "/e/inner"));
    LOOK(path_stat(fs, "/d", &stat));
    LOOK(ext2_sync_some(fs, 10));
    LOOK(ext2_sync(fs));
}

#ifdef JOURNALED
#define CACHE    100 /* transactions of more than one operation */
#define JOURNAL  " -j -J size=1"
#define JOURNAL2 " -j -J size=2"
#else
#define CACHE    64
#define JOURNAL  ""
#define JOURNAL2 ""
#endif

/* The journal's superblock, if the journal is in use. */
static struct journal_super *journal_of(const struct image *image)
{
    const struct superblock *super = (struct superblock *)(image->bytes + EXT2_SUPER_OFFSET);
    const size_t block_size = 1024u << super->log_block_size;
    if (!(super->feature_incompat & EXT2_INCOMPAT_RECOVER))
        return NULL;
    return (struct journal_super *)(image->bytes + super->journal_blocks[0] * block_size);
}

/* Was the error written down for e2fsck and the next mount? With a journal in there, as what it
 * replays replaces the superblock. */
static bool noted(const struct image *image)
{
    const struct superblock *super = (struct superblock *)(image->bytes + EXT2_SUPER_OFFSET);
    const struct journal_super *journal = journal_of(image);
    return journal ? journal->error != 0 : super->state & EXT2_STATE_ERROR;
}

/* Consistent means for e2fsck: nothing to ask. Only orphans may be left, if the error came while
 * one was being freed; e2fsck frees those without asking (unless the error flag is set, which
 * makes it look at everything instead: so that is taken off here). */
static void judge(struct image *image, const char *what, unsigned n)
{
    char output[8192];
    struct superblock *super = (struct superblock *)(image->bytes + EXT2_SUPER_OFFSET);
    super->state = EXT2_STATE_VALID;
    if (journal_of(image))
        journal_of(image)->error = 0;
    image_save(image, "check.img");
    const bool writes = super->last_orphan || super->feature_incompat & EXT2_INCOMPAT_RECOVER;
    int status =
        run(writes ? "e2fsck -fy check.img" : "e2fsck -fn check.img", output, sizeof output);
    CHECK(status <= writes && !strstr(output, "? yes"), "%s %u: e2fsck exits with %d:\n%s", what, n,
          status, output);
}

enum kind { WRITE, READ, FLUSH, KINDS };

static void run_one(const struct image *base, enum kind kind, unsigned n, unsigned *failures)
{
    struct image image = *base;
    struct outcome outcome = {0};
    struct ext2_info info;
    struct ext2 *fs;
    const char *what = (const char *const[]){"write", "read", "flush"}[kind];
    unsigned *const fail[] = {&image.fail_write, &image.fail_read, &image.fail_flush};
    image.bytes = malloc(image.size);
    memcpy(image.bytes, base->bytes, image.size);
    *fail[kind] = n;
    int error = image_mount_try(&image, CACHE, false, &fs);
    CHECK(error == 0 || (error == -EIO && image.failed), "%s %u: mount gives %d", what, n, error);
    if (!error) {
        work(fs, &outcome);
        ext2_info(fs, &info);
        error = ext2_unmount(fs);
        CHECK(!info.errors || outcome.io_errors || outcome.read_only || error == -EIO,
              "%s %u: nobody was told", what, n);
        CHECK(!outcome.late, "%s %u: changes after the error", what, n);
        CHECK(info.errors || kind == READ || !image.failed || error, "%s %u: a lost write", what,
              n);
        CHECK(!info.errors || noted(&image), "%s %u: not noted on the disk", what, n);
    }
    *failures += image.failed;
    judge(&image, what, n);
    CHECK(allocations == 0, "%d", allocations);
    image_free(&image);
}

static void test_faults(const char *options, unsigned step)
{
    struct image image;
    struct outcome outcome = {0};
    image_make(&image, options, 3000 + (JOURNAL[0] ? 2048 : 0));
    struct image base = image;
    base.bytes = malloc(image.size);
    memcpy(base.bytes, image.bytes, image.size);
    struct ext2 *fs = image_mount(&image, CACHE);
    work(fs, &outcome);
    CHECK(!ext2_unmount(fs) && !outcome.io_errors && !outcome.read_only, "without faults");
    judge(&image, "no fault", 0);
    const unsigned totals[KINDS] = {image.writes, image.reads, image.flushes};
    for (enum kind kind = WRITE; kind < KINDS; kind++) {
        unsigned failures = 0, tried = 0, total = totals[kind];
        for (unsigned n = 1; n <= total; n += n < 20 ? 1 : step, tried++)
            run_one(&base, kind, n, &failures);
        CHECK(total > (kind == FLUSH ? 3 : 30) && failures == tried, "%s: %u of %u failed", options,
              failures, tried);
    }
    image_free(&image);
    image_free(&base);
}

int main(void)
{
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 + i / 256);
    test_faults("-b 1024 -N 128 -g 512 -O ^resize_inode,^meta_bg -m 0" JOURNAL, 3);
    test_faults("-b 2048 -N 128" JOURNAL2, 2);
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
