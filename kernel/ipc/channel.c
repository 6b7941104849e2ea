/* Channels and sessions: their life, and every way in which a wait on them can end. */
#include "ipc/channel.h"
#include "abi/errno.h"
#include "dev/timer.h"
#include "lib/log.h"
#include "mm/kalloc.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"

static struct list channels = {&channels, &channels};
static uint32_t next_id = 1;

struct channel *channel_new(struct account *payer, uint32_t flags, kernel_service *serve)
{
    struct channel *channel = kalloc(sizeof(*channel));
    if (!channel)
        return NULL;
    object_init(&channel->object, &channel_class);
    channel->id = next_id++;
    channel->flags = flags;
    channel->serve = serve;
    channel->payer = account_retain(payer);
    payer->channels++;
    channel->stats.id = channel->id;
    channel->stats.owner = payer->pid;
    list_init(&channel->callers);
    list_init(&channel->receivers);
    list_init(&channel->closed);
    list_init(&channel->server_link);
    list_push_back(&channels, &channel->link);
    return channel;
}

static struct ipc_stats retired; /* of the channels that are no more */

static void stats_add(struct ipc_stats *sum, const struct ipc_stats *stats)
{
    sum->calls += stats->calls;
    sum->replies += stats->replies;
    sum->errors += stats->errors;
    sum->pulses += stats->pulses;
    sum->queue += stats->queue;
    sum->latency_total += stats->latency_total;
    if (stats->queue_peak > sum->queue_peak)
        sum->queue_peak = stats->queue_peak;
    if (stats->latency_max > sum->latency_max)
        sum->latency_max = stats->latency_max;
}

struct ipc_stats channels_total(void)
{
    struct ipc_stats sum = retired;
    list_for_each(link, &channels)
        stats_add(&sum, &container_of(link, struct channel, link)->stats);
    return sum;
}

static void channel_destroy(struct object *object)
{
    struct channel *channel = container_of(object, struct channel, object);
    stats_add(&retired, &channel->stats);
    assert(list_empty(&channel->callers) && list_empty(&channel->receivers));
    list_remove(&channel->link);
    list_remove(&channel->server_link);
    channel->payer->channels--;
    account_release(channel->payer);
    kfree(channel);
}

struct channel *channel_find(uint32_t id_at_least)
{
    list_for_each(link, &channels)
    {
        struct channel *channel = container_of(link, struct channel, link);
        if (channel->id >= id_at_least)
            return channel;
    }
    return NULL;
}

struct session *session_new(struct channel *channel, uint64_t badge, struct account *payer)
{
    struct session *session = kalloc(sizeof(*session));
    if (!session)
        return NULL;
    object_init(&session->object, &session_class);
    session->channel = channel;
    session->badge = badge;
    session->payer = account_retain(payer);
    payer->channels++;
    list_init(&session->link);
    object_retain(&channel->object);
    return session;
}

static void session_free(struct session *session)
{
    session->payer->channels--;
    account_release(session->payer);
    object_release(&session->channel->object);
    kfree(session);
}

struct thread *take_receiver(struct channel *channel)
{
    if (list_empty(&channel->receivers))
        return NULL;
    struct thread *thread = container_of(list_pop_front(&channel->receivers), struct thread, link);
    timer_cancel(thread);
    return thread;
}

/* The session is freed when the receiver comes back: only then is it sure to know. */
static void session_tell(struct session *session, struct thread *receiver)
{
    notify_deliver(receiver, MESSAGE_CLOSED, 0, session->badge);
    receiver->told = session;
}

/* exercise 3.7 */
static void session_destroy(struct object *object)
{
    struct session *session = container_of(object, struct session, object);
    struct channel *channel = session->channel;
    if (channel->receive_handles == 0) { /* nobody is left to be told */
        session_free(session);
        return;
    }
    struct thread *receiver = take_receiver(channel);
    if (!receiver) {
        list_push_back(&channel->closed, &session->link);
        return;
    }
    session_tell(session, receiver);
    thread_make_ready(receiver);
}

void channel_pulse(struct channel *channel, uint64_t bits)
{
    channel->stats.pulses++;
    struct thread *receiver = take_receiver(channel);
    if (!receiver) {
        channel->pulses |= bits;
        return;
    }
    if (trace_on)
        trace_event(TRACE_PULSE, 0, receiver->process->pid, channel, MESSAGE_PULSE, (int64_t)bits);
    notify_deliver(receiver, MESSAGE_PULSE, bits, 0);
    thread_make_ready(receiver);
}
/* end 3.7 */

/* What a channel holds for a receiver besides calls; true if something was delivered. */
bool channel_notification(struct channel *channel, struct thread *receiver)
{
    if (receiver->told)
        session_free(receiver->told);
    receiver->told = NULL;
    if (channel->pulses) {
        notify_deliver(receiver, MESSAGE_PULSE, channel->pulses, 0);
        channel->pulses = 0;
        return true;
    }
    if (list_empty(&channel->closed))
        return false;
    session_tell(container_of(list_pop_front(&channel->closed), struct session, link), receiver);
    return true;
}

