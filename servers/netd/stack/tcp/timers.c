/* The timers of a connection: deadlines behind one struct timer. The timer may run too early, after
 * its deadline was moved; never too late. */
#include "timers.h"
#include "connection.h"
#include "send/send.h"
#include "tcp.h"
#include "user.h"
#include <errno.h>

void timer_set(struct tcb *tcb, enum tcp_timer which, uint64_t when)
{
    tcb->deadline[which] = when;
    if (!timer_running(&tcb->timer) || when < tcb->timer.due)
        timer_start(&tcb_stack(tcb)->timers, &tcb->timer, when);
}

void timers_clear(struct tcb *tcb)
{
    for (int i = 0; i < TCP_TIMERS; i++)
        tcb->deadline[i] = 0;
    timer_stop(&tcb_stack(tcb)->timers, &tcb->timer);
}

/* ---- What happens at each. False: the connection is no more ---------------------------------- */

/* give_up: has the peer been silent for R2 (3.8.3)? */
static bool give_up(struct tcb *tcb)
{
    const bool syn = tcb->state == TCP_SYN_SENT || tcb->state == TCP_SYN_RECEIVED;
    uint64_t limit = syn ? TCP_R2_SYN : TCP_R2;
    if (tcb->user_timeout_ms)
        limit = tcb->user_timeout_ms * NS_PER_MS;
    if (!tcb->stalled_since)
        tcb->stalled_since = tcb_now(tcb);
    if (tcb_now(tcb) - tcb->stalled_since < limit)
        return false;
    tcb->layer->counters.aborted++;
    if (!syn)
        tcb_reset(tcb);
    tcb_finish(tcb, tcb->soft_error ? tcb->soft_error : -ETIMEDOUT);
    return true;
}

static void syn_again(struct tcb *tcb)
{
    tcb->syn_again = true;
    tcb->layer->counters.retrans_segs++;
    tcb_route(tcb);
    tcb_emit(tcb, NULL, tcb->snd.iss, tcb->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK);
    rto_back_off(tcb);
}

/* probe: one octet, although the window is closed (3.8.6.1), or what fits into a small one. It is
 * a segment like any other from now on. */
static void probe(struct tcb *tcb)
{
    struct packet *packet = tcb->send.first;
    const uint32_t length = tcb->snd.wnd > 1 ? tcb->snd.wnd : 1;
    if (packet->word[SENT_LENGTH] > length && !send_split(tcb, packet, length))
        return;
    tcb->layer->counters.zero_window_probes++;
    const bool first = packet == tcb->send.unsent;
    const bool fin = packet == tcb->send.last && tcb->fin_queued;
    if (send_segment(tcb, packet) == 0 && first) {
        tcb->send.unsent = packet->kept;
        tcb->snd.nxt += packet->word[SENT_LENGTH] + fin;
    }
    rto_back_off(tcb);
}

static bool retransmit_expired(struct tcb *tcb)
{
    if (give_up(tcb))
        return false;
    if (tcb->state == TCP_SYN_SENT || tcb->state == TCP_SYN_RECEIVED) {
        syn_again(tcb);
    } else if (tcb->send.first && (tcb->snd.una == tcb->snd.nxt || tcb->snd.wnd == 0)) {
        probe(tcb);
    } else if (tcb->send.first && tcb->send.first->references > 1) {
        ; /* it still waits in the device: nothing is lost yet */
    } else if (tcb->snd.una != tcb->snd.nxt) {
        if (tcb->backoff > 1)
            tcb_route(tcb); /* perhaps the path is dead (RFC 1122 4.2.3.5, R1) */
        recovery_timeout(tcb);
        tcb_output(tcb);
    } else {
        return true;
    }
    rto_start(tcb);
    return true;
}

static bool delayed_ack_expired(struct tcb *tcb)
{
    tcb_ack(tcb);
    return true;
}

void keepalive_restart(struct tcb *tcb)
{
    tcb->heard_at = tcb_now(tcb);
    tcb->keep_probes = 0;
    if (tcb->keepalive && !tcb->deadline[TIMER_KEEPALIVE])
        timer_set(tcb, TIMER_KEEPALIVE, tcb->heard_at + tcb->keep_idle * NS_PER_S);
}

/* 3.8.4: a segment with an old number, which the peer must answer. */
static bool keepalive_expired(struct tcb *tcb)
{
    const uint64_t due = tcb->heard_at + tcb->keep_idle * NS_PER_S;
    if (!tcb->keepalive || !synchronized(tcb))
        return true;
    if (tcb_now(tcb) < due) { /* heard of since the timer was set */
        timer_set(tcb, TIMER_KEEPALIVE, due);
        return true;
    }
    if (tcb->keep_probes >= tcb->keep_count) {
        tcb->layer->counters.aborted++;
        tcb_reset(tcb);
        tcb_finish(tcb, tcb->soft_error ? tcb->soft_error : -ETIMEDOUT);
        return false;
    }
    if (tcb->snd.una == tcb->snd.nxt) {
        tcb->layer->counters.keepalive_probes++;
        tcb->keep_probes++;
        tcb_emit(tcb, NULL, tcb->snd.nxt - 1, TCP_ACK);
    }
    timer_set_after(tcb, TIMER_KEEPALIVE, tcb->keep_interval * NS_PER_S);
    return true;
}

static bool output_expired(struct tcb *tcb)
{
    tcb->cork_over = true;
    tcb_output(tcb);
    tcb->cork_over = false;
    if (tcb->starved && tcb_events(&tcb->socket) & SOCKET_WRITABLE) {
        tcb->starved = false;
        socket_notify(&tcb->socket, SOCKET_WRITABLE);
    }
    return true;
}

/* Nobody holds the socket, and the time for a graceful end is over. */
static bool linger_expired(struct tcb *tcb)
{
    if (tcb->state != TCP_FIN_WAIT_2) {
        tcb->layer->counters.aborted++;
        tcb_reset(tcb);
    }
    tcb_finish(tcb, 0);
    return false;
}

static void restart(struct tcb *tcb)
{
    uint64_t next = 0;
    for (int i = 0; i < TCP_TIMERS; i++)
        if (tcb->deadline[i] && (!next || tcb->deadline[i] < next))
            next = tcb->deadline[i];
    if (next)
        timer_start(&tcb_stack(tcb)->timers, &tcb->timer, next);
}

void tcb_timer_expired(struct timer *timer, uint64_t now)
{
    static bool (*const expired[TCP_TIMERS])(struct tcb *) = {
        [TIMER_RETRANSMIT] = retransmit_expired, [TIMER_DELAYED_ACK] = delayed_ack_expired,
        [TIMER_KEEPALIVE] = keepalive_expired,   [TIMER_OUTPUT] = output_expired,
        [TIMER_LINGER] = linger_expired,
    };
    struct tcb *tcb = (struct tcb *)((char *)timer - offsetof(struct tcb, timer));
    for (int i = 0; i < TCP_TIMERS; i++) {
        if (!tcb->deadline[i] || tcb->deadline[i] > now)
            continue;
        tcb->deadline[i] = 0;
        if (!expired[i](tcb))
            return;
    }
    restart(tcb);
}
