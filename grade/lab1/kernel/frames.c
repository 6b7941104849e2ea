/* Exercises 1.1 and 1.2: sequences of frame_alloc and frame_free that the host made up. */
#include "lab1.h"
#include "mm/layout.h"

#define HELD_MAX 4096

enum frames_op { OP_ALLOC, OP_FREE, OP_ALLOC_ALL, OP_FREE_RANGE };

struct held {
    uint64_t physical, order;
};

static struct held held[HELD_MAX]; /* in the order of their allocation */
static size_t held_count;

/* A word that belongs to the block's user, in the middle of each frame and at its start. */
static uint64_t *tag_of(uint64_t physical, bool second)
{
    return (uint64_t *)phys_to_virt(physical) + (second ? PAGE_SIZE / 16 : 0);
}

static bool alloc_block(uint64_t order, uint64_t tag)
{
    uint64_t physical = frame_alloc((unsigned)order), references = 0;
    for (uint64_t i = 0; physical && i < 1ul << order; i++) {
        uint64_t frame = physical + (i << PAGE_SHIFT);
        references += frame_references(frame);
        *tag_of(frame, false) = *tag_of(frame, true) = tag;
    }
    kprintf("> alloc %lx %lx %lx %lx\n", physical, references, frames_free(), frames_largest());
    if (physical && held_count == HELD_MAX)
        panic("the test holds too many blocks");
    if (held_count < HELD_MAX)
        held[held_count++] = (struct held){physical, order};
    return physical;
}

static void free_block(struct held *block)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 1ul << block->order; i++) {
        uint64_t frame = block->physical + (i << PAGE_SHIFT);
        sum += *tag_of(frame, false) + *tag_of(frame, true);
    }
    uint64_t physical = block->physical;
    frame_free(physical, (unsigned)block->order);
    block->physical = 0;
    kprintf("> free %lx %lx %lx %lx\n", physical, sum, frames_free(), frames_largest());
}

static void free_range(uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < held_count; i++) {
        if (held[i].physical && held[i].physical >= start && held[i].physical < end)
            free_block(&held[i]);
    }
}

KERNEL_TEST_EARLY(frames)
{
    arena_init(workload);
    kprintf("> start %lx %lx %lx\n", frames_total(), frames_free(), frames_largest());
    while (workload_more(workload)) {
        uint64_t op = workload_next(workload), a = workload_next(workload),
                 b = workload_next(workload);
        if (op == OP_ALLOC) {
            alloc_block(a, b);
        } else if (op == OP_ALLOC_ALL) {
            while (alloc_block(a, b))
                ;
        } else if (op == OP_FREE_RANGE) {
            free_range(a, b);
        } else if (a < held_count && held[a].physical) {
            free_block(&held[a]);
        }
    }
}
