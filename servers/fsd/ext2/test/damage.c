/* Work on damaged images: whatever an operation returns is right, as long as nothing breaks. */
#include "damage.h"
#include "../fs.h"
#include "paths.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MADE_ENTRIES_MAX 100000u
#define REQUESTS_MAX     200000u /* a sound core needs a few thousand for this work */

struct memory_disk {
    struct block_device device;
    uint8_t *bytes;
    unsigned requests;
};

static int allocations_alive;

static void fail(const char *what)
{
    fprintf(stderr, "damage: %s\n", what);
    abort();
}

static void *allocate(size_t bytes)
{
    allocations_alive++;
    return aligned_alloc(64, (bytes + 63) & ~(size_t)63);
}

static void release(void *memory)
{
    allocations_alive--;
    free(memory);
}

static void count_request(struct memory_disk *disk, uint64_t offset, uint32_t length)
{
    if (++disk->requests > REQUESTS_MAX)
        fail("too many requests");
    if (!length || offset % 512 || length % 512 || length > 65536 || offset > disk->device.size ||
        length > disk->device.size - offset)
        fail("a request outside the disk");
}

static int disk_read(struct block_device *device, uint64_t offset, void *buffer, uint32_t length)
{
    struct memory_disk *disk = (struct memory_disk *)device;
    count_request(disk, offset, length);
    memcpy(buffer, disk->bytes + offset, length);
    return 0;
}

static int disk_write(struct block_device *device, uint64_t offset, const void *buffer,
                      uint32_t length)
{
    struct memory_disk *disk = (struct memory_disk *)device;
    count_request(disk, offset, length);
    memcpy(disk->bytes + offset, buffer, length);
    return 0;
}

void damage_apply(uint8_t *image, size_t size, const uint8_t *script, size_t length)
{
    for (; length >= 6; script += 6, length -= 6) {
        uint32_t at;
        memcpy(&at, script, sizeof at);
        at %= (uint32_t)size - 1;
        memcpy(image + at, script + 4, 2);
    }
}

/* Every number in a result must be one that the file system can have. */
static void look(struct ext2 *fs, const char *path)
{
    static uint8_t buffer[40000];
    struct ext2_stat stat;
    struct ext2_dirent entry;
    const void *data;
    uint32_t inode;
    uint64_t cookie = 0;
    if (path_walk(fs, path, true, &inode))
        return;
    if (inode == 0 || inode > fs->inodes)
        fail("an inode number out of range");
    ext2_stat(fs, inode, &stat);
    ext2_readlink(fs, inode, (char *)buffer, sizeof buffer);
    ext2_read(fs, inode, 3, buffer, sizeof buffer);
    ext2_read(fs, inode, (12 + 256 + 65536) * UINT64_C(1024), buffer, 5000);
    ext2_read_ahead(fs, inode, 0, 1 << 20);
    ext2_peek(fs, inode, UINT64_C(1) << 40, &data);
    for (unsigned i = 0; ext2_readdir(fs, inode, cookie, &entry, &cookie) == 1; i++) {
        if (entry.inode == 0 || entry.inode > fs->inodes || entry.name_len == 0 ||
            entry.name[entry.name_len])
            fail("a bad directory entry");
        if (i > MADE_ENTRIES_MAX)
            fail("a directory without end");
    }
}

static void change(struct ext2 *fs)
{
    static const uint8_t data[9000] = {1, 2, 3};
    uint32_t held = 0;
    char list[64];
    if (!path_walk(fs, "/f", true, &held))
        ext2_hold(fs, held);
    path_write(fs, "/f", 11 * 1024 + 100, data, sizeof data);
    path_write(fs, "/new", 0, data, 3000);
    path_write(fs, "/big", UINT64_C(66000) * 1024, data, 2000);
    path_truncate(fs, "/big", 300000);
    path_mkdir(fs, "/d/sub");
    path_symlink(fs, "/d/g", "/d/s");
    path_link(fs, "/d/g", "/many/a-new-name-of-the-file-g");
    path_rename(fs, "/d/sub", "/many/sub");
    path_rename(fs, "/many", "/d/many");
    path_rename(fs, "/d/g", "/f");
    path_list(fs, "/d/many", list, sizeof list);
    path_unlink(fs, "/d/many/one-of-many-names-of-f-1-5");
    path_unlink(fs, "/d/many/one-of-many-names-of-f-2-0");
    path_rmdir(fs, "/d/many/sub");
    path_unlink(fs, "/long");
    path_truncate(fs, "/f", 5);
    path_unlink(fs, "/f");
    path_unlink(fs, "/big");
    path_unlink(fs, "/new");
    path_rmdir(fs, "/lost+found");
    ext2_sync_some(fs, 3);
    if (held)
        ext2_drop(fs, held);
}

void damage_work(uint8_t *image, size_t size)
{
    static const char *const paths[] = {"/",       "/f",   "/d",    "/d/link",
                                        "/long/g", "/big", "/many", "/lost+found"};
    struct memory_disk disk = {{size, 0, disk_read, disk_write, NULL}, image, 0};
    struct ext2_options options = {.cache_blocks = 64,
                                   .allocate = allocate,
                                   .release = release,
                                   .now = UINT64_C(1700000000) * 1000000000};
    struct ext2 *fs;
    if (!ext2_mount(&fs, &disk.device, &options)) {
        for (int round = 0; round < 2; round++) {
            for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
                look(fs, paths[i]);
            if (round == 0)
                change(fs);
        }
        for (uint32_t i = 0; i < fs->cache.count; i++)
            if (fs->cache.buffers[i].pins != (&fs->cache.buffers[i] == fs->super_buffer))
                fail("a buffer is pinned");
        for (uint32_t i = 0; i < INODES_SCRATCH; i++)
            if (fs->inode_table.scratch[i].pins)
                fail("an inode is pinned");
        if (fs->errors && !fs->read_only)
            fail("errors, but not read only");
        if (fs->transaction.active)
            fail("a transaction is open");
        ext2_unmount(fs);
    }
    if (allocations_alive)
        fail("memory is kept");
}
