/* The pool of waiting requests. Invariant: a call in use is in the list of its session (if it has
 * one), and nobody but that list, the timer heap and whoever answers it refers to it. */
#include "netd/calls.h"

#include "cairn/syscall.h"
#include "netd/clients.h"
#include "netd/sessions.h"
#include <errno.h>
#include <stddef.h>

static struct call calls[CALLS_MAX];
static struct call *free_calls;
static unsigned in_use;
static unsigned ever_used; /* of the table: what is behind was never touched */
static struct timers deadlines;
static struct timer *deadline_slots[CALLS_MAX + 1];

void calls_init(void) { timers_init(&deadlines, deadline_slots, CALLS_MAX); }

static bool call_available(void) { return free_calls || ever_used < CALLS_MAX; }

static struct call *call_take(void)
{
    struct call *call = free_calls;
    if (!call)
        return &calls[ever_used++];
    free_calls = call->next;
    return call;
}

/* A caller that was killed, or gave up, left a stale token. */
bool call_alive(const struct call *call)
{
    char nothing;
    return copy_in(call->token, 0, 0, &nothing, 0) != -ESTALE;
}

static void timer_expired(struct timer *timer, uint64_t now)
{
    struct call *call = (struct call *)((char *)timer - offsetof(struct call, timer));
    (void)now;
    call->expired(call);
}

static void forget_stale(void)
{
    for (size_t i = 0; i < ever_used; i++)
        if (calls[i].in_use && !call_alive(&calls[i]))
            calls[i].expired(&calls[i]);
}

struct call *call_keep(const struct call *call, uint64_t deadline)
{
    if (!call_available() || !client_may_wait(call->client))
        forget_stale();
    if (!call_available() || !client_take_call(call->client))
        return NULL;
    struct call *kept = call_take();
    *kept = *call;
    kept->in_use = true;
    kept->next = NULL;
    kept->timer = (struct timer){.expired = timer_expired};
    if (deadline)
        timer_start(&deadlines, &kept->timer, deadline);
    in_use++;
    return kept;
}

void call_release(struct call *call)
{
    timer_stop(&deadlines, &call->timer);
    client_drop_call(call->client);
    call->in_use = false;
    call->next = free_calls;
    free_calls = call;
    in_use--;
}

void call_each(uint32_t type, void (*visit)(struct call *call, void *context), void *context)
{
    for (size_t i = 0; i < ever_used && in_use > 0; i++)
        if (calls[i].in_use && calls[i].type == type)
            visit(&calls[i], context);
}

void calls_expire(uint64_t now) { timers_run(&deadlines, now); }
uint64_t calls_deadline(void) { return timers_next(&deadlines); }
unsigned calls_waiting(void) { return in_use; }
