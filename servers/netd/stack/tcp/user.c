/* The calls of a program (RFC 9293 3.10.1 to 3.10.6). None of them waits. */
#include "user.h"
#include "../checksum.h"
#include "connection.h"
#include "isn.h"
#include "listen.h"
#include "receive/receive.h"
#include "send/send.h"
#include "table.h"
#include "tcp.h"
#include "time_wait.h"
#include "timers.h"
#include <errno.h>

/* ---- OPEN ------------------------------------------------------------------------------------ */

struct port_question {
    struct tcb *tcb;
    struct endpoint local;
};

static bool bind_taken(void *context, uint16_t port)
{
    struct port_question *question = context;
    question->local.port = port;
    return port_taken(question->tcb->layer, question->tcb, &question->local);
}

static int tcp_bind(struct socket *socket, const struct endpoint *local)
{
    struct tcb *tcb = tcb_of(socket);
    struct port_question question = {tcb, *local};
    if (tcb->state != TCP_CLOSED)
        return -EINVAL;
    if (local->port == 0 && !socket_ephemeral_port(socket->stack, bind_taken, &question))
        return -EADDRINUSE;
    if (local->port != 0 && bind_taken(&question, local->port))
        return -EADDRINUSE;
    socket->local = question.local;
    tcb->bound = true;
    return 0;
}

static int tcp_listen(struct socket *socket, int backlog)
{
    struct tcb *tcb = tcb_of(socket);
    if (tcb->state != TCP_CLOSED && tcb->state != TCP_LISTEN)
        return -EINVAL;
    if (!tcb->bound) {
        const struct endpoint any = {.address = ip_any(socket->family)};
        const int error = tcp_bind(socket, &any);
        if (error)
            return error;
    }
    tcb->backlog = (uint16_t)(backlog < 1                 ? 1
                              : backlog > TCP_BACKLOG_MAX ? TCP_BACKLOG_MAX
                                                          : backlog);
    if (tcb->state == TCP_LISTEN)
        return 0;
    for (const struct tcb *other = tcb->layer->listeners; other; other = other->next)
        if (other->socket.local.port == socket->local.port &&
            ip_equal(&other->socket.local.address, &socket->local.address))
            return -EADDRINUSE; /* SO_REUSEADDR let both bind, but only one can listen */
    tcb->state = TCP_LISTEN;
    table_insert(tcb);
    return 0;
}

/* A pair of ends in TIME-WAIT may be used again by who would be believed: with timestamps, after
 * their clock has ticked (RFC 6191; ISS is chosen beyond the old one's numbers). */
static bool wait_blocks(const struct tcb *tcb, const struct time_wait *wait)
{
    return !wait->timestamps || wait->expires - tcb_now(tcb) > 2 * TCP_MSL - NS_PER_S;
}

static bool pair_taken(void *context, uint16_t port)
{
    const struct port_question *question = context;
    const struct tcb *tcb = question->tcb;
    const struct ip_address *local = &tcb->socket.local.address, *peer = &tcb->socket.peer.address;
    const uint16_t peer_port = tcb->socket.peer.port;
    const struct time_wait *wait = time_wait_find(tcb->layer, local, port, peer, peer_port);
    return table_find(tcb->layer, local, port, peer, peer_port) ||
           (wait && wait_blocks(tcb, wait)) || listener_find(tcb->layer, local, port, 0);
}

/* choose_port: so that the pair of ends is new. */
static int choose_port(struct tcb *tcb)
{
    struct port_question question = {.tcb = tcb};
    struct socket *socket = &tcb->socket;
    if (tcb->bound)
        return pair_taken(&question, socket->local.port) ? -EADDRNOTAVAIL : 0;
    socket->local.port = socket_ephemeral_port(socket->stack, pair_taken, &question);
    return socket->local.port ? 0 : -EADDRNOTAVAIL;
}

static int may_connect(const struct tcb *tcb, const struct endpoint *peer)
{
    switch (tcb->state) {
    case TCP_CLOSED:
        break;
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
        return -EALREADY;
    default:
        return -EISCONN;
    }
    if (tcb->was_connected)
        return -EISCONN;
    if (ip_is_multicast(&peer->address) || ip_is_broadcast(&peer->address) ||
        ip_is_directed_broadcast(tcb_stack(tcb), &peer->address))
        return -ENETUNREACH;
    return peer->port ? 0 : -EADDRNOTAVAIL;
}

