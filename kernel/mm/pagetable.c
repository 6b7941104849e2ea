/* Sv39 tables: walking, mapping, and the kernel's own table. */
#include "mm/pagetable.h"
#include "arch/csr.h"
#include "lib/log.h"
#include "mm/frame.h"

pte_t *kernel_page_table;

/* exercise 1.3 */
pte_t *pt_walk(pte_t *root, uint64_t address, bool make, size_t *tables)
{
    pte_t *table = root;
    for (unsigned level = 2; level > 0; level--) {
        pte_t *entry = &table[pt_index(address, level)];
        if (!(*entry & PTE_V)) {
            uint64_t frame = make ? frame_alloc_zeroed() : 0;
            if (!frame)
                return NULL;
            *entry = pte_make(frame, PTE_V);
            if (tables)
                ++*tables;
        } else if (pte_is_leaf(*entry)) {
            return NULL;
        }
        table = phys_to_virt(pte_address(*entry));
    }
    return &table[pt_index(address, 0)];
}
/* end 1.3 */

/* exercise 1.4 */
bool pt_map_range(pte_t *root, uint64_t address, uint64_t physical, uint64_t size, uint64_t flags,
                  bool large)
{
    static const uint64_t leaf_size[] = {PAGE_SIZE, MEGAPAGE, GIGAPAGE};
    while (size) {
        unsigned level = 0;
        while (large && level < 2 && size >= leaf_size[level + 1] &&
               (address | physical) % leaf_size[level + 1] == 0)
            level++;
        pte_t *table = root;
        for (unsigned at = 2; at > level; at--) {
            pte_t *entry = &table[pt_index(address, at)];
            if (!(*entry & PTE_V)) {
                uint64_t frame = frame_alloc_zeroed();
                if (!frame)
                    return false;
                *entry = pte_make(frame, PTE_V);
            }
            table = phys_to_virt(pte_address(*entry));
        }
        table[pt_index(address, level)] = pte_make(physical, flags | PTE_V | PTE_A | PTE_D);
        address += leaf_size[level];
        physical += leaf_size[level];
        size -= leaf_size[level];
    }
    return true;
}
/* end 1.4 */

bool pt_free_tables(pte_t *root, size_t *budget)
{
    for (unsigned i = 0; i < 256; i++) {
        if (!(root[i] & PTE_V))
            continue;
        pte_t *middle = phys_to_virt(pte_address(root[i]));
        for (unsigned j = 0; j < 512; j++) {
            if (!(middle[j] & PTE_V))
                continue;
            if (*budget == 0)
                return false;
            --*budget;
            frame_free(pte_address(middle[j]), 0);
            middle[j] = 0;
        }
        frame_free(pte_address(root[i]), 0);
        root[i] = 0;
    }
    return true;
}

/* exercise 1.5 */
void kernel_page_table_init(uint64_t ram_start, uint64_t ram_end)
{
    uint64_t root = frame_alloc_zeroed();
    assert(root);
    kernel_page_table = phys_to_virt(root);

    const struct {
        uint64_t start, end; /* physical */
        uint64_t flags;
        bool large;
    } ranges[] = {
        {0, ram_start, PTE_R | PTE_W, true}, /* devices */
        {ram_start, virt_to_phys(kernel_start), PTE_R | PTE_W, true},
        {virt_to_phys(text_start), virt_to_phys(text_end), PTE_R | PTE_X, false},
        {virt_to_phys(text_end), virt_to_phys(rodata_end), PTE_R, false},
        {virt_to_phys(rodata_end), virt_to_phys(kernel_end), PTE_R | PTE_W, false},
        {virt_to_phys(kernel_end), ram_end, PTE_R | PTE_W, true},
    };
    bool done = true;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        done = done && pt_map_range(kernel_page_table, ranges[i].start + DIRECT_MAP,
                                    ranges[i].start, ranges[i].end - ranges[i].start,
                                    ranges[i].flags | PTE_G, ranges[i].large);
    assert(done);
}
/* end 1.5 */

void kernel_page_table_activate(void)
{
    csr_write(satp, SATP_SV39 | virt_to_phys(kernel_page_table) >> PAGE_SHIFT);
    asm volatile("sfence.vma" ::: "memory");
}
