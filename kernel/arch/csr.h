/* Control and status registers of S-mode (Privileged chapter 4) and the fences. */
#pragma once

#include <stdint.h>

#define csr_read(name)                                                                             \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        asm volatile("csrr %0, " #name : "=r"(value_)::"memory");                                  \
        value_;                                                                                    \
    })
#define csr_write(name, value)                                                                     \
    asm volatile("csrw " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_set(name, bits)   asm volatile("csrs " #name ", %0" ::"r"((uint64_t)(bits)) : "memory")
#define csr_clear(name, bits) asm volatile("csrc " #name ", %0" ::"r"((uint64_t)(bits)) : "memory")

#define SATP_SV39       (8ul << 60)
#define SATP_ASID(asid) ((uint64_t)(asid) << 44)

#define SSTATUS_FS       (3ul << 13)
#define SSTATUS_FS_OFF   (0ul << 13)
#define SSTATUS_FS_CLEAN (2ul << 13)
#define SSTATUS_FS_DIRTY (3ul << 13)

#define SIE_SOFTWARE (1ul << 1)
#define SIE_TIMER    (1ul << 5)
#define SIE_EXTERNAL (1ul << 9)

#define SCAUSE_INTERRUPT (1ul << 63)
enum scause {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL_INSTRUCTION = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
    INTERRUPT_SOFTWARE = 1,
    INTERRUPT_TIMER = 5,
    INTERRUPT_EXTERNAL = 9,
};

static inline uint64_t time_read(void)
{
    uint64_t ticks;
    asm volatile("rdtime %0" : "=r"(ticks));
    return ticks;
}
