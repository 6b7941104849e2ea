/* Exercises 1.6 to 1.9: address spaces, memory objects, and accesses to them, as the host wants
 * them. One operation is five words; each answers with one line: its name, four results, the frames
 * in use that are not kernel objects', and what the two accounts are charged. */
#include "abi/errno.h"
#include "lab1.h"
#include "lib/string.h"
#include "mm/account.h"
#include "mm/address_space.h"
#include "mm/kalloc.h"
#include "mm/memory.h"

#define SPACES   4
#define OBJECTS  16
#define ACCOUNTS 2
#define TRIES    3 /* of an access that faults */
#define STEPS    100000

static struct address_space spaces[SPACES];
static struct memory *objects[OBJECTS];
static struct account *accounts[ACCOUNTS];
static uint64_t result[4];

/* The words of an operation, taken apart by each as it needs them. */
struct op {
    uint64_t code, a, b, c, d;
};

static void op_account(const struct op *op)
{
    accounts[op->a] =
        account_new((uint32_t)op->a + 1, (struct process_quota){.pages = (uint32_t)op->b});
    result[0] = accounts[op->a] != NULL;
}

/* What address_space_init leaves alone shows as 0xa5. */
static void op_space(const struct op *op)
{
    struct address_space *space = &spaces[op->a];
    memset(space, 0xa5, sizeof(*space));
    result[0] = address_space_init(space, accounts[op->b], (uint32_t)op->c);
    if (!result[0])
        return;
    result[1] = virt_to_phys(space->root);
    result[2] = space->satp;
    result[3] = space->stale_harts;
    bool empty = space->regions.next == &space->regions && space->regions.prev == &space->regions;
    kprintf("> fields %x %x %lx %lx %x %x %x\n", space->asid, space->region_count, space->mapped,
            space->resident, space->closing, empty, space->payer == accounts[op->b]);
}

static void op_memory(const struct op *op)
{
    objects[op->a] = memory_new(op->c, (uint32_t)op->d, accounts[op->b]);
    result[0] = objects[op->a] != NULL;
    result[1] = objects[op->a] ? objects[op->a]->contiguous : 0;
}

/* d: offset << 8 | prot << 4 | prot_max */
static void op_map(const struct op *op)
{
    uint64_t space = op->a & 15, size = op->a >> 4, prot = op->d >> 4 & 15, most = op->d & 15;
    result[0] = (uint64_t)space_map(&spaces[space], objects[op->b], op->c, op->d >> 8, size,
                                    (uint32_t)prot, (uint32_t)most);
}

static void op_device(const struct op *op)
{
    result[0] = (uint64_t)space_map_device(&spaces[op->a], op->b, op->c);
}

/* Unmaps (d = 16) or protects; how many calls it takes, and the most that one of them forgets. */
static void op_change(const struct op *op)
{
    struct address_space *space = &spaces[op->a];
    int64_t error = -ERESTART;
    for (unsigned calls = 0; error == -ERESTART && calls < STEPS; calls++) {
        uint64_t before = space->resident;
        error = op->d == 16 ? space_unmap(space, op->b, op->c)
                            : space_protect(space, op->b, op->c, (uint32_t)op->d);
        uint64_t gone = (before - space->resident) >> PAGE_SHIFT;
        result[1]++;
        result[2] = gone > result[2] ? gone : result[2];
    }
    result[0] = (uint64_t)error;
    result[3] = space->resident;
}

/* Enters a page of a memory object by hand, as space_fault would. */
static void op_enter(const struct op *op)
{
    struct address_space *space = &spaces[op->a & 15];
    struct memory *memory = objects[op->b];
    uint64_t index = op->a >> 4;
    uint64_t frame = memory->contiguous ? memory->contiguous + (index << PAGE_SHIFT)
                                        : memory_page(memory, index, op->d & PTE_W);
    size_t tables = 0;
    pte_t *entry = pt_walk(space->root, op->c, true, &tables);
    if (!frame || !entry)
        panic("the test has no memory to enter a page");
    space->payer->pages += (uint32_t)tables;
    if (!(*entry & PTE_V))
        space->resident += PAGE_SIZE;
    *entry = pte_make(frame, op->d);
    asm volatile("sfence.vma" ::: "memory");
    result[0] = frame;
}

static void op_use(const struct op *op)
{
    kernel_page_table_activate();
    if (op->a < SPACES)
        space_enter(&spaces[op->a]);
}

