/* call, recv, reply, reply_recv, pulse. The common case, a client calling a server that waits
 * and the server answering, touches no queue of the scheduler: the kernel goes straight to the
 * other thread. */
#include "abi/delegation.h"
#include "arch/csr.h"
#include "dev/timer.h"
#include "ipc/channel.h"
#include "mm/address_space.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"
#include "trap/syscall.h"

void caller_insert(struct thread *caller)
{
    struct channel *channel = caller->channel;
    struct list *at = channel->callers.prev;
    while (at != &channel->callers &&
           container_of(at, struct thread, link)->priority < caller->priority)
        at = at->prev;
    list_insert(at->next, &caller->link);
    channel->stats.queue++;
    if (channel->stats.queue > channel->stats.queue_peak)
        channel->stats.queue_peak = channel->stats.queue;
}

static void caller_wait(struct thread *caller)
{
    caller->state = THREAD_CALLING;
    caller_insert(caller);
    donate(caller->channel, caller->priority);
}

/* The caller's message is with the receiver: it now waits for the answer of that process. */
static inline void hand_over(struct thread *caller, struct thread *receiver)
{
    caller->state = THREAD_SERVED;
    caller->server_process = receiver->process;
    caller->server_thread = receiver;
    list_push_back(&receiver->process->serving, &caller->link);
    receiver->channel = NULL;
    if (caller->priority > receiver->priority)
        thread_set_priority(receiver, caller->priority);
    if (trace_on)
        trace_event(TRACE_RECV, caller->process->pid, receiver->process->pid, caller->channel,
                    receiver->regs[REG_A1], 0);
}

/* Continues with thread at once if nothing more urgent is ready, else queues it. */
static inline void run_next(struct thread *thread)
{
    if (!this_hart()->current && !scheduler_ready_above(thread->priority))
        switch_to(thread);
    else
        thread_make_ready(thread);
}

/* exercise 3.4 */
int64_t call_start(struct thread *caller, struct channel *channel, uint64_t badge,
                   enum call_kind kind, uint64_t deadline)
{
    if (channel->receive_handles == 0)
        return -EPEER;
    caller->call_kind = (uint8_t)kind;
    caller->resent = false;
    caller->badge = badge;
    caller->channel = channel;
    struct thread *receiver = NULL;
    if (!list_empty(&channel->receivers)) {
        receiver = container_of(channel->receivers.next, struct thread, link);
        int64_t error = call_deliver(caller, receiver);
        if (error)
            return error;
    } else if (would_deadlock(caller, channel)) {
        return -EDEADLK;
    }
    /* Past this line nothing fails. */
    channel->stats.calls++;
    caller->process->calls++;
    caller->call_time = time_read();
    object_retain(&channel->object);
    this_hart()->current = NULL;
    if (deadline)
        timer_wait(caller, deadline);
    if (trace_on)
        trace_event(TRACE_CALL, caller->process->pid, 0, channel, caller->regs[REG_A1], 0);
    if (receiver) {
        take_receiver(channel);
        hand_over(caller, receiver);
        run_next(receiver);
    } else {
        caller_wait(caller);
    }
    return SYSCALL_DONE;
}
/* end 3.4 */

/* A call that was received before and not answered goes back to the channel. */
void caller_enqueue(struct thread *caller, struct channel *channel)
{
    if (!list_empty(&channel->receivers)) {
        struct thread *receiver = container_of(channel->receivers.next, struct thread, link);
        if (call_deliver(caller, receiver)) {
            call_finish(caller, -EMFILE);
            return;
        }
        take_receiver(channel);
        hand_over(caller, receiver);
        thread_make_ready(receiver);
    } else {
        caller_wait(caller);
    }
}

