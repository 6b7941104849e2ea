/* The seventh step of segment arrival: the text. In order it goes to the program's queue, ahead of
 * a gap it is held. Invariant: RCV.NXT is behind the last octet in tcb->receive, unless the peer's
 * FIN has been counted or the program does not want to read. */
#include "../../wire/cursor.h"
#include "../input.h"
#include "../send/send.h"
#include "../tcp.h"
#include "receive.h"

/* A queue may use this much more than its buffer, for what packets cost beyond their text; enough
 * for packets that are half full, and receive_append sees to it that they are. */
#define OVERHEAD   2u
#define MEMORY_MIN 16u /* packets */

static bool over_own_limit(const struct tcb *tcb)
{
    const uint32_t packets = tcb->receive.packets + tcb->ahead.packets;
    const uint32_t limit = tcb->socket.receive_buffer / PACKET_SIZE * OVERHEAD;
    return packets >= (limit > MEMORY_MIN ? limit : MEMORY_MIN);
}

static bool over_stack_limit(const struct tcb *tcb)
{
    const struct stack *stack = tcb_stack(tcb);
    return stack->socket_packets >= stack->config.socket_packets;
}

/* take_piece: the first piece of a chain, as a packet of its own. */
static struct packet *take_piece(struct packet **chain)
{
    struct packet *piece = *chain;
    *chain = piece->fragment;
    piece->fragment = NULL;
    piece->next = NULL;
    return piece;
}

/* trim_to_window: what was received already goes from the front, what lies beyond the window from
 * the end (3.10.7.4, first step). False: nothing is left. */
static bool trim_to_window(struct tcb *tcb, struct arrival *arrival)
{
    struct segment *segment = arrival->segment;
    struct packet_pool *pool = tcb_stack(tcb)->pool;
    const uint32_t end = tcb->rcv.nxt + tcb->rcv.wnd;
    if (seq_lt(segment->seq, tcb->rcv.nxt)) {
        const uint32_t old = tcb->rcv.nxt - segment->seq;
        if (old >= segment->length)
            return false;
        arrival->packet = packet_drop_front(pool, arrival->packet, old);
        segment->seq += old;
        segment->length -= old;
    }
    if (segment->length > end - segment->seq) {
        segment->length = end - segment->seq;
        packet_trim(pool, arrival->packet, segment->length);
    }
    return segment->length > 0;
}

/* receive_append: behind the text in order. A packet whose text fits behind the last one's is
 * copied there, so that two neighbours always hold more than one packet could. */
void receive_append(struct tcb *tcb, struct packet *packet)
{
    struct receive_queue *queue = &tcb->receive;
    const uint16_t length = packet_length(packet);
    tcb->rcv.nxt += length;
    tcb->rcv.wnd -= length;
    uint8_t *to = queue->last && !tcb->read_shut ? packet_append(queue->last, length) : NULL;
    if (to)
        put_bytes(to, packet_bytes(packet), length);
    if (to || tcb->read_shut || length == 0) {
        queue->bytes += to ? length : 0;
        packet_release(tcb_stack(tcb)->pool, packet);
        return;
    }
    packet->next = NULL;
    if (queue->last)
        queue->last->next = packet;
    else
        queue->first = packet;
    queue->last = packet;
    queue->packets++;
    queue->bytes += length;
    tcb_stack(tcb)->socket_packets++;
}

void receive_clear(struct tcb *tcb)
{
    struct receive_queue *queue = &tcb->receive;
    while (queue->first) {
        struct packet *packet = queue->first;
        queue->first = packet->next;
        packet_release(tcb_stack(tcb)->pool, packet);
    }
    tcb_stack(tcb)->socket_packets -= queue->packets;
    *queue = (struct receive_queue){0};
}

/* acknowledge: at once for every second full segment, otherwise a little later (3.8.6.3). How
 * long a full one is shows only in what arrives; few are below the default. */
static void acknowledge(struct tcb *tcb, const struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    if (segment->length > tcb->rcv.mss && !arrival->packet->fragment)
        tcb->rcv.mss = (uint16_t)segment->length;
    const uint32_t full = tcb->rcv.mss > TCP_MSS_DEFAULT_V4 ? tcb->rcv.mss : TCP_MSS_DEFAULT_V4;
    if (segment->seq + segment->length - tcb->last_ack_sent >= 2 * full)
        tcb->ack_now = true;
    else
        tcb->ack_later = true;
}

static void in_order(struct tcb *tcb, struct arrival *arrival)
{
    const bool gap = tcb->ahead.first != NULL;
    if (over_stack_limit(tcb))
        ahead_clear(tcb); /* the peer must be ready for that (RFC 2018 8) */
    if (over_stack_limit(tcb) && tcb->receive.first) {
        tcb->layer->counters.no_packets++;
        return;
    }
    acknowledge(tcb, arrival);
    while (arrival->packet)
        receive_append(tcb, take_piece(&arrival->packet));
    if (gap) {
        ahead_join(tcb);
        tcb->ack_now = true; /* the peer waits for news of it (RFC 5681 4.2) */
    }
    socket_notify(&tcb->socket, SOCKET_READABLE);
}

static void out_of_order(struct tcb *tcb, struct arrival *arrival)
{
    uint32_t seq = arrival->segment->seq;
    tcb->layer->counters.out_of_order++;
    tcb->ack_now = true;
    while (arrival->packet) {
        if (over_own_limit(tcb) || over_stack_limit(tcb)) {
            tcb->layer->counters.out_of_order_dropped++;
            return;
        }
        struct packet *piece = take_piece(&arrival->packet);
        const uint16_t length = packet_length(piece);
        ahead_insert(tcb, piece, seq);
        seq += length;
    }
}

void receive_text(struct tcb *tcb, struct arrival *arrival)
{
    if (!trim_to_window(tcb, arrival))
        tcb->ack_now = true;
    else if (arrival->segment->seq == tcb->rcv.nxt)
        in_order(tcb, arrival);
    else
        out_of_order(tcb, arrival);
}