/* A load or a store; with d, a trap is answered by space_fault, as the trap handler will do it. */
static void op_access(const struct op *op)
{
    struct address_space *space = &spaces[op->a & 15];
    bool store = op->a >> 4;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        uint64_t value = op->c;
        uint64_t failed = store ? try_store(op->b, value) : try_load(op->b, &value);
        result[0] = failed;
        result[1] = value;
        result[2] = tries;
        if (!failed || !op->d)
            return;
        int64_t error = space_fault(space, op->b, store ? PROT_WRITE : PROT_READ);
        result[3] = (uint64_t)error;
        if (error)
            return;
    }
}

static void op_fault(const struct op *op)
{
    result[0] = (uint64_t)space_fault(&spaces[op->a], op->b, (uint32_t)op->c);
    result[1] = spaces[op->a].resident;
}

/* A number that depends on all words of a page; 0 for a page of zeros. */
static uint64_t digest(const uint64_t *words)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        sum += words[i] * (2 * i + 1);
    return sum;
}

/* c: bit 0: for writing; the rest: which word of the page becomes d then. */
static void op_page(const struct op *op)
{
    struct memory *memory = objects[op->a];
    uint64_t frame = memory_page(memory, op->b, op->c & 1);
    result[0] = frame;
    result[3] = memory->populated;
    if (!frame)
        return;
    uint64_t *words = phys_to_virt(frame);
    result[1] = digest(words);
    result[2] = memory->contiguous ? 0 : frame_references(frame);
    if (op->c & 1)
        words[op->c >> 1] = op->d;
}

/* d: 0: to the end; or so many steps only, of a clone that may have begun. */
static void op_clone(const struct op *op)
{
    struct memory *source = objects[op->a];
    if (!objects[op->b])
        objects[op->b] = memory_new(source->pages << PAGE_SHIFT, 0, accounts[op->c]);
    struct memory *clone = objects[op->b];
    if (!clone)
        panic("the test has no memory for a clone");
    bool done = false;
    for (uint64_t calls = 0; !done && calls < (op->d ? op->d : STEPS); calls++) {
        uint64_t before = clone->populated;
        done = memory_clone_step(source, clone);
        result[1]++;
        result[2] = clone->populated - before > result[2] ? clone->populated - before : result[2];
    }
    result[0] = done ? (clone->cursor == UINT64_MAX ? 2 : 1) : 0;
    result[3] = clone->populated;
    if (result[0] == 2) {
        object_release(&clone->object);
        objects[op->b] = NULL;
    }
}

static void op_drop(const struct op *op)
{
    object_release(&objects[op->a]->object);
    objects[op->a] = NULL;
}

static void op_destroy(const struct op *op)
{
    struct address_space *space = &spaces[op->a];
    space->closing = true;
    for (unsigned calls = 0; !result[0] && calls < STEPS; calls++) {
        result[0] = address_space_destroy_step(space, op->b);
        result[1]++;
    }
}

static void op_hoard(const struct op *op)
{
    if (op->c)
        hoard_release();
    else
        hoard(op->a, op->b);
}

static void op_pause(__attribute__((unused)) const struct op *op) { test_pause(); }

static const struct {
    const char *name;
    void (*run)(const struct op *op);
} ops[] = {
    {"account", op_account}, {"space", op_space},     {"memory", op_memory}, {"map", op_map},
    {"device", op_device},   {"change", op_change},   {"enter", op_enter},   {"use", op_use},
    {"access", op_access},   {"fault", op_fault},     {"page", op_page},     {"clone", op_clone},
    {"drop", op_drop},       {"destroy", op_destroy}, {"hoard", op_hoard},   {"pause", op_pause},
};

KERNEL_TEST(world)
{
    allow_user_pages();
    while (workload_more(workload)) {
        struct op op;
        op.code = workload_next(workload);
        op.a = workload_next(workload);
        op.b = workload_next(workload);
        op.c = workload_next(workload);
        op.d = workload_next(workload);
        memset(result, 0, sizeof(result));
        if (op.code >= sizeof(ops) / sizeof(ops[0]))
            panic("the workload is damaged");
        ops[op.code].run(&op);
        while (reaper_step())
            ;
        kprintf("> %s %lx %lx %lx %lx", ops[op.code].name, result[0], result[1], result[2],
                result[3]);
        kprintf(" %lx", frames_total() - frames_free() - kalloc_pages());
        for (unsigned i = 0; i < ACCOUNTS; i++)
            kprintf(" %x", accounts[i] ? accounts[i]->pages : 0);
        kprintf("\n");
    }
}
