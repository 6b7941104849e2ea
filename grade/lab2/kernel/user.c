/* Into user mode and back: see user.h. */
#include "user.h"
#include "lib/string.h"
#include "mm/layout.h"
#include "mm/memory.h"
#include "proc/scheduler.h"
#include "trap/trap.h"

struct thread *fastpath(struct thread *self);
void user_enter(uint64_t place[14]);
void user_leave(const uint64_t place[14]) __attribute__((noreturn));

/* What a function must keep, so that user_leave returns from the call of user_enter. */
asm(".pushsection .text.user_enter, \"ax\"\n"
    "user_enter:\n"
    "    sd ra, 0(a0)\n"
    "    sd sp, 8(a0)\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11\n"
    "    sd s\\n, 16+8*\\n(a0)\n"
    ".endr\n"
    "    j trap_return\n"
    "user_leave:\n"
    "    ld ra, 0(a0)\n"
    "    ld sp, 8(a0)\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11\n"
    "    ld s\\n, 16+8*\\n(a0)\n"
    ".endr\n"
    "    ret\n"
    ".popsection");

static user_hook *hook;
static uint64_t place[14];
static char trap_stack[8192] __attribute__((aligned(16))); /* the hart's own is the test's */

struct thread *fastpath(struct thread *self)
{
    if (!hook)
        return NULL;
    struct thread *next = hook(self);
    if (next)
        return next;
    user_leave(place);
}

void user_run(user_hook *with)
{
    struct hart *hart = this_hart();
    uint64_t stack_top = hart->stack_top;
    hook = with;
    hart->stack_top = (uint64_t)trap_stack + sizeof(trap_stack);
    kernel_unlock();
    user_enter(place);
    kernel_lock();
    hart->stack_top = stack_top;
    hook = NULL;
}

void user_code(struct process *process, uint64_t address, const void *code, size_t size, bool now)
{
    struct memory *memory = memory_new(PAGE_SIZE, 0, process->account);
    uint64_t frame = memory ? memory_page(memory, 0, true) : 0;
    if (!frame)
        panic("no memory for the test's program");
    memcpy(phys_to_virt(frame), code, size);
    asm volatile("fence.i" ::: "memory");
    const uint32_t prot = PROT_READ | PROT_EXEC;
    if (space_map(&process->space, memory, address, 0, PAGE_SIZE, prot, prot) < 0)
        panic("the test's program cannot be mapped");
    if (now && space_fault(&process->space, address, PROT_EXEC) != 0)
        panic("the test's program cannot be entered into the page table");
}
