/* What may be sent now (RFC 9293 3.8.6): the peer's window, the congestion window, silly window
 * avoidance, Nagle. */
#include "../connection.h"
#include "../tcp.h"
#include "../timers.h"
#include "send.h"
#include <errno.h>

/* The longest frame for a device to cut: an IP packet, with headers, in so many pieces. */
#define BURST_OCTETS  64000u
#define BURST_PACKETS 62u

/* The part of the peer's window that is not used yet. */
static uint32_t send_window(const struct tcb *tcb)
{
    const uint32_t edge = tcb->snd.una + tcb->snd.wnd;
    return seq_lt(tcb->snd.nxt, edge) ? edge - tcb->snd.nxt : 0;
}

/* cwnd - pipe; the first duplicate ACKs let a new segment go each (RFC 3042, RFC 5681 3.2 (1)). */
static uint32_t congestion_room(const struct tcb *tcb)
{
    uint32_t limit = tcb->congestion.cwnd;
    if (!tcb->sack && tcb->recovery == RECOVERY_NONE && tcb->dup_acks < TCP_DUP_THRESHOLD)
        limit += tcb->dup_acks * tcb->congestion.mss;
    return limit > tcb->pipe ? limit - tcb->pipe : 0;
}

/* exercise 8.5 */
/* Nagle (3.7.4): a small segment waits while anything is unacknowledged, unless nothing more will
 * come. Corked ones wait in any case, but not for ever (TIMER_OUTPUT). */
static bool small_allowed(const struct tcb *tcb)
{
    if (tcb->fin_queued)
        return true;
    if (tcb->corked || tcb->more)
        return tcb->cork_over;
    return tcb->no_delay || tcb->snd.nxt == tcb->snd.una;
}

/* SWS avoidance (3.8.6.2.1): (1) a full segment, (2) all there is, or (3) half of the largest
 * window that the peer ever had; (4), the override timeout, is the zero-window probe. How much of
 * the first unsent packet may go now. */
static uint32_t sendable(const struct tcb *tcb)
{
    const struct packet *packet = tcb->send.unsent;
    const uint32_t window = send_window(tcb);
    uint32_t length = packet->word[SENT_LENGTH];
    if (length > tcb->mss)
        length = tcb->mss;
    if (length < tcb->mss && packet == tcb->send.last && !small_allowed(tcb))
        return 0;
    if (length > window) {
        if (window < tcb->snd.max_wnd / 2)
            return 0;
        length = window;
    }
    return length;
}
/* end 8.5 */

bool new_data_allowed(const struct tcb *tcb) { return sendable(tcb) > 0; }

/* output_later: the interface is full, or packets are: another try when time has passed. */
static void output_later(struct tcb *tcb)
{
    if (!tcb->deadline[TIMER_OUTPUT])
        timer_set_after(tcb, TIMER_OUTPUT, TCP_RETRY);
}

static void note_sent(struct tcb *tcb, uint32_t length)
{
    tcb->pipe += length;
    tcb->sent_at = tcb_now(tcb);
    if (!tcb->deadline[TIMER_RETRANSMIT])
        rto_start(tcb); /* RFC 6298 5.1 */
}

int send_segment(struct tcb *tcb, struct packet *packet)
{
    const bool again = packet->word[SENT_SEQ] != tcb->snd.nxt;
    if (packet->references > 1)
        return -EBUSY; /* it has not even left */
    if (packet->word[SENT_LENGTH] > tcb->mss)
        send_split(tcb, packet, tcb->mss); /* if it cannot be, routers may fragment it */
    const uint32_t length = packet->word[SENT_LENGTH];
    uint8_t flags = TCP_ACK;
    if (packet == tcb->send.last)
        flags |= tcb->fin_queued && (!again || fin_sent(tcb)) ? TCP_PSH | TCP_FIN : TCP_PSH;
    packet->start = (uint16_t)(packet->end - length);
    packet->word[SENT_TIME] = time_us(tcb_now(tcb));
    if (again) {
        packet->word[SENT_MARKS] |= SENT_AGAIN;
        tcb->layer->counters.retrans_segs++;
    }
    const int error = tcb_emit(tcb, packet_hold(packet), packet->word[SENT_SEQ], flags);
    if (error == -ENOBUFS) {
        output_later(tcb);
        return error;
    }
    if (error == -EMSGSIZE)
        tcb_route(tcb); /* a smaller MTU: the retransmission will be cut to it */
    note_sent(tcb, length);
    return 0;
}

/* send_new: the first unsent packet, or as much of it as may go. False: nothing can be sent now. */
static bool send_new(struct tcb *tcb)
{
    struct packet *packet = tcb->send.unsent;
    const uint32_t length = sendable(tcb);
    if (length == 0 || length > congestion_room(tcb))
        return false;
    if (length < packet->word[SENT_LENGTH] && !send_split(tcb, packet, length)) {
        output_later(tcb);
        return false;
    }
    const bool fin = packet == tcb->send.last && tcb->fin_queued;
    if (send_segment(tcb, packet) < 0)
        return false;
    tcb->send.unsent = packet->kept;
    tcb->snd.nxt += length + fin;
    return true;
}

/* burst_end: how far the first unsent packets are full segments that may all go now. The last of
 * the queue is not for a burst: what its flags and its length must be, send_new knows. */
