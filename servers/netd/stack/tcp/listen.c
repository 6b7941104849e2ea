/* The LISTEN state (RFC 9293 3.10.7.2): half-open connections, which become cookies when there are
 * too many, and the queue of those that wait for accept. Invariant: accept_count is the length of
 * the accept queue; syn_count the number of blocks in SYN-RECEIVED that point to this listener. */
#include "listen.h"
#include "connection.h"
#include "input.h"
#include "isn.h"
#include "send/send.h"
#include "table.h"
#include "tcp.h"
#include "timers.h"
#include <errno.h>

/* inherit: what a connection has from its listener. */
static void inherit(struct tcb *child, const struct tcb *listener)
{
    const struct socket *from = &listener->socket;
    struct socket *to = &child->socket;
    to->family = from->family;
    to->v6_only = from->v6_only;
    to->reuse_address = from->reuse_address;
    to->receive_buffer = from->receive_buffer;
    to->send_buffer = from->send_buffer;
    to->bound_interface = from->bound_interface;
    to->hop_limit = from->hop_limit;
    to->traffic_class = from->traffic_class;
    child->congestion.operations = listener->congestion.operations;
    child->no_delay = listener->no_delay;
    child->keepalive = listener->keepalive;
    child->keep_idle = listener->keep_idle;
    child->keep_interval = listener->keep_interval;
    child->keep_count = listener->keep_count;
    child->mss_user = listener->mss_user;
    child->user_timeout_ms = listener->user_timeout_ms;
    child->linger = listener->linger;
    child->linger_seconds = listener->linger_seconds;
}

struct tcb *listen_child(struct tcb *listener, const struct arrival *arrival, uint32_t iss)
{
    struct stack *stack = tcb_stack(listener);
    const struct ip_received *ip = arrival->ip;
    struct tcb *child = tcb_alloc(stack);
    if (!child)
        return NULL;
    stack->socket_count++;
    inherit(child, listener);
    child->socket.local = (struct endpoint){ip->destination, arrival->segment->destination, 0};
    child->socket.peer = (struct endpoint){ip->source, arrival->segment->source, 0};
    if (ip_is_link_local(&ip->source))
        child->socket.local.interface = child->socket.peer.interface = ip->netif->index;
    child->bound = true;
    if (tcb_route(child) < 0) {
        tcb_free(child);
        return NULL;
    }
    tcb_start(child, iss);
    child->listener = listener;
    listener->syn_count++;
    child->layer->counters.passive_opens++;
    child->state = TCP_SYN_RECEIVED;
    table_insert(child);
    return child;
}

bool listen_enqueue(struct tcb *child)
{
    struct tcb *listener = child->listener;
    if (listener->accept_count >= listener->backlog) {
        child->layer->counters.listen_overflows++;
        return false;
    }
    listener->syn_count--;
    child->listener = NULL;
    child->accept_next = NULL;
    if (listener->accept_last)
        listener->accept_last->accept_next = child;
    else
        listener->accept_first = child;
    listener->accept_last = child;
    listener->accept_count++;
    socket_notify(&listener->socket, SOCKET_READABLE);
    return true;
}

void listen_forget(struct tcb *child)
{
    child->listener->syn_count--;
    child->listener = NULL;
}

void listen_close(struct tcb *listener)
{
    struct tcp_layer *layer = listener->layer;
    for (uint32_t i = 0; i < layer->touched && listener->syn_count > 0; i++) {
        struct tcb *child = &layer->pool[i];
        if (child->in_use && child->listener == listener) {
            tcb_reset(child);
            tcb_free(child);
        }
    }
    while (listener->accept_first) {
        struct tcb *child = listener->accept_first;
        listener->accept_first = child->accept_next;
        if (child->state != TCP_CLOSED && child->state != TCP_TIME_WAIT)
            tcb_reset(child);
        tcb_free(child);
    }
    listener->accept_last = NULL;
    listener->accept_count = 0;
}

/* Half-open connections leave a quarter of the control blocks to those who answer. */
static bool room_for_half_open(const struct tcb *listener)
{
    const struct tcp_layer *layer = listener->layer;
    return listener->syn_count < TCP_SYN_QUEUE && layer->connections < layer->capacity / 4 * 3;
}

/* syn_arrived: the third step of LISTEN. The oldest trick is to send many SYNs: when there is no
 * room, the connection is remembered by the peer, in a cookie. */
static void syn_arrived(struct tcb *listener, struct arrival *arrival)
{
    struct tcp_layer *layer = listener->layer;
    const struct ip_received *ip = arrival->ip;
    const struct endpoint local = {ip->destination, arrival->segment->destination, 0};
    const struct endpoint peer = {ip->source, arrival->segment->source, 0};
    if (listener->accept_count >= listener->backlog) {
        layer->counters.listen_overflows++;
        return;
    }
    uint32_t iss = tcp_isn(layer, &local, &peer);
    if (arrival->old_nxt)
        iss = tcp_isn_beyond(iss, *arrival->old_nxt);
    struct tcb *child = NULL;
    if (room_for_half_open(listener))
        child = listen_child(listener, arrival, iss);
    if (!child) {
        cookie_answer(listener, arrival);
        return;
    }
    tcb_syn(child, arrival->segment);
    child->snd.wnd = arrival->segment->window;
    child->snd.max_wnd = child->snd.wnd;
    tcb_emit(child, NULL, child->snd.iss, TCP_SYN | TCP_ACK);
    rto_start(child);
}

/* ack_arrived: an ACK for no connection may bring back a cookie. */
static bool ack_arrived(struct tcb *listener, struct arrival *arrival)
{
    struct segment *segment = arrival->segment;
    struct tcp_options options;
    if (tcb_now(listener) > listener->cookies_until || segment->flags & TCP_FIN)
        return false;
    if (!cookie_check(listener, arrival, &options)) {
        listener->layer->counters.cookies_refused++;
        return false;
    }
    if (listener->accept_count >= listener->backlog) {
        listener->layer->counters.listen_overflows++;
        return true;
    }
    struct tcb *child = listen_child(listener, arrival, segment->ack - 1);
    if (!child)
        return true;
    listener->layer->counters.cookies_accepted++;
    const struct segment syn = {.seq = segment->seq - 1, .flags = TCP_SYN, .options = options};
    tcb_syn(child, &syn);
    child->syn_again = true; /* when it was sent is not known: no sample */
    tcb_input(child, arrival);
    return true;
}

/* 3.10.7.2, in the order of its steps. */
bool listen_input(struct tcb *listener, struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    if (segment->flags & TCP_RST) /* first */
        return true;
    if (segment->flags & TCP_ACK) /* second */
        return !(segment->flags & TCP_SYN) && ack_arrived(listener, arrival);
    if (segment->flags & TCP_SYN) { /* third */
        if (!(segment->flags & TCP_FIN))
            syn_arrived(listener, arrival);
        return true;
    }
    return true; /* fourth: nothing that there is an answer to */
}
