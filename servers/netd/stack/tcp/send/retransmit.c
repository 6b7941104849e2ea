/* Loss: what ACKs and the retransmission timer say about it, and what is done. Fast recovery is
 * RFC 6582 (NewReno) without SACK, and RFC 6675 with it. Both ask the scoreboard for what to send
 * (sack_next_seg) and stay below cwnd - pipe (send/output.c). */
#include "../tcp.h"
#include "../timers.h"
#include "send.h"

static uint32_t flight_size(const struct tcb *tcb) { return tcb->snd.nxt - tcb->snd.una; }

/* May cwnd grow? Only when it was what kept us from sending more (RFC 9438 4.2, RFC 7661). */
static bool window_was_used(const struct tcb *tcb, uint32_t flight)
{
    const struct congestion *congestion = &tcb->congestion;
    if (congestion->cwnd < congestion->ssthresh)
        return congestion->cwnd < 2 * flight;
    return congestion->cwnd <= flight + congestion->mss;
}

static void grow(struct tcb *tcb, uint32_t acked)
{
    if (acked && window_was_used(tcb, flight_size(tcb) + acked))
        congestion_acked(&tcb->congestion, acked, tcb->srtt, tcb_now(tcb));
}

static void retransmit(struct tcb *tcb, struct packet *packet)
{
    if (send_segment(tcb, packet) == 0)
        tcb->high_rxt = seq_max(tcb->high_rxt, sent_end(packet));
}

/* Is it time for fast recovery? With SACK: DupThresh such ACKs, or IsLost(SND.UNA). Without: also
 * nothing that an earlier recovery has sent may be the reason (RFC 6582 3.2 (1)). */
static bool loss_detected(struct tcb *tcb)
{
    if (tcb->sack)
        return tcb->dup_acks >= TCP_DUP_THRESHOLD || sack_is_lost(tcb, tcb->snd.una);
    return tcb->dup_acks == TCP_DUP_THRESHOLD && seq_lt(tcb->recovery_point, tcb->snd.una);
}

/* exercise 8.10 */
/* RFC 6675 5 (4), RFC 6582 3.2 (2) with RFC 5681 3.2 (2), (3). */
static void enter_fast_recovery(struct tcb *tcb)
{
    struct congestion *congestion = &tcb->congestion;
    struct packet *first = tcb->send.first;
    tcb->layer->counters.fast_recoveries++;
    tcb->recovery = RECOVERY_FAST;
    tcb->recovery_point = tcb->snd.nxt;
    tcb->high_rxt = tcb->snd.una;
    tcb->rescued = false;
    congestion->ssthresh = congestion->operations->threshold(congestion, flight_size(tcb));
    congestion->cwnd = congestion->ssthresh;
    if (!tcb->sack)
        congestion->cwnd += TCP_DUP_THRESHOLD * congestion->mss;
    tcb->lost_below = seq_max(tcb->lost_below, first ? sent_end(first) : tcb->snd.una);
    if (first)
        retransmit(tcb, first);
    rto_start(tcb);
}

static void leave_recovery(struct tcb *tcb)
{
    struct congestion *congestion = &tcb->congestion;
    if (tcb->recovery == RECOVERY_FAST) { /* RFC 6582 3.2 (3): no burst */
        const uint32_t flight = flight_size(tcb);
        const uint32_t least =
            (flight > congestion->mss ? flight : congestion->mss) + congestion->mss;
        congestion->cwnd = congestion->ssthresh < least || tcb->sack ? congestion->ssthresh : least;
    }
    tcb->recovery = RECOVERY_NONE;
    tcb->dup_acks = 0;
    tcb->lost_below = tcb->snd.una;
}

/* RFC 6582 3.2 (3): a partial ACK says that the next segment is lost too. */
static void newreno_ack(struct tcb *tcb, uint32_t acked, bool duplicate)
{
    struct congestion *congestion = &tcb->congestion;
    struct packet *first = tcb->send.first;
    if (acked) {
        congestion->cwnd -= acked < congestion->cwnd ? acked : congestion->cwnd;
        if (acked >= congestion->mss || congestion->cwnd < congestion->mss)
            congestion->cwnd += congestion->mss;
        if (first && first != tcb->send.unsent) {
            tcb->lost_below = sent_end(first);
            retransmit(tcb, first);
        }
    } else if (duplicate) {
        congestion->cwnd += congestion->mss;
    }
}

/* all_lost: everything that is out is to be sent again, in order. */
static void all_lost(struct tcb *tcb)
{
    tcb->recovery = RECOVERY_TIMEOUT;
    tcb->recovery_point = tcb->snd.nxt;
    tcb->lost_below = tcb->snd.nxt;
    tcb->high_rxt = tcb->snd.una;
    tcb->dup_acks = 0;
    sack_set_pipe(tcb);
}

void recovery_timeout(struct tcb *tcb)
{
    /* While the same segment times out again, ssthresh stays (RFC 5681 3.1). */
    const bool same = tcb->recovery == RECOVERY_TIMEOUT && tcb->timed_out == tcb->snd.una;
    tcb->layer->counters.timeouts++;
    if (!same)
        congestion_timeout(&tcb->congestion, flight_size(tcb));
    tcb->timed_out = tcb->snd.una;
    sack_forget(tcb);
    all_lost(tcb);
    rto_back_off(tcb);
}
/* end 8.10 */

static void in_recovery(struct tcb *tcb, uint32_t acked, bool duplicate)
{
    if (seq_le(tcb->recovery_point, tcb->snd.una)) {
        leave_recovery(tcb);
    } else if (tcb->recovery == RECOVERY_TIMEOUT) {
        grow(tcb, acked); /* slow start, RFC 5681 3.1 */
    } else if (tcb->sack) {
        sack_find_lost(tcb);
    } else {
        newreno_ack(tcb, acked, duplicate);
    }
}

static void outside_recovery(struct tcb *tcb, uint32_t acked, bool duplicate)
{
    if (acked) {
        tcb->dup_acks = 0;
        grow(tcb, acked);
    }
    if (!duplicate)
        return;
    tcb->layer->counters.dup_acks_in++;
    if (tcb->dup_acks < UINT8_MAX)
        tcb->dup_acks++;
    if (tcb->sack)
        sack_find_lost(tcb);
    if (loss_detected(tcb))
        enter_fast_recovery(tcb);
}

void recovery_ack(struct tcb *tcb, uint32_t acked, bool duplicate)
{
    if (tcb->recovery == RECOVERY_NONE)
        outside_recovery(tcb, acked, duplicate);
    else
        in_recovery(tcb, acked, duplicate);
    sack_set_pipe(tcb);
}

void recovery_resend(struct tcb *tcb)
{
    rto_forgive(tcb);
    if (tcb->snd.una != tcb->snd.nxt)
        all_lost(tcb);
}
