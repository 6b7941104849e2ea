/* The driver's view of a device of the test, and the device's view of the queues. */
#include "virtio.h"
#include "../host/internal.h"
#include "virtio/device.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct host_object *host_virtio_object(struct host_virtio *device)
{
    struct host_object *object = host_device();
    object->context = device;
    return object;
}

/* ---- The driver's side ------------------------------------------------------------------------ */

static struct host_virtio *of(const struct virtio_device *device)
{
    return (struct host_virtio *)device->transport.base;
}

int virtio_open(struct virtio_device *device, handle_t handle, uint32_t device_id)
{
    int64_t error;
    struct host_entry *entry = entry_find(handle, RIGHT_MAP_R | RIGHT_MAP_W, &error);
    if (entry == NULL)
        return (int)error;
    struct host_virtio *model = entry->object->context;
    device->handle = handle;
    device->transport.base = (uintptr_t)model;
    return model != NULL && model->id == device_id ? 0 : -ENODEV;
}

int virtio_start_features(struct virtio_device *device, uint64_t wanted)
{
    device->transport.features = wanted & of(device)->features;
    return 0;
}

static void ring(void *context)
{
    struct virtio_queue *queue = context;
    struct host_virtio *model = of(queue->device);
    if (model->channel)
        model->notify(model, queue->index);
}

int virtio_add_queue(struct virtio_device *device, struct virtio_queue *queue, unsigned index,
                     uint16_t size)
{
    struct host_virtio *model = of(device);
    if (index >= model->queue_count)
        return -ENXIO;
    size_t bytes = (virtqueue_bytes(size) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    if (queue->memory.size < bytes) {
        int64_t error = dma_alloc(device->handle, bytes, &queue->memory);
        if (error)
            return (int)error;
    }
    memset((void *)queue->memory.address, 0, bytes);
    queue->device = device;
    queue->index = index;
    model->queues[index] = queue;
    model->taken[index] = model->used[index] = 0;
    return virtqueue_init(&queue->ring, size, (void *)queue->memory.address, false, ring, queue);
}

int virtio_run(struct virtio_device *device, handle_t channel, unsigned bit)
{
    of(device)->channel = channel;
    of(device)->bit = bit;
    return 0;
}

uint32_t virtio_interrupt_begin(struct virtio_device *device)
{
    uint32_t status = of(device)->status;
    of(device)->status = 0;
    return status;
}

int virtio_stop(struct virtio_device *device)
{
    of(device)->channel = 0;
    return 0;
}

int virtio_restart(struct virtio_device *device, uint32_t device_id)
{
    return of(device)->id == device_id ? 0 : -ENODEV;
}

int virtio_config_read(struct virtio_transport *transport, unsigned offset, void *buffer,
                       size_t length)
{
    const struct host_virtio *model = (const struct host_virtio *)transport->base;
    if (offset > sizeof model->config || length > sizeof model->config - offset)
        host_bug("bytes %u.. of the configuration of a device are not there", offset);
    memcpy(buffer, model->config + offset, length);
    return 0;
}

bool virtio_needs_reset(struct virtio_transport *transport)
{
    (void)transport;
    return false;
}

void driver_log(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof line - 1)
        host_bug("a log line of %d bytes", len);
    line[len] = '\n';
    debug_write(line, (size_t)len + 1);
}

/* ---- The device's side ------------------------------------------------------------------------ */

bool host_virtio_take(struct host_virtio *device, unsigned queue, struct host_chain *chain)
{
    struct virtqueue *rings = &device->queues[queue]->ring;
    if (device->channel == 0 || device->taken[queue] == rings->available[1])
        return false;
    uint16_t at = chain->head = rings->available[2 + device->taken[queue]++ % rings->size];
    chain->out = chain->count = 0;
    for (;;) {
        volatile struct virtqueue_descriptor *descriptor = &rings->descriptors[at];
        if (at >= rings->size || chain->count == HOST_CHAIN_SEGMENTS)
            host_bug("a request with descriptor %u, of %u and more", at, chain->count);
        chain->segments[chain->count].bytes = (uint8_t *)(uintptr_t)descriptor->address;
        chain->segments[chain->count++].length = descriptor->length;
        chain->out += !(descriptor->flags & VIRTQUEUE_WRITE);
        if (!(descriptor->flags & VIRTQUEUE_NEXT))
            return true;
        at = descriptor->next;
    }
}

void host_virtio_give(struct host_virtio *device, unsigned queue, const struct host_chain *chain,
                      uint32_t written)
{
    struct virtqueue *rings = &device->queues[queue]->ring;
    volatile struct virtqueue_used *entries = (volatile struct virtqueue_used *)(rings->used + 2);
    int64_t error;
    entries[device->used[queue] % rings->size].id = chain->head;
    entries[device->used[queue] % rings->size].length = written;
    rings->used[1] = ++device->used[queue];
    device->status |= VIRTIO_INTERRUPT_QUEUE;
    struct host_entry *entry = entry_find(device->channel, 0, &error);
    if (entry != NULL)
        entry->object->pulses |= 1ul << device->bit;
}
