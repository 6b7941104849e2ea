/* Text and other segments on their way out. */
#pragma once

#include "../input.h"

/* emit.c. tcb_emit: sends a segment with the text of packet (which is taken over; NULL = none).
 * ip_output's result, or -ENOBUFS without a packet. tcb_ack: a segment without text. */
int tcb_emit(struct tcb *tcb, struct packet *packet, uint32_t seq, uint8_t flags);
void tcb_ack(struct tcb *tcb);
/* tcb_challenge: an ACK that answers what should not have come, at a bounded rate. */
void tcb_challenge(struct tcb *tcb);
/* tcb_reset: tells the peer that the connection is no more. */
void tcb_reset(struct tcb *tcb);

/* A segment outside any connection: answers in CLOSED, TIME-WAIT, with cookies. */
struct tcp_reply {
    struct ip_address source, destination;
    uint16_t source_port, destination_port, interface, window;
    uint32_t seq, ack;
    uint8_t flags;
    struct tcp_options options;
};
void tcp_reply(struct stack *stack, const struct tcp_reply *reply);
void tcp_reply_reset(struct stack *stack, const struct arrival *arrival);

/* queue.c */
void send_append(struct tcb *tcb, struct packet *packet);
/* send_acked: the peer has everything below segment->ack: releases it, measures, tells the owner.
 */
void send_acked(struct tcb *tcb, const struct segment *segment);
bool send_split(struct tcb *tcb, struct packet *packet, uint32_t length);
struct packet *send_packet_alloc(struct tcb *tcb);
void send_clear(struct tcb *tcb);
static inline uint32_t sent_end(const struct packet *packet)
{
    return packet->word[SENT_SEQ] + packet->word[SENT_LENGTH];
}

/* output.c: sends whatever may be sent now, and an ACK that is due. */
void tcb_output(struct tcb *tcb);
/* send_queued: octets that the peer has not acknowledged (SND.UNA passes the end with our FIN). */
static inline uint32_t send_queued(const struct tcb *tcb)
{
    return seq_lt(tcb->snd.una, tcb->snd.end) ? tcb->snd.end - tcb->snd.una : 0;
}
/* fin_sent: our FIN is out; fin_acked: and acknowledged. */
static inline bool fin_sent(const struct tcb *tcb)
{
    return tcb->fin_queued && tcb->snd.nxt == tcb->snd.end + 1;
}
static inline bool fin_acked(const struct tcb *tcb)
{
    return tcb->fin_queued && tcb->snd.una == tcb->snd.end + 1;
}
/* new_data_allowed: as far as the peer's window and Nagle are concerned; there is some. */
bool new_data_allowed(const struct tcb *tcb);
/* send_segment: transmits a packet of the queue (again). EBUSY: it has not left yet, ENOBUFS. */
int send_segment(struct tcb *tcb, struct packet *packet);

/* retransmit.c: RFC 5681 3.2, RFC 6582 3.2, RFC 6675 5. */
void recovery_ack(struct tcb *tcb, uint32_t acked, bool duplicate);
void recovery_timeout(struct tcb *tcb); /* the retransmission timer has expired */
/* recovery_resend: what is out was lost, but not to congestion: a window that was closed, a path
 * whose MTU has shrunk. */
void recovery_resend(struct tcb *tcb);

/* sack.c: RFC 6675 4, by the names there. */
bool sack_update(struct tcb *tcb, const struct segment *segment); /* true: something new */
bool sack_is_lost(const struct tcb *tcb, uint32_t seq);
void sack_set_pipe(struct tcb *tcb);
struct packet *sack_next_seg(struct tcb *tcb);
void sack_forget(struct tcb *tcb); /* the receiver may have dropped it (RFC 2018 8) */
void sack_find_lost(struct tcb *tcb);

/* rto.c */
void rto_sample(struct tcb *tcb, uint64_t rtt);
void rto_start(struct tcb *tcb);
void rto_back_off(struct tcb *tcb);
void rto_forgive(struct tcb *tcb); /* the reason to back off is gone */
