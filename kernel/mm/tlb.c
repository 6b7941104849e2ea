/* TLB shoot-down: a local fence, SBI RFENCE for the harts that run the space, a mark for the others. */
#include "mm/tlb.h"
#include "dev/sbi.h"
#include "mm/address_space.h"
#include "arch/hart.h"

/* Marks the space stale wherever it is not in use; the mask of other harts where it is. */
static uint64_t running_elsewhere(struct address_space *space)
{
    uint64_t running = 0;
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        if (harts[i].satp == space->satp)
            running |= 1ul << i;
    }
    space->stale_harts |= ~running;
    return running & ~(1ul << this_hart()->id);
}

void tlb_flush_page(struct address_space *space, uint64_t address)
{
    uint64_t others = running_elsewhere(space);
    asm volatile("sfence.vma %0, %1" ::"r"(address), "r"((uint64_t)space->asid) : "memory");
    if (others)
        sbi_remote_sfence_vma(others, address, PAGE_SIZE, space->asid);
}

void tlb_flush_space(struct address_space *space)
{
    uint64_t others = running_elsewhere(space);
    asm volatile("sfence.vma zero, %0" ::"r"((uint64_t)space->asid) : "memory");
    if (others)
        sbi_remote_sfence_vma(others, 0, UINT64_MAX, space->asid);
}
