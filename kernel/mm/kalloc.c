/* Kernel object memory. Invariant: a page on a class's list has at least one free slot; a page
 * whose last slot is freed goes back to the frame allocator. */
#include "mm/kalloc.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/layout.h"
#include <stdbool.h>

struct slab { /* at the start of its page */
    struct list link;
    void *free; /* a chain through the free slots */
    uint32_t used, size;
};
#define SLAB_HEADER 32
_Static_assert(sizeof(struct slab) <= SLAB_HEADER, "the header fits in front of the slots");

static const uint16_t slot_sizes[] = {32, 64, 96, 128, 192, 256, 384, 512, 672, 1008, 2016};
#define CLASSES (sizeof(slot_sizes) / sizeof(slot_sizes[0]))

static struct list slabs[CLASSES]; /* those with a free slot */
static size_t slab_pages;

static unsigned class_of(size_t size)
{
    unsigned class = 0;
    while (slot_sizes[class] < size)
        class++;
    return class;
}

static struct slab *slab_make(unsigned class)
{
    uint64_t frame = frame_alloc(0);
    if (!frame)
        return NULL;
    struct slab *slab = phys_to_virt(frame);
    *slab = (struct slab){.size = slot_sizes[class]};
    for (uint32_t at = SLAB_HEADER; at + slab->size <= PAGE_SIZE; at += slab->size) {
        void **slot = (void **)((char *)slab + at);
        *slot = slab->free;
        slab->free = slot;
    }
    list_push_front(&slabs[class], &slab->link);
    slab_pages++;
    return slab;
}

void *kalloc(size_t size)
{
    assert(size <= KALLOC_MAX);
    unsigned class = class_of(size);
    if (!slabs[class].next)
        list_init(&slabs[class]);
    struct slab *slab = list_empty(&slabs[class])
                            ? slab_make(class)
                            : container_of(slabs[class].next, struct slab, link);
    if (!slab)
        return NULL;
    void **slot = slab->free;
    slab->free = *slot;
    slab->used++;
    if (!slab->free)
        list_remove(&slab->link);
    memset(slot, 0, slab->size);
    return slot;
}

void kfree(void *memory)
{
    if (!memory)
        return;
    struct slab *slab = (struct slab *)((uint64_t)memory & ~(PAGE_SIZE - 1));
    bool was_full = !slab->free;
    *(void **)memory = slab->free;
    slab->free = memory;
    slab->used--;
    if (slab->used == 0) {
        list_remove(&slab->link);
        frame_free(virt_to_phys(slab), 0);
        slab_pages--;
    } else if (was_full) {
        list_push_front(&slabs[class_of(slab->size)], &slab->link);
    }
}

size_t kalloc_pages(void) { return slab_pages; }
