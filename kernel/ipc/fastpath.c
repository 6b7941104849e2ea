/* The fast path: the two traps that make up nearly every IPC (a short call to a server that
 * waits, and its answer) in one function each, without the scheduler's queues; not inlined, so that
 * nobody saves registers that only the other needs. Whatever is not the common case is declined
 * before anything has changed, and the ordinary path (ipc/call.c) does the whole of it; both leave
 * the same state behind. */
#include "abi/syscall_numbers.h"
#include "arch/csr.h"
#include "ipc/channel.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"

_Static_assert(CALL_PLAIN == 0 && THREAD_SERVED < 256 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "call_word is a state with nothing else set");

/* This hart may go on with next at once: nothing more urgent waits, and there are no FP registers
 * to save. */
static inline bool may_switch(const struct thread *next)
{
    return !scheduler_ready_above(next->priority) &&
           (csr_read(sstatus) & SSTATUS_FS) != SSTATUS_FS_DIRTY;
}

/* switch_to; `now` is in timer ticks. FP is left off: a thread that had loaded its own registers
 * loads them again when it uses them. */
static inline void switch_fast(struct thread *self, struct thread *next, uint64_t now)
{
    struct hart *hart = this_hart();
    self->process->cpu_ticks += now - hart->switch_time;
    hart->switch_time = now;
    hart->charged = next;
    struct address_space *space = &next->process->space;
    if (hart->satp != space->satp)
        space_enter(space);
    if (csr_read(sstatus) & SSTATUS_FS)
        csr_clear(sstatus, SSTATUS_FS);
    next->hart = hart;
    next->call_word = THREAD_RUNNING;
    hart->current = next;
}

static __attribute__((noinline)) struct thread *call_fast(struct thread *self)
{
    struct process *process = self->process;
    struct handle_entry *entry = handle_current(&process->handles, (handle_t)self->regs[REG_A0]);
    if (!entry || !(entry->rights & RIGHT_SEND))
        return NULL;
    uint64_t badge;
    struct channel *channel = channel_of(entry->object, &badge);
    if (!channel || list_empty(&channel->receivers))
        return NULL;
    struct thread *server = container_of(channel->receivers.next, struct thread, link);
    if (server->priority < self->priority || server->deadline || !may_switch(server))
        return NULL;
    /* Past this line nothing fails. */
    uint64_t now = time_read();
    self->regs[REG_PC] += 4;
    process->syscalls++;
    process->calls++;
    channel->stats.calls++;
    channel->object.references++;
    self->call_word = THREAD_SERVED; /* a plain call, no windows */
    self->channel = channel;
    self->badge = badge;
    self->call_time = now;
    token_renew(self);
    self->server_process = server->process;
    self->server_thread = server;
    list_remove(&server->link);
    list_push_back(&server->process->serving, &self->link);
    server->channel = NULL;
    server->regs[REG_A0] = self->token;
    server->regs[REG_A1] = self->regs[REG_A1];
    message_copy_words(self, server);
    server->regs[REG_A6] = self->regs[REG_A6];
    server->regs[REG_A7] = process->pid;
    server->regs[REG_T0] = badge;
    switch_fast(self, server, now);
    return server;
}

static __attribute__((noinline)) struct thread *reply_recv_fast(struct thread *self)
{
    struct process *process = self->process;
    struct thread *caller = thread_from_token(self->regs[REG_A0], process);
    struct handle_entry *entry = handle_current(&process->handles, (handle_t)self->regs[REG_A6]);
    if (!caller || !entry || !(entry->rights & RIGHT_RECV) ||
        entry->object->class != &channel_class)
        return NULL;
    struct channel *channel = container_of(entry->object, struct channel, object);
    if (channel->server != self || channel->pulses || self->told ||
        !list_empty(&channel->closed) || !list_empty(&channel->callers))
        return NULL;
    if (caller->channel != channel || caller->call_kind != CALL_PLAIN || caller->deadline ||
        self->priority != self->base_priority || !may_switch(caller))
        return NULL;
    /* Past this line nothing fails. */
    uint64_t now = time_read(), latency = now - caller->call_time;
    self->regs[REG_PC] += 4;
    process->syscalls++;
    channel->stats.replies++;
    channel->stats.latency_total += latency;
    if (latency > channel->stats.latency_max)
        channel->stats.latency_max = latency;
    channel->object.references--; /* never the last: the server's handle has one */
    list_remove(&caller->link);
    caller->channel = NULL;
    caller->regs[REG_A0] = 0;
    caller->regs[REG_A1] = self->regs[REG_A1];
    message_copy_words(self, caller);
    self->state = THREAD_RECEIVING;
    self->channel = channel;
    list_push_front(&channel->receivers, &self->link);
    switch_fast(self, caller, now);
    return caller;
}

/* The thread to run, or NULL for the ordinary path. Another than self: the lock is held. */
struct thread *fastpath(struct thread *self)
{
    uint64_t number = self->regs[REG_A7];
    if (self->process->personality)
        return NULL;
    if (number == SYS_process_self) {
        self->process->syscalls++;
        self->regs[REG_PC] += 4;
        self->regs[REG_A0] = self->process->pid;
        return self;
    }
    if (self->regs[REG_T0] || !tag_is_short(self->regs[REG_A1]) || trace_on ||
        (number != SYS_call && number != SYS_reply_recv))
        return NULL;
    kernel_lock();
    struct thread *next = NULL;
    if (self->state != THREAD_DEAD)
        next = number == SYS_call ? call_fast(self) : reply_recv_fast(self);
    if (!next)
        kernel_unlock();
    return next;
}
