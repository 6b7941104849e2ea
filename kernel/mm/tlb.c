/* TLB shoot-down: a local fence, and SBI RFENCE for the other harts that may hold entries. */
#include "mm/tlb.h"
#include "dev/sbi.h"
#include "mm/address_space.h"
#include "proc/hart.h"

void tlb_flush_page(struct address_space *space, uint64_t address)
{
    asm volatile("sfence.vma %0, %1" ::"r"(address), "r"((uint64_t)space->asid) : "memory");
    uint64_t others = space->hart_mask & ~(1ul << this_hart()->id);
    if (others)
        sbi_remote_sfence_vma(others, address, PAGE_SIZE, space->asid);
}

void tlb_flush_space(struct address_space *space)
{
    asm volatile("sfence.vma zero, %0" ::"r"((uint64_t)space->asid) : "memory");
    uint64_t others = space->hart_mask & ~(1ul << this_hart()->id);
    if (others)
        sbi_remote_sfence_vma(others, 0, UINT64_MAX, space->asid);
}
