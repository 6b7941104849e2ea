/* Reading a split virtqueue that another driver left behind, when its device is reset. Nothing in
 * it is trusted: at worst it says nonsense about which of the given buffers hold what. */
#include "virtio/left.h"

#include "virtio/queue.h"

enum { RING_INDEX = 1, RING_ENTRIES = 2 }; /* in units of 16 bits */

struct rings {
    const struct virtqueue_descriptor *descriptors;
    const uint16_t *available, *used;
    uint16_t size;
};

static struct rings rings_at(const void *memory, uint16_t size)
{
    return (struct rings){
        .descriptors = memory,
        .available =
            (const void *)((const char *)memory + virtqueue_available_offset(size)),
        .used = (const void *)((const char *)memory + virtqueue_used_offset(size)),
        .size = size,
    };
}

/* The entries between two indices of a ring; more than it has are none. */
static uint16_t between(const struct rings *rings, uint16_t first, uint16_t end, unsigned most)
{
    uint16_t count = (uint16_t)(end - first);
    return count <= rings->size && count <= most ? count : 0;
}

unsigned virtqueue_left_finished(const void *memory, uint16_t size, uint16_t taken,
                                 struct virtqueue_left *left, unsigned most)
{
    struct rings rings = rings_at(memory, size);
    const struct virtqueue_used *used = (const void *)(rings.used + RING_ENTRIES);
    uint16_t count = between(&rings, taken, rings.used[RING_INDEX], most);
    for (uint16_t i = 0; i < count; i++) {
        const struct virtqueue_used *entry = &used[(uint16_t)(taken + i) % size];
        left[i].physical = rings.descriptors[entry->id % size].address;
        left[i].length = entry->length;
    }
    return count;
}

unsigned virtqueue_left_waiting(const void *memory, uint16_t size, struct virtqueue_left *left,
                                unsigned most)
{
    struct rings rings = rings_at(memory, size);
    uint16_t first = rings.used[RING_INDEX];
    uint16_t count = between(&rings, first, rings.available[RING_INDEX], most);
    for (uint16_t i = 0; i < count; i++) {
        uint16_t id = rings.available[RING_ENTRIES + (uint16_t)(first + i) % size] % size;
        left[i].physical = rings.descriptors[id].address;
        left[i].length = rings.descriptors[id].length;
    }
    return count;
}