static void channel_handle_made(struct object *object, uint32_t rights)
{
    if (rights & RIGHT_RECV)
        container_of(object, struct channel, object)->receive_handles++;
}

/* exercise 3.8 */
static void receive_handle_gone(struct channel *channel)
{
    if (--channel->receive_handles)
        return;
    while (!list_empty(&channel->callers))
        call_finish(container_of(channel->callers.next, struct thread, link), -EPEER);
    while (!list_empty(&channel->receivers)) { /* they wait through a handle closed by another */
        struct thread *thread = take_receiver(channel);
        thread->regs[REG_A0] = (uint64_t)-EBADF;
        thread->channel = NULL;
        thread_make_ready(thread);
    }
    while (!list_empty(&channel->closed))
        session_free(container_of(list_pop_front(&channel->closed), struct session, link));
}
/* end 3.8 */

static void channel_handle_gone(struct object *object, uint32_t rights)
{
    if (rights & RIGHT_RECV)
        receive_handle_gone(container_of(object, struct channel, object));
}

static uint32_t channel_id(const struct object *object)
{
    uint64_t badge;
    return channel_of((struct object *)object, &badge)->id;
}

const struct object_class channel_class = {.type = OBJECT_CHANNEL,
                                           .id = channel_id,
                                           .destroy = channel_destroy,
                                           .handle_made = channel_handle_made,
                                           .handle_gone = channel_handle_gone};
const struct object_class session_class = {
    .type = OBJECT_SESSION, .id = channel_id, .destroy = session_destroy};

/* Takes a caller off the queue or the list where it waits. */
static void caller_leave(struct thread *caller)
{
    struct channel *channel = caller->channel;
    bool queued = caller->state == THREAD_CALLING;
    struct thread *server = queued ? channel->server : caller->server_thread;
    channel->stats.queue -= queued;
    list_remove(&caller->link);
    caller->channel = NULL;
    caller->state = THREAD_DEAD;
    if (server)
        donation_recompute(server);
}

void call_finish(struct thread *caller, int64_t error)
{
    struct channel *channel = caller->channel;
    timer_cancel(caller);
    caller_leave(caller);
    caller->window_count = 0;
    if (error) {
        channel->stats.errors++;
        if (trace_on)
            trace_event(TRACE_ERROR, caller->process->pid, 0, channel, 0, error);
        caller->regs[REG_A0] = (uint64_t)error;
    }
    object_release(&channel->object); /* the call's own reference */
    if (error && caller->call_kind == CALL_FAULT) {
        caller->process->status.pc = caller->regs[REG_PC];
        caller->process->status.address = caller->fault_address;
        process_end(caller->process, EXIT_FAULT, (int64_t)caller->fault_cause);
        return;
    }
    thread_make_ready(caller);
}

void receive_timed_out(struct thread *thread)
{
    if (thread->state == THREAD_CALLING || thread->state == THREAD_SERVED) {
        call_finish(thread, -ETIMEDOUT);
        return;
    }
    device_thread_ended(thread); /* irq_wait, if that is what it was */
    list_remove(&thread->link);
    thread->channel = NULL;
    thread->regs[REG_A0] = (uint64_t)-ETIMEDOUT;
    thread_make_ready(thread);
}

/* Nobody can answer with this server thread's token as before: its channels are unbound, and
 * another thread of the process may still answer what it had received. */
static void unbind(struct thread *thread)
{
    while (!list_empty(&thread->bound))
        container_of(list_pop_front(&thread->bound), struct channel, server_link)->server = NULL;
    list_for_each(link, &thread->process->serving)
    {
        struct thread *caller = container_of(link, struct thread, link);
        if (caller->server_thread == thread)
            caller->server_thread = NULL;
    }
}

void channel_thread_ended(struct thread *thread)
{
    unbind(thread);
    if (thread->told) /* it may have ended before it did anything about it */
        session_destroy(&thread->told->object);
    if (thread->state == THREAD_CALLING || thread->state == THREAD_SERVED) {
        struct channel *channel = thread->channel;
        caller_leave(thread);
        object_release(&channel->object);
    }
    thread->channel = NULL;
}

/* exercise 3.9 */
void serving_process_ended(struct process *process)
{
    while (!list_empty(&process->serving)) {
        struct thread *caller = container_of(process->serving.next, struct thread, link);
        struct channel *channel = caller->channel;
        bool again = channel->receive_handles && !(channel->flags & CHANNEL_NO_RESEND);
        if (!again) {
            call_finish(caller, -EPEER);
            continue;
        }
        list_remove(&caller->link);
        caller->resent = true;
        caller_enqueue(caller, channel);
    }
}
/* end 3.9 */
