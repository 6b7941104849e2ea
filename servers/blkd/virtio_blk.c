/* Drives one virtio-blk device: commands of the scheduler become descriptor chains of header, data
 * and status. A device that breaks the queue's rules is reset; what was in flight fails with EIO.
 */
#include "virtio_blk.h"

#include "abi/errno.h"
#include "abi/memory.h"
#include "cairn/ipc.h"
#include "cairn/syscall.h"
#include <stddef.h>
#include <string.h>

#define VIRTIO_BLK_F_RO    (1ul << 5)
#define VIRTIO_BLK_F_FLUSH (1ul << 9)

enum { VIRTIO_BLK_IN = 0, VIRTIO_BLK_OUT = 1, VIRTIO_BLK_FLUSH = 4, VIRTIO_BLK_GET_ID = 8 };
enum { VIRTIO_BLK_CONFIG_CAPACITY = 0 };
#define STATUS_OK   0
#define STATUS_NONE 0xff /* not written by the device yet */

#define DESCRIPTORS_PER_COMMAND 3
#define QUEUE_SIZE              256
#define RESETS_MAX              3
#define ID_DEADLINE                                                                      \
    2000000000ul        /* ns; a device that takes longer for its first answer is broken \
                         */
#define ID_POLL 50000ul /* ns */

struct virtio_blk_command {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
    uint8_t status;
    uint8_t pad[15];
};

static struct virtio_blk *blk_of(struct disk *disk)
{
    return (struct virtio_blk *)disk;
}

/* exercise 5.7 */
static int queue_command(struct virtio_blk *blk, unsigned place, uint32_t type, uint64_t sector,
                         uint64_t physical, uint32_t length, void *cookie)
{
    struct virtio_blk_command *command = &blk->commands[place];
    uint64_t at = blk->command_memory.physical + place * sizeof *command;
    *command = (struct virtio_blk_command){.type = type, .sector = sector, .status = STATUS_NONE};
    struct virtqueue_segment segments[DESCRIPTORS_PER_COMMAND];
    unsigned count = 0, out = 1;
    segments[count++] = (struct virtqueue_segment){at, offsetof(struct virtio_blk_command, status)};
    if (length > 0) {
        segments[count++] = (struct virtqueue_segment){physical, length};
        out += type == VIRTIO_BLK_OUT;
    }
    segments[count++] =
        (struct virtqueue_segment){at + offsetof(struct virtio_blk_command, status), 1};
    return virtqueue_add(&blk->queue.ring, segments, out, count - out, cookie);
}
/* end 5.7 */

static int submit(struct disk *disk, struct io *io, enum disk_command command, uint64_t sector,
                  uint32_t count, uint64_t physical)
{
    static const uint32_t types[] = {[DISK_READ] = VIRTIO_BLK_IN,
                                     [DISK_WRITE] = VIRTIO_BLK_OUT,
                                     [DISK_FLUSH] = VIRTIO_BLK_FLUSH};
    struct virtio_blk *blk = blk_of(disk);
    unsigned place = 0;
    if (blk->dead)
        return -EIO;
    while (place < blk->places && blk->running[place])
        place++;
    if (place == blk->places)
        return -ENOSPC;
    int error = queue_command(blk, place, types[command], sector, physical,
                              count * (uint32_t)BLK_SECTOR_SIZE, &blk->running[place]);
    if (!error)
        blk->running[place] = io;
    return error;
}

static void kick(struct disk *disk)
{
    virtqueue_kick(&blk_of(disk)->queue.ring);
}

static int move(struct io *io, uint64_t offset, void *buffer, size_t length, bool in)
{
    for (size_t done = 0; done < length;) {
        char *at = (char *)buffer + done;
        int64_t moved = in ? copy_in(io->token, 0, offset + done, at, length - done)
                           : copy_out(io->token, 0, offset + done, at, length - done);
        if (moved <= 0)
            return moved < 0 ? (int)moved : -EFAULT;
        done += (size_t)moved;
    }
    return 0;
}

static int client_copy_in(struct io *io, uint64_t offset, void *buffer, size_t length)
{
    return move(io, offset, buffer, length, true);
}

static int client_copy_out(struct io *io, uint64_t offset, const void *buffer, size_t length)
{
    return move(io, offset, (void *)buffer, length, false);
}

static void read_capacity(struct virtio_blk *blk)
{
    uint64_t sectors = 0;
    if (virtio_config_read(&blk->device.transport, VIRTIO_BLK_CONFIG_CAPACITY, &sectors,
                           sizeof sectors) == 0)
        blk->disk.sectors = sectors <= INT64_MAX / BLK_SECTOR_SIZE ? sectors : 0;
}

