/* The journal's format, against e2fsprogs in both directions: what debugfs wrote is replayed here,
 * what is written here is read by debugfs and e2fsck; and what is refused. */
#include "../alloc.h"
#include "../fs.h"
#include "../journal/crc32c.h"
#include "check.h"
#include "image.h"
#include "paths.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK   1024u
#define OPTIONS "-b 1024 -N 128 -j -J size=1"
#define KIB     4096u

static char output[65536];

static uint8_t *block_at(struct image *image, uint32_t block)
{
    return image->bytes + (size_t)block * BLOCK;
}

static struct superblock *super_of(struct image *image)
{
    return (struct superblock *)(image->bytes + EXT2_SUPER_OFFSET);
}

/* The journal's superblock: its file begins where its copy in the superblock says. */
static struct journal_super *journal_super_of(struct image *image)
{
    return (struct journal_super *)block_at(image, super_of(image)->journal_blocks[0]);
}

/* Runs debugfs commands, one per line, for writing. Blocks to write are in the file "blocks". */
static void debugfs_write(struct image *image, const char *commands)
{
    char line[4096];
    image_save(image, "write.img");
    snprintf(line, sizeof line, "printf '%s' | debugfs -w -f - write.img", commands);
    run(line, output, sizeof output);
    image_load(image, "write.img");
}

/* A file of blocks, each full of one letter. */
static void blocks_file(const char *letters)
{
    static uint8_t bytes[64 * BLOCK];
    struct image file = {.bytes = bytes, .size = strlen(letters) * BLOCK};
    for (size_t i = 0; letters[i]; i++)
        memset(bytes + i * BLOCK, letters[i], BLOCK);
    image_save(&file, "blocks");
}

static struct ext2 *mount_or_fail(struct image *image, const char *what)
{
    struct ext2 *fs = NULL;
    int error = image_mount_try(image, 200, false, &fs);
    CHECK(!error, "%s: mount gives %d; debugfs said:\n%s", what, error, output);
    return error ? NULL : fs;
}

static bool holds(struct image *image, uint32_t block, char letter)
{
    return *block_at(image, block) == letter && block_at(image, block)[BLOCK - 1] == letter;
}

/* ---- Journals that debugfs wrote --------------------------------------------------------- */

static void test_replay(void)
{
    struct image image;
    image_make(&image, OPTIONS, KIB);
    blocks_file("abc");
    debugfs_write(&image, "jo\\njw -b 3001,3002,3003 blocks\\njc\\n");
    CHECK(super_of(&image)->feature_incompat & EXT2_INCOMPAT_RECOVER, "%s", output);
    CHECK(!holds(&image, 3001, 'a'), "debugfs replays nothing");
    struct ext2 *fs = mount_or_fail(&image, "replay");
    CHECK(holds(&image, 3001, 'a') && holds(&image, 3002, 'b') && holds(&image, 3003, 'c'), "-");
    CHECK(super_of(&image)->feature_incompat & EXT2_INCOMPAT_RECOVER, "in use");
    CHECK(!ext2_unmount(fs), "unmount");
    CHECK(!(super_of(&image)->feature_incompat & EXT2_INCOMPAT_RECOVER), "not in use");
    CHECK(!journal_super_of(&image)->start, "the log is empty");
    image_fsck(&image, "replayed");
    image_free(&image);
}

