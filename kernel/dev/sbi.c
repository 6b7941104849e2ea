/* SBI calls: extension in a7, function in a6, arguments in a0..a4. */
#include "dev/sbi.h"

enum {
    SBI_LEGACY_PUTCHAR = 0x01,
    SBI_TIME = 0x54494d45,
    SBI_IPI = 0x735049,
    SBI_RFENCE = 0x52464e43,
    SBI_HSM = 0x48534d,
    SBI_SRST = 0x53525354,
};
enum { RFENCE_SFENCE_VMA_ASID = 2 };

/* The error; no call that we make has a value. */
static int64_t sbi_call(uint64_t extension, uint64_t function, uint64_t x0, uint64_t x1,
                        uint64_t x2, uint64_t x3, uint64_t x4)
{
    register uint64_t a0 asm("a0") = x0;
    register uint64_t a1 asm("a1") = x1;
    register uint64_t a2 asm("a2") = x2;
    register uint64_t a3 asm("a3") = x3;
    register uint64_t a4 asm("a4") = x4;
    register uint64_t a6 asm("a6") = function;
    register uint64_t a7 asm("a7") = extension;
    asm volatile("ecall"
                 : "+r"(a0), "+r"(a1)
                 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
                 : "memory");
    return (int64_t)a0;
}

void sbi_putchar(char c) { sbi_call(SBI_LEGACY_PUTCHAR, 0, (uint64_t)c, 0, 0, 0, 0); }

void sbi_set_timer(uint64_t time) { sbi_call(SBI_TIME, 0, time, 0, 0, 0, 0); }

void sbi_send_ipi(uint64_t hart_mask) { sbi_call(SBI_IPI, 0, hart_mask, 0, 0, 0, 0); }

void sbi_remote_sfence_vma(uint64_t hart_mask, uint64_t address, uint64_t size, uint64_t asid)
{
    sbi_call(SBI_RFENCE, RFENCE_SFENCE_VMA_ASID, hart_mask, 0, address, size, asid);
}

int64_t sbi_hart_start(uint64_t hart, uint64_t address, uint64_t argument)
{
    return sbi_call(SBI_HSM, 0, hart, address, argument, 0, 0);
}

void sbi_reset(uint32_t type) { sbi_call(SBI_SRST, 0, type, 0, 0, 0, 0); }
