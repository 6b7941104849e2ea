/* Threads: making, starting and ending them. Invariant: a live thread is in its process's list
 * and in the slot table; a dead one that a hart still runs is freed when that hart lets go. */
#include "proc/thread.h"
#include "abi/errno.h"
#include "dev/sbi.h"
#include "dev/timer.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/kalloc.h"
#include "mm/memory.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"

struct thread *thread_table[THREADS_MAX];
static uint64_t slot_token[THREADS_MAX]; /* goes on where the slot's last thread ended */
static uint32_t slot_hint;

#define IPC_TOP (USER_TOP - PAGE_SIZE)
#define IPC_STRIDE (2 * PAGE_SIZE) /* an unmapped page between two */

/* Maps an IPC page at a free place below the top of user space. */
static bool map_ipc_page(struct thread *thread)
{
    struct process *process = thread->process;
    for (uint32_t i = 0; i < PROCESS_THREADS_MAX; i++) {
        if (process->ipc_slots[i / 64] >> (i % 64) & 1)
            continue;
        uint64_t address = IPC_TOP - i * IPC_STRIDE;
        struct memory *memory = memory_new(PAGE_SIZE, MEMORY_CONTIGUOUS, process->account);
        if (!memory)
            return false;
        int64_t mapped = space_map(&process->space, memory, address, 0, PAGE_SIZE,
                                   PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE);
        if (mapped > 0) {
            thread->ipc = phys_to_virt(memory->contiguous);
            thread->ipc_address = address;
            process->ipc_slots[i / 64] |= 1ul << (i % 64);
            /* The thread's own reference keeps the frame also if the user unmaps the page. */
            object_retain(&memory->object);
            thread->ipc_memory = memory;
        }
        object_release(&memory->object);
        return mapped > 0;
    }
    return false;
}

static void unmap_ipc_page(struct thread *thread)
{
    struct process *process = thread->process;
    uint64_t index = (IPC_TOP - thread->ipc_address) / IPC_STRIDE;
    struct region *region = space_region(&process->space, thread->ipc_address);
    if (!process->dead && region && region->memory == thread->ipc_memory)
        space_unmap(&process->space, thread->ipc_address, PAGE_SIZE);
    process->ipc_slots[index / 64] &= ~(1ul << (index % 64));
    object_release(&thread->ipc_memory->object);
}

/* exercise 2.2 */
struct thread *thread_new(struct process *process, uint32_t priority)
{
    if (process->threads_used >= process->account->limit.threads)
        return NULL;
    uint32_t tried = 0;
    while (tried < THREADS_MAX && thread_table[slot_hint]) {
        slot_hint = (slot_hint + 1) % THREADS_MAX;
        tried++;
    }
    struct thread *thread = tried < THREADS_MAX ? kalloc(sizeof(*thread)) : NULL;
    if (!thread)
        return NULL;
    thread->process = process;
    thread->slot = slot_hint;
    thread->token = slot_token[slot_hint] ? slot_token[slot_hint] : THREADS_MAX + slot_hint;
    thread->priority = thread->base_priority = (uint8_t)priority;
    thread->state = THREAD_DEAD; /* until it is started */
    list_init(&thread->link);
    list_init(&thread->deadline_link);
    list_init(&thread->bound);
    if (!map_ipc_page(thread)) {
        kfree(thread);
        return NULL;
    }
    thread_table[thread->slot] = thread;
    list_push_back(&process->threads, &thread->process_link);
    process->threads_used++;
    object_retain(&process->object);
    return thread;
}
/* end 2.2 */

void thread_start(struct thread *thread, uint64_t entry, uint64_t stack, uint64_t argument)
{
    thread->regs[REG_PC] = entry;
    thread->regs[REG_SP] = stack;
    thread->regs[REG_A0] = argument;
    thread->regs[REG_A1] = thread->ipc_address;
    thread->hart = this_hart();
    thread_make_ready(thread);
}

static void thread_free(struct thread *thread)
{
    struct process *process = thread->process;
    scheduler_leave(thread);
    fp_release(thread);
    unmap_ipc_page(thread);
    if (thread->restart)
        object_release(thread->restart);
    slot_token[thread->slot] = thread->token;
    thread_table[thread->slot] = NULL;
    kfree(thread->fp);
    kfree(thread);
    object_release(&process->object);
}

/* exercise 2.6 */
void thread_end(struct thread *thread)
{
    struct hart *hart = thread->state == THREAD_RUNNING ? thread->hart : NULL;
    list_remove(&thread->process_link);
    thread->process->threads_used--;
    scheduler_forget(thread);
    timer_cancel(thread);
    channel_thread_ended(thread);
    device_thread_ended(thread);
    list_remove(&thread->link);
    thread->state = THREAD_DEAD;
    if (hart && hart != this_hart()) {
        sbi_send_ipi(1ul << hart->id); /* thread_reap runs there */
        return;
    }
    if (hart)
        hart->current = NULL;
    thread_free(thread);
}
/* end 2.6 */

void thread_reap(struct thread *thread)
{
    this_hart()->current = NULL;
    thread_free(thread);
}