/* What is revoked keeps its old contents, but for copies in later transactions. */
static void test_revoked(void)
{
    struct image image;
    image_make(&image, OPTIONS, KIB);
    blocks_file("abcd");
    debugfs_write(&image, "jo\\njw -b 3001,3002,3003,3004 blocks\\njw -r 3001,3003\\njc\\n");
    blocks_file("z");
    debugfs_write(&image, "jo\\njw -b 3003 blocks\\njc\\n");
    struct ext2 *fs = mount_or_fail(&image, "revoked");
    CHECK(!holds(&image, 3001, 'a'), "revoked");
    CHECK(holds(&image, 3002, 'b') && holds(&image, 3004, 'd'), "not revoked");
    CHECK(holds(&image, 3003, 'z'), "revoked, and written again");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

static void test_uncommitted(void)
{
    struct image image;
    image_make(&image, OPTIONS, KIB);
    blocks_file("ab");
    debugfs_write(&image, "jo\\njw -b 3001,3002 blocks\\njc\\n");
    blocks_file("yz");
    debugfs_write(&image, "jo\\njw -b 3002,3003 -c blocks\\njc\\n");
    struct ext2 *fs = mount_or_fail(&image, "uncommitted");
    CHECK(holds(&image, 3001, 'a') && holds(&image, 3002, 'b'), "committed");
    CHECK(!holds(&image, 3003, 'z'), "not committed");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* A block that begins with the magic number would end the log if it stood there as it is. */
static void test_escaped(void)
{
    struct image image;
    uint8_t bytes[BLOCK];
    struct image file = {.bytes = bytes, .size = BLOCK};
    memset(bytes, 'e', sizeof bytes);
    memcpy(bytes, "\xC0\x3B\x39\x98", 4);
    image_make(&image, OPTIONS, KIB);
    image_save(&file, "blocks");
    debugfs_write(&image, "jo\\njw -b 3001 blocks\\njc\\n");
    struct ext2 *fs = mount_or_fail(&image, "escaped");
    CHECK(!memcmp(block_at(&image, 3001), bytes, BLOCK), "as it was");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* More blocks than one descriptor names. */
static void test_many(void)
{
    struct image image;
    char commands[4096] = "jo\\njw -b 3000";
    image_make(&image, OPTIONS, KIB);
    blocks_file("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (int i = 1; i < 52; i++)
        snprintf(commands + strlen(commands), 10, ",%d", 3000 + i);
    strcat(commands, " blocks\\njc\\n");
    debugfs_write(&image, commands);
    struct ext2 *fs = mount_or_fail(&image, "many");
    CHECK(holds(&image, 3000, 'a') && holds(&image, 3051, 'Z'), "all of them");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* Metadata checksums are not understood, so such a file system is only read; but its journal's
 * are, and it is replayed. */
static void test_checksummed(void)
{
    struct image image;
    struct ext2_info info;
    struct ext2 *fs = NULL;
    image_make(&image, "-b 1024 -N 128 -t ext3 -O metadata_csum -J size=1", KIB);
    blocks_file("abc");
    debugfs_write(&image, "jo -c -v 3\\njw -b 3001,3002 blocks\\njw -r 3002\\njc\\n");
    CHECK(from_be(journal_super_of(&image)->feature_incompat) & JOURNAL_INCOMPAT_CHECKSUM_3, "%s",
          output);
    struct image damaged = image;
    damaged.bytes = malloc(image.size);
    memcpy(damaged.bytes, image.bytes, image.size);

    fs = mount_or_fail(&image, "checksummed");
    ext2_info(fs, &info);
    CHECK(info.read_only && !info.journal_blocks, "read only");
    CHECK(holds(&image, 3001, 'a') && !holds(&image, 3002, 'b'), "replayed");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "checksummed");

    /* One byte of a logged block: nothing is replayed. */
    uint8_t *logged = memmem(damaged.bytes, damaged.size, "aaaaaaaa", 8);
    CHECK(logged, "the log");
    logged[77] ^= 1;
    CHECK(image_mount_try(&damaged, 64, false, &fs) == -EIO, "a wrong checksum");
    CHECK(!holds(&damaged, 3001, 'a'), "nothing is written");
    image_free(&damaged);
    image_free(&image);
}

/* ---- Journals written here --------------------------------------------------------------- */

static void work(struct ext2 *fs, unsigned round)
{
    static uint8_t data[20000];
    char name[64];
    memset(data, 'A' + round % 26, sizeof data);
    snprintf(name, sizeof name, "/d%u", round);
    CHECK(!path_mkdir(fs, name), "mkdir");
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "/d%u/file-%d", round, i);
        CHECK(path_write(fs, name, 0, data, sizeof data) == sizeof data, "write");
    }
    snprintf(name, sizeof name, "/d%u/file-3", round);
    CHECK(!path_unlink(fs, name), "unlink");
    if (round > 0) {
        for (int i = 0; i < 8; i++) {
            snprintf(name, sizeof name, "/d%u/file-%d", round - 1, i);
            CHECK(i == 3 || !path_unlink(fs, name), "unlink");
        }
        snprintf(name, sizeof name, "/d%u", round - 1);
        CHECK(!path_rmdir(fs, name), "rmdir");
    }
}

/* The image as it is now, dirty: e2fsck replays its copy, the core the image; then they have the
 * same files. */
static void judge(struct image *image, struct ext2 **fs, const char *what)
{
    char here[4096], there[4096];
    struct image other = {0};
    image_save(image, "replay.img");
    int status = run("e2fsck -fy replay.img", output, sizeof output);
    CHECK(status <= 1 && !strstr(output, "? yes") && strstr(output, "recovering journal"),
          "%s: e2fsck exits with %d:\n%s", what, status, output);
    image_empty(&other, image->size / 1024);
    image_load(&other, "replay.img");

    *fs = image_crash(image, *fs, 200);
    struct ext2 *second = image_mount(&other, 200);
    for (char d = '0'; d <= '9'; d++) {
        char path[] = {'/', 'd', d, '\0'};
        int a = path_list(*fs, path, here, sizeof here);
        int b = path_list(second, path, there, sizeof there);
        CHECK(a == b && (a < 0 || !strcmp(here, there)), "%s: %s: %s, %s", what, path, here, there);
    }
    CHECK(!ext2_unmount(second), "unmount");
    image_free(&other);
}

static void test_dumped(void)
{
    struct image image;
    image_make(&image, OPTIONS, KIB);
    struct ext2 *fs = image_mount(&image, 400);
    for (unsigned i = 0; i < 3; i++) {
        work(fs, i);
        CHECK(!ext2_sync(fs), "sync");
    }
    image_debugfs(&image, "logdump -a", output, sizeof output);
    CHECK(strstr(output, "descriptor block") && strstr(output, "commit block") &&
              strstr(output, "revoke") && !strstr(output, "rror"),
          "%s", output);
    image_save(&image, "dump.img");
    CHECK(!run("dumpe2fs dump.img", output, sizeof output) && strstr(output, "needs_recovery"),
          "%s", output);
    CHECK(!run("tune2fs -l dump.img", output, sizeof output) && strstr(output, "Journal inode"),
          "%s", output);
    judge(&image, &fs, "dumped");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "dumped");
    image_free(&image);
}

/* Round and round: at some crashes the live part of the log wraps around its end. */
static void test_wrap(void)
{
    struct image image;
    struct ext2_info info;
    unsigned wrapped = 0;
    image_make(&image, OPTIONS, KIB);
    struct ext2 *fs = image_mount(&image, 400);
    for (unsigned i = 0; i < 200; i++) {
        work(fs, i);
        CHECK(!ext2_sync(fs), "sync");
        uint32_t start = from_be(journal_super_of(&image)->start);
        if (start > fs->journal.head && wrapped++ % 8 == 0) {
            judge(&image, &fs, "wrapped");
            CHECK(fs->journal.head == fs->journal.first, "from the front");
        } else if (i % 60 == 59) {
            judge(&image, &fs, "before");
        }
    }
    ext2_info(fs, &info);
    CHECK(wrapped > 3, "wrapped %u times", wrapped);
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "wrap");
    image_free(&image);
}

