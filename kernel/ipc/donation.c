/* Priority donation and deadlock detection: both follow the chain caller -> server -> the server
 * that it calls in turn. Invariant: a bound server thread's priority is the highest among its
 * own, those of the callers queued on its channels, and those of the callers that it has not yet
 * answered. */
#include "ipc/channel.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"

/* The thread that must act before this one goes on, or NULL. */
static struct thread *waits_for(const struct thread *thread)
{
    if (thread->state == THREAD_CALLING)
        return thread->channel->server;
    return thread->state == THREAD_SERVED ? thread->server_thread : NULL;
}

/* A caller whose priority changed moves to its new place in the queue. */
static void requeue(struct thread *thread)
{
    if (thread->state != THREAD_CALLING)
        return;
    list_remove(&thread->link);
    thread->channel->stats.queue--;
    caller_insert(thread);
}

/* exercise 3.3 */
static void raise(struct thread *server, unsigned priority)
{
    while (server && server->priority < priority) {
        thread_set_priority(server, priority);
        requeue(server);
        server = waits_for(server);
    }
}

void donate(struct channel *channel, unsigned priority) { raise(channel->server, priority); }

/* What a server is due: its own priority, or the highest of those who wait for it. */
static unsigned due(const struct thread *server)
{
    unsigned priority = server->base_priority;
    list_for_each(link, &server->bound)
    {
        struct channel *channel = container_of(link, struct channel, server_link);
        if (list_empty(&channel->callers))
            continue;
        struct thread *first = container_of(channel->callers.next, struct thread, link);
        priority = first->priority > priority ? first->priority : priority;
    }
    list_for_each(link, &server->process->serving)
    {
        struct thread *caller = container_of(link, struct thread, link);
        if (caller->server_thread == server && caller->priority > priority)
            priority = caller->priority;
    }
    return priority;
}

/* Whoever set the base knows nothing of callers: the thread may have fallen below them. */
void donation_base_changed(struct thread *thread)
{
    unsigned priority = due(thread);
    if (priority != thread->priority)
        thread_set_priority(thread, priority);
    requeue(thread);
    raise(waits_for(thread), thread->priority);
    donation_recompute(waits_for(thread));
}

void donation_recompute(struct thread *server)
{
    while (server && server->priority != server->base_priority) {
        unsigned priority = due(server);
        if (priority == server->priority)
            return;
        thread_set_priority(server, priority);
        requeue(server);
        server = waits_for(server);
    }
}

bool would_deadlock(const struct thread *caller, const struct channel *channel)
{
    const struct thread *server = channel->server;
    while (server) {
        if (server == caller)
            return true;
        server = waits_for(server);
    }
    return false;
}
/* end 3.3 */
