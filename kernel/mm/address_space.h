/* Address spaces: a page table and the list of regions that say what it may map. */
#pragma once

#include "abi/memory.h"
#include "arch/csr.h"
#include "lib/list.h"
#include "mm/pagetable.h"
#include "arch/hart.h"

struct account;
struct memory;

/* A mapped range: pages of a memory object, or a device's registers. */
struct region {
    struct list link;        /* in the address space, by address */
    struct list memory_link; /* in the memory object */
    struct address_space *space;
    struct memory *memory;   /* referenced; NULL: device registers at physical */
    uint64_t start, end;     /* page-aligned user addresses */
    uint64_t offset;         /* of start in the object, bytes; or physical address */
    uint32_t prot, prot_max; /* PROT_*; what memory_protect may go back to */
};

struct address_space {
    pte_t *root;
    uint64_t satp;       /* with ASID, ready to write */
    uint64_t stale_harts; /* harts whose TLB may hold entries that are no longer true */
    uint32_t asid;
    uint32_t region_count;
    uint64_t mapped, resident; /* bytes */
    struct list regions;
    struct account *payer; /* of the page tables; not referenced: the process's */
    bool closing;          /* nobody runs in it any more */
};

#define REGIONS_MAX 512
#define MAP_BASE 0x1000000000ul /* where addresses are chosen from */

/* address_space_init: an empty space with its own root table; false: no memory. */
bool address_space_init(struct address_space *space, struct account *payer, uint32_t asid);

/* address_space_destroy_step: unmaps and frees up to budget pages; true when all is gone. */
bool address_space_destroy_step(struct address_space *space, size_t budget);

/* space_map: maps [offset, offset + size) of memory at address (0 = choose). Takes its own
 * reference. The address, or -EINVAL -EEXIST -ENOMEM. space_map_device: registers. */
int64_t space_map(struct address_space *space, struct memory *memory, uint64_t address,
                  uint64_t offset, uint64_t size, uint32_t prot, uint32_t prot_max);
int64_t space_map_device(struct address_space *space, uint64_t physical, uint64_t size);

/* space_unmap, space_protect: 0, -errno, or -ERESTART after 64 pages: call again. */
#define ERESTART 512 /* never leaves the kernel */
int64_t space_unmap(struct address_space *space, uint64_t address, uint64_t size);
int64_t space_protect(struct address_space *space, uint64_t address, uint64_t size, uint32_t prot);

/* space_fault: makes address accessible for access (one PROT_ bit). 0, -EFAULT, -ENOMEM. */
int64_t space_fault(struct address_space *space, uint64_t address, uint32_t access);

/* space_byte: the kernel's view of one user byte, after populating its page; valid to the end of
 * that page and until the lock is dropped. NULL: no such access, or (with *error) no memory. */
void *space_byte(struct address_space *space, uint64_t address, uint32_t access, int64_t *error);

/* copy_from_user, copy_to_user: 0, -EFAULT or -ENOMEM. */
int64_t copy_from_user(struct address_space *space, void *to, uint64_t from, size_t size);
int64_t copy_to_user(struct address_space *space, uint64_t to, const void *from, size_t size);
bool user_range(uint64_t address, uint64_t size);

/* space_enter: this hart's satp becomes the space's. */
static inline void space_enter(struct address_space *space)
{
    struct hart *hart = this_hart();
    hart->satp = space->satp;
    csr_write(satp, space->satp);
    if (space->stale_harts >> hart->id & 1) {
        space->stale_harts &= ~(1ul << hart->id);
        asm volatile("sfence.vma zero, %0" ::"r"((uint64_t)space->asid) : "memory");
    }
}

struct region *space_region(struct address_space *space, uint64_t address);

/* regions_unmap_page: forgets the translation of one page of an object everywhere. */
void regions_unmap_page(struct memory *memory, uint64_t index);
