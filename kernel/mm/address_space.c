/* Address spaces: regions, faults, and the kernel's access to user memory. Invariant: every
 * valid user PTE lies in a region, maps the frame that the region's object has for that page, and
 * is writable only if that frame has one user. */
#include "mm/address_space.h"
#include "abi/errno.h"
#include "arch/csr.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/kalloc.h"
#include "mm/memory.h"
#include "mm/tlb.h"

#define STEP_PAGES 64

bool user_range(uint64_t address, uint64_t size)
{
    return address >= USER_BASE && address <= USER_TOP && size <= USER_TOP - address;
}

/* exercise 1.6 */
bool address_space_init(struct address_space *space, struct account *payer, uint32_t asid)
{
    uint64_t root = frame_alloc_zeroed();
    if (!root)
        return false;
    *space = (struct address_space){.root = phys_to_virt(root), .asid = asid, .payer = payer};
    space->satp = SATP_SV39 | SATP_ASID(asid) | root >> PAGE_SHIFT;
    memcpy(space->root + 256, kernel_page_table + 256, PAGE_SIZE / 2); /* the kernel's half */
    space->stale_harts = ~0ul; /* the ASID may have been another's */
    list_init(&space->regions);
    return true;
}
/* end 1.6 */

struct region *space_region(struct address_space *space, uint64_t address)
{
    list_for_each(link, &space->regions)
    {
        struct region *region = container_of(link, struct region, link);
        if (address < region->start)
            return NULL;
        if (address < region->end)
            return region;
    }
    return NULL;
}

/* The first region that ends above address, or NULL. */
static struct region *region_from(struct address_space *space, uint64_t address)
{
    list_for_each(link, &space->regions)
    {
        struct region *region = container_of(link, struct region, link);
        if (region->end > address)
            return region;
    }
    return NULL;
}

/* A gap of size bytes, with an unmapped page on both sides; 0 = none. */
static uint64_t find_gap(struct address_space *space, uint64_t size)
{
    uint64_t at = MAP_BASE;
    list_for_each(link, &space->regions)
    {
        struct region *region = container_of(link, struct region, link);
        if (region->end + PAGE_SIZE <= at)
            continue;
        if (region->start >= at + size + PAGE_SIZE)
            break;
        at = region->end + PAGE_SIZE;
    }
    return at + size + PAGE_SIZE <= USER_TOP ? at : 0;
}

static void region_insert(struct address_space *space, struct region *region)
{
    struct region *next = region_from(space, region->start);
    list_insert(next ? &next->link : &space->regions, &region->link);
    space->region_count++;
    space->mapped += region->end - region->start;
}

static void region_drop(struct region *region)
{
    region->space->region_count--;
    region->space->mapped -= region->end - region->start;
    list_remove(&region->link);
    list_remove(&region->memory_link);
    if (region->memory)
        object_release(&region->memory->object);
    kfree(region);
}

static int64_t map_region(struct address_space *space, struct region wanted, uint64_t size)
{
    uint64_t address = wanted.start ? wanted.start : find_gap(space, size);
    if (!address)
        return -ENOMEM;
    struct region *next = region_from(space, address);
    if (next && next->start < address + size)
        return -EEXIST;
    if (space->region_count >= REGIONS_MAX)
        return -ENOMEM;
    struct region *region = kalloc(sizeof(*region));
    if (!region)
        return -ENOMEM;
    *region = wanted;
    region->space = space;
    region->start = address;
    region->end = address + size;
    list_init(&region->memory_link);
    if (region->memory) {
        object_retain(&region->memory->object);
        list_push_back(&region->memory->regions, &region->memory_link);
    }
    region_insert(space, region);
    return (int64_t)address;
}

int64_t space_map(struct address_space *space, struct memory *memory, uint64_t address,
                  uint64_t offset, uint64_t size, uint32_t prot, uint32_t prot_max)
{
    uint64_t bytes = memory->pages << PAGE_SHIFT;
    if ((address | offset | size) % PAGE_SIZE || size == 0 || offset > bytes ||
        size > bytes - offset || (address && !user_range(address, size)))
        return -EINVAL;
    if ((prot & PROT_WRITE) && (prot & PROT_EXEC))
        return -EINVAL;
    struct region region = {
        .memory = memory, .start = address, .offset = offset, .prot = prot, .prot_max = prot_max};
    return map_region(space, region, size);
}

