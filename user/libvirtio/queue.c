/* Split virtqueues (VIRTIO 1.2, 2.7).
 *
 * Invariant: free descriptors plus those of all chains in flight make size, and both are known
 * from next[] and chains[] alone; nothing that the device can write is used as an index before it
 * was checked against them. */
#include "virtio/queue.h"

#include "abi/errno.h"
#include "chain.h"
#include "fence.h"
#include <string.h>

enum { RING_FLAGS = 0, RING_INDEX = 1, RING_ENTRIES = 2 }; /* in units of 16 bits */
#define AVAILABLE_NO_INTERRUPT 1
#define USED_NO_NOTIFY         1
#define NO_DESCRIPTOR          UINT16_MAX

static size_t align_up(size_t value, size_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

size_t virtqueue_available_offset(uint16_t size)
{
    return sizeof(struct virtqueue_descriptor) * size;
}

size_t virtqueue_used_offset(uint16_t size)
{
    size_t available_end = virtqueue_available_offset(size) + sizeof(uint16_t) * (3u + size);
    return align_up(available_end, sizeof(uint32_t));
}

size_t virtqueue_bytes(uint16_t size)
{
    return virtqueue_used_offset(size) + sizeof(uint16_t) * 3 +
           sizeof(struct virtqueue_used) * size;
}

/* What we have written, before what we read next: both we and the device write one word and then look
 * at the other's, and one of us must see that the other has. QEMU before 8.1 leaves out the fences of
 * a machine with one hart, although its devices run in another thread; an access to a register of a
 * device waits there for all that was written. */
static void write_before_read(struct virtqueue *queue)
{
    FENCE(w, r);
    if (queue->read_register)
        queue->read_register(queue->context);
}

static volatile struct virtqueue_used *used_entry(struct virtqueue *queue, uint16_t index)
{
    volatile struct virtqueue_used *ring = (volatile void *)(queue->used + RING_ENTRIES);
    return &ring[index & (queue->size - 1)];
}

/* Behind the used ring: at which available index the device wants to be notified. */
static volatile uint16_t *available_event(struct virtqueue *queue)
{
    return queue->used + RING_ENTRIES + sizeof(struct virtqueue_used) / 2 * queue->size;
}

/* Behind the available ring: at which used index the driver wants an interrupt. */
static volatile uint16_t *used_event(struct virtqueue *queue)
{
    return queue->available + RING_ENTRIES + queue->size;
}

int virtqueue_init(struct virtqueue *queue, uint16_t size, void *memory, bool event_index,
                   void (*notify)(void *context), void *context)
{
    if (size == 0 || size > VIRTQUEUE_SIZE_MAX || (size & (size - 1)) != 0)
        return -EINVAL;
    memset(queue, 0, sizeof *queue);
    queue->descriptors = memory;
    queue->available = (void *)((char *)memory + virtqueue_available_offset(size));
    queue->used = (void *)((char *)memory + virtqueue_used_offset(size));
    queue->size = size;
    queue->free_count = size;
    queue->event_index = event_index;
    queue->interrupts = true;
    queue->notify = notify;
    queue->context = context;
    for (uint16_t i = 0; i < size; i++)
        queue->next[i] = i + 1 < size ? (uint16_t)(i + 1) : NO_DESCRIPTOR;
    return 0;
}

/* exercise 5.2 */
uint16_t virtqueue_write_chain(struct virtqueue *queue, const struct virtqueue_segment *segments,
                               unsigned out, unsigned count)
{
    uint16_t at = queue->free_head, last = at;
    for (unsigned i = 0; i < count; i++) {
        volatile struct virtqueue_descriptor *d = &queue->descriptors[at];
        d->address = segments[i].physical;
        d->length = segments[i].length;
        d->flags =
            (uint16_t)((i + 1 < count ? VIRTQUEUE_NEXT : 0) | (i >= out ? VIRTQUEUE_WRITE : 0));
        d->next = i + 1 < count ? queue->next[at] : 0;
        last = at;
        at = queue->next[at];
    }
    return last;
}
/* end 5.2 */

/* exercise 5.3 */
int virtqueue_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned out,
                  unsigned in, void *cookie)
{
    uint64_t writable = 0;
    if (queue->broken)
        return -EIO;
    if (out > queue->size || in > queue->size || out + in == 0 || out + in > queue->size || !cookie)
        return -EINVAL;
    unsigned count = out + in;
    for (unsigned i = 0; i < count; i++) {
        if (segments[i].length == 0)
            return -EINVAL;
        if (i >= out)
            writable += segments[i].length;
    }
    if (writable > UINT32_MAX)
        return -EINVAL;
    if (count > queue->free_count)
        return -ENOSPC;

    uint16_t head = queue->free_head;
    uint16_t last = virtqueue_write_chain(queue, segments, out, count);
    queue->free_head = queue->next[last];
    queue->free_count -= (uint16_t)count;
    queue->in_flight++;
    queue->chains[head] = (struct virtqueue_chain){
        .cookie = cookie, .writable = (uint32_t)writable, .count = (uint16_t)count, .last = last};

    queue->available[RING_ENTRIES + (queue->available_index & (queue->size - 1))] = head;
    queue->available_index++;
    FENCE(w, w); /* the chain and its ring entry before the index that shows them (2.7.13.3) */
    queue->available[RING_INDEX] = queue->available_index;
    return 0;
}
/* end 5.3 */

