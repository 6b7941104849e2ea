/* Per-hart state. Inside the kernel tp points to it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct thread;

#define HARTS_MAX 8

struct hart {
    uint64_t stack_top;      /* offset 0: trap/entry.S reads it */
    struct thread *current;  /* running in user mode, or NULL: to be chosen */
    uint32_t id;             /* as SBI numbers it */
    bool idle;
    bool kicked;             /* idle, and an IPI is on its way to it */
    bool slice_over;         /* its thread has had its time */
    struct thread *fp_owner; /* whose floating-point registers are in the hart */
    uint64_t satp;           /* what the register holds */
    struct thread *charged;  /* whose time runs since switch_time; outlives current in idle */
    uint64_t switch_time;    /* timer ticks */
    uint64_t slice_end;      /* 0 = no slice is being counted */
    uint64_t timer_set;      /* what the timer is programmed to */
    uint64_t idle_ticks;
};

extern struct hart harts[HARTS_MAX];
extern uint64_t harts_online; /* mask */

static inline struct hart *this_hart(void)
{
    struct hart *hart;
    asm("mv %0, tp" : "=r"(hart));
    return hart;
}

/* The big kernel lock: taken at the trap, dropped at the return (also by trap/entry.S). */
extern volatile uint32_t kernel_lock_word;

static inline void kernel_lock(void)
{
    while (__atomic_exchange_n(&kernel_lock_word, 1, __ATOMIC_ACQUIRE)) {
        while (kernel_lock_word)
            ;
    }
}

static inline void kernel_unlock(void)
{
    __atomic_store_n(&kernel_lock_word, 0, __ATOMIC_RELEASE);
}
