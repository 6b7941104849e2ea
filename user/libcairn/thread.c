/* Threads: a stack with a guard page below it, thread-local variables above it, in one memory
 * object that the joiner unmaps (or, for a detached thread, whoever starts the next one). */
#include "thread.h"

#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "cairn/syscall.h"
#include <picotls.h>
#include <string.h>

#define PARK_BIT 1ul

void thread_begin(struct thread *thread, struct ipc_page *page);

bool threads_exist;
static struct thread first_thread;
static __thread struct thread *self;
static void (*exit_hook)(void);
static struct mutex ended_lock;
static struct thread *ended; /* detached threads that are over, waiting to be freed */

struct thread *thread_self(void)
{
    return self ? self : &first_thread;
}

void thread_on_exit(void (*hook)(void))
{
    exit_hook = hook;
}

/* The channel that a thread waits on; made by whoever needs it first, the waiter or its waker. */
static handle_t parker_of(struct thread *thread)
{
    while (thread->parker <= 0) {
        int64_t channel = channel_create(0);
        if (channel > 0) {
            handle_t none = 0;
            if (!__atomic_compare_exchange_n(&thread->parker, &none, (handle_t)channel, false,
                                             __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
                handle_close((handle_t)channel);
        } else {
            sleep_until((uint64_t)clock_now() + 1000000); /* out of handles: others may close some */
        }
    }
    return thread->parker;
}

int thread_park(uint64_t deadline)
{
    struct message m;
    handle_t channel = parker_of(thread_self());
    int64_t token;
    do
        token = channel_recv(channel, &m, deadline);
    while (token >= 0 && m.type != MESSAGE_PULSE);
    return token < 0 ? -ETIMEDOUT : 0;
}

void thread_unpark(struct thread *thread)
{
    pulse(parker_of(thread), PARK_BIT);
}

static void thread_free(struct thread *thread)
{
    while (!__atomic_load_n(&thread->gone, __ATOMIC_ACQUIRE))
        sleep_until((uint64_t)clock_now() + 20000);
    uint64_t base = thread->base;
    size_t size = thread->size;
    handle_t memory = thread->memory;
    if (thread->parker > 0)
        handle_close(thread->parker);
    memory_unmap(0, base, size);
    handle_close(memory);
}

static void free_ended(void)
{
    mutex_lock(&ended_lock);
    struct thread *list = ended;
    ended = NULL;
    mutex_unlock(&ended_lock);
    while (list) {
        struct thread *next = list->next;
        thread_free(list);
        list = next;
    }
}

/* The object from below: guard page, stack, thread-local block, struct thread. */
static struct thread *thread_allocate(size_t stack_size, uint64_t *stack, int *error)
{
    size_t tls = (_tls_size() + 63) & ~63ul;
    size_t top = tls + ((sizeof(struct thread) + 63) & ~63ul);
    size_t size = (PAGE_SIZE + stack_size + top + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    int64_t memory = memory_create(size, 0);
    if (memory < 0) {
        *error = (int)memory;
        return NULL;
    }
    int64_t base = memory_map(0, (handle_t)memory, 0, 0, size, PROT_READ | PROT_WRITE);
    if (base < 0) {
        *error = (int)base;
        goto close;
    }
    *error = (int)memory_unmap(0, (uint64_t)base, PAGE_SIZE);
    if (*error < 0)
        goto unmap;
    *stack = (uint64_t)base + size - top;
    _init_tls((void *)*stack);
    struct thread *thread = (struct thread *)(*stack + tls);
    thread->memory = (handle_t)memory;
    thread->base = (uint64_t)base + PAGE_SIZE;
    thread->size = size - PAGE_SIZE;
    return thread;

unmap:
    memory_unmap(0, (uint64_t)base, size);
close:
    handle_close((handle_t)memory);
    return NULL;
}

/* Where a new thread starts: a0 = struct thread, a1 = IPC page, sp = bottom of its thread-local
 * block. Nothing may touch a thread-local variable before tp is set. */
__asm__(".pushsection .text.thread_entry,\"ax\",@progbits\n"
        "thread_entry:\n"
        "    .option push\n"
        "    .option norelax\n"
        "    la gp, __global_pointer$\n"
        "    .option pop\n"
        "    mv tp, sp\n"
        "    andi sp, sp, -16\n"
        "    j thread_begin\n"
        ".popsection");
extern char thread_entry[];

struct thread *thread_start(void *(*fn)(void *), void *argument, size_t stack_size, int *error)
{
    int ignored;
    uint64_t stack;
    error = error ? error : &ignored;
    threads_exist = true;
    free_ended();
    struct thread *thread =
        thread_allocate(stack_size ? stack_size : THREAD_STACK_DEFAULT, &stack, error);
    if (!thread)
        return NULL;
    thread->fn = fn;
    thread->argument = argument;
    int64_t id = thread_create((uint64_t)thread_entry, stack, (uint64_t)thread, 0);
    if (id < 0) {
        thread->gone = 1;
        thread_free(thread);
        *error = (int)id;
        return NULL;
    }
    *error = 0;
    return thread;
}

__attribute__((used)) void thread_begin(struct thread *thread, struct ipc_page *page)
{
    ipc_thread_init(page);
    self = thread;
    thread_finish(thread->fn(thread->argument));
}

_Noreturn void thread_finish(void *result)
{
    struct thread *thread = thread_self();
    if (exit_hook)
        exit_hook();
    mutex_lock(&thread->lock);
    thread->result = result;
    thread->done = true;
    struct thread *joiner = thread->joiner;
    bool detached = thread->detached;
    mutex_unlock(&thread->lock);
    if (joiner)
        thread_unpark(joiner);
    if (detached) {
        mutex_lock(&ended_lock);
        thread->next = ended;
        ended = thread;
        mutex_unlock(&ended_lock);
    }
    /* From the store on, another thread may unmap this stack: only registers are used. */
    register uint64_t number __asm__("a7") = SYS_thread_exit;
    register uint32_t *gone __asm__("a0") = &thread->gone;
    register uint32_t one __asm__("a1") = 1;
    __asm__ volatile("fence rw, w\n\tsw a1, 0(a0)\n\t1: ecall\n\tj 1b"
                     :
                     : "r"(number), "r"(gone), "r"(one)
                     : "memory");
    __builtin_unreachable();
}

int thread_join(struct thread *thread, void **result)
{
    if (thread == thread_self())
        return -EDEADLK;
    mutex_lock(&thread->lock);
    bool done = thread->done;
    thread->joiner = thread_self();
    mutex_unlock(&thread->lock);
    if (!done)
        thread_park(NO_DEADLINE);
    if (result)
        *result = thread->result;
    if (thread->memory)
        thread_free(thread);
    return 0;
}

void thread_detach(struct thread *thread)
{
    mutex_lock(&thread->lock);
    bool done = thread->done;
    thread->detached = true;
    mutex_unlock(&thread->lock);
    if (!done)
        return;
    mutex_lock(&ended_lock);
    thread->next = ended;
    ended = thread;
    mutex_unlock(&ended_lock);
}