/* No metadata of ours begins with the magic number, so a block is made to. */
static void test_escape(bool checksums)
{
    struct image image;
    struct buffer *buffer;
    uint32_t block = 0;
    image_make(&image, OPTIONS, KIB);
    if (checksums) { /* as with a journal of Linux that has been mounted with metadata_csum */
        struct journal_super *super = journal_super_of(&image);
        super->feature_incompat = to_be(JOURNAL_INCOMPAT_CHECKSUM_3 | JOURNAL_INCOMPAT_64BIT);
        super->checksum_type = JOURNAL_CHECKSUM_CRC32C;
        super->checksum = 0;
        super->checksum = to_be(crc32c(CRC32C_START, super, sizeof *super));
    }
    struct ext2 *fs = image_mount(&image, 400);
    work(fs, 0);
    CHECK(!transaction_begin(fs) && !block_alloc(fs, 3500, &block), "alloc");
    CHECK(!cache_take(fs, block, &buffer), "take");
    transaction_add(fs, buffer);
    memset(buffer->data, 'm', BLOCK);
    memcpy(buffer->data, "\xC0\x3B\x39\x98", 4);
    cache_release(buffer);
    CHECK(!transaction_commit(fs) && !ext2_sync(fs), "sync");
    CHECK(!memcmp(buffer->data, "\xC0\x3B\x39\x98mm", 6), "changed");
    CHECK(!transaction_begin(fs) && !block_free(fs, block, false) && !transaction_commit(fs), "-");
    work(fs, 1);
    CHECK(!ext2_sync(fs), "sync");
    CHECK(!holds(&image, block, 'm'), "home already");
    image_debugfs(&image, "logdump -a", output, sizeof output);
    CHECK(strstr(output, "commit block") && !strstr(output, "rror"), "%s", output);
    judge(&image, &fs, checksums ? "checksums" : "escape");
    CHECK(!memcmp(block_at(&image, block), "\xC0\x3B\x39\x98mm", 6), "replayed");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "escape");
    image_free(&image);
}

