/* The way in and out. In user mode sscratch holds the thread (its registers come first in
 * struct thread); in the kernel it holds 0, tp points to struct hart, interrupts are off, and a
 * trap means a bug. x1..x31 are at 8*n, the pc at 0, the hart at 256.
 *
 * A system call is tried on the fast path (ipc/fastpath.c) first, with only the registers saved
 * that a C function may change; s0..s11 follow when the thread really leaves the hart. */

.section .text.entry, "ax"

.macro save_callee_saved base
.irp n, 8,9,18,19,20,21,22,23,24,25,26,27
    sd x\n, 8*\n(\base)
.endr
.endm

.macro each_caller_saved op, base /* but for tp */
.irp n, 1,2,3,5,6,7,10,11,12,13,14,15,16,17,28,29,30,31
    \op x\n, 8*\n(\base)
.endr
.endm

.macro load_callee_saved base
.irp n, 8,9,18,19,20,21,22,23,24,25,26,27
    ld x\n, 8*\n(\base)
.endr
.endm

/* exercise 2.7 */
/* Back to the thread at tp, whose s0..s11 are in place. */
.macro leave
    ld t1, 0(tp)
    ld t0, 8*4(tp)
    csrw sepc, t1
    csrw sscratch, t0
    each_caller_saved ld, tp
    csrrw tp, sscratch, tp
    sret
.endm

.balign 4
.global trap_entry
trap_entry:
    csrrw tp, sscratch, tp
    beqz tp, from_kernel
    each_caller_saved sd, tp
    csrrw t0, sscratch, zero
    csrr t1, sepc
    sd t0, 8*4(tp)
    sd t1, 0(tp)
    mv a0, tp
    ld tp, 256(a0)
    ld sp, 0(tp)
/* end 2.7 */
    /* Here a0 = the thread, tp = the hart, sp = its stack; x1..x7, x10..x17, x28..x31 and the pc
     * are saved. */
    csrr t2, scause
    li t0, 8 /* a system call */
    bne t2, t0, slow
    addi sp, sp, -16
    sd a0, 0(sp)
    call fastpath
    ld a1, 0(sp)
    beq a0, a1, same_thread
    addi sp, sp, 16
    beqz a0, declined

    /* Another thread runs on: nobody may take the old one up before its registers are complete,
     * so the lock is dropped only now. */
    save_callee_saved a1
    fence rw, w
    sw zero, kernel_lock_word, t0
    mv tp, a0
    j resume

same_thread:
    mv tp, a0
    leave

declined:
    mv a0, a1
slow:
    save_callee_saved a0
    csrr a1, scause
    li s0, 0 /* backtraces end here */
    call trap_user
    mv tp, a0

resume: /* tp = the thread to run */
    load_callee_saved tp
    leave

from_kernel:
    csrrw tp, sscratch, tp
    j trap_unexpected

.global trap_return
trap_return:
    ld tp, 8(tp)
    j resume
