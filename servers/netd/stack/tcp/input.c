/* SEGMENT ARRIVES (RFC 9293 3.10.7), in the order of its steps. Each step returns whether the
 * segment goes on to the next one; after a step that returned false the connection may be gone. */
#include "input.h"
#include "connection.h"
#include "receive/receive.h"
#include "send/send.h"
#include "tcp.h"
#include "time_wait.h"
#include "timers.h"
#include "user.h"
#include <errno.h>

#define PAWS_LIFETIME (24 * 86400 * NS_PER_S) /* RFC 7323 5.5: older timestamps say nothing */

/* ---- 3.10.7.1: CLOSED ------------------------------------------------------------------------ */

void closed_input(struct stack *stack, struct arrival *arrival)
{
    if (!(arrival->segment->flags & TCP_RST))
        tcp_reply_reset(stack, arrival);
}

/* ---- 3.10.7.3: SYN-SENT ---------------------------------------------------------------------- */

/* The text and FIN that came with a SYN are looked at like any other's. */
static void continue_after_syn(struct tcb *tcb, struct arrival *arrival);

/* exercise 8.3 */
static bool ack_acceptable_in_syn_sent(const struct tcb *tcb, const struct segment *segment)
{
    return seq_lt(tcb->snd.iss, segment->ack) && seq_le(segment->ack, tcb->snd.nxt) &&
           seq_le(tcb->snd.una, segment->ack);
}

static void syn_sent_established(struct tcb *tcb, struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    tcb->snd.una = segment->ack;
    tcb->snd.wnd = segment->window; /* the window of a SYN is never scaled (RFC 7323 2.2) */
    tcb->snd.max_wnd = segment->window;
    tcb->snd.wl1 = segment->seq;
    tcb->snd.wl2 = segment->ack;
    if (!tcb->syn_again)
        rto_sample(tcb, tcb_now(tcb) - tcb->sent_at);
    tcb_establish(tcb);
    tcb->ack_now = true;
    continue_after_syn(tcb, arrival);
}

static void syn_sent_input(struct tcb *tcb, struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    const bool ack = segment->flags & TCP_ACK;
    if (ack && !ack_acceptable_in_syn_sent(tcb, segment)) { /* first: the ACK bit */
        if (!(segment->flags & TCP_RST))
            tcp_reply_reset(tcb_stack(tcb), arrival);
        return;
    }
    if (segment->flags & TCP_RST) { /* second: the RST bit */
        if (ack)
            tcb_finish(tcb, -ECONNREFUSED);
        return;
    }
    if (!(segment->flags & TCP_SYN)) /* fifth: neither SYN nor RST */
        return;
    tcb_syn(tcb, segment); /* fourth: the SYN bit */
    if (ack) {
        syn_sent_established(tcb, arrival);
    } else { /* simultaneous open: figure 8 */
        tcb->state = TCP_SYN_RECEIVED;
        tcb->snd.wnd = segment->window;
        tcb->snd.max_wnd = segment->window;
        tcb->snd.wl1 = segment->seq;
        tcb_emit(tcb, NULL, tcb->snd.iss, TCP_SYN | TCP_ACK);
        rto_start(tcb);
    }
}
/* end 8.3 */

/* ---- 3.10.7.4: the other states -------------------------------------------------------------- */

/* exercise 8.4 */
/* First: sequence number. The table of 3.10.7.4, but for an ACK at the right edge: a peer who has
 * used up the window sends them with that number, and if what is in the window was lost on both
 * sides, nothing else would end the silence. */
static bool acceptable(const struct tcb *tcb, const struct segment *segment)
{
    const uint32_t span = segment_span(segment), nxt = tcb->rcv.nxt, wnd = tcb->rcv.wnd;
    const uint32_t last = segment->seq + span - 1;
    if (span == 0)
        return segment->seq - nxt <= wnd;
    return wnd > 0 && (segment->seq - nxt < wnd || last - nxt < wnd);
}