/* choose_iss: the clock's, or beyond what the previous connection of this pair has sent. */
static uint32_t choose_iss(struct tcb *tcb)
{
    const struct socket *socket = &tcb->socket;
    uint32_t iss = tcp_isn(tcb->layer, &socket->local, &socket->peer);
    struct time_wait *wait = time_wait_find(tcb->layer, &socket->local.address, socket->local.port,
                                            &socket->peer.address, socket->peer.port);
    if (wait) {
        iss = tcp_isn_beyond(iss, wait->snd_nxt);
        time_wait_remove(tcb->layer, wait);
        tcb->layer->counters.time_wait_reused++;
    }
    return iss;
}

static int tcp_connect(struct socket *socket, const struct endpoint *peer)
{
    struct tcb *tcb = tcb_of(socket);
    const struct endpoint local = socket->local;
    int error = may_connect(tcb, peer);
    if (error)
        return error;
    socket->peer = *peer;
    error = tcb_route(tcb);
    if (!error)
        error = choose_port(tcb);
    if (error) {
        socket->local = local;
        socket->peer = (struct endpoint){0};
        return error;
    }
    tcb->bound = true;
    tcb->backoff = 0;
    tcb->syn_again = false;
    tcb->stalled_since = 0;
    tcb->soft_error = socket->error = 0;
    tcb->rto = TCP_RTO_INITIAL;
    tcb_start(tcb, choose_iss(tcb));
    tcb->state = TCP_SYN_SENT;
    table_insert(tcb);
    tcb->layer->counters.active_opens++;
    tcb_emit(tcb, NULL, tcb->snd.iss, TCP_SYN);
    rto_start(tcb);
    return -EINPROGRESS;
}

static int tcp_accept(struct socket *socket, struct socket **connection)
{
    struct tcb *tcb = tcb_of(socket), *child = tcb->accept_first;
    if (tcb->state != TCP_LISTEN)
        return -EINVAL;
    if (!child)
        return -EAGAIN;
    tcb->accept_first = child->accept_next;
    if (!tcb->accept_first)
        tcb->accept_last = NULL;
    tcb->accept_count--;
    child->accept_next = NULL;
    *connection = &child->socket;
    return 0;
}

/* ---- SEND ------------------------------------------------------------------------------------ */

/* take_error: the pending error, which is reported once. */
static int take_error(struct tcb *tcb)
{
    const int error = tcb->socket.error;
    tcb->socket.error = 0;
    return error;
}

static uint32_t send_space(const struct tcb *tcb)
{
    const uint32_t queued = send_queued(tcb);
    return tcb->socket.send_buffer > queued ? tcb->socket.send_buffer - queued : 0;
}

static int may_send(struct tcb *tcb)
{
    switch (tcb->state) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
        return -EAGAIN;
    case TCP_ESTABLISHED:
    case TCP_CLOSE_WAIT:
        return send_space(tcb) ? 0 : -EAGAIN;
    default:
        if (tcb->socket.error)
            return take_error(tcb);
        return tcb->was_connected ? -EPIPE : -ENOTCONN;
    }
}

/* room: the packet that the next octets go to, and how many it takes: the last one as long as it
 * has not been sent, or a new one. */
static struct packet *room(struct tcb *tcb, uint32_t *size)
{
    struct packet *last = tcb->send.last;
    if (last && tcb->send.unsent && last->references == 1 && last->word[SENT_LENGTH] < tcb->mss &&
        last->end < PACKET_SIZE) {
        const uint32_t left = PACKET_SIZE - last->end, want = tcb->mss - last->word[SENT_LENGTH];
        *size = left < want ? left : want;
        return last;
    }
    *size = tcb->mss;
    return send_packet_alloc(tcb);
}

/* add_sum: the sum of the text goes along with its copy, so that it is read only while it is in the
 * cache (unless the device does it). */
static void add_sum(struct tcb *tcb, struct packet *packet, const uint8_t *data, uint32_t size)
{
    const uint32_t offset = (uint32_t)(data - packet_bytes(packet));
    if (tcb->checksum_offload || (offset > 0 && !(packet->flags & PACKET_SUM))) {
        packet->flags &= (uint16_t)~PACKET_SUM;
        return;
    }
    const uint16_t before = offset ? packet->sum : 0;
    packet->sum =
        offset % 2 ? checksum_add_odd(before, data, size) : checksum_add(before, data, size);
    packet->flags |= PACKET_SUM;
}

