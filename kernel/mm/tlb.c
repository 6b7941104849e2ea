/* TLB shoot-down: a local fence, SBI RFENCE for the harts that run the space, a mark for the others. */
#include "mm/tlb.h"
#include "dev/sbi.h"
#include "mm/address_space.h"
#include "arch/hart.h"

/* Marks the space stale wherever it is not in use, and flushes it on the other harts where it is. */
static void flush_elsewhere(struct address_space *space, uint64_t address, uint64_t size)
{
    uint64_t running = 0;
    for (unsigned i = 0; i < HARTS_MAX; i++)
        running |= (uint64_t)(harts[i].satp == space->satp) << i;
    space->stale_harts |= ~running;
    running &= ~(1ul << this_hart()->id);
    if (running)
        sbi_remote_sfence_vma(running, address, size, space->asid);
}

void tlb_flush_page(struct address_space *space, uint64_t address)
{
    asm volatile("sfence.vma %0, %1" ::"r"(address), "r"((uint64_t)space->asid) : "memory");
    flush_elsewhere(space, address, PAGE_SIZE);
}

void tlb_flush_space(struct address_space *space)
{
    asm volatile("sfence.vma zero, %0" ::"r"((uint64_t)space->asid) : "memory");
    flush_elsewhere(space, 0, UINT64_MAX);
}