/* An fsync writes only if something happened to the file since the last commit. */
static void test_fsync(void)
{
    struct image image;
    uint32_t a = 0, b = 0;
    image_make(&image, OPTIONS, KIB);
    struct ext2 *fs = image_mount(&image, 400);
    CHECK(!path_create(fs, "/a", &a) && !path_create(fs, "/b", &b), "create");
    CHECK(!ext2_hold(fs, a) && !ext2_hold(fs, b), "hold");
    CHECK(ext2_write(fs, a, 0, "one", 3) == 3 && ext2_write(fs, b, 0, "two", 3) == 3, "write");
    unsigned writes = image.writes;
    CHECK(!ext2_fsync(fs, a) && image.writes > writes, "changed");
    writes = image.writes;
    CHECK(!ext2_fsync(fs, b) && !ext2_fsync(fs, a) && image.writes == writes, "with the other");
    CHECK(ext2_write(fs, b, 0, "new", 3) == 3, "write over");
    CHECK(!ext2_fsync(fs, a) && image.writes == writes, "the other");
    CHECK(!ext2_fsync(fs, b) && image.writes > writes, "data only");
    writes = image.writes;
    CHECK(!path_rename(fs, "/a", "/c") && !ext2_fsync(fs, a) && image.writes > writes, "renamed");
    writes = image.writes;
    CHECK(!ext2_fsync(fs, EXT2_ROOT_INODE) && image.writes == writes, "nothing to do");
    ext2_drop(fs, a);
    CHECK(!path_create(fs, "/d", &a) && !ext2_hold(fs, a) && !ext2_fsync(fs, a), "fsync");
    CHECK(image.writes > writes, "held after the change");
    fs = image_crash(&image, fs, 400);
    char back[4] = "";
    CHECK(path_read(fs, "/b", 0, back, 3) == 3 && !strcmp(back, "new"), "%s", back);
    CHECK(!path_walk(fs, "/c", true, &a) && !path_walk(fs, "/d", true, &a), "names");
    CHECK(!ext2_unmount(fs), "unmount");
    image_free(&image);
}

