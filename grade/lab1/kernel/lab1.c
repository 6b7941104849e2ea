/* What the tests of lab 1 share: see the header. */
#include "lab1.h"
#include "arch/csr.h"
#include "mm/layout.h"

#define RESERVED_MAX 8
#define SSTATUS_SUM  (1ul << 18)

static uint64_t hoarded; /* physical; the next one's address is in its second word */

static void fill(uint64_t physical, uint64_t pattern)
{
    uint64_t *words = phys_to_virt(physical);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        words[i] = pattern;
}

void arena_init(struct workload *workload)
{
    uint64_t pattern = workload_next(workload);
    struct range ram = {workload_next(workload), workload_next(workload)}, reserved[RESERVED_MAX];
    uint64_t first_free = workload_next(workload), n = workload_next(workload);
    for (uint64_t i = 0; i < n && i < RESERVED_MAX; i++) {
        reserved[i].start = workload_next(workload);
        reserved[i].end = workload_next(workload);
    }
    for (uint64_t at = ram.start; at < ram.end; at += PAGE_SIZE)
        fill(at, pattern);
    frame_init(ram, first_free, reserved, n);
}

void hoard(uint64_t leave, uint64_t pattern)
{
    while (frames_free() > leave) {
        uint64_t frame = frame_alloc(0);
        if (!frame)
            break;
        if (pattern)
            fill(frame, pattern);
        ((uint64_t *)phys_to_virt(frame))[1] = hoarded;
        hoarded = frame;
    }
}

void hoard_release(void)
{
    while (hoarded) {
        uint64_t frame = hoarded;
        hoarded = ((uint64_t *)phys_to_virt(frame))[1];
        frame_free(frame, 0);
    }
}

void allow_user_pages(void) { csr_set(sstatus, SSTATUS_SUM); }

/* Runs one instruction with stvec pointing right behind it: a trap skips what follows it. */
#define TRY(instruction, failed, ...)                                                              \
    asm volatile("la t0, 1f\n"                                                                     \
                 "csrrw t1, stvec, t0\n"                                                           \
                 "li %[bad], 1\n" instruction "\n"                                                 \
                 "li %[bad], 0\n"                                                                  \
                 ".balign 4\n"                                                                     \
                 "1: csrw stvec, t1\n"                                                             \
                 : [bad] "=&r"(failed), [value] "+&r"(value)                                       \
                 : [address] "r"(address)                                                          \
                 : "t0", "t1", "memory", ##__VA_ARGS__)

uint64_t try_load(uint64_t address, uint64_t *where)
{
    uint64_t failed, value = 0;
    TRY("ld %[value], 0(%[address])", failed);
    *where = value;
    return failed ? csr_read(scause) + 1 : 0;
}

uint64_t try_store(uint64_t address, uint64_t value)
{
    uint64_t failed;
    TRY("sd %[value], 0(%[address])", failed);
    return failed ? csr_read(scause) + 1 : 0;
}

uint64_t try_call(uint64_t address)
{
    uint64_t failed, value = 0;
    TRY("jalr ra, 0(%[address])", failed, "ra");
    return failed ? csr_read(scause) + 1 : 0;
}
