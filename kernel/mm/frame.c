/* The buddy allocator. Invariant: a free block of order n starts at a multiple of 2^n frames
 * from the start of RAM, and its buddy is not free with the same order (they would have merged). */
#include "mm/frame.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/layout.h"
#include <stdbool.h>

static struct frame *frames; /* one record per frame from ram_start on */
static uint64_t ram_start, frame_count, free_count;
static struct list free_blocks[FRAME_ORDERS]; /* links live in the free frames themselves */

static uint64_t index_of(uint64_t physical) { return (physical - ram_start) >> PAGE_SHIFT; }
static uint64_t address_of(uint64_t index) { return ram_start + (index << PAGE_SHIFT); }

static void insert_block(uint64_t index, unsigned order)
{
    frames[index].free = 1;
    frames[index].order = (uint8_t)order;
    list_push_front(&free_blocks[order], phys_to_virt(address_of(index)));
}

static void remove_block(uint64_t index)
{
    frames[index].free = 0;
    list_remove(phys_to_virt(address_of(index)));
}

/* exercise 1.1 */
uint64_t frame_alloc(unsigned order)
{
    unsigned have = order;
    while (have < FRAME_ORDERS && list_empty(&free_blocks[have]))
        have++;
    if (have >= FRAME_ORDERS)
        return 0;
    uint64_t physical = virt_to_phys(free_blocks[have].next);
    uint64_t index = index_of(physical);
    remove_block(index);
    while (have > order) { /* give the upper halves back */
        have--;
        insert_block(index + (1ul << have), have);
    }
    for (uint64_t i = 0; i < 1ul << order; i++)
        frames[index + i].references = 1;
    free_count -= 1ul << order;
    return physical;
}
/* end 1.1 */

/* exercise 1.2 */
void frame_free(uint64_t physical, unsigned order)
{
    uint64_t index = index_of(physical);
    assert(index < frame_count && !frames[index].free);
    frames[index].references = 0;
    free_count += 1ul << order;
    while (order + 1 < FRAME_ORDERS) {
        uint64_t buddy = index ^ (1ul << order);
        if (buddy + (1ul << order) > frame_count || !frames[buddy].free ||
            frames[buddy].order != order)
            break;
        remove_block(buddy);
        index = index < buddy ? index : buddy;
        order++;
    }
    insert_block(index, order);
}
/* end 1.2 */

uint64_t frame_alloc_zeroed(void)
{
    uint64_t physical = frame_alloc(0);
    if (physical)
        memset(phys_to_virt(physical), 0, PAGE_SIZE);
    return physical;
}

void frame_share(uint64_t physical) { frames[index_of(physical)].references++; }

void frame_release(uint64_t physical)
{
    if (--frames[index_of(physical)].references == 0)
        frame_free(physical, 0);
}

uint32_t frame_references(uint64_t physical) { return frames[index_of(physical)].references; }

size_t frames_total(void) { return frame_count; }
size_t frames_free(void) { return free_count; }

size_t frames_largest(void)
{
    for (unsigned order = FRAME_ORDERS; order-- > 0;) {
        if (!list_empty(&free_blocks[order]))
            return 1ul << order;
    }
    return 0;
}

static bool is_reserved(struct range block, const struct range *reserved, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (block.end > reserved[i].start && block.start < reserved[i].end)
            return true;
    }
    return false;
}

/* The order of the largest free block that can start at index, or -1: the frame is reserved. */
static int largest_order(uint64_t index, const struct range *reserved, size_t n)
{
    int order = FRAME_ORDERS - 1;
    for (; order >= 0; order--) {
        uint64_t count = 1ul << order;
        struct range block = {address_of(index), address_of(index + count)};
        if (index % count == 0 && index + count <= frame_count && !is_reserved(block, reserved, n))
            break;
    }
    return order;
}

void frame_init(struct range ram, uint64_t first_free, const struct range *reserved, size_t n)
{
    ram_start = ram.start;
    frame_count = (ram.end - ram.start) >> PAGE_SHIFT;
    free_count = 0;
    frames = phys_to_virt(first_free);
    uint64_t bytes = PAGE_ALIGN_UP(frame_count * sizeof(struct frame));
    memset(frames, 0, bytes);
    for (unsigned order = 0; order < FRAME_ORDERS; order++)
        list_init(&free_blocks[order]);
    for (uint64_t index = index_of(first_free + bytes); index < frame_count;) {
        int order = largest_order(index, reserved, n); /* whole blocks: few frames are touched */
        frames[index].references = order < 0; /* whoever has a reserved one may release it */
        if (order >= 0) {
            insert_block(index, (unsigned)order); /* as large as possible: no buddy to merge with */
            free_count += 1ul << order;
        }
        index += order >= 0 ? 1ul << order : 1;
    }
}
