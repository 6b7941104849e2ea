/* Sv39 page tables (Privileged 4.3-4.4): three levels of 512 entries. */
#pragma once

#include "mm/layout.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t pte_t;

enum {
    PTE_V = 1 << 0,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
};
#define PTE_PERMISSIONS (PTE_R | PTE_W | PTE_X)

static inline uint64_t pte_address(pte_t pte) { return pte >> 10 << PAGE_SHIFT; }
static inline pte_t pte_make(uint64_t physical, uint64_t flags)
{
    return physical >> PAGE_SHIFT << 10 | flags;
}
static inline bool pte_is_leaf(pte_t pte) { return pte & PTE_PERMISSIONS; }

/* pt_index: which of the 512 entries of a table of this level (2 = root) maps address. */
static inline unsigned pt_index(uint64_t address, unsigned level)
{
    return address >> (PAGE_SHIFT + 9 * level) & 511;
}

/* pt_walk: the level-0 entry for address, or NULL if a table on the way is missing or a larger
 * leaf is in the way. With make, missing tables are allocated; *tables counts them; NULL then
 * means no memory. */
pte_t *pt_walk(pte_t *root, uint64_t address, bool make, size_t *tables);

/* pt_map_range: maps [address, address + size) to physical with leaves as large as alignment
 * allows, if large; for the kernel's own table. false: no memory. */
bool pt_map_range(pte_t *root, uint64_t address, uint64_t physical, uint64_t size, uint64_t flags,
                  bool large);

/* pt_free_tables: frees the user half's tables (not the frames that leaves map), at most budget
 * of them; true when none is left. */
bool pt_free_tables(pte_t *root, size_t *budget);

extern pte_t *kernel_page_table;

/* kernel_page_table_init: the kernel's own table: direct map and kernel, W^X. */
void kernel_page_table_init(uint64_t ram_start, uint64_t ram_end);
void kernel_page_table_activate(void);
