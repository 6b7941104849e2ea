/* The first instructions. OpenSBI enters _start in S-mode, paging off, on one hart, with
 * a0 = its number and a1 = the device tree. The boot table maps the first 128 GiB at DIRECT_MAP
 * and once more where the code runs now, until kmain has made the kernel's own table. */
#include "boot/entry.h"

.section .text.start, "ax"
.global _start
_start:
    csrw sie, zero
    /* A hart that kmain starts may come here, too: OpenSBI 1.1 can let it go before it has
     * written down where to. */
    lla t0, boot_hart_came
    li t1, 1
    amoswap.w t1, t1, (t0)
    bnez t1, secondary_start
    mv s0, a0
    mv s1, a1
    lla t0, bss_start
    lla t1, bss_end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b

    lla t0, boot_page_table
    li t1, 0xef                     /* first gigabyte: V R W X G A D */
    li t2, 0x10000000               /* one gigabyte further, in PTE units */
    li t3, 2048                     /* entry 256: DIRECT_MAP */
    add t3, t0, t3
    addi t4, t3, 8 * 128 - 8
2:  sd t1, 0(t3)
    add t1, t1, t2
    addi t3, t3, 8
    bleu t3, t4, 2b
    li t1, 0x200000ef               /* 0x80000000 where it is */
    sd t1, 16(t0)

    call paging_on
    li t0, HARTS_STACK_SIZE
    addi t1, s0, 1
    mul t0, t0, t1
    la sp, hart_stacks
    add sp, sp, t0
    la t0, trap_unexpected
    csrw stvec, t0
    mv a0, s0
    mv a1, s1
    li s0, 0
    tail kmain

/* Another hart, started by kmain: a0 = its number. */
.global secondary_start
secondary_start:
    csrw sie, zero
    mv s0, a0
    lla t0, boot_page_table
    call paging_on
    li t0, HARTS_STACK_SIZE
    addi t1, s0, 1
    mul t0, t0, t1
    la sp, hart_stacks
    add sp, sp, t0
    mv a0, s0
    li s0, 0
    tail secondary_main

/* Switches to the table at t0 and returns to the caller's address in the high half. */
paging_on:
    srli t0, t0, 12
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    sfence.vma
    li t0, -1
    slli t0, t0, 38                 /* DIRECT_MAP */
    add ra, ra, t0
    ret

/* A trap that nobody expects. */
.balign 4
.global trap_unexpected
trap_unexpected:
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    mv a3, s0
    call trap_kernel

/* Stand-ins for what later labs write (boot/kernel.ld). */
.global nothing, not_there
nothing:
    li a0, 0
    ret
not_there:
    li a0, -38 /* ENOSYS */
    ret

.section .data
.balign 4
boot_hart_came: /* not in .bss, which the first hart clears */
    .word 0

.section .bss
.balign 4096
boot_page_table:
    .skip 4096
.balign 16
.global hart_stacks
hart_stacks:
    .skip HARTS_STACK_SIZE * 8