/* Blocks that were freed get no new contents while a crash can still bring their owner back. */
static void test_freed(void)
{
    struct image image;
    struct ext2_info info;
    static uint8_t a[60000], b[60000], back[60000];
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    image_make(&image, OPTIONS, KIB);
    struct ext2 *fs = image_mount(&image, 400);
    CHECK(path_write(fs, "/a", 0, a, sizeof a) == sizeof a && !ext2_sync(fs), "write");
    ext2_info(fs, &info);
    const uint32_t free = info.blocks_free;
    CHECK(!path_unlink(fs, "/a"), "unlink");
    ext2_info(fs, &info);
    CHECK(info.blocks_free == free + 60, "%u free, %u before", info.blocks_free, free);
    CHECK(path_write(fs, "/b", 0, b, sizeof b) == sizeof b && !ext2_sync_some(fs, 1000), "write");
    fs = image_crash(&image, fs, 400);
    CHECK(path_read(fs, "/a", 0, back, sizeof back) == sizeof a && !memcmp(a, back, sizeof a), "-");

    /* When there is nothing else, the commit comes first. */
    for (uint64_t at = 0; path_write(fs, "/full", at, a, sizeof a) == sizeof a; at += sizeof a)
        ;
    CHECK(path_write(fs, "/b", 0, b, 10) == -ENOSPC, "full");
    CHECK(!path_unlink(fs, "/a") && path_write(fs, "/b", 0, b, 40000) == 40000, "room again");
    CHECK(!ext2_unmount(fs), "unmount");
    image_fsck(&image, "freed");
    image_free(&image);
}

/* ---- What is refused -------------------------------------------------------------------- */

static struct image dirty; /* with two transactions in the log */

static void refuse(void (*damage)(struct image *image), int expected, const char *what)
{
    struct image image = dirty;
    struct ext2 *fs = NULL;
    image.bytes = malloc(image.size);
    memcpy(image.bytes, dirty.bytes, image.size);
    damage(&image);
    uint8_t *before = malloc(image.size);
    memcpy(before, image.bytes, image.size);
    int error = image_mount_try(&image, 64, false, &fs);
    CHECK(error == expected, "%s: mount gives %d", what, error);
    CHECK(error == 0 || !memcmp(before, image.bytes, image.size), "%s: written to", what);
    if (!error)
        ext2_unmount(fs);
    CHECK(allocations == 0, "%s: %d", what, allocations);
    free(before);
    free(image.bytes);
}

#define DAMAGE(name, action)                                                                       \
    static void name(struct image *image)                                                          \
    {                                                                                              \
        struct journal_super *journal = journal_super_of(image);                                   \
        (void)journal;                                                                             \
        action;                                                                                    \
    }
DAMAGE(no_magic, journal->header.magic = 0)
DAMAGE(no_type, journal->header.type = to_be(7))
DAMAGE(wrong_block_size, journal->block_size = to_be(4096))
DAMAGE(too_long, journal->length = to_be(70000))
DAMAGE(too_short, journal->length = to_be(2))
DAMAGE(no_first, journal->first = 0)
DAMAGE(first_behind, journal->first = to_be(1023))
DAMAGE(start_behind, journal->start = to_be(1024))
DAMAGE(start_before, journal->first = to_be(2))
DAMAGE(unknown_feature, journal->feature_incompat |= to_be(0x4))
DAMAGE(no_such_inode, super_of(image)->journal_inode = 100000)
DAMAGE(a_directory, super_of(image)->journal_inode = 2)
DAMAGE(an_empty_one, super_of(image)->journal_inode = 20)
DAMAGE(a_device, super_of(image)->journal_inode = 0)
DAMAGE(no_journal, super_of(image)->feature_compat &= ~4u)
DAMAGE(read_only_disk, image->device.read_only = 1)
DAMAGE(nothing_wrong, (void)image)
/* The first tag of the log: beyond the end, in the journal, the journal's superblock. */
static uint32_t *first_tag(struct image *image)
{
    return (uint32_t *)((uint8_t *)journal_super_of(image) + BLOCK + sizeof(struct journal_header));
}
DAMAGE(tag_outside, *first_tag(image) = to_be(KIB))
DAMAGE(tag_boot_block, *first_tag(image) = 0)
DAMAGE(tag_in_journal, *first_tag(image) = to_be(super_of(image)->journal_blocks[0] + 5))
DAMAGE(map_hole, *(uint32_t *)block_at(image, super_of(image)->journal_blocks[12]) = 0)
DAMAGE(map_outside, *(uint32_t *)block_at(image, super_of(image)->journal_blocks[12]) = KIB)
DAMAGE(map_in_table, *(uint32_t *)block_at(image, super_of(image)->journal_blocks[12]) = 20)