/* PAWS (RFC 7323 5.3, R1): an older timestamp than the last one is from an old duplicate. */
static bool paws_ok(const struct tcb *tcb, const struct segment *segment)
{
    if (!tcb->timestamps || segment->flags & TCP_RST)
        return true;
    if (tcb_now(tcb) - tcb->ts_recent_at > PAWS_LIFETIME)
        return true;
    return seq_le(tcb->ts_recent, segment->options.ts_value);
}

/* R3: the timestamp to echo is that of the segment at the left edge. */
static void update_ts_recent(struct tcb *tcb, const struct segment *segment)
{
    if (tcb->timestamps && segment->options.timestamps &&
        seq_le(segment->seq, tcb->last_ack_sent)) {
        tcb->ts_recent = segment->options.ts_value;
        tcb->ts_recent_at = tcb_now(tcb);
    }
}

/* answer_unacceptable: an ACK, unless it carried RST. What had no text might be an answer to ours
 * itself: two who disagree would go on for ever, so these answers are limited. */
static void answer_unacceptable(struct tcb *tcb, const struct segment *segment)
{
    if (segment->flags & TCP_RST)
        return;
    if (segment_span(segment) > 0 && !(segment->flags & TCP_SYN))
        tcb_ack(tcb);
    else
        tcb_challenge(tcb);
}

static bool check_sequence(struct tcb *tcb, const struct segment *segment)
{
    if (tcb->timestamps && !segment->options.timestamps && !(segment->flags & TCP_RST)) {
        tcb->layer->counters.paws_dropped++; /* RFC 7323 3.2: once agreed on, all have it */
        return false;
    }
    if (!paws_ok(tcb, segment)) {
        tcb->layer->counters.paws_dropped++;
        answer_unacceptable(tcb, segment);
        return false;
    }
    if (!acceptable(tcb, segment)) {
        /* With a closed window, valid ACKs and RSTs still count (3.10.7.4, MUST-66). */
        if (tcb->rcv.wnd == 0 && segment->seq == tcb->rcv.nxt && segment->flags & TCP_ACK &&
            !(segment->flags & TCP_SYN)) {
            tcb->ack_now = true;
            return true;
        }
        answer_unacceptable(tcb, segment);
        return false;
    }
    update_ts_recent(tcb, segment);
    return true;
}

/* Second: the RST bit, as RFC 5961 3.2 has it: only the exact number resets. */
static bool check_rst(struct tcb *tcb, const struct segment *segment)
{
    if (!(segment->flags & TCP_RST))
        return true;
    if (segment->seq != tcb->rcv.nxt) {
        tcb_challenge(tcb);
        return false;
    }
    if (tcb->state == TCP_SYN_RECEIVED)
        tcb_finish(tcb, tcb->listener ? -ECONNRESET : -ECONNREFUSED);
    else if (tcb->state == TCP_CLOSING || tcb->state == TCP_LAST_ACK)
        tcb_finish(tcb, 0);
    else
        tcb_finish(tcb, tcb->state == TCP_CLOSE_WAIT ? -EPIPE : -ECONNRESET);
    return false;
}

/* Fourth: the SYN bit (RFC 5961 4.2): a real restart of the peer answers the challenge with RST. */
static bool check_syn(struct tcb *tcb, const struct segment *segment)
{
    if (!(segment->flags & TCP_SYN))
        return true;
    if (tcb->state == TCP_SYN_RECEIVED && tcb->listener) {
        tcb_finish(tcb, -ECONNRESET); /* back to LISTEN */
        return false;
    }
    tcb_challenge(tcb);
    return false;
}
/* end 8.4 */