/* send_some: copies at most length octets into one packet. */
static int64_t send_some(struct tcb *tcb, struct transfer *from, size_t offset, size_t length)
{
    uint32_t size;
    struct packet *packet = room(tcb, &size);
    if (!packet)
        return -EAGAIN;
    if (size > length)
        size = (uint32_t)length;
    const bool fresh = packet != tcb->send.last;
    uint8_t *data = packet->data + packet->end;
    const int error = from->copy(from, offset, data, size);
    if (error) {
        if (fresh)
            packet_release(tcb_stack(tcb)->pool, packet);
        return error;
    }
    packet->end = (uint16_t)(packet->end + size);
    add_sum(tcb, packet, data, size);
    if (fresh) {
        send_append(tcb, packet);
    } else {
        packet->word[SENT_LENGTH] += size;
        tcb->snd.end += size;
    }
    return size;
}

/* wait_for_packets: no packet was left: it is tried again when time has passed. */
static void wait_for_packets(struct tcb *tcb)
{
    tcb->starved = true;
    if (!tcb->deadline[TIMER_OUTPUT])
        timer_set_after(tcb, TIMER_OUTPUT, TCP_RETRY);
}

static int64_t tcp_send(struct socket *socket, struct transfer *from, size_t length,
                        struct socket_message *message)
{
    struct tcb *tcb = tcb_of(socket);
    const int error = may_send(tcb);
    if (error)
        return error;
    if (length > send_space(tcb))
        length = send_space(tcb);
    size_t moved = 0;
    int64_t step = 0;
    while (moved < length && (step = send_some(tcb, from, moved, length - moved)) > 0)
        moved += (size_t)step;
    if (step == -EAGAIN)
        wait_for_packets(tcb);
    tcb->more = message->flags & SOCKET_MORE;
    if (message->flags & SOCKET_OOB && moved > 0)
        tcb->snd.up = tcb->snd.end;
    tcb_output(tcb);
    return moved > 0 ? (int64_t)moved : step;
}

/* ---- RECEIVE --------------------------------------------------------------------------------- */

static bool end_of_text(const struct tcb *tcb)
{
    return tcb->read_shut || (tcb->fin_arrived && tcb->rcv.nxt == tcb->rcv.fin + 1);
}

/* nothing: what receive returns when the queue is empty. */
static int64_t nothing(struct tcb *tcb)
{
    if (tcb->socket.error)
        return take_error(tcb);
    if (end_of_text(tcb))
        return 0;
    if (tcb->state == TCP_LISTEN || (tcb->state == TCP_CLOSED && !tcb->was_connected))
        return -ENOTCONN;
    return tcb->state == TCP_CLOSED || tcb->state == TCP_TIME_WAIT ? 0 : -EAGAIN;
}

/* consume: the first `count` octets have been read. */
static void consume(struct tcb *tcb, uint32_t count)
{
    struct receive_queue *queue = &tcb->receive;
    queue->bytes -= count;
    while (count > 0) {
        struct packet *first = queue->first;
        const uint16_t length = packet_length(first);
        if (count < length) {
            packet_pull(first, (uint16_t)count);
            return;
        }
        count -= length;
        queue->first = first->next;
        if (!queue->first)
            queue->last = NULL;
        queue->packets--;
        tcb_stack(tcb)->socket_packets--;
        packet_release(tcb_stack(tcb)->pool, first);
    }
}

static int64_t tcp_receive(struct socket *socket, struct transfer *to, size_t length,
                           struct socket_message *message)
{
    struct tcb *tcb = tcb_of(socket);
    if (message->flags & SOCKET_OOB)
        return -EINVAL; /* urgent text is read in its place */
    if (length == 0)
        return 0;
    if (tcb->receive.bytes == 0)
        return nothing(tcb);
    size_t moved = 0;
    int error = 0;
    for (struct packet *p = tcb->receive.first; p && moved < length; p = p->next) {
        const size_t left = length - moved;
        const size_t size = left < packet_length(p) ? left : packet_length(p);
        error = to->copy(to, moved, packet_bytes(p), size);
        if (error)
            break;
        moved += size;
    }
    message->peer = socket->peer;
    if (!(message->flags & SOCKET_PEEK)) {
        consume(tcb, (uint32_t)moved);
        if (tcb->state == TCP_ESTABLISHED || tcb->state == TCP_FIN_WAIT_1 ||
            tcb->state == TCP_FIN_WAIT_2)
            receive_window_update(tcb);
    }
    return moved > 0 ? (int64_t)moved : error;
}

static size_t tcp_readable(struct socket *socket) { return tcb_of(socket)->receive.bytes; }