static struct packet *burst_end(const struct tcb *tcb, uint32_t *octets)
{
    const uint32_t window = send_window(tcb), room = congestion_room(tcb);
    uint32_t limit = window < room ? window : room, packets = 0;
    struct packet *p = tcb->send.unsent;
    if (limit > BURST_OCTETS)
        limit = BURST_OCTETS;
    for (*octets = 0; p != tcb->send.last && p->word[SENT_LENGTH] == tcb->mss &&
                      p->references == 1 && *octets + tcb->mss <= limit && packets < BURST_PACKETS;
         p = p->kept) {
        *octets += tcb->mss;
        packets++;
    }
    return p;
}

/* send_burst: several full segments as one frame, which the device cuts: a packet of headers with
 * those of the queue behind it. False: there are not several, or it is not possible. */
static bool send_burst(struct tcb *tcb)
{
    uint32_t octets;
    if (!tcb->segment_offload || seq_lt(tcb->snd.nxt, tcb->snd.up))
        return false;
    struct packet *end = burst_end(tcb, &octets);
    if (octets <= tcb->mss)
        return false;
    struct packet *frame = packet_alloc(tcb_stack(tcb)->pool, PACKET_HEADROOM);
    if (!frame)
        return false;
    struct packet **link = &frame->fragment;
    for (struct packet *p = tcb->send.unsent; p != end; p = p->kept) {
        p->start = (uint16_t)(p->end - tcb->mss);
        p->word[SENT_TIME] = time_us(tcb_now(tcb));
        *link = packet_hold(p);
        link = &p->fragment;
    }
    frame->segment_size = tcb->mss;
    if (tcb_emit(tcb, frame, tcb->snd.nxt, TCP_ACK) == -ENOBUFS)
        return false;
    tcb->send.unsent = end;
    tcb->snd.nxt += octets;
    note_sent(tcb, octets);
    return true;
}

/* RFC 6675 5 (C): while there is room for a segment, the one that NextSeg names. */
static bool send_in_recovery(struct tcb *tcb)
{
    if (congestion_room(tcb) < tcb->congestion.mss)
        return false;
    struct packet *packet = sack_next_seg(tcb);
    if (!packet)
        return false;
    if (packet == tcb->send.unsent)
        return send_new(tcb);
    if (send_segment(tcb, packet) < 0)
        return false;
    if (seq_lt(packet->word[SENT_SEQ], seq_max(tcb->lost_below, tcb->high_sacked))) /* not (4) */
        tcb->high_rxt = seq_max(tcb->high_rxt, sent_end(packet));
    return true;
}

/* send_fin: a FIN that no text carries; also again, when it is all that is missing. */
static void send_fin(struct tcb *tcb)
{
    const bool missing = fin_sent(tcb) && !tcb->send.first && !fin_acked(tcb) &&
                         tcb->recovery == RECOVERY_TIMEOUT && seq_le(tcb->high_rxt, tcb->snd.end);
    if (!tcb->fin_queued || tcb->send.unsent || (fin_sent(tcb) && !missing))
        return;
    if (tcb_emit(tcb, NULL, tcb->snd.end, TCP_FIN | TCP_ACK) == -ENOBUFS) {
        output_later(tcb);
        return;
    }
    tcb->snd.nxt = tcb->snd.end + 1;
    if (missing)
        tcb->high_rxt = tcb->snd.nxt;
    if (!tcb->deadline[TIMER_RETRANSMIT])
        rto_start(tcb);
}

/* Text is waiting, nothing is out that an ACK would come for, and the window does not let it go:
 * the persist timer (3.8.6.1). */
static void persist(struct tcb *tcb)
{
    if (tcb->send.unsent && tcb->snd.nxt == tcb->snd.una && !tcb->deadline[TIMER_RETRANSMIT] &&
        tcb->send.unsent->word[SENT_LENGTH] > send_window(tcb))
        rto_start(tcb);
}

static void send_acknowledgment(struct tcb *tcb)
{
    if (tcb->ack_now)
        tcb_ack(tcb);
    else if (tcb->ack_later && !tcb->deadline[TIMER_DELAYED_ACK])
        timer_set_after(tcb, TIMER_DELAYED_ACK, TCP_DELAYED_ACK);
}

void tcb_output(struct tcb *tcb)
{
    if (synchronized(tcb)) {
        if (tcb->snd.nxt == tcb->snd.una && tcb->send.unsent &&
            tcb_now(tcb) - tcb->sent_at > tcb->rto)
            congestion_idle(&tcb->congestion);
        if (tcb->block_count > 0 && tcb->ack_now)
            tcb_ack(tcb); /* text carries no blocks, and the peer needs them */
        while (tcb->recovery != RECOVERY_NONE
                   ? send_in_recovery(tcb)
                   : tcb->send.unsent && (send_burst(tcb) || send_new(tcb)))
            ;
        send_fin(tcb);
        persist(tcb);
        if ((tcb->corked || tcb->more) && tcb->send.unsent && !tcb->deadline[TIMER_OUTPUT])
            timer_set_after(tcb, TIMER_OUTPUT, TCP_CORK_TIME);
    }
    send_acknowledgment(tcb);
}
