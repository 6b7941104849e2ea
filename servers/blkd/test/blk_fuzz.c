/* Fuzz target: random messages through blkd's checks into its scheduler, with a device that may
 * finish, fail or be reset at any time. Nothing may leave the disk, the buffers or the windows. */
#include "disk.h"

#include "abi/errno.h"
#include "proto/fs.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTORS = 300, QUEUE = 3, IOS = 24, WINDOW = 70000, OBJECT = 8192 };

static struct {
    struct io *io;
} queue[QUEUE];
static unsigned queued;
static uint8_t bounces[DISK_BOUNCES * CHUNK_BYTES_MAX];
static bool busy[IOS];
static struct io ios[IOS];

#define REQUIRE(condition) \
    do {                   \
        if (!(condition))  \
            abort();       \
    } while (0)

static int submit(struct disk *disk, struct io *io, enum disk_command command, uint64_t sector,
                  uint32_t count, uint64_t physical)
{
    if (queued == QUEUE)
        return -ENOSPC;
    if (command != DISK_FLUSH) {
        REQUIRE(count > 0 && count <= BLK_SECTORS_MAX);
        REQUIRE(sector <= disk->sectors && count <= disk->sectors - sector);
        uint64_t room = io->direct ? OBJECT : sizeof bounces;
        REQUIRE(physical <= room && count * 512ul <= room - physical);
    }
    queue[queued++].io = io;
    return 0;
}

static void kick(struct disk *disk)
{
    (void)disk;
}

static int copy_in(struct io *io, uint64_t offset, void *buffer, size_t length)
{
    REQUIRE(offset <= WINDOW && length <= WINDOW - offset);
    memset(buffer, (int)offset, length);
    return io->token & 1 ? -ESTALE : 0;
}

static int copy_out(struct io *io, uint64_t offset, const void *buffer, size_t length)
{
    static uint8_t window[WINDOW];
    REQUIRE(offset <= WINDOW && length <= WINDOW - offset);
    memcpy(window + offset, buffer, length);
    return io->token & 1 ? -ESTALE : 0;
}

static void finish(struct disk *disk, struct io *io, int64_t result)
{
    (void)disk;
    (void)result;
    REQUIRE(io >= ios && io < ios + IOS && busy[io - ios]);
    busy[io - ios] = false;
}

static void start(struct disk *disk, const uint8_t *message, unsigned operation)
{
    struct blk_request block;
    struct transfer t = {0};
    unsigned n = 0;
    int valid;
    while (n < IOS && busy[n])
        n++;
    if (n == IOS)
        return;
    memcpy(&block, message, sizeof block);
    bool write = operation & 1;
    if (operation & 2) {
        valid = transfer_of_blocks(&block, disk->sectors, OBJECT, WINDOW, &t) == 0;
    } else {
        valid =
            transfer_of_bytes(block.sector, block.offset, write, disk->sectors, WINDOW, &t) == 1;
        (void)seek_position(block.sector, 512 * SECTORS, (int64_t)block.offset, block.count);
    }
    if (!valid)
        return;
    struct io *io = &ios[n];
    memset(io, 0, sizeof *io);
    *io = (struct io){.token = operation >> 2,
                      .command = write ? DISK_WRITE : DISK_READ,
                      .direct = !t.window,
                      .physical = t.offset,
                      .position = t.position,
                      .remaining = t.length,
                      .offset = t.offset};
    busy[n] = true;
    disk_start(disk, io);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct disk_backend backend = {submit, kick, copy_in, copy_out, finish};
    struct disk disk = {.backend = &backend, .sectors = SECTORS, .bounce_memory = bounces};
    queued = 0;
    memset(busy, 0, sizeof busy);
    while (size >= 2) {
        unsigned step = data[0], argument = data[1];
        data += 2;
        size -= 2;
        if (step % 8 < 5 && size >= sizeof(struct blk_request)) {
            start(&disk, data, argument);
            data += sizeof(struct blk_request);
            size -= sizeof(struct blk_request);
        } else if (step % 8 < 7 && queued > 0) {
            unsigned n = argument % queued;
            struct io *io = queue[n].io;
            queue[n] = queue[--queued];
            disk_complete(&disk, io, argument & 0x80);
            disk_pump(&disk);
        } else if (argument == 0) {
            queued = 0;
            disk_fail(&disk);
        }
    }
    queued = 0;
    disk_fail(&disk);
    for (unsigned i = 0; i < IOS; i++)
        REQUIRE(!busy[i]);
    REQUIRE(disk.bounces_used == 0 && disk.updates == 0);
    return 0;
}
