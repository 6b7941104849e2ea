/* Reno's congestion avoidance (RFC 5681 3.1): one SMSS more per round trip, half after a loss. */
#include "congestion.h"

static void newreno_avoid(struct congestion *congestion, uint32_t bytes, uint64_t rtt, uint64_t now)
{
    (void)rtt;
    (void)now;
    congestion->acked += bytes;
    if (congestion->acked >= congestion->cwnd) {
        congestion->acked -= congestion->cwnd;
        congestion->cwnd += congestion->mss;
    }
}

/* Equation (4): ssthresh = max(FlightSize / 2, 2 * SMSS). */
static uint32_t newreno_threshold(struct congestion *congestion, uint32_t flight)
{
    const uint32_t half = flight / 2, least = 2 * congestion->mss;
    congestion->acked = 0;
    return half > least ? half : least;
}

const struct congestion_operations newreno = {"reno", newreno_avoid, newreno_threshold};