/* A kernel-served channel: the answer is there before the trap returns. */
static int64_t call_kernel(struct thread *caller, struct channel *channel)
{
    uint64_t tag = caller->regs[REG_A1];
    struct kernel_message request = {
        .type = TAG_TYPE(tag), .len = TAG_LEN(tag), .sender = caller->process->pid};
    struct kernel_message reply = {.len = 8};
    __builtin_memcpy(request.words, &caller->regs[REG_A2], MESSAGE_REGISTER_BYTES);
    for (unsigned i = MESSAGE_REGISTER_BYTES; i < request.len; i++)
        request.data[i] = caller->ipc->data[i];
    channel->stats.calls++;
    channel->stats.replies++;
    reply.words[0] = (uint64_t)channel->serve(&request, &reply);
    __builtin_memcpy(&caller->regs[REG_A2], reply.words, MESSAGE_REGISTER_BYTES);
    for (unsigned i = MESSAGE_REGISTER_BYTES; i < reply.len; i++)
        caller->ipc->data[i] = reply.data[i];
    caller->regs[REG_A0] = 0;
    caller->regs[REG_A1] = TAG(REPLY_TYPE(request.type), reply.len, 0, 0, 0);
    return SYSCALL_DONE;
}

SYSCALL(call)
{
    int64_t error;
    uint64_t tag = a1;
    struct handle_entry *entry = handle_find(caller->process, (handle_t)a0, RIGHT_SEND, &error);
    if (!entry)
        return error;
    uint64_t badge;
    struct channel *channel = channel_of(entry->object, &badge);
    if (!channel)
        return -EBADF;
    if (!tag_is_short(tag)) {
        error = message_check(caller, tag);
        if (error)
            return error;
    }
    if (channel->serve)
        return call_kernel(caller, channel);
    return call_start(caller, channel, badge, CALL_PLAIN, caller->regs[REG_T0]);
}

/* Remembers who serves the channel, for donation and deadlock detection. Callers may have come
 * before their server: it may be given a notification first, and they lend to it all the same. */
static inline void bind(struct thread *server, struct channel *channel)
{
    if (channel->server == server)
        return;
    if (channel->server || channel->shared) {
        channel->shared = true;
        channel->server = NULL;
        list_remove(&channel->server_link);
        return;
    }
    channel->server = server;
    channel->stats.server = server->process->pid;
    list_push_back(&server->bound, &channel->server_link);
    if (!list_empty(&channel->callers))
        donate(channel, container_of(channel->callers.next, struct thread, link)->priority);
}

/* exercise 3.5 */
static int64_t receive(struct thread *server, struct channel *channel, uint64_t deadline)
{
    bind(server, channel);
    if (channel_notification(channel, server))
        return SYSCALL_DONE;
    while (!list_empty(&channel->callers)) {
        struct thread *caller = container_of(channel->callers.next, struct thread, link);
        int64_t error = call_deliver(caller, server);
        if (error) {
            call_finish(caller, error);
            continue;
        }
        list_remove(&caller->link);
        channel->stats.queue--;
        hand_over(caller, server);
        return SYSCALL_DONE;
    }
    server->state = THREAD_RECEIVING;
    server->channel = channel;
    list_push_front(&channel->receivers, &server->link);
    this_hart()->current = NULL;
    if (deadline)
        timer_wait(server, deadline);
    return SYSCALL_DONE;
}
/* end 3.5 */

/* recv's channel, or NULL and *error. */
static struct channel *receive_channel(struct thread *server, uint64_t handle, int64_t *error)
{
    struct handle_entry *entry = handle_find(server->process, (handle_t)handle, RIGHT_RECV, error);
    if (!entry)
        return NULL;
    *error = -EBADF;
    return entry->object->class == &channel_class
               ? container_of(entry->object, struct channel, object)
               : NULL;
}

SYSCALL(recv)
{
    uint64_t deadline = caller->regs[REG_T0];
    if (caller->regs[REG_A6] == 0) { /* only sleep */
        caller->state = THREAD_RECEIVING;
        caller->channel = NULL;
        this_hart()->current = NULL;
        if (deadline)
            timer_wait(caller, deadline);
        return SYSCALL_DONE;
    }
    int64_t error;
    struct channel *channel = receive_channel(caller, caller->regs[REG_A6], &error);
    return channel ? receive(caller, channel, deadline) : error;
}

/* Ends the call that a token names with the message in the server's registers. On return
 * *answered can run. */
