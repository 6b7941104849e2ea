/* Exercises 1.3 to 1.5: walking and mapping in tables of the test's own, and accesses through the
 * kernel's own table. */
#include "lab1.h"
#include "mm/pagetable.h"

enum walk_op { OP_WALK, OP_LEAF };

static pte_t *new_root(void)
{
    uint64_t root = frame_alloc_zeroed();
    if (!root)
        panic("no memory for the root table: exercise 1.1");
    kprintf("> root %lx %lx\n", root, frames_free());
    return phys_to_virt(root);
}

/* The test's own way to a leaf of any level: the tables above it are there. */
static void place_leaf(pte_t *root, uint64_t address, unsigned level, pte_t leaf)
{
    pte_t *table = root;
    for (unsigned at = 2; at > level; at--)
        table = phys_to_virt(pte_address(table[pt_index(address, at)]));
    table[pt_index(address, level)] = leaf;
}

static void walk(pte_t *root, uint64_t address, uint64_t how, uint64_t value)
{
    bool make = how & 1, count = how & 2;
    size_t tables = 1000; /* it is to be added to */
    pte_t *entry = pt_walk(root, address, make, count ? &tables : NULL);
    uint64_t physical = entry ? virt_to_phys(entry) : 0, old = entry ? *entry : 0;
    if (entry && make)
        *entry = value;
    kprintf("> walk %lx %lx %lx %lx\n", physical, old, tables - 1000, frames_free());
}

KERNEL_TEST_EARLY(walk)
{
    arena_init(workload);
    pte_t *root = new_root();
    while (workload_more(workload)) {
        uint64_t op = workload_next(workload), address = workload_next(workload),
                 how = workload_next(workload), value = workload_next(workload);
        if (op == OP_WALK)
            walk(root, address, how, value);
        else
            place_leaf(root, address, (unsigned)how, value);
    }
    test_pause();
}

KERNEL_TEST_EARLY(map_range)
{
    arena_init(workload);
    pte_t *root = new_root();
    while (workload_more(workload)) {
        uint64_t address = workload_next(workload), physical = workload_next(workload),
                 size = workload_next(workload), flags = workload_next(workload),
                 large = workload_next(workload);
        bool done = pt_map_range(root, address, physical, size, flags, large);
        kprintf("> map %x %lx\n", done, frames_free());
    }
    test_pause();
}

/* The kernel's table: the host looks at it, then chooses addresses to be loaded from ('l'), stored
 * to ('s'), and called ('x': a frame with a return instruction in it, wherever it is mapped). */
KERNEL_TEST(kernel_table)
{
    kprintf("> kernel %lx %lx\n", virt_to_phys(kernel_page_table), virt_to_phys(kernel_end));
    test_pause();
    uint64_t frame = frame_alloc(0);
    *(uint32_t *)phys_to_virt(frame) = 0x8067; /* ret */
    asm volatile("fence.i" ::: "memory");
    kprintf("> try %lx\n", try_call((uint64_t)phys_to_virt(frame)));
    while (workload_more(workload)) {
        uint64_t address = workload_next(workload), store = workload_next(workload), value;
        uint64_t failed = try_load(address, &value);
        if (store && !failed)
            failed = try_store(address, value);
        kprintf("> try %lx\n", failed);
    }
}
