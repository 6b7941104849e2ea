/* TIME-WAIT in small entries: what RFC 9293 3.10.7.4 and RFC 6191 need to answer for a connection
 * that has ended, for 2 MSL. Invariant: the list runs from oldest to newest, and so do `expires`;
 * one timer serves them all. */
#include "time_wait.h"
#include "connection.h"
#include "input.h"
#include "listen.h"
#include "send/send.h"
#include "table.h"
#include "tcp.h"
#include <errno.h>

#define WAIT_TIME     (2 * TCP_MSL)
#define ANSWER_PERIOD (NS_PER_S / 10) /* at most one ACK per entry in this time */

static struct tcp_layer *layer_of(struct timer *timer)
{
    return (struct tcp_layer *)((char *)timer - offsetof(struct tcp_layer, time_wait.timer));
}

static void expired(struct timer *timer, uint64_t now)
{
    struct tcp_layer *layer = layer_of(timer);
    while (layer->time_wait.oldest && layer->time_wait.oldest->expires <= now)
        time_wait_remove(layer, layer->time_wait.oldest);
    if (layer->time_wait.oldest)
        timer_start(&layer->stack->timers, timer, layer->time_wait.oldest->expires);
}

int time_wait_create(struct tcp_layer *layer, uint32_t capacity)
{
    void *(*allocate)(size_t) = layer->stack->config.allocate;
    layer->time_wait.capacity = capacity;
    layer->time_wait.timer.expired = expired;
    layer->time_wait.pool = allocate(capacity * sizeof *layer->time_wait.pool);
    layer->time_wait.buckets =
        allocate((layer->bucket_mask + 1) * sizeof *layer->time_wait.buckets);
    return layer->time_wait.pool && layer->time_wait.buckets ? 0 : -ENOMEM;
}

void time_wait_destroy(struct tcp_layer *layer)
{
    timer_stop(&layer->stack->timers, &layer->time_wait.timer);
    layer->stack->config.release(layer->time_wait.buckets);
    layer->stack->config.release(layer->time_wait.pool);
}

static struct time_wait **bucket_of(struct tcp_layer *layer, const struct time_wait *wait)
{
    const uint32_t hash =
        table_hash(layer, &wait->local, wait->local_port, &wait->peer, wait->peer_port);
    return &layer->time_wait.buckets[hash & layer->bucket_mask];
}

struct time_wait *time_wait_find(struct tcp_layer *layer, const struct ip_address *local,
                                 uint16_t local_port, const struct ip_address *peer,
                                 uint16_t peer_port)
{
    const uint32_t hash = table_hash(layer, local, local_port, peer, peer_port);
    struct time_wait *wait = layer->time_wait.buckets[hash & layer->bucket_mask];
    for (; wait; wait = wait->hash_next)
        if (wait->peer_port == peer_port && wait->local_port == local_port &&
            ip_equal(&wait->peer, peer) && ip_equal(&wait->local, local))
            return wait;
    return NULL;
}

static void list_append(struct tcp_layer *layer, struct time_wait *wait)
{
    wait->expires = layer->stack->now + WAIT_TIME;
    wait->newer = NULL;
    wait->older = layer->time_wait.newest;
    if (wait->older)
        wait->older->newer = wait;
    else
        layer->time_wait.oldest = wait;
    layer->time_wait.newest = wait;
    if (!timer_running(&layer->time_wait.timer))
        timer_start(&layer->stack->timers, &layer->time_wait.timer, wait->expires);
}

static void list_remove(struct tcp_layer *layer, struct time_wait *wait)
{
    if (wait->older)
        wait->older->newer = wait->newer;
    else
        layer->time_wait.oldest = wait->newer;
    if (wait->newer)
        wait->newer->older = wait->older;
    else
        layer->time_wait.newest = wait->older;
}

void time_wait_remove(struct tcp_layer *layer, struct time_wait *wait)
{
    struct time_wait **link = bucket_of(layer, wait);
    while (*link != wait)
        link = &(*link)->hash_next;
    *link = wait->hash_next;
    list_remove(layer, wait);
    wait->hash_next = layer->time_wait.free;
    layer->time_wait.free = wait;
    layer->time_wait.count--;
}