/* exercise 8.6 */
/* Fifth: the ACK field, in SYN-RECEIVED. */
static bool check_ack_syn_received(struct tcb *tcb, struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    if (!(seq_lt(tcb->snd.una, segment->ack) && seq_le(segment->ack, tcb->snd.nxt))) {
        tcp_reply_reset(tcb_stack(tcb), arrival);
        return false;
    }
    if (!tcb_establish(tcb))
        return false; /* nobody accepts: our SYN will be sent again, and the ACK come again */
    tcb->snd.wnd = (uint32_t)segment->window << tcb->snd.scale;
    tcb->snd.max_wnd = tcb->snd.wnd;
    tcb->snd.wl1 = segment->seq;
    tcb->snd.wl2 = segment->ack;
    if (!tcb->syn_again)
        rto_sample(tcb, tcb_now(tcb) - tcb->sent_at);
    return true;
}

/* The send window: from the latest segment by SEG.ACK, then SEG.SEQ. (RFC 9293 has it the other way
 * round; but what the peer sends again has an old number and the latest ACK, and SND.UNA must not
 * move without the window that begins there.) True: it has changed. */
static bool update_send_window(struct tcb *tcb, const struct segment *segment)
{
    const uint32_t window = (uint32_t)segment->window << tcb->snd.scale;
    const bool newer = seq_lt(tcb->snd.wl2, segment->ack) ||
                       (tcb->snd.wl2 == segment->ack && seq_le(tcb->snd.wl1, segment->seq));
    if (!newer)
        return false;
    const bool changed = window != tcb->snd.wnd;
    tcb->snd.wnd = window;
    tcb->snd.wl1 = segment->seq;
    tcb->snd.wl2 = segment->ack;
    if (window > tcb->snd.max_wnd)
        tcb->snd.max_wnd = window;
    return changed;
}

/* Without SACK (with it, see RFC 6675 2), RFC 5681 2, "duplicate acknowledgment": (a) data
 * outstanding, (b) no data, (c) no SYN or FIN, (d) the greatest ACK so far, (e) the same window.
 * What answers the probes of a closed window is none. */
static bool is_duplicate(const struct tcb *tcb, const struct segment *segment, bool window_changed)
{
    return tcb->snd.una != tcb->snd.nxt && segment_span(segment) == 0 &&
           segment->ack == tcb->snd.una && !window_changed && tcb->snd.wnd > 0;
}

/* RFC 5961 5.2: an ACK is in [SND.UNA - MAX.SND.WND, SND.NXT]. */
static bool ack_in_range(const struct tcb *tcb, uint32_t ack)
{
    return seq_le(ack, tcb->snd.nxt) && seq_le(tcb->snd.una - tcb->snd.max_wnd, ack);
}

/* ESTABLISHED: what is acknowledged leaves the queue, and may be more is sent. */
static bool process_ack(struct tcb *tcb, const struct segment *segment)
{
    if (!ack_in_range(tcb, segment->ack)) {
        tcb_challenge(tcb);
        return false;
    }
    const bool was_closed = tcb->snd.wnd == 0;
    const bool window_changed = update_send_window(tcb, segment);
    const uint32_t acked = seq_lt(tcb->snd.una, segment->ack) ? segment->ack - tcb->snd.una : 0;
    const bool duplicate =
        tcb->sack ? sack_update(tcb, segment) : is_duplicate(tcb, segment, window_changed);
    if (acked || (tcb->snd.wnd == 0 && !tcb->detached))
        tcb->stalled_since = 0; /* it may keep its window shut as long as it answers (3.8.6.1) */
    if (acked)
        send_acked(tcb, segment);
    recovery_ack(tcb, acked, duplicate);
    if (was_closed && tcb->snd.wnd > 0)
        recovery_resend(tcb); /* what went into the closed window */
    return true;
}
/* end 8.6 */

static bool receives_text(const struct tcb *tcb)
{
    return tcb->state == TCP_ESTABLISHED || tcb->state == TCP_FIN_WAIT_1 ||
           tcb->state == TCP_FIN_WAIT_2;
}

