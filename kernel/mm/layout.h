/* Where things are in memory.
 *
 *   0x0000000000000000  unmapped page
 *   0x0000000000001000  user space: text, data, heap, mappings, stacks, IPC pages
 *   0x0000003ffffff000  end of user space (Sv39 lower half)
 *   0xffffffc000000000  direct map: physical address 0 and up (devices, then RAM)
 *   0xffffffc080200000  the kernel itself, inside the direct map, with its own permissions
 *
 * The upper half is the same in every address space (global pages). */
#pragma once

#include "abi/memory.h"
#include <stdint.h>

#define DIRECT_MAP 0xffffffc000000000ul
#define DIRECT_MAP_SIZE (128ul << 30)

#define GIGAPAGE (1ul << 30)
#define MEGAPAGE (1ul << 21)
#define PAGE_ALIGN_UP(x) (((x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

static inline void *phys_to_virt(uint64_t physical) { return (void *)(physical + DIRECT_MAP); }
static inline uint64_t virt_to_phys(const void *address) { return (uint64_t)address - DIRECT_MAP; }

extern char kernel_start[], text_start[], text_end[], rodata_end[], bss_start[], bss_end[],
    kernel_end[];
