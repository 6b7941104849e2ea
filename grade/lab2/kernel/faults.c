/* Faults of user code: what a thread's single instruction at some address comes to. */
#include "mm/memory.h"
#include "proc/scheduler.h"
#include "trap/trap.h"
#include "user.h"

#define CODE     0x40000ul
#define WRITABLE 0x1000000ul
#define READABLE 0x2000000ul
#define PAGES    64

/* One instruction in front of each multiple of 16; then the thread tells that it came through. */
extern const char fault_code[], fault_code_end[];
asm(".pushsection .rodata\n"
    ".balign 16\n"
    "fault_code:\n"
    ".option push\n"
    ".option norvc\n"
    ".option arch, +d\n"
    "    ecall\n"
    ".balign 16\n    ld a1, 0(a0)\n    ecall\n"
    ".balign 16\n    sd a1, 0(a0)\n    ecall\n"
    ".balign 16\n    lbu a1, 0(a0)\n    ecall\n"
    ".balign 16\n    sb a1, 0(a0)\n    ecall\n"
    ".balign 16\n    jr a0\n    ecall\n"
    ".balign 16\n    .word 0\n    ecall\n"
    ".balign 16\n    ebreak\n    ecall\n"
    ".balign 16\n    csrr a1, sstatus\n    ecall\n"
    ".balign 16\n    csrw satp, zero\n    ecall\n"
    ".balign 16\n    sfence.vma\n    ecall\n"
    ".balign 16\n    fmv.d.x f5, a1\n    fmv.x.d a1, f5\n    ecall\n"
    ".balign 16\n    fmv.d.x f5, a1\n    .word 0\n    ecall\n"
    ".balign 16\n    amoadd.w a1, a1, (a0)\n    ecall\n"
    "fault_code_end:\n"
    ".option pop\n"
    ".popsection");

static struct thread *came_through;

static struct thread *come_back(struct thread *self)
{
    came_through = self;
    return NULL;
}

static void map_pages(struct process *process, uint64_t address, uint32_t prot)
{
    struct memory *memory = memory_new(PAGES * PAGE_SIZE, 0, process->account);
    if (!memory ||
        space_map(&process->space, memory, address, 0, PAGES * PAGE_SIZE, prot, prot) < 0)
        panic("no memory for the test's program");
}

static struct process *make_process(bool now)
{
    struct process *process = test_process(0, 0);
    user_code(process, CODE, fault_code, (size_t)(fault_code_end - fault_code), now);
    map_pages(process, WRITABLE, PROT_READ | PROT_WRITE);
    map_pages(process, READABLE, PROT_READ);
    return process;
}

static uint64_t word_at(struct process *process, uint64_t address)
{
    uint64_t word = 0;
    copy_from_user(&process->space, &word, address & ~7ul, sizeof(word));
    return word;
}

/* Each case: which instruction, the address in a0, the value in a1. The bystander of another
 * process runs when the thread does not any more. */
KERNEL_TEST(faults)
{
    struct process *others = make_process(true);
    struct thread *bystander = test_thread(others, 0);
    while (workload_more(workload)) {
        struct process *process = make_process(false);
        struct thread *thread = test_thread(process, 9);
        uint32_t slot = thread->slot;
        uint64_t faults = trap_counts.faults;
        thread->regs[REG_PC] = CODE + 16 * workload_next(workload);
        uint64_t address = thread->regs[REG_A0] = workload_next(workload);
        thread->regs[REG_A1] = workload_next(workload);
        bystander->regs[REG_PC] = CODE;
        thread_make_ready(bystander);
        switch_to(thread);
        user_run(come_back);
        const struct process_status *status = &process->status;
        kprintf("ended %u %ld 0x%lx 0x%lx %d %d\n", status->reason, status->value, status->pc,
                status->address, thread_table[slot] != thread, process->dead);
        kprintf("others %d %u %d\n", others->dead, others->status.reason,
                process->faults == trap_counts.faults - faults && process->faults);
        if (came_through == thread) {
            kprintf("through 0x%lx 0x%lx 0x%lx\n", thread->regs[REG_PC], thread->regs[REG_A1],
                    word_at(process, address));
            scheduler_forget(bystander);
            switch_to(bystander); /* whose address space stays */
            process_end(process, EXIT_KILLED, 0);
        } else {
            kprintf("bystander %d\n", came_through == bystander);
        }
        this_hart()->current = NULL;
        bystander->state = THREAD_RECEIVING;
        while (reaper_step())
            ;
    }
}
