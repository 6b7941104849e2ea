/* The end: a message, a backtrace with names, and power off with a failure status. */
#include "dev/power.h"
#include "lib/log.h"
#include "mm/layout.h"
#include "arch/hart.h"
#include <stdbool.h>

/* Made from the linked kernel by scripts/gen-symbols. */
extern const uint64_t symbol_count;
extern const uint64_t symbol_addresses[];
extern const uint32_t symbol_names[];
extern const char symbol_strings[];

static volatile uint32_t panicking;

void trap_kernel(uint64_t cause, uint64_t pc, uint64_t address, uint64_t frame)
    __attribute__((noreturn));

/* A return address may lie behind a call that ends its function, so the byte before it names it. */
static void print_symbol(uint64_t address, bool is_return)
{
    address -= is_return;
    uint64_t low = 0, high = symbol_count;
    while (low < high) { /* the last symbol at or below address */
        uint64_t middle = (low + high) / 2;
        if (symbol_addresses[middle] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    kprintf("  %p", (void *)(address + is_return));
    if (low && address < (uint64_t)text_end)
        kprintf(" %s+0x%lx", symbol_strings + symbol_names[low - 1],
                address + is_return - symbol_addresses[low - 1]);
    kprintf("\n");
}

/* Follows saved frame pointers: at fp-8 the return address, at fp-16 the caller's fp. */
void backtrace(uint64_t frame_pointer, uint64_t pc)
{
    kprintf("backtrace:\n");
    if (pc)
        print_symbol(pc, false);
    for (int depth = 0; depth < 32; depth++) {
        if (frame_pointer < (uint64_t)kernel_start + 16 || frame_pointer > (uint64_t)kernel_end ||
            frame_pointer % 8)
            return;
        const uint64_t *frame = (const uint64_t *)frame_pointer;
        if (frame[-1] < (uint64_t)text_start || frame[-1] >= (uint64_t)text_end)
            return;
        print_symbol(frame[-1], true);
        if (frame[-2] <= frame_pointer)
            return;
        frame_pointer = frame[-2];
    }
}

void panic(const char *format, ...)
{
    if (__atomic_exchange_n(&panicking, 1, __ATOMIC_ACQUIRE)) {
        for (;;) /* another hart, or panic itself, failed while one is being reported */
            asm volatile("wfi");
    }
    kprintf("\nPANIC on hart %u: ", this_hart()->id);
    va_list arguments;
    va_start(arguments, format);
    kvprintf(format, arguments);
    va_end(arguments);
    kprintf("\n");
    backtrace((uint64_t)__builtin_frame_address(0), 0);
    power_off(1);
}

/* A trap inside the kernel: boot/entry.S. */
void trap_kernel(uint64_t cause, uint64_t pc, uint64_t address, uint64_t frame)
{
    kprintf("\ntrap inside the kernel: scause %lu, stval 0x%lx\n", cause, address);
    backtrace(frame, pc);
    panic("scause %lu at pc 0x%lx, stval 0x%lx", cause, pc, address);
}
