/* Virtio devices for servers under test: in place of libvirtio's device.c and transport.c, with
 * the real queues (queue.c). A device is a function that is called when the driver rings. */
#pragma once

#include "host.h"

#define HOST_VIRTIO_QUEUES 8
#define HOST_CHAIN_SEGMENTS 8

struct virtio_queue;

struct host_virtio {
    uint32_t id;       /* VIRTIO_ID_* */
    uint64_t features; /* offered */
    unsigned queue_count;
    uint8_t config[32];
    void (*notify)(struct host_virtio *device, unsigned queue);
    /* ---- the stand-in's */
    struct virtio_queue *queues[HOST_VIRTIO_QUEUES];
    uint16_t taken[HOST_VIRTIO_QUEUES], used[HOST_VIRTIO_QUEUES];
    handle_t channel; /* 0: it does not run */
    unsigned bit;
    uint32_t status; /* VIRTIO_INTERRUPT_* */
};

/* host_virtio_object: the device as a handle names it. */
struct host_object *host_virtio_object(struct host_virtio *device);

/* A request: out segments, then in segments. */
struct host_chain {
    uint16_t head;
    unsigned out, count;
    struct {
        uint8_t *bytes;
        uint32_t length;
    } segments[HOST_CHAIN_SEGMENTS];
};

/* host_virtio_take: the next request that the driver has made; false: there is none. */
bool host_virtio_take(struct host_virtio *device, unsigned queue, struct host_chain *chain);

/* host_virtio_give: the request is done, and so many bytes were written. Interrupts. */
void host_virtio_give(struct host_virtio *device, unsigned queue, const struct host_chain *chain,
                      uint32_t written);
