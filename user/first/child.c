/* Children and threads: see child.h. */
#include "child.h"
#include "abi/memory.h"
#include "cairn/syscall.h"
#include <string.h>

#define SHARED_PAGE 0x40000000ul /* where it is in the child */
#define STACK_TOP   0x50000000ul
#define STACK_SIZE  0x8000ul

/* user/libc/user.ld: code and constants come first, then the data, which begin with this array on
 * a page border. */
extern char _start[], __preinit_array_start[], __end[];
#define CODE_START ((uint64_t)_start & ~(PAGE_SIZE - 1))
#define DATA_START ((uint64_t)__preinit_array_start)
#define DATA_END   (((uint64_t)__end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

struct child_page {
    child_function *function;
    volatile uint64_t words[CHILD_WORDS];
};

/* A child begins with a0 = the shared page. A thread finds its function on its stack, and has its
 * argument in a0. Threads share the first one's thread-local variables, and must not use any. */
extern char child_entry[], thread_entry[];
asm(".pushsection .text.child_entry, \"ax\", @progbits\n"
    "child_entry:\n"
    ".option push\n"
    ".option norelax\n"
    "    la gp, __global_pointer$\n"
    ".option pop\n"
    "    la tp, __first_tls\n"
    "    ld t0, 0(a0)\n"
    "    addi a0, a0, 8\n"
    "    jalr t0\n"
    "    li a7, 5\n"
    "    ecall\n"
    "thread_entry:\n"
    ".option push\n"
    ".option norelax\n"
    "    la gp, __global_pointer$\n"
    ".option pop\n"
    "    la tp, __first_tls\n"
    "    ld t0, 0(sp)\n"
    "    jalr t0\n"
    "    li a7, 4\n"
    "    ecall\n"
    ".popsection");
_Static_assert(SYS_process_exit == 5 && SYS_thread_exit == 4, "the two entries end in these");

/* An object with a copy of our memory from start to end. */
static int64_t copy_of(uint64_t start, uint64_t end)
{
    int64_t memory = memory_create(end - start, 0);
    if (memory < 0)
        return memory;
    int64_t here = memory_map(0, (handle_t)memory, 0, 0, end - start, PROT_READ | PROT_WRITE);
    if (here < 0) {
        handle_close((handle_t)memory);
        return here;
    }
    for (uint64_t at = 0; at < end - start; at += sizeof(uint64_t))
        *(volatile uint64_t *)(here + (int64_t)at) = *(const uint64_t *)(start + at);
    memory_unmap(0, (uint64_t)here, end - start);
    asm volatile("fence.i" ::: "memory");
    return memory;
}

/* Maps an object in a process and lets go of it; an object that is an error is one here, too. */
static int64_t give(handle_t process, int64_t memory, uint64_t address, uint64_t size,
                    uint32_t prot)
{
    if (memory < 0)
        return memory;
    int64_t mapped = memory_map(process, (handle_t)memory, address, 0, size, prot);
    handle_close((handle_t)memory);
    return mapped < 0 ? mapped : 0;
}

static int64_t fill(struct child *child)
{
    handle_t process = child->process;
    int64_t shared = memory_create(PAGE_SIZE, 0);
    if (shared < 0)
        return shared;
    int64_t here = memory_map(0, (handle_t)shared, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
    if (here > 0)
        child->words = ((struct child_page *)here)->words;
    int64_t error = give(process, shared, SHARED_PAGE, PAGE_SIZE, PROT_READ | PROT_WRITE);
    if (here < 0 || error)
        return here < 0 ? here : error;
    error = give(process, copy_of(CODE_START, DATA_START), CODE_START, DATA_START - CODE_START,
                 PROT_READ | PROT_EXEC);
    if (!error)
        error = give(process, copy_of(DATA_START, DATA_END), DATA_START, DATA_END - DATA_START,
                     PROT_READ | PROT_WRITE);
    if (!error)
        error = give(process, memory_create(STACK_SIZE, 0), STACK_TOP - STACK_SIZE, STACK_SIZE,
                     PROT_READ | PROT_WRITE);
    return error;
}

int64_t child_new(struct child *child, const char *name, const struct process_quota *quota)
{
    *child = (struct child){0};
    int64_t process = process_create(name, strlen(name), quota);
    if (process < 0)
        return process;
    child->process = (handle_t)process;
    int64_t error = fill(child);
    if (error)
        child_end(child);
    return error;
}

int64_t child_start(struct child *child, child_function *function, uint32_t priority)
{
    struct child_page *page = (struct child_page *)((char *)child->words - 8);
    page->function = function;
    return process_start(child->process, (uint64_t)child_entry, STACK_TOP, SHARED_PAGE, priority);
}

struct process_status child_wait(const struct child *child)
{
    struct process_status status = {0};
    while (process_status(child->process, &status) == 0 && status.reason == EXIT_RUNNING)
        thread_yield();
    return status;
}

void child_end(struct child *child)
{
    process_kill(child->process, 0);
    handle_close(child->process);
    if (child->words)
        memory_unmap(0, (uint64_t)child->words & ~(PAGE_SIZE - 1), PAGE_SIZE);
}

int64_t child_thread(void (*function)(uint64_t), uint64_t argument, void *top, uint32_t priority)
{
    uint64_t *stack = (uint64_t *)((uint64_t)top & ~15ul) - 2;
    *stack = (uint64_t)function;
    return thread_create((uint64_t)thread_entry, (uint64_t)stack, argument, priority);
}
