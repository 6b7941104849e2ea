/* Test images: a file in memory behind the block device interface. Every request is checked
 * against the interface's rules. */
#include "image.h"
#include "../format.h"
#include "check.h"
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

unsigned check_passed, check_failed;
int allocations;

static char directory[64];

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_directory(void)
{
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_directory(void)
{
    if (!directory[0]) {
        const char *base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
        snprintf(directory, sizeof directory, "%s/ext2-test-XXXXXX", base);
        if (!mkdtemp(directory)) {
            perror("mkdtemp");
            exit(2);
        }
        atexit(remove_directory);
    }
    return directory;
}

int run(const char *command, char *output, size_t size)
{
    char line[4096], drain[4096];
    size_t length = 0;
    snprintf(line, sizeof line, "PATH=$PATH:/usr/sbin:/sbin; cd %s && { %s; } 2>&1 </dev/null",
             test_directory(), command);
    FILE *pipe = popen(line, "r");
    if (!pipe) {
        perror("popen");
        exit(2);
    }
    if (output && size > 1)
        length = fread(output, 1, size - 1, pipe);
    if (output && size)
        output[length] = '\0';
    while (fread(drain, 1, sizeof drain, pipe) > 0)
        ;
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* ---- The device ------------------------------------------------------------------------- */

static void check_request(struct image *image, uint64_t offset, uint32_t length)
{
    CHECK(length > 0 && length <= 65536 && length % 512 == 0 && offset % 512 == 0 &&
              offset <= image->size && length <= image->size - offset,
          "offset %llu length %u", (unsigned long long)offset, length);
    if (length > image->largest)
        image->largest = length;
}

static int image_read(struct block_device *device, uint64_t offset, void *buffer, uint32_t length)
{
    struct image *image = (struct image *)device;
    check_request(image, offset, length);
    image->reads++;
    if (image->fail_read && --image->fail_read == 0) {
        image->failed++;
        return -EIO;
    }
    memcpy(buffer, image->bytes + offset, length);
    return 0;
}

static int image_write(struct block_device *device, uint64_t offset, const void *buffer,
                       uint32_t length)
{
    struct image *image = (struct image *)device;
    check_request(image, offset, length);
    CHECK(!device->read_only, "write to a read-only device");
    image->writes++;
    if (image->fail_write && --image->fail_write == 0) {
        image->failed++;
        return -EIO;
    }
    if (!image->cut || image->writes <= image->cut)
        memcpy(image->bytes + offset, buffer, length);
    return 0;
}

static int image_flush(struct block_device *device)
{
    struct image *image = (struct image *)device;
    image->flushes++;
    if (image->fail_flush && --image->fail_flush == 0) {
        image->failed++;
        return -EIO;
    }
    return 0;
}

void image_empty(struct image *image, size_t kib)
{
    memset(image, 0, sizeof *image);
    image->size = kib * 1024;
    image->bytes = calloc(1, image->size);
    image->device = (struct block_device){image->size, 0, image_read, image_write, image_flush};
}

void image_make(struct image *image, const char *mke2fs_options, size_t kib)
{
    char command[2048], output[4096];
    snprintf(command, sizeof command, "rm -f made.img; mke2fs -q -F %s made.img %zuk",
             mke2fs_options, kib);
    if (run(command, output, sizeof output)) {
        printf("%s\n%s\n", command, output);
        exit(2);
    }
    image_empty(image, kib);
    image_load(image, "made.img");
}

void image_free(struct image *image)
{
    free(image->bytes);
    image->bytes = NULL;
}

static FILE *image_file(const char *name, const char *mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", test_directory(), name);
    FILE *file = fopen(path, mode);
    if (!file) {
        perror(path);
        exit(2);
    }
    return file;
}

/* Sparse: most of an image is zeros, and e2fsck reads only what it needs. */
void image_save(const struct image *image, const char *name)
{
    static const uint8_t zeros[4096];
    FILE *file = image_file(name, "wb");
    for (size_t at = 0; at < image->size; at += 4096) {
        size_t part = image->size - at < 4096 ? image->size - at : 4096;
        if (!memcmp(image->bytes + at, zeros, part))
            continue;
        fseek(file, (long)at, SEEK_SET);
        fwrite(image->bytes + at, 1, part, file);
    }
    fflush(file);
    if (ftruncate(fileno(file), (off_t)image->size))
        perror("ftruncate");
    fclose(file);
}

void image_load(struct image *image, const char *name)
{
    FILE *file = image_file(name, "rb");
    memset(image->bytes, 0, image->size);
    if (fread(image->bytes, 1, image->size, file) == 0)
        perror(name);
    fclose(file);
}

/* ---- Mounting and judging ---------------------------------------------------------------- */

static void *allocate(size_t bytes)
{
    void *memory = aligned_alloc(4096, (bytes + 4095) & ~(size_t)4095);
    allocations += memory != NULL;
    if (memory)
        memset(memory, 0xA5, bytes);
    return memory;
}

static void release(void *memory)
{
    allocations--;
    free(memory);
}

int image_mount_try(struct image *image, size_t cache_blocks, bool read_only, struct ext2 **fs)
{
    struct ext2_options options = {.read_only = read_only,
                                   .cache_blocks = cache_blocks,
                                   .allocate = allocate,
                                   .release = release,
                                   .now = NOW};
    return ext2_mount(fs, &image->device, &options);
}

struct ext2 *image_mount(struct image *image, size_t cache_blocks)
{
    struct ext2 *fs = NULL;
    int error = image_mount_try(image, cache_blocks, false, &fs);
    if (error) {
        printf("mount: %s\n", strerror(-error));
        exit(2);
    }
    return fs;
}

struct ext2 *image_crash(struct image *image, struct ext2 *fs, size_t cache_blocks)
{
    image->cut = image->writes ? image->writes : 1;
    ext2_unmount(fs);
    image->cut = 0;
    return image_mount(image, cache_blocks);
}

int image_fsck_status(struct image *image, char *output, size_t size)
{
    image_save(image, "check.img");
    return run("e2fsck -fn check.img", output, size);
}

/* e2fsck mends the superblock's sums without a word, so they are looked at here. */
static void check_sums(struct image *image, const char *what)
{
    const struct superblock *super = (struct superblock *)(image->bytes + EXT2_SUPER_OFFSET);
    const uint32_t block_size = 1024u << super->log_block_size;
    const struct group_descriptor *group =
        (struct group_descriptor *)(image->bytes + (super->first_data_block + 1) * block_size);
    uint32_t blocks = 0, inodes = 0, total = super->inodes_count / super->inodes_per_group;
    for (uint32_t i = 0; i < total; i++) {
        blocks += group[i].free_blocks;
        inodes += group[i].free_inodes;
    }
    CHECK(blocks == super->free_blocks_count && inodes == super->free_inodes_count,
          "%s: sums %u and %u, superblock %u and %u", what, blocks, inodes,
          super->free_blocks_count, super->free_inodes_count);
}

void image_fsck(struct image *image, const char *what)
{
    char output[4096];
    int status = image_fsck_status(image, output, sizeof output);
    CHECK(status == 0, "%s: e2fsck exits with %d:\n%s", what, status, output);
    check_sums(image, what);
}

void image_debugfs(struct image *image, const char *command, char *output, size_t size)
{
    char line[1024];
    image_save(image, "debug.img");
    snprintf(line, sizeof line, "debugfs -R '%s' debug.img", command);
    run(line, output, size);
}
