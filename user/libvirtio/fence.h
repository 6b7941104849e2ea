/* Ordering between the driver's memory accesses and a device's (RISC-V Unprivileged, 2.7). On the
 * host, where the device is a function of the test, only the compiler has to be held back. */
#pragma once

#ifdef __riscv
#define FENCE(before, after) __asm__ volatile("fence " #before ", " #after ::: "memory")
#else
#define FENCE(before, after) __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif
