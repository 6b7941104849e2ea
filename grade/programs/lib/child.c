/* Children: see child.h. */
#include "child.h"
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "puppet.h"
#include <string.h>

/* user/libc/user.ld: code and constants come first, then the data, which begin with this array
 * on a page border. */
extern char _start[], __preinit_array_start[], __end[];
#define IMAGE_START ((uint64_t)_start & ~(PAGE_SIZE - 1))
#define DATA_START ((uint64_t)__preinit_array_start)
#define IMAGE_END (((uint64_t)__end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

void child_begin(volatile struct child_page *page, struct ipc_page *ipc);
asm(".pushsection .text.child_entry,\"ax\",@progbits\n"
    ".global child_entry\n"
    "child_entry:\n"
    "    .option push\n"
    "    .option norelax\n"
    "    la gp, __global_pointer$\n"
    "    .option pop\n"
    "    la tp, __first_tls\n"
    "    j child_begin\n"
    ".popsection");

__attribute__((used)) void child_begin(volatile struct child_page *page, struct ipc_page *ipc)
{
    ipc_thread_init(ipc);
    page->function(page);
    process_exit(0);
}

/* An object with a copy of our memory from start to end. */
static handle_t copy_of(uint64_t start, uint64_t end)
{
    handle_t memory = (handle_t)memory_create(end - start, 0);
    int64_t here = memory_map(0, memory, 0, 0, end - start, PROT_READ | PROT_WRITE);
    if (here < 0)
        return -ENOMEM;
    memcpy((void *)here, (const void *)start, end - start);
    memory_unmap(0, (uint64_t)here, end - start);
    return memory;
}

/* The program's image, copied when it is first asked for. */
handle_t child_code(void)
{
    static handle_t code;
    if (!code) {
        code = copy_of(IMAGE_START, DATA_START);
        asm volatile("fence.i" ::: "memory");
    }
    return code;
}

handle_t child_data(void)
{
    static handle_t data;
    if (!data)
        data = copy_of(DATA_START, IMAGE_END);
    return data;
}

bool child_map(handle_t process, handle_t code, handle_t data)
{
    handle_t clone = (handle_t)memory_clone(data);
    handle_t stack = (handle_t)memory_create(CHILD_STACK_SIZE, 0);
    bool mapped = memory_map(process, code, IMAGE_START, 0, DATA_START - IMAGE_START,
                             PROT_READ | PROT_EXEC) > 0 &&
                  memory_map(process, clone, DATA_START, 0, IMAGE_END - DATA_START,
                             PROT_READ | PROT_WRITE) > 0 &&
                  memory_map(process, stack, CHILD_STACK_TOP - CHILD_STACK_SIZE, 0,
                             CHILD_STACK_SIZE, PROT_READ | PROT_WRITE) > 0;
    handle_close(clone);
    handle_close(stack);
    return mapped;
}

bool child_new(struct child *child, const char *name, const struct process_quota *quota)
{
    memset(child, 0, sizeof(*child));
    child->process = (handle_t)process_create(name, strlen(name), quota);
    if (child->process < 0)
        return false;
    handle_t page = (handle_t)memory_create(PAGE_SIZE, 0);
    int64_t here = memory_map(0, page, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
    int64_t there = memory_map(child->process, page, CHILD_PAGE, 0, PAGE_SIZE,
                               PROT_READ | PROT_WRITE);
    handle_close(page);
    if (here > 0)
        child->page = (volatile struct child_page *)here;
    if (here > 0 && there > 0 && child_map(child->process, child_code(), child_data()))
        return true;
    child_end(child);
    return false;
}

handle_t child_give(struct child *child, handle_t handle, uint32_t rights)
{
    return (handle_t)process_grant(child->process, handle, rights, 0);
}

bool child_start(struct child *child, child_function *function, unsigned priority)
{
    child->page->function = function;
    return process_start(child->process, (uint64_t)child_entry, CHILD_STACK_TOP, CHILD_PAGE,
                         priority) == 0;
}

bool child_wait(struct child *child, uint64_t milliseconds, struct process_status *status)
{
    struct message m;
    handle_t channel = (handle_t)channel_create(0);
    process_watch(child->process, channel, 0);
    bool ended = channel_recv(channel, &m, test_deadline(milliseconds)) == 0;
    process_watch(child->process, 0, 0);
    handle_close(channel);
    if (status)
        process_status(child->process, status);
    return ended;
}

void child_end(struct child *child)
{
    if (child->process > 0) {
        process_kill(child->process, 0);
        child_wait(child, 5000, NULL);
        handle_close(child->process);
    }
    if (child->page)
        memory_unmap(0, (uint64_t)child->page, PAGE_SIZE);
}

struct process_status child_run(child_function *function)
{
    struct process_status status = {0};
    struct child child;
    if (child_new(&child, "child", NULL) && child_start(&child, function, 10))
        child_wait(&child, 5000, &status);
    child_end(&child);
    return status;
}

bool word_wait(volatile uint64_t *word, uint64_t value, uint64_t milliseconds)
{
    uint64_t deadline = test_deadline(milliseconds);
    while (*word < value) {
        if ((uint64_t)clock_now() > deadline)
            return false;
        sleep_until((uint64_t)clock_now() + 200000);
    }
    return true;
}

#define THREADS 8
#define THREAD_STACK 4096
static uint8_t stacks[THREADS][THREAD_STACK] __attribute__((aligned(16)));
static unsigned stacks_used;
extern char child_thread_entry[];
asm(".pushsection .text.child_thread_entry,\"ax\",@progbits\n"
    "child_thread_entry:\n"
    "    .option push\n"
    "    .option norelax\n"
    "    la gp, __global_pointer$\n"
    "    .option pop\n"
    "    ld t0, 0(sp)\n" /* the function; a0 is its argument already */
    "    jalr t0\n"
    "    li a7, 4\n"
    "    ecall\n"
    ".popsection");
_Static_assert(SYS_thread_exit == 4, "child_thread_entry ends in thread_exit");

int64_t child_thread(void (*function)(uint64_t), uint64_t argument)
{
    return child_thread_at(function, argument, 0);
}

int64_t child_thread_at(void (*function)(uint64_t), uint64_t argument, uint32_t priority)
{
    uint8_t *top = stacks[stacks_used++ % THREADS] + THREAD_STACK - 16;
    *(uint64_t *)top = (uint64_t)function;
    return thread_create((uint64_t)child_thread_entry, (uint64_t)top, argument, priority);
}

void raw_call(struct registers *r)
{
    register uint64_t a0 asm("a0") = r->a[0];
    register uint64_t a1 asm("a1") = r->a[1];
    register uint64_t a2 asm("a2") = r->a[2];
    register uint64_t a3 asm("a3") = r->a[3];
    register uint64_t a4 asm("a4") = r->a[4];
    register uint64_t a5 asm("a5") = r->a[5];
    register uint64_t a6 asm("a6") = r->a[6];
    register uint64_t a7 asm("a7") = r->a[7];
    register uint64_t t0 asm("t0") = r->t0;
    asm volatile("ecall"
                 : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                   "+r"(a7), "+r"(t0)
                 :
                 : "memory");
    *r = (struct registers){{a0, a1, a2, a3, a4, a5, a6, a7}, t0};
}

int64_t raw(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
            uint64_t a5)
{
    struct registers r = {{a0, a1, a2, a3, a4, a5, 0, number}, 0};
    raw_call(&r);
    return (int64_t)r.a[0];
}