static void test_refused(void)
{
    image_make(&dirty, OPTIONS, KIB);
    blocks_file("abcdefghijklmnopqrstuv");
    debugfs_write(&dirty, "jo\\njw -b 3001,3002 blocks\\njw -b 3003,3004 blocks\\njc\\n");
    refuse(nothing_wrong, 0, "nothing");
    refuse(no_magic, -EIO, "magic");
    refuse(no_type, -EIO, "type");
    refuse(wrong_block_size, -EIO, "block size");
    refuse(too_long, -EIO, "too long");
    refuse(too_short, -EIO, "too short");
    refuse(no_first, -EIO, "no first");
    refuse(first_behind, -EIO, "first behind the end");
    refuse(start_behind, -EIO, "start behind the end");
    refuse(start_before, -EIO, "start before the first");
    refuse(unknown_feature, -EOPNOTSUPP, "unknown feature");
    refuse(no_such_inode, -EIO, "no such inode");
    refuse(a_directory, -EIO, "a directory");
    refuse(an_empty_one, -EIO, "an empty one");
    refuse(a_device, -EOPNOTSUPP, "a device");
    refuse(no_journal, -EIO, "no journal");
    refuse(read_only_disk, -EROFS, "a disk that is read-only");
    refuse(tag_outside, -EIO, "a tag outside");
    refuse(tag_boot_block, -EIO, "a tag before the file system");
    refuse(tag_in_journal, -EIO, "a tag in the journal");
    refuse(map_hole, -EIO, "a hole");
    refuse(map_outside, -EIO, "outside");
    refuse(map_in_table, -EIO, "in the inode table");
    image_free(&dirty);
}

/* A disk that ends early. */
static void test_truncated(void)
{
    struct image image;
    struct ext2 *fs;
    image_make(&image, OPTIONS, KIB);
    image.size = image.device.size = 2048 * 1024;
    CHECK(image_mount_try(&image, 64, false, &fs) == -EIO, "truncated");
    image_free(&image);
}

/* The journal's feature words that only forbid writing. */
static void test_read_only_features(void)
{
    struct image image;
    struct ext2_info info;
    image_make(&image, OPTIONS, KIB);
    journal_super_of(&image)->feature_ro_compat = to_be(0x80);
    struct ext2 *fs = image_mount(&image, 64);
    ext2_info(fs, &info);
    CHECK(info.read_only && path_mkdir(fs, "/d") == -EROFS, "read only");
    unsigned writes = image.writes;
    CHECK(!ext2_unmount(fs) && image.writes == writes, "unmount");
    image_free(&image);
}

/* RFC 3720 appendix B.4. */
static void test_checksum_vector(void)
{
    uint8_t bytes[32] = {0};
    CHECK(~crc32c(CRC32C_START, bytes, sizeof bytes) == 0x8A9136AAu, "zeros");
    memset(bytes, 0xFF, sizeof bytes);
    CHECK(~crc32c(CRC32C_START, bytes, sizeof bytes) == 0x62A8AB43u, "ones");
    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    CHECK(~crc32c(CRC32C_START, bytes, sizeof bytes) == 0x46DD794Eu, "increasing");
}

int main(void)
{
    test_checksum_vector();
    test_replay();
    test_revoked();
    test_uncommitted();
    test_escaped();
    test_many();
    test_checksummed();
    test_dumped();
    test_wrap();
    test_escape(false);
    test_escape(true);
    test_fsync();
    test_freed();
    test_refused();
    test_truncated();
    test_read_only_features();
    CHECK(allocations == 0, "%d", allocations);
    return check_end();
}
