/* The way in and out. In user mode sscratch holds the thread (its registers come first in
 * struct thread); in the kernel it holds 0, tp points to struct hart, interrupts are off, and a
 * trap means a bug. x1..x31 are at 8*n, the pc at 0, the hart at 256. */

.section .text.entry, "ax"
.balign 4
.global trap_entry
trap_entry:
    csrrw tp, sscratch, tp
    beqz tp, from_kernel
.irp n, 1,2,3
    sd x\n, 8*\n(tp)
.endr
.irp n, 5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, 8*\n(tp)
.endr
    csrrw t0, sscratch, zero
    csrr t1, sepc
    sd t0, 8*4(tp)
    sd t1, 0(tp)
    mv a0, tp
    ld tp, 256(a0)
    ld sp, 0(tp)
    csrr a1, scause
    li s0, 0 /* backtraces end here */
    call trap_user
    mv tp, a0

/* tp = the thread to run. */
resume:
    ld t1, 0(tp)
    ld t0, 8*4(tp)
    csrw sepc, t1
    csrw sscratch, t0
.irp n, 1,2,3
    ld x\n, 8*\n(tp)
.endr
.irp n, 5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, 8*\n(tp)
.endr
    csrrw tp, sscratch, tp
    sret

from_kernel:
    csrrw tp, sscratch, tp
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    mv a3, s0
    call trap_kernel

.global trap_return
trap_return:
    ld tp, 8(tp)
    j resume
