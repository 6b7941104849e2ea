/* What a trap is, and who deals with it. One function is the kernel: it takes the lock, acts on
 * the cause, sees to it that the right thread is current, drops the lock, and returns that thread
 * to trap/entry.S. */
#include "trap/trap.h"
#include "abi/delegation.h"
#include "arch/csr.h"
#include "boot/stages.h"
#include "dev/timer.h"
#include "lib/log.h"
#include "mm/address_space.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"
#include "trap/syscall.h"

void trap_entry(void);
struct thread *trap_user(struct thread *thread, uint64_t cause);

_Static_assert(offsetof(struct thread, regs) == 0 && offsetof(struct thread, hart) == 256 &&
                   offsetof(struct hart, stack_top) == 0 && offsetof(struct hart, current) == 8,
               "trap/entry.S knows these offsets");

struct trap_counts trap_counts;

void traps_start(void)
{
    csr_write(sscratch, 0);
    csr_clear(sstatus, SSTATUS_FS); /* the firmware may have left it on */
    csr_write(stvec, trap_entry);
    csr_write(sie, SIE_SOFTWARE | SIE_TIMER | SIE_EXTERNAL);
    csr_write(scounteren, 2); /* user code may read the time, nothing else */
}

static void interrupt(uint64_t number)
{
    trap_counts.interrupts++;
    switch (number) {
    case INTERRUPT_SOFTWARE: /* another hart wants us to look at the ready queues */
        csr_clear(sip, SIE_SOFTWARE);
        break;
    case INTERRUPT_TIMER:
        timer_interrupt();
        break;
    case INTERRUPT_EXTERNAL:
        irq_handle();
        break;
    default:
        panic("interrupt %lu was never enabled", number);
    }
}

void interrupts_poll(void)
{
    uint64_t pending = csr_read(sip) & csr_read(sie);
    for (unsigned number = INTERRUPT_SOFTWARE; number <= INTERRUPT_EXTERNAL; number++) {
        if (pending >> number & 1)
            interrupt(number);
    }
}

/* exercise 2.9 */
static void syscall(struct thread *thread)
{
    uint64_t *regs = thread->regs;
    uint64_t number = regs[REG_A7];
    regs[REG_PC] += 4;
    thread->process->syscalls++;
    int64_t result = -ENOSYS;
    if (number >= SYSCALL_DELEGATED || thread->process->personality)
        result = delegate(thread, number);
    else if (number < syscall_count && syscall_table[number].handler)
        result = syscall_table[number].handler(thread, regs[REG_A0], regs[REG_A1], regs[REG_A2],
                                               regs[REG_A3], regs[REG_A4], regs[REG_A5]);
    if (result == SYSCALL_DONE || this_hart()->current != thread)
        return; /* a reply or a close may end the caller's own process */
    if (result == -ERESTART)
        regs[REG_PC] -= 4; /* registers are as they were: the ecall runs again */
    else
        regs[REG_A0] = (uint64_t)result;
}
/* end 2.9 */

/* exercise 2.8 */
static void fault(struct thread *thread, uint64_t cause)
{
    uint64_t address = csr_read(stval);
    struct process *process = thread->process;
    uint32_t access = cause == CAUSE_LOAD_PAGE    ? PROT_READ
                      : cause == CAUSE_STORE_PAGE ? PROT_WRITE
                      : cause == CAUSE_FETCH_PAGE ? PROT_EXEC
                                                  : 0;
    trap_counts.faults++;
    process->faults++;
    if (access && space_fault(&process->space, address, access) == 0)
        return;
    if (cause == CAUSE_ILLEGAL_INSTRUCTION &&
        (csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_OFF && fp_enable(thread))
        return; /* it may have been a floating-point instruction: try again */
    if (personality_fault(thread, cause, address))
        return;
    process->status.pc = thread->regs[REG_PC];
    process->status.address = address;
    process_end(process, EXIT_FAULT, (int64_t)cause);
}
/* end 2.8 */

struct thread *trap_user(struct thread *thread, uint64_t cause)
{
    struct hart *hart = this_hart();
    kernel_lock();
    if (thread->state == THREAD_DEAD)
        thread_reap(thread); /* killed from another hart while it ran here */
    else if (cause == CAUSE_ECALL_U)
        syscall(thread);
    else if (cause & SCAUSE_INTERRUPT)
        interrupt(cause & ~SCAUSE_INTERRUPT);
    else
        fault(thread, cause);
    scheduler_exit();
    kernel_unlock();
    return hart->current;
}