void virtqueue_kick(struct virtqueue *queue)
{
    uint16_t from = queue->notified_index, to = queue->available_index;
    if (from == to || queue->broken)
        return;
    queue->notified_index = to;
    write_before_read(queue); /* whether the device still listens (2.7.13.4) */
    bool wanted;
    if (queue->event_index) /* has the device's mark been passed since the last kick? 2.7.10 */
        wanted = (uint16_t)(to - *available_event(queue) - 1) < (uint16_t)(to - from);
    else
        wanted = !(queue->used[RING_FLAGS] & USED_NO_NOTIFY);
    if (wanted) {
        FENCE(w, o); /* memory before the doorbell, a device register */
        queue->notify(queue->context);
    }
}

/* Gives a finished chain's descriptors back to the free list. */
static void *release(struct virtqueue *queue, uint16_t head)
{
    struct virtqueue_chain *chain = &queue->chains[head];
    void *cookie = chain->cookie;
    queue->next[chain->last] = queue->free_count ? queue->free_head : NO_DESCRIPTOR;
    queue->free_head = head;
    queue->free_count += chain->count;
    queue->in_flight--;
    *chain = (struct virtqueue_chain){0};
    return cookie;
}

/* How many chains the device has finished that were not yet taken. With an event index, an
 * interrupt is asked for where the driver stops, and the index looked at again behind it. */
static uint16_t finished_count(struct virtqueue *queue)
{
    uint16_t finished = (uint16_t)(queue->used[RING_INDEX] - queue->used_index);
    if (finished == 0 && queue->event_index && queue->interrupts) {
        *used_event(queue) = queue->used_index;
        write_before_read(queue);
        finished = (uint16_t)(queue->used[RING_INDEX] - queue->used_index);
    }
    return finished;
}

/* exercise 5.5 */
int virtqueue_take(struct virtqueue *queue, void **cookie, uint32_t *length)
{
    if (queue->broken)
        return -EIO;
    uint16_t finished = finished_count(queue);
    if (finished == 0)
        return 0;
    if (finished > queue->in_flight)
        goto broken; /* more than it was given */
    FENCE(r, r);     /* the index before the entry, and before the data that it stands for */
    volatile struct virtqueue_used *entry = used_entry(queue, queue->used_index);
    uint32_t id = entry->id, written = entry->length; /* read once: they may change under us */
    if (id >= queue->size || queue->chains[id].count == 0)
        goto broken;
    *length = written < queue->chains[id].writable ? written : queue->chains[id].writable;
    *cookie = release(queue, (uint16_t)id);
    queue->used_index++;
    return 1;
broken:
    queue->broken = true;
    return -EIO;
}
/* end 5.5 */

void *virtqueue_abandon(struct virtqueue *queue)
{
    queue->broken = true; /* until virtqueue_init */
    for (uint16_t i = 0; i < queue->size; i++)
        if (queue->chains[i].count)
            return release(queue, i);
    return NULL;
}

void virtqueue_interrupts_off(struct virtqueue *queue)
{
    queue->interrupts = false;
    /* With an event index the flag has no meaning: a mark just behind us is as far away as
     * can be (2.7.10). */
    if (queue->event_index)
        *used_event(queue) = (uint16_t)(queue->used_index - 1);
    else
        queue->available[RING_FLAGS] = AVAILABLE_NO_INTERRUPT;
}

bool virtqueue_interrupts_on(struct virtqueue *queue)
{
    queue->interrupts = true;
    if (queue->event_index)
        *used_event(queue) = queue->used_index;
    else
        queue->available[RING_FLAGS] = 0;
    write_before_read(queue); /* a last time (2.7.14) */
    return queue->used[RING_INDEX] != queue->used_index;
}