/* entry_alloc: never fails: the oldest gives way, which is safer than none at all. */
static struct time_wait *entry_alloc(struct tcp_layer *layer)
{
    if (!layer->time_wait.free && layer->time_wait.touched == layer->time_wait.capacity) {
        layer->counters.time_wait_evicted++;
        time_wait_remove(layer, layer->time_wait.oldest);
    }
    struct time_wait *wait = layer->time_wait.free;
    if (wait)
        layer->time_wait.free = wait->hash_next;
    else
        wait = &layer->time_wait.pool[layer->time_wait.touched++];
    layer->time_wait.count++;
    return wait;
}

void time_wait_enter(struct tcb *tcb)
{
    struct tcp_layer *layer = tcb->layer;
    struct time_wait *wait = entry_alloc(layer);
    *wait = (struct time_wait){
        .local = tcb->socket.local.address,
        .peer = tcb->socket.peer.address,
        .local_port = tcb->socket.local.port,
        .peer_port = tcb->socket.peer.port,
        .interface = tcb->socket.peer.interface,
        .timestamps = tcb->timestamps,
        .snd_nxt = tcb->snd.nxt,
        .rcv_nxt = tcb->rcv.nxt,
        .ts_recent = tcb->ts_recent,
        .ts_offset = tcb->ts_offset,
    };
    struct time_wait **bucket = bucket_of(layer, wait);
    wait->hash_next = *bucket;
    *bucket = wait;
    list_append(layer, wait);
    tcb->state = TCP_TIME_WAIT;
    tcb_finish(tcb, 0);
}

static void answer(struct stack *stack, struct time_wait *wait)
{
    if (wait->answered_at && stack->now - wait->answered_at < ANSWER_PERIOD)
        return;
    wait->answered_at = stack->now;
    const struct tcp_reply reply = {
        .source = wait->local,
        .destination = wait->peer,
        .source_port = wait->local_port,
        .destination_port = wait->peer_port,
        .interface = wait->interface,
        .seq = wait->snd_nxt,
        .ack = wait->rcv_nxt,
        .flags = TCP_ACK,
        .options = {.timestamps = wait->timestamps,
                    .ts_value = time_ms(stack->now) + wait->ts_offset,
                    .ts_echo = wait->ts_recent},
    };
    tcp_reply(stack, &reply);
}

/* may_reopen: is the SYN certainly newer than the old connection? By its timestamp or, without
 * one, its sequence number (RFC 6191 2). */
static bool may_reopen(const struct time_wait *wait, const struct segment *segment)
{
    if (wait->timestamps && segment->options.timestamps &&
        segment->options.ts_value != wait->ts_recent)
        return seq_lt(wait->ts_recent, segment->options.ts_value);
    return seq_lt(wait->rcv_nxt, segment->seq);
}

/* reopen: the entry makes room for a connection whose ISS lies beyond all that the old one sent. */
static bool reopen(struct stack *stack, struct time_wait *wait, struct arrival *arrival)
{
    struct tcp_layer *layer = stack->tcp;
    struct tcb *listener =
        listener_find(layer, &wait->local, wait->local_port, arrival->ip->netif->index);
    if (!listener)
        return false;
    const uint32_t old_nxt = wait->snd_nxt;
    time_wait_remove(layer, wait);
    layer->counters.time_wait_reused++;
    arrival->old_nxt = &old_nxt;
    return listen_input(listener, arrival);
}

/* 3.10.7.4 for TIME-WAIT. A RST is ignored: it would cut the wait short (RFC 1337 3). */
void time_wait_input(struct stack *stack, struct time_wait *wait, struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    if (segment->flags & TCP_RST)
        return;
    if ((segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && may_reopen(wait, segment) &&
        reopen(stack, wait, arrival))
        return;
    if (segment->flags & TCP_FIN &&
        segment->seq + segment->length + 1 == wait->rcv_nxt) { /* our ACK was lost: wait anew */
        list_remove(stack->tcp, wait);
        list_append(stack->tcp, wait);
    }
    if (segment_span(segment) > 0 || segment->seq != wait->rcv_nxt)
        answer(stack, wait);
}