static size_t tcp_unsent(struct socket *socket)
{
    const struct tcb *tcb = tcb_of(socket);
    return tcb->state == TCP_CLOSED ? 0 : send_queued(tcb); /* CLOSED: nobody will send it */
}

/* ---- STATUS ---------------------------------------------------------------------------------- */

static bool may_still_send(const struct tcb *tcb)
{
    return tcb->state == TCP_ESTABLISHED || tcb->state == TCP_CLOSE_WAIT;
}

unsigned tcb_events(struct socket *socket)
{
    const struct tcb *tcb = tcb_of(socket);
    unsigned events = 0;
    if (tcb->state == TCP_LISTEN)
        return tcb->accept_first ? SOCKET_READABLE : 0;
    if (tcb->state == TCP_SYN_SENT || tcb->state == TCP_SYN_RECEIVED)
        return 0;
    const bool over = tcb->state == TCP_CLOSED || tcb->state == TCP_TIME_WAIT;
    if (over || end_of_text(tcb))
        events |= SOCKET_READ_HANGUP | SOCKET_READABLE;
    if (tcb->receive.bytes > 0)
        events |= SOCKET_READABLE;
    if (!may_still_send(tcb) || send_space(tcb) >= socket->send_buffer / 4)
        events |= SOCKET_WRITABLE;
    if (over || (end_of_text(tcb) && !may_still_send(tcb)))
        events |= SOCKET_HANGUP;
    return events | (socket->error ? SOCKET_ERROR : 0);
}

/* ---- CLOSE and ABORT ------------------------------------------------------------------------- */

/* send_end: our FIN follows what has been sent; figure 5's "CLOSE / snd FIN". */
static void send_end(struct tcb *tcb)
{
    if (tcb->fin_queued)
        return;
    tcb->fin_queued = true;
    if (tcb->state == TCP_ESTABLISHED)
        tcb->state = TCP_FIN_WAIT_1;
    else if (tcb->state == TCP_CLOSE_WAIT)
        tcb->state = TCP_LAST_ACK;
    tcb_output(tcb);
}

static int tcp_shutdown(struct socket *socket, bool read, bool write)
{
    struct tcb *tcb = tcb_of(socket);
    if (tcb->state == TCP_LISTEN && read) {
        table_remove(tcb);
        tcb->state = TCP_CLOSED;
        listen_close(tcb);
        socket_notify(socket, tcb_events(socket));
        return 0;
    }
    if (!tcb->was_connected || tcb->state == TCP_CLOSED)
        return -ENOTCONN;
    if (read)
        tcb->read_shut = true;
    if (write)
        send_end(tcb);
    socket_notify(socket, tcb_events(socket));
    return 0;
}

static void abort_connection(struct tcb *tcb)
{
    tcb_reset(tcb);
    tcb->layer->counters.aborted++;
    tcb_free(tcb);
}

/* close_connection: what the program has not read is lost, and the peer must know (RFC 1122
 * 4.2.2.13, RFC 2525 2.17); otherwise the rest is sent, for as long as SO_LINGER says. */
static void close_connection(struct tcb *tcb)
{
    if (tcb->receive.bytes > 0 || (tcb->linger && tcb->linger_seconds == 0)) {
        abort_connection(tcb);
        return;
    }
    if (tcb->linger)
        timer_set_after(tcb, TIMER_LINGER, tcb->linger_seconds * NS_PER_S);
    else if (tcb->state == TCP_FIN_WAIT_2)
        timer_set_after(tcb, TIMER_LINGER, TCP_FIN_WAIT);
    send_end(tcb);
}

static void tcp_close(struct socket *socket)
{
    struct tcb *tcb = tcb_of(socket);
    tcb->detached = true;
    switch (tcb->state) {
    case TCP_LISTEN:
        table_remove(tcb);
        tcb->state = TCP_CLOSED;
        listen_close(tcb);
        tcb_free(tcb);
        return;
    case TCP_CLOSED:
    case TCP_SYN_SENT:
    case TCP_TIME_WAIT:
        tcb_free(tcb);
        return;
    default:
        close_connection(tcb);
    }
}

const struct socket_operations tcp_operations = {
    .bind = tcp_bind,
    .connect = tcp_connect,
    .listen = tcp_listen,
    .accept = tcp_accept,
    .send = tcp_send,
    .receive = tcp_receive,
    .shutdown = tcp_shutdown,
    .get_option = tcp_get_option,
    .set_option = tcp_set_option,
    .ready = tcb_events,
    .readable = tcp_readable,
    .unsent = tcp_unsent,
    .close = tcp_close,
};
