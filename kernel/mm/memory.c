/* Memory objects. Invariant: an entry is 0 or the address of a frame on which it holds one
 * reference; a frame with more than one reference is mapped writable nowhere. */
#include "mm/memory.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/frame.h"
#include "mm/kalloc.h"
#include "mm/layout.h"
#include "mm/reaper.h"

#define ENTRIES (PAGE_SIZE / sizeof(uint64_t))
#define STEP_PAGES 64

/* The place of page index's entry, or NULL if its table is missing (and may not be made). */
static uint64_t *entry_of(struct memory *memory, uint64_t index, bool make)
{
    if (memory->pages <= ENTRIES)
        return &memory->table[index];
    uint64_t *middle = &memory->table[index / ENTRIES];
    if (!*middle) {
        if (!make || !account_charge(memory->payer, 1))
            return NULL;
        *middle = frame_alloc_zeroed();
        if (!*middle) {
            account_uncharge(memory->payer, 1);
            return NULL;
        }
        memory->table_pages++;
    }
    return (uint64_t *)phys_to_virt(*middle) + index % ENTRIES;
}

static struct memory *memory_make(uint64_t size, uint32_t flags, struct account *payer)
{
    struct memory *memory = kalloc(sizeof(*memory));
    if (!memory)
        return NULL;
    object_init(&memory->object, &memory_class);
    memory->flags = flags;
    memory->pages = size >> PAGE_SHIFT;
    memory->payer = account_retain(payer);
    list_init(&memory->regions);
    return memory;
}

static void memory_discard(struct memory *memory)
{
    account_release(memory->payer);
    kfree(memory);
}

static unsigned order_for(uint64_t pages)
{
    unsigned order = 0;
    while (1ul << order < pages)
        order++;
    return order;
}

static bool populate_contiguous(struct memory *memory)
{
    unsigned order = order_for(memory->pages);
    if (order >= FRAME_ORDERS || !account_charge(memory->payer, memory->pages))
        return false;
    memory->contiguous = reaper_frame_alloc(order);
    if (!memory->contiguous) {
        account_uncharge(memory->payer, memory->pages);
        return false;
    }
    memset(phys_to_virt(memory->contiguous), 0, memory->pages << PAGE_SHIFT);
    for (uint64_t tail = memory->pages; tail < 1ul << order; tail++) /* give the excess back */
        frame_free(memory->contiguous + (tail << PAGE_SHIFT), 0);
    memory->populated = memory->pages;
    return true;
}

struct memory *memory_new(uint64_t size, uint32_t flags, struct account *payer)
{
    struct memory *memory = memory_make(size, flags, payer);
    if (!memory)
        return NULL;
    if (flags & MEMORY_CONTIGUOUS) {
        if (populate_contiguous(memory))
            return memory;
    } else if (account_charge(payer, 1)) {
        uint64_t table = frame_alloc_zeroed();
        if (table) {
            memory->table = phys_to_virt(table);
            memory->table_pages = 1;
            return memory;
        }
        account_uncharge(payer, 1);
    }
    memory_discard(memory);
    return NULL;
}

struct memory *memory_wrap(uint64_t physical, uint64_t size, struct account *payer)
{
    struct memory *memory = memory_make(size, MEMORY_CONTIGUOUS, payer);
    if (!memory)
        return NULL;
    memory->contiguous = physical;
    memory->populated = memory->pages;
    payer->pages += (uint32_t)memory->pages; /* given, not asked for: beyond any quota */
    return memory;
}

/* The frame of page index, 0 if there is none. Clones only: a contiguous object has no table. */
static uint64_t memory_lookup(struct memory *memory, uint64_t index)
{
    uint64_t *entry = entry_of(memory, index, false);
    return entry ? *entry : 0;
}

/* exercise 1.8 */
uint64_t memory_page(struct memory *memory, uint64_t index, bool write)
{
    if (memory->contiguous)
        return memory->contiguous + (index << PAGE_SHIFT);
    uint64_t *entry = entry_of(memory, index, true);
    if (!entry)
        return 0;
    if (!*entry) { /* lazy: first touch */
        if (!account_charge(memory->payer, 1))
            return 0;
        uint64_t frame = reaper_frame_alloc(0);
        if (!frame) {
            account_uncharge(memory->payer, 1);
            return 0;
        }
        memset(phys_to_virt(frame), 0, PAGE_SIZE);
        memory->populated++;
        *entry = frame;
    } else if (write && frame_references(*entry) > 1) { /* shared: copy on write */
        uint64_t old = *entry, frame = reaper_frame_alloc(0);
        if (!frame)
            return 0;
        memcpy(phys_to_virt(frame), phys_to_virt(old), PAGE_SIZE);
        regions_unmap_page(memory, index);
        *entry = frame;
        frame_release(old);
    }
    return *entry;
}

bool memory_clone_step(struct memory *source, struct memory *clone)
{
    for (unsigned n = 0; clone->cursor < source->pages; clone->cursor++) {
        uint64_t frame = memory_lookup(source, clone->cursor);
        if (!frame)
            continue;
        if (n++ == STEP_PAGES)
            return false;
        uint64_t *entry = entry_of(clone, clone->cursor, true);
        if (!entry || !account_charge(clone->payer, 1)) {
            clone->cursor = UINT64_MAX; /* the caller sees the failure */
            return true;
        }
        frame_share(frame);
        *entry = frame;
        clone->populated++;
        regions_unmap_page(source, clone->cursor); /* it comes back read-only */
    }
    return true;
}
/* end 1.8 */

static enum reap_result destroy_step(struct reapable *self)
{
    struct memory *memory = container_of(self, struct memory, reap);
    unsigned budget = STEP_PAGES;
    for (; memory->cursor < memory->pages; memory->cursor++) {
        if (memory->contiguous) {
            if (budget-- == 0)
                return REAP_MORE;
            frame_release(memory->contiguous + (memory->cursor << PAGE_SHIFT));
            continue;
        }
        uint64_t *entry = entry_of(memory, memory->cursor, false);
        if (!entry) { /* a whole table is missing */
            memory->cursor |= ENTRIES - 1;
            continue;
        }
        if (!*entry)
            continue;
        if (budget-- == 0)
            return REAP_MORE;
        frame_release(*entry);
        *entry = 0;
    }
    account_uncharge(memory->payer, memory->populated + memory->table_pages);
    if (memory->table) {
        for (uint64_t i = 0; memory->pages > ENTRIES && i < ENTRIES; i++) {
            if (memory->table[i])
                frame_free(memory->table[i], 0);
        }
        frame_free(virt_to_phys(memory->table), 0);
    }
    memory_discard(memory);
    return REAP_DONE;
}

static void destroy(struct object *object)
{
    struct memory *memory = container_of(object, struct memory, object);
    memory->cursor = 0;
    reaper_add(&memory->reap, destroy_step);
}

const struct object_class memory_class = {.type = OBJECT_MEMORY, .destroy = destroy};
