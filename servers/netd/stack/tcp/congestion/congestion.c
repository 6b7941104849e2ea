/* What all algorithms share: initial window, slow start, loss window, restart window; and Reno's
 * congestion avoidance: one SMSS more per round trip, half after a loss (RFC 5681 3.1). */
#include "congestion.h"
#include <stddef.h>
#include <string.h>

#define SSTHRESH_INITIAL (UINT32_C(1) << 30) /* "arbitrarily high", RFC 5681 3.1 */
#define CWND_MAX         (UINT32_C(1) << 30)

const struct congestion_operations *congestion_find(const char *name)
{
    static const struct congestion_operations *const all[] = {&cubic, &newreno};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

/* initial_window: RFC 6928 2. */
static uint32_t initial_window(uint32_t mss)
{
    const uint32_t floor = 2 * mss > 14600 ? 2 * mss : 14600;
    return 10 * mss < floor ? 10 * mss : floor;
}

void congestion_start(struct congestion *congestion, const struct congestion_operations *operations,
                      uint32_t mss)
{
    *congestion = (struct congestion){
        .operations = operations,
        .cwnd = initial_window(mss),
        .ssthresh = SSTHRESH_INITIAL,
        .mss = mss,
    };
}

/* exercise 8.8 */
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

void congestion_acked(struct congestion *congestion, uint32_t bytes, uint64_t rtt, uint64_t now)
{
    if (congestion->cwnd < congestion->ssthresh)
        congestion->cwnd += bytes < congestion->mss ? bytes : congestion->mss;
    else
        congestion->operations->avoid(congestion, bytes, rtt, now);
    if (congestion->cwnd > CWND_MAX)
        congestion->cwnd = CWND_MAX;
}

void congestion_timeout(struct congestion *congestion, uint32_t flight)
{
    congestion->ssthresh = congestion->operations->threshold(congestion, flight);
    congestion->cwnd = congestion->mss;
    congestion->acked = 0;
}
/* end 8.8 */

const struct congestion_operations newreno = {"reno", newreno_avoid, newreno_threshold};

void congestion_idle(struct congestion *congestion)
{
    const uint32_t restart = initial_window(congestion->mss);
    if (congestion->cwnd > restart)
        congestion->cwnd = restart;
    congestion->cubic.epoch_start = 0;
}
