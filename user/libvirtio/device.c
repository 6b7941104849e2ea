/* Joins the transport and the queues with the system calls that give a driver its device. */
#include "virtio/device.h"

#include "abi/errno.h"
#include "abi/memory.h"
#include "cairn/syscall.h"
#include <string.h>

int virtio_open(struct virtio_device *device, handle_t handle, uint32_t device_id)
{
    int64_t base = map_device(handle);
    if (base < 0)
        return (int)base;
    device->handle = handle;
    return virtio_probe(&device->transport, (uintptr_t)base, device_id);
}

int virtio_start_features(struct virtio_device *device, uint64_t wanted)
{
    return virtio_negotiate(&device->transport, wanted | VIRTIO_F_EVENT_IDX);
}

static void ring_doorbell(void *context)
{
    struct virtio_queue *queue = context;
    virtio_queue_notify(&queue->device->transport, queue->index);
}

/* For what reading any register does besides (write_before_read). */
static void read_register(void *context)
{
    struct virtio_queue *queue = context;
    virtio_needs_reset(&queue->device->transport);
}

int virtio_add_queue(struct virtio_device *device, struct virtio_queue *queue, unsigned index,
                     uint16_t size)
{
    uint16_t max = virtio_queue_max(&device->transport, index);
    if (max == 0)
        return -ENXIO;
    while (size > max)
        size /= 2;
    size_t bytes = virtqueue_bytes(size);
    if (queue->memory.size < bytes) {
        if (queue->memory.size)
            dma_free(device->handle, queue->memory.memory);
        queue->memory.size = 0;
        uint64_t rounded = (bytes + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
        int64_t error = dma_alloc(device->handle, rounded, &queue->memory);
        if (error)
            return (int)error;
    }
    memset((void *)queue->memory.address, 0, bytes);
    queue->device = device;
    queue->index = index;
    int error = virtqueue_init(&queue->ring, size, (void *)queue->memory.address,
                               virtio_has(device, VIRTIO_F_EVENT_IDX), ring_doorbell, queue);
    if (error)
        return error;
    queue->ring.read_register = read_register;
    uint64_t physical = queue->memory.physical;
    virtio_queue_attach(&device->transport, index, size, physical,
                        physical + virtqueue_available_offset(size),
                        physical + virtqueue_used_offset(size));
    return 0;
}

int virtio_run(struct virtio_device *device, handle_t channel, unsigned bit)
{
    int64_t error = irq_register(device->handle, channel, bit);
    if (error)
        return (int)error;
    virtio_go(&device->transport);
    return 0;
}

uint32_t virtio_interrupt_begin(struct virtio_device *device)
{
    uint32_t status = virtio_interrupt_status(&device->transport);
    irq_ack(device->handle);
    return status;
}

int virtio_stop(struct virtio_device *device)
{
    irq_unregister(device->handle);
    return virtio_reset(&device->transport);
}

int virtio_restart(struct virtio_device *device, uint32_t device_id)
{
    return virtio_probe(&device->transport, device->transport.base, device_id);
}
