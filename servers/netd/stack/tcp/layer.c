/* The layer and its pool of control blocks. Invariant: a block is in the free list or in_use, never
 * both; blocks from `touched` on have never been used. */
#include "connection.h"
#include "counters.h"
#include "input.h"
#include "listen.h"
#include "receive/receive.h"
#include "send/send.h"
#include "table.h"
#include "tcp.h"
#include "time_wait.h"
#include "timers.h"
#include "user.h"
#include <errno.h>
#include <string.h>

static uint32_t bucket_count(uint32_t capacity)
{
    uint32_t count = 64;
    while (count < capacity)
        count *= 2;
    return count;
}

static void layer_destroy(struct stack *stack)
{
    struct tcp_layer *layer = stack->tcp;
    if (!layer)
        return;
    for (uint32_t i = 0; i < layer->touched; i++)
        if (layer->pool[i].in_use)
            tcb_clear(&layer->pool[i]);
    time_wait_destroy(layer);
    stack->config.release(layer->buckets);
    stack->config.release(layer->pool);
    stack->config.release(layer);
    stack->tcp = NULL;
}

static int layer_create(struct stack *stack)
{
    void *(*allocate)(size_t) = stack->config.allocate;
    struct tcp_layer *layer = allocate(sizeof *layer);
    if (!layer)
        return -ENOMEM;
    stack->tcp = layer;
    layer->stack = stack;
    layer->capacity = stack->config.sockets;
    layer->bucket_mask = bucket_count(layer->capacity) - 1;
    layer->pool = allocate(layer->capacity * sizeof *layer->pool);
    layer->buckets = allocate((layer->bucket_mask + 1) * sizeof *layer->buckets);
    if (!layer->pool || !layer->buckets || time_wait_create(layer, layer->capacity) < 0) {
        layer_destroy(stack);
        return -ENOMEM;
    }
    stack->config.random(layer->hash_key, sizeof layer->hash_key);
    stack->config.random(layer->secret, sizeof layer->secret);
    return 0;
}

static void set_defaults(struct tcb *tcb)
{
    tcb->socket.receive_buffer = TCP_BUFFER_DEFAULT;
    tcb->socket.send_buffer = TCP_BUFFER_DEFAULT;
    tcb->keep_idle = TCP_KEEP_IDLE;
    tcb->keep_interval = TCP_KEEP_INTERVAL;
    tcb->keep_count = TCP_KEEP_COUNT;
    tcb->rto = TCP_RTO_INITIAL;
    tcb->congestion.operations = &cubic;
}

struct tcb *tcb_alloc(struct stack *stack)
{
    struct tcp_layer *layer = stack->tcp;
    struct tcb *tcb = layer->free;
    if (tcb)
        layer->free = tcb->next;
    else if (layer->touched < layer->capacity)
        tcb = &layer->pool[layer->touched++];
    if (!tcb) {
        layer->counters.no_control_blocks++;
        return NULL;
    }
    *tcb = (struct tcb){.layer = layer, .in_use = true, .timer.expired = tcb_timer_expired};
    tcb->socket.operations = &tcp_operations;
    tcb->socket.stack = stack;
    tcb->socket.type = SOCKET_STREAM;
    tcb->socket.protocol = PROTOCOL_TCP;
    set_defaults(tcb);
    layer->connections++;
    return tcb;
}

void tcb_clear(struct tcb *tcb)
{
    timers_clear(tcb);
    table_remove(tcb);
    send_clear(tcb);
    receive_clear(tcb);
    ahead_clear(tcb);
    if (tcb->listener)
        listen_forget(tcb);
}

void tcb_free(struct tcb *tcb)
{
    struct tcp_layer *layer = tcb->layer;
    tcb_clear(tcb);
    tcb->in_use = false;
    tcb->state = TCP_CLOSED;
    tcb->next = layer->free;
    layer->free = tcb;
    layer->connections--;
    layer->stack->socket_count--;
}

/* What a connection that ended too early counts as (RFC 4022). */
static void count_end(struct tcb *tcb)
{
    struct tcp_counters *counters = &tcb->layer->counters;
    if (tcb->state == TCP_SYN_SENT || tcb->state == TCP_SYN_RECEIVED)
        counters->attempt_fails++;
    else if (tcb->state == TCP_ESTABLISHED || tcb->state == TCP_CLOSE_WAIT)
        counters->estab_resets++;
}

