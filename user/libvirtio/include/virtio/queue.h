/* Split virtqueues (VIRTIO 1.2, 2.7), the driver's side, on plain memory.
 *
 * The queue works on a block of memory that the device can reach and on a notify callback, so the
 * same code runs in a driver and in a host test. All bookkeeping that the driver relies on (free
 * descriptors, what is in flight) is kept in struct virtqueue, out of the device's reach: whatever
 * a broken device writes into the rings, at worst the queue declares itself broken (-EIO). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTQUEUE_SIZE_MAX 256 /* descriptors; a power of two */

/* Where the device finds a piece of a request. */
struct virtqueue_segment {
    uint64_t physical;
    uint32_t length;
};

struct virtqueue_descriptor {
    uint64_t address; /* physical */
    uint32_t length;
    uint16_t flags; /* VIRTQUEUE_NEXT, VIRTQUEUE_WRITE */
    uint16_t next;
};
enum { VIRTQUEUE_NEXT = 1, VIRTQUEUE_WRITE = 2 };

struct virtqueue_used {
    uint32_t id; /* first descriptor of the chain */
    uint32_t length;
};

/* What is known of the chain that starts at a descriptor; count 0: no chain starts here. */
struct virtqueue_chain {
    void *cookie;
    uint32_t writable; /* bytes that the device may write */
    uint16_t count;    /* descriptors */
    uint16_t last;
};

struct virtqueue {
    volatile struct virtqueue_descriptor *descriptors;
    volatile uint16_t *available; /* flags, index, ring[size], used_event */
    volatile uint16_t *used;      /* flags, index, then the ring, then avail_event */
    uint16_t size;
    uint16_t free_head, free_count;
    uint16_t available_index; /* the next to be published; wraps at 16 bits */
    uint16_t notified_index;  /* available_index at the last kick */
    uint16_t used_index;      /* the next to be taken; wraps at 16 bits */
    uint16_t in_flight;       /* chains */
    bool event_index;         /* VIRTIO_F_EVENT_IDX was negotiated */
    bool interrupts;          /* wanted */
    bool broken;
    void (*notify)(void *context);
    void (*read_register)(void *context); /* any of the device's; NULL: there are none */
    void *context;
    uint16_t next[VIRTQUEUE_SIZE_MAX]; /* links of free descriptors and of chains */
    struct virtqueue_chain chains[VIRTQUEUE_SIZE_MAX];
};

/* The memory of a queue: descriptors at 0, the two rings at these offsets. */
size_t virtqueue_available_offset(uint16_t size);
size_t virtqueue_used_offset(uint16_t size);
size_t virtqueue_bytes(uint16_t size);

/* virtqueue_init: memory is zeroed, 16-byte aligned, virtqueue_bytes(size) long. size is a power
 * of two, at most VIRTQUEUE_SIZE_MAX, else -EINVAL. Interrupts are on at first. */
int virtqueue_init(struct virtqueue *queue, uint16_t size, void *memory, bool event_index,
                   void (*notify)(void *context), void *context);

/* virtqueue_add: queues one request: out segments that the device reads, then in segments that it
 * writes. cookie (not NULL) comes back from virtqueue_take. The device need not see it before the
 * next kick. -ENOSPC: too few free descriptors; -EINVAL: no segments, an empty one, or more than
 * the queue could ever hold; -EIO: the queue is broken. */
int virtqueue_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned out,
                  unsigned in, void *cookie);

/* virtqueue_kick: tells the device of what was added since the last kick, if it wants to know. */
void virtqueue_kick(struct virtqueue *queue);

/* virtqueue_take: the next finished request, in the order in which the device finished them. 1 with
 * *cookie and *length (bytes that it wrote, never more than the in segments hold), 0 when there is
 * none, -EIO when the device broke the rules; from then on the device must be reset before the
 * memory of requests in flight is used again. */
int virtqueue_take(struct virtqueue *queue, void **cookie, uint32_t *length);

/* virtqueue_abandon: after a reset of the device: gives back the cookie of one request that was in
 * flight, NULL when there are no more. */
void *virtqueue_abandon(struct virtqueue *queue);

/* virtqueue_interrupts_off: asks the device for silence (it may still interrupt). _on: asks for an
 * interrupt at the next finished request; true if one had finished meanwhile, so take it first. */
void virtqueue_interrupts_off(struct virtqueue *queue);
bool virtqueue_interrupts_on(struct virtqueue *queue);

static inline uint16_t virtqueue_free(const struct virtqueue *queue)
{
    return queue->free_count;
}
