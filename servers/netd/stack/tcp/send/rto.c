/* The retransmission timeout (RFC 6298). */
#include "../tcp.h"
#include "../timers.h"
#include "send.h"

#define CLOCK_GRANULARITY NS_PER_MS /* G */

static uint64_t clamp(uint64_t rto)
{
    if (rto < TCP_RTO_MIN)
        return TCP_RTO_MIN;
    return rto > TCP_RTO_MAX ? TCP_RTO_MAX : rto;
}

/* (5.1), (5.3) */
void rto_start(struct tcb *tcb) { timer_set_after(tcb, TIMER_RETRANSMIT, tcb->rto); }

/* exercise 8.2 */
static void compute(struct tcb *tcb)
{
    const uint64_t variance = 4 * tcb->rttvar;
    tcb->rto = clamp(tcb->srtt + (variance > CLOCK_GRANULARITY ? variance : CLOCK_GRANULARITY));
    tcb->backoff = 0;
}

/* (2.2), (2.3) with alpha = 1/8, beta = 1/4. */
void rto_sample(struct tcb *tcb, uint64_t rtt)
{
    if (rtt == 0)
        rtt = 1; /* the same moment, where time is virtual */
    if (tcb->srtt == 0) {
        tcb->srtt = rtt;
        tcb->rttvar = rtt / 2;
    } else {
        const uint64_t error = rtt > tcb->srtt ? rtt - tcb->srtt : tcb->srtt - rtt;
        tcb->rttvar = (3 * tcb->rttvar + error) / 4;
        tcb->srtt = (7 * tcb->srtt + rtt) / 8;
    }
    compute(tcb);
}

/* (5.5) */
void rto_back_off(struct tcb *tcb)
{
    tcb->rto = clamp(2 * tcb->rto);
    if (tcb->backoff < UINT8_MAX)
        tcb->backoff++;
}

void rto_forgive(struct tcb *tcb)
{
    if (tcb->srtt)
        compute(tcb);
}
/* end 8.2 */
