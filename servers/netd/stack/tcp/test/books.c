/* Invariants of the control blocks and of the layer that holds them. */
#include "books.h"
#include "../../test/check.h"
#include "../connection.h"
#include "../send/send.h"

static void check_send_queue(const struct tcb *tcb)
{
    uint32_t seq = seq_max(tcb->snd.una, tcb->snd.iss + 1), packets = 0;
    bool unsent = false;
    for (const struct packet *p = tcb->send.first; p; p = p->kept) {
        unsent |= p == tcb->send.unsent;
        CHECK(p->word[SENT_SEQ] == seq, "a gap in the send queue");
        CHECK(unsent == seq_le(tcb->snd.nxt, seq), "sent or not?");
        CHECK(!unsent || !(p->word[SENT_MARKS] & SENT_SACKED), "SACKed, but never sent");
        seq = sent_end(p);
        packets++;
    }
    CHECK(packets == tcb->send.packets);
    CHECK(seq_le(tcb->snd.end, seq) && seq_le(tcb->snd.una, tcb->snd.nxt),
          "%s: UNA %u, NXT %u, end %u, queue to %u, from ISS", tcp_state_name(tcb->state),
          tcb->snd.una - tcb->snd.iss, tcb->snd.nxt - tcb->snd.iss, tcb->snd.end - tcb->snd.iss,
          seq - tcb->snd.iss);
    CHECK(seq_le(tcb->snd.nxt, tcb->snd.end + 1));
    CHECK(send_queued(tcb) <= tcb->socket.send_buffer);
}

static void check_receive_queues(const struct tcb *tcb)
{
    uint32_t packets = 0, bytes = 0, right = tcb->rcv.nxt;
    for (const struct packet *p = tcb->receive.first; p; p = p->next) {
        packets++;
        bytes += packet_length(p);
    }
    CHECK(packets == tcb->receive.packets && bytes == tcb->receive.bytes);
    CHECK(bytes <= tcb->socket.receive_buffer, "%u octets are held", bytes);
    CHECK(packets <= 2 * bytes / 1400 + 2, "%u packets for %u octets", packets, bytes);
    for (const struct packet *p = tcb->ahead.first; p; p = p->next) {
        CHECK(seq_lt(right, p->word[RECEIVED_SEQ]) ||
                  (p != tcb->ahead.first && right == p->word[RECEIVED_SEQ]),
              "overlap in the list of what came early");
        right = p->word[RECEIVED_SEQ] + packet_length(p);
    }
    CHECK(seq_le(right, tcb->rcv.nxt + tcb->rcv.wnd), "beyond the window");
}

/* Someone must be going to act: text or a FIN is out or waiting, so a timer runs. */
static void check_timers(const struct tcb *tcb)
{
    if (tcb->state == TCP_CLOSED || tcb->state == TCP_LISTEN || tcb->state == TCP_TIME_WAIT)
        return;
    if (tcb->snd.una != tcb->snd.nxt)
        CHECK(tcb->deadline[TIMER_RETRANSMIT], "outstanding, but no timer");
    else if (!tcb->send.unsent)
        CHECK(!tcb->deadline[TIMER_RETRANSMIT], "a timer for nothing");
    else if (synchronized(tcb))
        CHECK(tcb->deadline[TIMER_RETRANSMIT] || tcb->deadline[TIMER_OUTPUT],
              "waiting, but no timer");
}

void books_check(struct host *host)
{
    const struct tcp_layer *layer = host->stack.tcp;
    uint32_t packets = 0;
    for (uint32_t i = 0; i < layer->touched; i++) {
        const struct tcb *tcb = &layer->pool[i];
        if (!tcb->in_use)
            continue;
        if (tcb->state != TCP_CLOSED && tcb->state != TCP_TIME_WAIT)
            check_send_queue(tcb);
        check_receive_queues(tcb);
        check_timers(tcb);
        packets += tcb->send.packets + tcb->receive.packets + tcb->ahead.packets;
    }
    CHECK(packets == host->stack.socket_packets, "%u, not %u", packets, host->stack.socket_packets);
    CHECK(packets <= host->stack.config.socket_packets + 2);
}
