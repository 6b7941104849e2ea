/* Disk images for the tests: made by mke2fs, kept in memory while the core uses them, judged by
 * e2fsck and debugfs. All files are in one temporary directory, removed at exit. */
#pragma once

#include "../ext2.h"
#include <stddef.h>

struct image {
    struct block_device device; /* first: a device is its image */
    uint8_t *bytes;
    size_t size;
    unsigned reads, writes, flushes; /* requests so far */
    unsigned fail_read, fail_write, fail_flush; /* fail the Nth from now on; 0: none */
    unsigned failed;                 /* requests that were made to fail */
    unsigned cut; /* behind this many writes the power is off: no more reach the disk; 0: never */
    uint64_t largest;                /* the longest request, bytes */
};

#define NOW UINT64_C(1700000000000000000) /* ns: the tests' clock starts here */

const char *test_directory(void); /* the temporary directory */

/* Runs a shell command with its output discarded, or in `output`; result: the exit status. */
int run(const char *command, char *output, size_t size);

/* image_make: mke2fs with these options on this many KiB. image_empty: zeros. */
void image_make(struct image *image, const char *mke2fs_options, size_t kib);
void image_empty(struct image *image, size_t kib);
void image_free(struct image *image);

struct ext2 *image_mount(struct image *image, size_t cache_blocks); /* exits if it fails */
/* image_crash: forgets the mounted file system without writing anything, and mounts again. */
struct ext2 *image_crash(struct image *image, struct ext2 *fs, size_t cache_blocks);
int image_mount_try(struct image *image, size_t cache_blocks, bool read_only, struct ext2 **fs);

/* e2fsck -fn: its exit status, and a CHECK that it is 0. image_debugfs: the output of one
 * debugfs command. Both look at the image as it is now. */
int image_fsck_status(struct image *image, char *output, size_t size);
void image_fsck(struct image *image, const char *what);
void image_debugfs(struct image *image, const char *command, char *output, size_t size);
void image_save(const struct image *image, const char *name); /* into the directory */
void image_load(struct image *image, const char *name);

/* How many blocks of the core's memory are still allocated. */
extern int allocations;