/* Seventh: the text. False: the connection is gone: nobody is there who could read it. */
static bool process_text(struct tcb *tcb, struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    if (segment->length == 0 || !receives_text(tcb))
        return true;
    if (tcb->detached && seq_lt(tcb->rcv.nxt, segment->seq + segment->length)) {
        tcb_reset(tcb); /* RFC 1122 4.2.2.13 */
        tcb_finish(tcb, -ECONNRESET);
        return false;
    }
    receive_text(tcb, arrival);
    return true;
}

/* note_fin: where the peer's FIN is, unless it lies outside the window. */
static void note_fin(struct tcb *tcb, const struct segment *segment)
{
    const uint32_t at = segment->seq + segment->length;
    if (segment->flags & TCP_FIN && !tcb->fin_arrived && at - tcb->rcv.nxt <= tcb->rcv.wnd) {
        tcb->fin_arrived = true;
        tcb->rcv.fin = at;
    }
}

/* exercise 8.11 */
/* What the ACK of our FIN means in each state. False: the connection is over. */
static bool process_ack_of_fin(struct tcb *tcb)
{
    switch (tcb->state) {
    case TCP_FIN_WAIT_1:
        tcb->state = TCP_FIN_WAIT_2;
        if (tcb->detached)
            timer_set_after(tcb, TIMER_LINGER, TCP_FIN_WAIT);
        return true;
    case TCP_CLOSING:
        time_wait_enter(tcb);
        return false;
    case TCP_LAST_ACK:
        tcb_finish(tcb, 0);
        return false;
    default:
        return true;
    }
}

/* Eighth: the peer's FIN, whose turn it is. False: the connection is in TIME-WAIT. */
static bool check_fin(struct tcb *tcb)
{
    tcb->rcv.nxt++;
    if (tcb->rcv.wnd > 0)
        tcb->rcv.wnd--;
    tcb->ack_now = true;
    ahead_clear(tcb);
    if (tcb->state == TCP_FIN_WAIT_2) {
        tcb_ack(tcb);
        time_wait_enter(tcb);
        return false;
    }
    tcb->state = tcb->state == TCP_ESTABLISHED ? TCP_CLOSE_WAIT : TCP_CLOSING;
    socket_notify(&tcb->socket, tcb_events(&tcb->socket));
    return true;
}
/* end 8.11 */

static bool check_ack(struct tcb *tcb, struct arrival *arrival)
{
    if (!(arrival->segment->flags & TCP_ACK))
        return false;
    if (tcb->state == TCP_SYN_RECEIVED && !check_ack_syn_received(tcb, arrival))
        return false;
    return process_ack(tcb, arrival->segment) && (!fin_acked(tcb) || process_ack_of_fin(tcb));
}

/* fin_due: all text in front of the peer's FIN is here. */
static bool fin_due(const struct tcb *tcb)
{
    return tcb->fin_arrived && tcb->rcv.nxt == tcb->rcv.fin && receives_text(tcb);
}

/* The steps from the sixth on, which a SYN's segment shares; then what is to be sent. Sixth: the
 * URG bit. Urgent text is read in its place like any other (RFC 6093 6), so the pointer, wherever
 * it points, changes nothing. */
static void continue_after_ack(struct tcb *tcb, struct arrival *arrival)
{
    note_fin(tcb, arrival->segment);
    if (process_text(tcb, arrival) && (!fin_due(tcb) || check_fin(tcb)))
        tcb_output(tcb);
}

static void continue_after_syn(struct tcb *tcb, struct arrival *arrival)
{
    arrival->segment->seq++; /* of the text behind the SYN */
    arrival->segment->flags &= (uint8_t)~TCP_SYN;
    continue_after_ack(tcb, arrival);
}

void tcb_input(struct tcb *tcb, struct arrival *arrival)
{
    const struct segment *segment = arrival->segment;
    if (tcb->state == TCP_SYN_SENT) {
        syn_sent_input(tcb, arrival);
        return;
    }
    if (!check_sequence(tcb, segment) || !check_rst(tcb, segment) || !check_syn(tcb, segment))
        return;
    keepalive_restart(tcb);
    if (check_ack(tcb, arrival))
        continue_after_ack(tcb, arrival);
}
