/* A virtio device in the hands of a user-space driver: its registers, queues, DMA memory and
 * interrupt.
 *
 *     virtio_open -> virtio_start_features -> virtio_add_queue* -> virtio_run -> on each pulse:
 *     virtio_interrupt_begin, virtqueue_take until 0, virtqueue_kick.
 *
 * The kernel resets a device whose driver died before it frees the memory. */
#pragma once

#include "abi/device.h"
#include "abi/handle.h"
#include "cairn/log.h"
#include "virtio/queue.h"
#include "virtio/transport.h"

#define VIRTIO_QUEUES_MAX 40 /* of one device */

struct virtio_device {
    struct virtio_transport transport;
    handle_t handle;
};

/* A queue with its memory and its doorbell. */
struct virtio_queue {
    struct virtqueue ring;
    struct virtio_device *device;
    unsigned index;
    struct dma_buffer memory;
};

/* virtio_open: maps the device and resets it; -ENODEV if it is not of this type. */
int virtio_open(struct virtio_device *device, handle_t handle, uint32_t device_id);

/* virtio_start_features: see virtio_negotiate. Event indices are asked for by themselves. */
int virtio_start_features(struct virtio_device *device, uint64_t wanted);

static inline bool virtio_has(const struct virtio_device *device, uint64_t feature)
{
    return device->transport.features & feature;
}

/* virtio_add_queue: sets up queue index with up to size descriptors (a power of two; less if the
 * device cannot). A queue that has memory from an earlier start uses it again. queue must stay
 * where it is. -ENXIO: no such queue. */
int virtio_add_queue(struct virtio_device *device, struct virtio_queue *queue, unsigned index,
                     uint16_t size);

/* virtio_run: interrupts become the pulse bit (0..63) of channel, and the device runs. */
int virtio_run(struct virtio_device *device, handle_t channel, unsigned bit);

/* virtio_interrupt_begin: silences the interrupt line and lets it fire again; look at the queues
 * *behind* this, then nothing is missed. Returns VIRTIO_INTERRUPT_* bits. */
uint32_t virtio_interrupt_begin(struct virtio_device *device);

/* virtio_stop: resets the device and gives the interrupt back; requests in flight are the caller's
 * to abandon. After it, virtio_restart brings it to where virtio_open left it. */
int virtio_stop(struct virtio_device *device);
int virtio_restart(struct virtio_device *device, uint32_t device_id);