void tcb_finish(struct tcb *tcb, int error)
{
    const bool nobody = tcb->detached || (tcb->state == TCP_SYN_RECEIVED && tcb->listener);
    if (error)
        count_end(tcb);
    if (nobody) {
        tcb_free(tcb);
        return;
    }
    timers_clear(tcb);
    table_remove(tcb);
    send_clear(tcb);
    ahead_clear(tcb); /* text in order can still be read */
    if (tcb->state != TCP_TIME_WAIT)
        tcb->state = TCP_CLOSED;
    if (error)
        tcb->socket.error = error;
    socket_notify(&tcb->socket, tcb_events(&tcb->socket));
}

const char *tcp_state_name(enum tcp_state state)
{
    static const char *const names[] = {
        [TCP_CLOSED] = "CLOSED",           [TCP_LISTEN] = "LISTEN",
        [TCP_SYN_SENT] = "SYN_SENT",       [TCP_SYN_RECEIVED] = "SYN_RECEIVED",
        [TCP_ESTABLISHED] = "ESTABLISHED", [TCP_FIN_WAIT_1] = "FIN_WAIT_1",
        [TCP_FIN_WAIT_2] = "FIN_WAIT_2",   [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
        [TCP_CLOSING] = "CLOSING",         [TCP_LAST_ACK] = "LAST_ACK",
        [TCP_TIME_WAIT] = "TIME_WAIT",
    };
    return names[state];
}

/* Each counter, and what is in use of the pools. */
static void statistics(const struct stack *stack,
                       void (*visit)(void *context, const char *name, uint64_t value),
                       void *context)
{
    const struct tcp_layer *layer = stack->tcp;
    const struct tcp_counters *counters = &layer->counters;
#define VISIT(name) visit(context, "tcp_" #name, counters->name);
    TCP_COUNTERS(VISIT)
#undef VISIT
    visit(context, "tcp_control_blocks", layer->connections);
    visit(context, "tcp_control_blocks_peak", layer->touched);
    visit(context, "tcp_time_wait", layer->time_wait.count);
}

static void visit_tcb(const struct tcb *tcb, void (*visit)(void *, const struct socket_facts *),
                      void *context)
{
    const struct socket *socket = &tcb->socket;
    const bool listening = tcb->state == TCP_LISTEN;
    const struct socket_facts facts = {
        .family = socket->family,
        .type = socket->type,
        .protocol = socket->protocol,
        .local = socket->local,
        .peer = socket->peer,
        .state = tcp_state_name(tcb->state),
        .receive_queue = listening ? tcb->accept_count : tcb->receive.bytes,
        .send_queue = listening ? tcb->backlog : send_queued(tcb),
        .owner = socket->owner,
    };
    visit(context, &facts);
}

static void visit_time_wait(const struct time_wait *wait,
                            void (*visit)(void *, const struct socket_facts *), void *context)
{
    const struct socket_facts facts = {
        .family = wait->local.family,
        .type = SOCKET_STREAM,
        .protocol = PROTOCOL_TCP,
        .local = {wait->local, wait->local_port, 0},
        .peer = {wait->peer, wait->peer_port, 0},
        .state = tcp_state_name(TCP_TIME_WAIT),
    };
    visit(context, &facts);
}

static void visit_all(struct stack *stack, void (*visit)(void *, const struct socket_facts *),
                      void *context)
{
    const struct tcp_layer *layer = stack->tcp;
    for (uint32_t i = 0; i < layer->touched; i++)
        if (layer->pool[i].in_use && layer->pool[i].state != TCP_TIME_WAIT)
            visit_tcb(&layer->pool[i], visit, context);
    for (const struct time_wait *w = layer->time_wait.oldest; w; w = w->newer)
        visit_time_wait(w, visit, context);
}

static int create_socket(struct stack *stack, unsigned protocol, struct socket **socket)
{
    (void)protocol;
    struct tcb *tcb = tcb_alloc(stack);
    if (!tcb)
        return -ENFILE;
    *socket = &tcb->socket;
    return 0;
}

/* A device has room again: what TIMER_OUTPUT would do soon anyhow, and ACKs do meanwhile. */
static void writable(struct stack *stack) { (void)stack; }

const struct transport tcp_transport = {
    .type = SOCKET_STREAM,
    .protocol = PROTOCOL_TCP,
    .create = layer_create,
    .destroy = layer_destroy,
    .input = tcp_input,
    .error = tcp_error,
    .writable = writable,
    .socket_create = create_socket,
    .visit = visit_all,
    .statistics = statistics,
};
