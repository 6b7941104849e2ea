/* The way into the kernel and out of it: what becomes of a program's registers. */
#include "proc/scheduler.h"
#include "trap/trap.h"
#include "user.h"

#define CODE    0x40000ul
#define THREADS 4

/* Adds n to register n, and traps. */
extern const char add_code[], add_code_end[];
asm(".pushsection .rodata\n"
    ".balign 4\n"
    "add_code:\n"
    ".option push\n"
    ".option norvc\n"
    "1:\n"
    ".irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "    addi x\\n, x\\n, \\n\n"
    ".endr\n"
    "    ecall\n"
    "    j 1b\n"
    "add_code_end:\n"
    ".option pop\n"
    ".popsection");

static struct thread *threads[THREADS];
static struct workload *steps;

static void show(size_t index)
{
    const struct thread *thread = threads[index];
    kprintf("registers %lu", index);
    for (int n = 0; n < 32; n++)
        kprintf(" 0x%lx", thread->regs[n]);
    kprintf("\n");
}

static struct thread *next_step(struct thread *self)
{
    self->regs[REG_PC] += 4;
    if (!workload_more(steps))
        return NULL;
    size_t index = workload_next(steps);
    struct thread *next = threads[index];
    if (next != self) { /* all its registers are stored */
        self->state = THREAD_RECEIVING;
        show(index);
        switch_to(next);
    }
    if (workload_next(steps))
        csr_set(sip, SIE_SOFTWARE); /* the next trap comes with its first instruction */
    return next;
}

static void make_threads(struct workload *workload)
{
    for (int i = 0; i < THREADS; i++) {
        struct process *process = test_process(0, 0);
        user_code(process, CODE, add_code, (size_t)(add_code_end - add_code), true);
        threads[i] = test_thread(process, 8);
        threads[i]->regs[REG_PC] = CODE;
        for (int n = 1; n < 32; n++)
            threads[i]->regs[n] = workload_next(workload);
    }
}

KERNEL_TEST(trap)
{
    steps = workload;
    make_threads(workload);
    uint64_t before = trap_counts.interrupts;
    switch_to(threads[0]);
    user_run(next_step);
    kprintf("interrupts %lu\n", trap_counts.interrupts - before);
}

/* A bug of the kernel's, after a trap from user mode. */
static struct thread *come_back(struct thread *self)
{
    (void)self;
    return NULL;
}

KERNEL_TEST(kernel_trap)
{
    make_threads(workload);
    switch_to(threads[0]);
    user_run(come_back);
    uint64_t address = workload_next(workload);
    kprintf("hart %u, sscratch %lu\n", this_hart()->id, csr_read(sscratch));
    asm volatile("ld t0, 0(%0)" ::"r"(address) : "t0", "memory");
}