static inline int64_t reply(struct thread *server, uint64_t token, struct thread **answered)
{
    *answered = NULL;
    struct thread *caller = thread_from_token(token, server->process);
    uint64_t tag = server->regs[REG_A1];
    int64_t error = caller ? 0 : -ESTALE;
    if (caller && !tag_is_short(tag))
        error = TAG_WINDOWS(tag) ? -EINVAL : message_check(server, tag);
    if (error) {
        reply_drop_handles(server, tag);
        return error;
    }
    error = reply_deliver(server, caller, tag);
    /* Past this line nothing fails. */
    struct channel *channel = caller->channel;
    uint64_t latency = time_read() - caller->call_time;
    channel->stats.replies++;
    channel->stats.latency_total += latency;
    if (latency > channel->stats.latency_max)
        channel->stats.latency_max = latency;
    if (trace_on)
        trace_event(TRACE_REPLY, server->process->pid, caller->process->pid, channel, tag, error);
    list_remove(&caller->link);
    if (caller->deadline)
        timer_cancel(caller);
    caller->channel = NULL;
    caller->window_count = 0;
    struct thread *receiver = caller->server_thread;
    if (receiver && receiver->priority != receiver->base_priority)
        donation_recompute(receiver);
    object_release(&channel->object);
    if (caller->call_kind == CALL_FAULT && caller->fault_result) {
        caller->state = THREAD_DEAD;
        caller->process->status.pc = caller->regs[REG_PC];
        caller->process->status.address = caller->fault_address;
        process_end(caller->process, EXIT_FAULT, (int64_t)caller->fault_cause);
        return error;
    }
    *answered = caller;
    return error;
}

SYSCALL(reply)
{
    struct thread *answered;
    int64_t error = reply(caller, a0, &answered);
    if (answered)
        thread_make_ready(answered);
    return error;
}

SYSCALL(reply_recv)
{
    struct thread *answered;
    int64_t error;
    uint64_t deadline = caller->regs[REG_T0];
    int64_t failed = reply(caller, a0, &answered);
    struct thread *waiting = failed && !answered ? thread_from_token(a0, caller->process) : NULL;
    if (waiting)
        call_finish(waiting, -EPROTO);    /* the server will not try again */
    if (this_hart()->current != caller) { /* that was the end of its own process */
        if (answered)
            thread_make_ready(answered);
        return SYSCALL_DONE;
    }
    /* Looked up only now: the reply may have given the handle away. */
    struct channel *channel = receive_channel(caller, caller->regs[REG_A6], &error);
    int64_t result = channel ? receive(caller, channel, deadline) : error;
    if (answered)
        run_next(answered);
    return result;
}

SYSCALL(pulse)
{
    int64_t error;
    struct channel *channel = channel_handle(caller, a0, RIGHT_PULSE, &error);
    if (!channel)
        return error;
    channel_pulse(channel, a1);
    return 0;
}

int64_t delegate(struct thread *caller, uint64_t number)
{
    struct process *process = caller->process;
    uint64_t badge;
    if (process->personality) {
        struct channel *channel = channel_of(process->personality, &badge);
        return call_start(caller, channel, badge, CALL_PERSONALITY, 0);
    }
    uint64_t operation = number - SYSCALL_DELEGATED;
    if (operation < DELEGATE_VFS_FIRST || operation > DELEGATE_LAST)
        return -ENOSYS;
    struct handle_entry *entry = handle_well_known(process, (uint32_t)(operation / 100));
    struct channel *channel = entry ? channel_of(entry->object, &badge) : NULL;
    if (!channel || channel->serve || !(entry->rights & RIGHT_SEND))
        return -ENOSYS;
    return call_start(caller, channel, badge, CALL_DELEGATED, 0);
}

bool personality_fault(struct thread *caller, uint64_t cause, uint64_t address)
{
    struct process *process = caller->process;
    if (!process->personality)
        return false;
    caller->fault_cause = cause;
    caller->fault_address = address;
    uint64_t badge;
    struct channel *channel = channel_of(process->personality, &badge);
    return call_start(caller, channel, badge, CALL_FAULT, 0) == SYSCALL_DONE;
}
