/* Traps: the way into the kernel, and out of it. */
#pragma once

#include <stdint.h>

extern struct trap_counts {
    uint64_t interrupts, faults;
} trap_counts;

/* interrupts_poll: handles what is pending without a trap, for the idle loop. */
void interrupts_poll(void);

/* trap/entry.S: continues this_hart()->current in user mode. */
void trap_return(void) __attribute__((noreturn));
