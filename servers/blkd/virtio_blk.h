/* The virtio-blk device behind a disk (VIRTIO 1.2, 5.2). */
#pragma once

#include "disk.h"
#include "virtio/device.h"

#define COMMANDS_MAX 64 /* given to the device at a time */

struct virtio_blk_command; /* the header and status that the device sees */

struct virtio_blk {
    struct disk disk; /* first: the scheduler's view of it */
    struct virtio_device device;
    struct virtio_queue queue;
    struct dma_buffer command_memory, bounce_memory;
    struct virtio_blk_command *commands;
    struct io *running[COMMANDS_MAX]; /* whose command is in this place, NULL = free */
    unsigned places;                  /* commands that fit into the queue, at most COMMANDS_MAX */
    unsigned number;                  /* also its pulse bit */
    unsigned resets;
    bool dead; /* it broke the rules too often: every request is EIO */
    char serial[20];
};

/* virtio_blk_open: brings the device up as disk number; its interrupts pulse channel. finish is
 * called for each request that is over. blk is zeroed memory that stays where it is. 0 or -errno.
 */
int virtio_blk_open(struct virtio_blk *blk, handle_t device, handle_t channel, unsigned number,
                    void (*finish)(struct disk *disk, struct io *io, int64_t result));

/* virtio_blk_interrupt: its pulse has come. */
void virtio_blk_interrupt(struct virtio_blk *blk, handle_t channel);