int64_t space_map_device(struct address_space *space, uint64_t physical, uint64_t size)
{
    struct region region = {.offset = physical & ~(PAGE_SIZE - 1),
                            .prot = PROT_READ | PROT_WRITE,
                            .prot_max = PROT_READ | PROT_WRITE};
    int64_t address = map_region(space, region, PAGE_ALIGN_UP(physical % PAGE_SIZE + size));
    return address < 0 ? address : address + (int64_t)(physical % PAGE_SIZE);
}

/* Clears up to *budget valid entries of a region between from and to; true when all are. */
/* exercise 1.7 */
static bool region_zap(struct region *region, uint64_t from, uint64_t to, size_t *budget)
{
    struct address_space *space = region->space;
    size_t cleared = 0;
    uint64_t at = from;
    while (at < to && cleared < *budget) {
        pte_t *pte = pt_walk(space->root, at, false, NULL);
        if (!pte) { /* no table: skip what it would have covered */
            at = (at | (MEGAPAGE - 1)) + 1;
            continue;
        }
        if (*pte & PTE_V) {
            *pte = 0;
            cleared++;
            space->resident -= PAGE_SIZE;
        }
        at += PAGE_SIZE;
    }
    if (space->closing)
        ; /* nobody runs in it any more; the next user of its ASID flushes */
    else if (cleared == 1)
        tlb_flush_page(space, at - PAGE_SIZE);
    else if (cleared)
        tlb_flush_space(space);
    *budget -= cleared;
    return at >= to;
}
/* end 1.7 */

void regions_unmap_page(struct memory *memory, uint64_t index)
{
    uint64_t offset = index << PAGE_SHIFT;
    list_for_each(link, &memory->regions)
    {
        struct region *region = container_of(link, struct region, memory_link);
        if (offset < region->offset || offset - region->offset >= region->end - region->start)
            continue;
        uint64_t address = region->start + (offset - region->offset);
        size_t budget = 1;
        region_zap(region, address, address + PAGE_SIZE, &budget);
    }
}

/* Cuts the region in two at address; false: no memory. */
static bool region_split(struct region *region, uint64_t address)
{
    if (address <= region->start || address >= region->end)
        return true;
    struct region *upper = kalloc(sizeof(*upper));
    if (!upper || region->space->region_count >= REGIONS_MAX) {
        kfree(upper);
        return false;
    }
    *upper = *region;
    upper->start = address;
    upper->offset += address - region->start;
    list_init(&upper->memory_link);
    if (upper->memory) {
        object_retain(&upper->memory->object);
        list_push_back(&upper->memory->regions, &upper->memory_link);
    }
    region->space->mapped -= region->end - address; /* region_insert adds it again */
    region->end = address;
    region_insert(region->space, upper);
    return true;
}

/* Makes region borders at both ends of a range. */
static int64_t split_at(struct address_space *space, uint64_t start, uint64_t end)
{
    const uint64_t borders[] = {start, end};
    for (int i = 0; i < 2; i++) {
        struct region *region = space_region(space, borders[i]);
        if (region && !region_split(region, borders[i]))
            return -ENOMEM;
    }
    return 0;
}

int64_t space_unmap(struct address_space *space, uint64_t address, uint64_t size)
{
    if ((address | size) % PAGE_SIZE || size == 0 || !user_range(address, size))
        return -EINVAL;
    int64_t error = split_at(space, address, address + size);
    if (error)
        return error;
    size_t budget = STEP_PAGES;
    struct region *region;
    while ((region = region_from(space, address)) && region->start < address + size) {
        if (!region_zap(region, region->start, region->end, &budget))
            return -ERESTART;
        region_drop(region);
    }
    return 0;
}

int64_t space_protect(struct address_space *space, uint64_t address, uint64_t size, uint32_t prot)
{
    if ((address | size) % PAGE_SIZE || size == 0 || !user_range(address, size) ||
        ((prot & PROT_WRITE) && (prot & PROT_EXEC)))
        return -EINVAL;
    uint64_t at = address;
    while (at < address + size) { /* the whole range must be mapped and allow it */
        struct region *region = space_region(space, at);
        if (!region)
            return -EINVAL;
        if (prot & ~region->prot_max)
            return -EACCES;
        at = region->end;
    }
    int64_t error = split_at(space, address, address + size);
    if (error)
        return error;
    size_t budget = STEP_PAGES;
    for (at = address; at < address + size;) {
        struct region *region = space_region(space, at);
        region->prot = prot;
        if (!region_zap(region, region->start, region->end, &budget))
            return -ERESTART;
        at = region->end;
    }
    return 0;
}

