/* CUBIC (RFC 9438): cwnd as a cubic function of the time since the last loss, so that growth does
 * not depend on the round-trip time, but never slower than Reno. In integers: netd keeps the
 * floating-point registers clean. C = 0.4, beta = 0.7. */
#include "congestion.h"

#define NS_PER_MS     UINT64_C(1000000)
#define CURVE_MAX_MS  60000 /* beyond it the curve is steeper than what cwnd may follow anyway */
#define BETA_NUMBER   7u
#define BETA_DIVISOR  10u
#define ALPHA_NUMBER  9u /* 3 * (1 - beta) / (1 + beta) = 9 / 17 (4.3) */
#define ALPHA_DIVISOR 17u

/* The largest r with r^3 <= value. */
static uint32_t cube_root(uint64_t value)
{
    uint64_t root = 0;
    for (int bit = 20; bit >= 0; bit--) {
        const uint64_t next = root | UINT64_C(1) << bit;
        if (next * next * next <= value)
            root = next;
    }
    return (uint32_t)root;
}

/* Equation 2: K = cbrt((W_max - cwnd_epoch) / C), where windows count in segments and K in
 * seconds; here ms, so the quotient is times 10^9 / 0.4. */
static uint32_t time_to_w_max(const struct congestion *congestion)
{
    const struct cubic *c = &congestion->cubic;
    if (c->w_max <= c->cwnd_epoch)
        return 0;
    return cube_root((c->w_max - c->cwnd_epoch) * UINT64_C(2500000000) / congestion->mss);
}

/* Equation 1: W_cubic(t) = C * (t - K)^3 + W_max, t in ms. */
static uint32_t w_cubic(const struct congestion *congestion, uint64_t t)
{
    const struct cubic *c = &congestion->cubic;
    int64_t x = (int64_t)t - c->k_ms;
    if (x > CURVE_MAX_MS)
        x = CURVE_MAX_MS;
    if (x < -CURVE_MAX_MS)
        x = -CURVE_MAX_MS;
    const int64_t segments_e9 = x * x * x / 10 * 4;
    const int64_t bytes = segments_e9 / 1000000 * congestion->mss / 1000;
    const int64_t window = (int64_t)c->w_max + bytes;
    if (window < congestion->mss)
        return congestion->mss;
    return window > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)window;
}

static void begin_epoch(struct congestion *congestion, uint64_t now)
{
    struct cubic *c = &congestion->cubic;
    c->epoch_start = now;
    c->cwnd_epoch = congestion->cwnd;
    if (c->w_max < congestion->cwnd)
        c->w_max = congestion->cwnd;
    c->k_ms = time_to_w_max(congestion);
    c->w_est = congestion->cwnd;
    c->acked = 0;
}

/* 4.3: the window that Reno would have, with an increase that makes up for the smaller decrease
 * until it has passed W_max. */
static void grow_w_est(struct congestion *congestion, uint32_t bytes)
{
    struct cubic *c = &congestion->cubic;
    c->acked += bytes;
    if (c->acked < congestion->cwnd)
        return;
    c->acked -= congestion->cwnd;
    c->w_est +=
        c->w_est < c->w_max ? congestion->mss * ALPHA_NUMBER / ALPHA_DIVISOR : congestion->mss;
}

/* 4.2: what cwnd should be a round trip from now, within [cwnd, 1.5 cwnd]. */
static uint32_t target_window(const struct congestion *congestion, uint64_t t)
{
    const uint32_t cwnd = congestion->cwnd, target = w_cubic(congestion, t);
    if (target < cwnd)
        return cwnd;
    return target > cwnd + cwnd / 2 ? cwnd + cwnd / 2 : target;
}

static void cubic_avoid(struct congestion *congestion, uint32_t bytes, uint64_t rtt, uint64_t now)
{
    struct cubic *c = &congestion->cubic;
    if (!c->epoch_start)
        begin_epoch(congestion, now);
    const uint64_t t = (now - c->epoch_start) / NS_PER_MS;
    grow_w_est(congestion, bytes);
    if (w_cubic(congestion, t) < c->w_est) { /* 4.3: the Reno-friendly region */
        if (congestion->cwnd < c->w_est)
            congestion->cwnd = c->w_est;
        return;
    }
    /* 4.4, 4.5: (target - cwnd) / cwnd per segment acknowledged */
    const uint32_t gap = target_window(congestion, t + rtt / NS_PER_MS) - congestion->cwnd;
    congestion->cwnd += (uint32_t)((uint64_t)gap * bytes / congestion->cwnd);
}

/* 4.6, and fast convergence 4.7: who shrinks twice in a row gives way to newcomers. */
static uint32_t cubic_threshold(struct congestion *congestion, uint32_t flight)
{
    struct cubic *c = &congestion->cubic;
    const uint32_t cwnd = congestion->cwnd, least = 2 * congestion->mss;
    c->w_max = cwnd < c->w_max
                   ? (uint32_t)((uint64_t)cwnd * (BETA_DIVISOR + BETA_NUMBER) / (2 * BETA_DIVISOR))
                   : cwnd;
    c->epoch_start = 0;
    const uint32_t reduced = (uint32_t)((uint64_t)flight * BETA_NUMBER / BETA_DIVISOR);
    return reduced > least ? reduced : least;
}

const struct congestion_operations cubic = {"cubic", cubic_avoid, cubic_threshold};
