/* The send queue: the program's octets from SND.UNA to snd.end, in packets that go to the device
 * and stay here until they are acknowledged. Invariants: the packets follow each other without
 * gaps; those in front of `unsent` are below SND.NXT, the others are not. */
#include "../../wire/cursor.h"
#include "../tcp.h"
#include "../timers.h"
#include "../user.h"
#include "send.h"

struct packet *send_packet_alloc(struct tcb *tcb)
{
    struct stack *stack = tcb_stack(tcb);
    /* One packet is everybody's right: without any, no ACK would ever say that there is room. */
    if (stack->socket_packets < stack->config.socket_packets || tcb->send.packets == 0) {
        struct packet *packet = packet_alloc(stack->pool, PACKET_HEADROOM);
        if (packet)
            return packet;
    }
    tcb->layer->counters.no_packets++;
    return NULL;
}

static void insert_behind(struct tcb *tcb, struct packet *before, struct packet *packet)
{
    struct packet **link = before ? &before->kept : &tcb->send.first;
    packet->kept = *link;
    *link = packet;
    if (!packet->kept)
        tcb->send.last = packet;
    tcb->send.packets++;
    tcb_stack(tcb)->socket_packets++;
}

void send_append(struct tcb *tcb, struct packet *packet)
{
    packet->word[SENT_SEQ] = tcb->snd.end;
    packet->word[SENT_LENGTH] = packet_length(packet);
    packet->word[SENT_MARKS] = 0;
    tcb->snd.end += packet_length(packet);
    insert_behind(tcb, tcb->send.last, packet);
    if (!tcb->send.unsent)
        tcb->send.unsent = packet;
}

static void remove_first(struct tcb *tcb)
{
    struct packet *packet = tcb->send.first;
    tcb->send.first = packet->kept;
    if (!tcb->send.first)
        tcb->send.last = NULL;
    if (tcb->send.unsent == packet)
        tcb->send.unsent = packet->kept;
    tcb->send.packets--;
    tcb_stack(tcb)->socket_packets--;
    packet->kept = NULL;
    packet_release(tcb_stack(tcb)->pool, packet);
}

void send_clear(struct tcb *tcb)
{
    while (tcb->send.first)
        remove_first(tcb);
}

bool send_split(struct tcb *tcb, struct packet *packet, uint32_t length)
{
    const uint32_t rest = packet->word[SENT_LENGTH] - length;
    if (packet->references > 1)
        return false; /* the device reads it */
    struct packet *second = packet_alloc(tcb_stack(tcb)->pool, PACKET_HEADROOM);
    if (!second) {
        tcb->layer->counters.no_packets++;
        return false;
    }
    put_bytes(packet_append(second, (uint16_t)rest), packet->data + packet->end - rest, rest);
    second->word[SENT_SEQ] = packet->word[SENT_SEQ] + length;
    second->word[SENT_LENGTH] = rest;
    second->word[SENT_TIME] = packet->word[SENT_TIME];
    second->word[SENT_MARKS] = packet->word[SENT_MARKS];
    packet->word[SENT_LENGTH] = length;
    packet->end = (uint16_t)(packet->end - rest);
    packet->flags &= (uint16_t)~PACKET_SUM;
    insert_behind(tcb, packet, second);
    return true;
}

/* release_below: what lies below ack leaves. sent_us: the latest sending of these packets. Returns
 * whether it measures the round trip: none of them may have been sent twice (Karn's rule); the
 * others may have waited for that one at the peer. */
static bool release_below(struct tcb *tcb, uint32_t ack, uint32_t *sent_us)
{
    bool any = false, again = false;
    struct packet *packet;
    while ((packet = tcb->send.first) && packet != tcb->send.unsent &&
           seq_le(sent_end(packet), ack)) {
        const uint32_t sent = packet->word[SENT_TIME];
        *sent_us = any ? seq_max(*sent_us, sent) : sent;
        any = true;
        again |= packet->word[SENT_MARKS] & SENT_AGAIN;
        remove_first(tcb);
    }
    if (packet && seq_lt(packet->word[SENT_SEQ], ack)) {
        packet->word[SENT_LENGTH] -= ack - packet->word[SENT_SEQ];
        packet->word[SENT_SEQ] = ack;
        packet->flags &= (uint16_t)~PACKET_SUM;
    }
    return any && !again;
}

/* measure: one sample per round trip, so that RFC 6298's weights mean what they should. An echo
 * from before the latest sending measures our timeout as well, not the path: the ACK of an earlier
 * one was lost, and the peer does not take the timestamp of what it has already (RFC 7323 5.3, R2).
 */
static void measure(struct tcb *tcb, const struct segment *segment, bool measured, uint32_t sent_us)
{
    if (seq_lt(segment->ack, tcb->rtt_seq))
        return;
    const uint32_t echoed = time_ms(tcb_now(tcb)) + tcb->ts_offset - segment->options.ts_echo;
    const uint64_t waited = (time_us(tcb_now(tcb)) - sent_us) * NS_PER_US;
    if (measured)
        rto_sample(tcb, waited);
    else if (tcb->timestamps && segment->options.ts_echo && echoed * NS_PER_MS < waited + NS_PER_MS)
        rto_sample(tcb, echoed * NS_PER_MS);
    else
        return;
    tcb->rtt_seq = tcb->snd.nxt;
}

void send_acked(struct tcb *tcb, const struct segment *segment)
{
    uint32_t sent_us = time_us(tcb_now(tcb));
    const bool measured = release_below(tcb, segment->ack, &sent_us);
    tcb->snd.una = segment->ack;
    tcb->snd.up = seq_max(tcb->snd.up, tcb->snd.una);
    tcb->high_rxt = seq_max(tcb->high_rxt, tcb->snd.una);
    tcb->high_sacked = seq_max(tcb->high_sacked, tcb->snd.una);
    tcb->lost_below = seq_max(tcb->lost_below, tcb->snd.una);
    tcb->recovery_point = seq_max(tcb->recovery_point, tcb->snd.una - 1);
    measure(tcb, segment, measured, sent_us);
    if (tcb->snd.una == tcb->snd.nxt)
        timer_clear(tcb, TIMER_RETRANSMIT); /* RFC 6298 5.2 */
    else
        rto_start(tcb); /* 5.3 */
    if (tcb_now(tcb) - tcb->reached_at > NS_PER_S) {
        tcb->reached_at = tcb_now(tcb);
        ip_reached(tcb_stack(tcb), &tcb->socket.peer.address, tcb->socket.peer.interface);
    }
    if (tcb_events(&tcb->socket) & SOCKET_WRITABLE)
        socket_notify(&tcb->socket, SOCKET_WRITABLE);
}