/* From a device that was just probed to one that runs. */
static int start(struct virtio_blk *blk, handle_t channel)
{
    int error = virtio_start_features(&blk->device, VIRTIO_BLK_F_RO | VIRTIO_BLK_F_FLUSH);
    if (error)
        return error;
    blk->disk.read_only = virtio_has(&blk->device, VIRTIO_BLK_F_RO);
    blk->disk.has_flush = virtio_has(&blk->device, VIRTIO_BLK_F_FLUSH);
    read_capacity(blk);
    error = virtio_add_queue(&blk->device, &blk->queue, 0, QUEUE_SIZE);
    if (error)
        return error;
    blk->places = blk->queue.ring.size / DESCRIPTORS_PER_COMMAND;
    if (blk->places == 0)
        return -ENOTSUP;
    if (blk->places > COMMANDS_MAX)
        blk->places = COMMANDS_MAX;
    return virtio_run(&blk->device, channel, blk->number);
}

/* Asks for the serial number, before any client is there; the first bounce buffer takes it. The
 * pulse that this leaves behind finds nothing to do. */
static int read_serial(struct virtio_blk *blk)
{
    void *cookie;
    uint32_t length;
    uint64_t give_up = (uint64_t)clock_now() + ID_DEADLINE;
    int taken = queue_command(blk, 0, VIRTIO_BLK_GET_ID, 0, blk->bounce_memory.physical,
                              sizeof blk->serial, blk);
    if (taken < 0)
        return taken;
    virtqueue_kick(&blk->queue.ring);
    while ((taken = virtqueue_take(&blk->queue.ring, &cookie, &length)) == 0) {
        uint64_t now = (uint64_t)clock_now();
        if (now >= give_up)
            return -EIO;
        sleep_until(now + ID_POLL);
    }
    if (taken == 1 && blk->commands[0].status == STATUS_OK)
        memcpy(blk->serial, blk->disk.bounce_memory, sizeof blk->serial);
    return taken < 0 ? taken : 0;
}

int virtio_blk_open(struct virtio_blk *blk, handle_t device, handle_t channel, unsigned number,
                    void (*finish)(struct disk *disk, struct io *io, int64_t result))
{
    static struct disk_backend backend = {
        .submit = submit, .kick = kick, .copy_in = client_copy_in, .copy_out = client_copy_out};
    backend.finish = finish;
    blk->disk.backend = &backend;
    blk->number = number;
    int error = virtio_open(&blk->device, device, VIRTIO_ID_BLOCK);
    if (error)
        return error;
    int64_t result = dma_alloc(device, PAGE_SIZE, &blk->command_memory);
    if (result == 0)
        result = dma_alloc(device, DISK_BOUNCES * CHUNK_BYTES_MAX, &blk->bounce_memory);
    if (result != 0) {
        error = (int)result;
        goto free_memory;
    }
    blk->commands = (struct virtio_blk_command *)blk->command_memory.address;
    blk->disk.bounce_memory = (uint8_t *)blk->bounce_memory.address;
    blk->disk.bounce_physical = blk->bounce_memory.physical;
    error = start(blk, channel);
    if (!error)
        error = read_serial(blk);
    if (!error)
        return 0;
    virtio_stop(&blk->device);
free_memory:
    if (blk->bounce_memory.size)
        dma_free(device, blk->bounce_memory.memory);
    if (blk->command_memory.size)
        dma_free(device, blk->command_memory.memory);
    return error;
}

/* The device broke the rules. Once it is reset it touches no buffer any more, so the requests can
 * be answered. */
static void recover(struct virtio_blk *blk, handle_t channel)
{
    driver_log("blkd: disk %u misbehaves, resetting it", blk->number);
    bool stopped = virtio_stop(&blk->device) == 0;
    while (virtqueue_abandon(&blk->queue.ring))
        ;
    memset(blk->running, 0, sizeof blk->running);
    blk->dead = !stopped || ++blk->resets > RESETS_MAX ||
                virtio_restart(&blk->device, VIRTIO_ID_BLOCK) != 0 || start(blk, channel) != 0;
    if (blk->dead)
        driver_log("blkd: disk %u is given up", blk->number);
    disk_fail(&blk->disk);
}

void virtio_blk_interrupt(struct virtio_blk *blk, handle_t channel)
{
    void *cookie;
    uint32_t length;
    int taken;
    if (blk->dead)
        return;
    if (virtio_interrupt_begin(&blk->device) & VIRTIO_INTERRUPT_CONFIG) {
        if (virtio_needs_reset(&blk->device.transport)) {
            recover(blk, channel);
            return;
        }
        read_capacity(blk);
    }
    while ((taken = virtqueue_take(&blk->queue.ring, &cookie, &length)) == 1) {
        struct io **place = cookie;
        struct io *io = *place;
        *place = NULL;
        disk_complete(&blk->disk, io, blk->commands[place - blk->running].status == STATUS_OK);
    }
    if (taken < 0)
        recover(blk, channel);
    else
        disk_pump(&blk->disk);
}