/* Enters a translation; a table that is missing is charged to the space's owner. */
static int64_t enter_page(struct address_space *space, uint64_t address, uint64_t physical,
                          uint64_t flags)
{
    pte_t *pte = pt_walk(space->root, address, false, NULL);
    if (!pte) {
        size_t tables = 0;
        if (!account_charge(space->payer, 2)) /* it may take two */
            return -ENOMEM;
        pte = pt_walk(space->root, address, true, &tables);
        account_uncharge(space->payer, 2 - tables);
        if (!pte)
            return -ENOMEM;
    }
    bool was_valid = *pte & PTE_V;
    *pte = pte_make(physical, flags | PTE_U | PTE_A | PTE_D | PTE_V);
    if (was_valid)
        tlb_flush_page(space, address);
    else {
        space->resident += PAGE_SIZE;
        asm volatile("sfence.vma %0, %1" ::"r"(address), "r"((uint64_t)space->asid) : "memory");
    }
    return 0;
}

/* exercise 1.9 */
int64_t space_fault(struct address_space *space, uint64_t address, uint32_t access)
{
    struct region *region = space_region(space, address);
    if (!region || !(region->prot & access))
        return -EFAULT;
    uint64_t page = address & ~(PAGE_SIZE - 1);
    uint64_t flags = (region->prot & PROT_READ ? PTE_R : 0) |
                     (region->prot & PROT_EXEC ? PTE_X : 0) |
                     (region->prot & PROT_WRITE ? PTE_R | PTE_W : 0);
    uint64_t offset = region->offset + (page - region->start);
    if (!region->memory)
        return enter_page(space, page, offset, flags);
    uint64_t frame = memory_page(region->memory, offset >> PAGE_SHIFT, access & PROT_WRITE);
    if (!frame)
        return -ENOMEM;
    if (!region->memory->contiguous && frame_references(frame) > 1)
        flags &= ~(uint64_t)PTE_W; /* shared with a clone: the first write copies it */
    return enter_page(space, page, frame, flags);
}
/* end 1.9 */

void *space_byte(struct address_space *space, uint64_t address, uint32_t access, int64_t *error)
{
    *error = -EFAULT;
    if (address < USER_BASE || address >= USER_TOP)
        return NULL;
    uint64_t need = PTE_V | PTE_U | (access == PROT_WRITE ? PTE_W : PTE_R);
    pte_t *pte;
    for (bool again = false;
         !(pte = pt_walk(space->root, address, false, NULL)) || (*pte & need) != need;
         again = true) {
        *error = again ? -EFAULT : space_fault(space, address, access);
        if (*error)
            return NULL;
    }
    uint64_t physical = pte_address(*pte) + address % PAGE_SIZE;
    struct region *region = NULL;
    if (physical < 0x80000000ul) /* registers: reading may have effects */
        region = space_region(space, address);
    if (region && !region->memory) {
        *error = -EFAULT;
        return NULL;
    }
    return phys_to_virt(physical);
}

static int64_t copy_user(struct address_space *space, uint64_t user, void *kernel, size_t size,
                         uint32_t access)
{
    if (!user_range(user, size))
        return -EFAULT;
    char *at = kernel;
    while (size) {
        size_t n = PAGE_SIZE - user % PAGE_SIZE;
        n = n < size ? n : size;
        int64_t error;
        void *there = space_byte(space, user, access, &error);
        if (!there)
            return error;
        if (access == PROT_WRITE)
            memcpy(there, at, n);
        else
            memcpy(at, there, n);
        at += n;
        user += n;
        size -= n;
    }
    return 0;
}

int64_t copy_from_user(struct address_space *space, void *to, uint64_t from, size_t size)
{
    return copy_user(space, from, to, size, PROT_READ);
}

int64_t copy_to_user(struct address_space *space, uint64_t to, const void *from, size_t size)
{
    return copy_user(space, to, (void *)(uintptr_t)from, size, PROT_WRITE);
}

bool address_space_destroy_step(struct address_space *space, size_t budget)
{
    while (!list_empty(&space->regions)) {
        struct region *region = container_of(space->regions.next, struct region, link);
        if (!region_zap(region, region->start, region->end, &budget))
            return false;
        region_drop(region);
    }
    if (!space->root)
        return true;
    if (!pt_free_tables(space->root, &budget))
        return false;
    frame_free(virt_to_phys(space->root), 0);
    space->root = NULL;
    return true;
}
