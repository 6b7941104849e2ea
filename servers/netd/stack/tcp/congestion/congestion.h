/* Congestion control: how much may be on its way. One structure of operations per algorithm; who
 * detects losses and repairs them (send/retransmit.c) is the same for all. */
#pragma once

#include <stdint.h>

struct congestion_operations;

/* CUBIC's memory (RFC 9438 4.1). Sizes in bytes, times in ns. */
struct cubic {
    uint32_t w_max;       /* cwnd before the last reduction */
    uint32_t cwnd_epoch;  /* cwnd when this stage of congestion avoidance began */
    uint32_t w_est;       /* what Reno would have */
    uint32_t acked;       /* bytes that w_est has not grown by yet */
    uint64_t epoch_start; /* 0 = no stage has begun */
    uint32_t k_ms;        /* K: the time until W_cubic is back at w_max */
};

struct congestion {
    const struct congestion_operations *operations;
    uint32_t cwnd, ssthresh; /* bytes */
    uint32_t mss;            /* SMSS */
    uint32_t acked;          /* bytes acknowledged since cwnd last grew: congestion avoidance */
    struct cubic cubic;
};

struct congestion_operations {
    const char *name; /* as TCP_CONGESTION has it */
    /* avoid: congestion avoidance; `bytes` were acknowledged while cwnd was the limit. */
    void (*avoid)(struct congestion *congestion, uint32_t bytes, uint64_t rtt, uint64_t now);
    /* threshold: a loss was detected with `flight` bytes outstanding; the ssthresh that follows. */
    uint32_t (*threshold)(struct congestion *congestion, uint32_t flight);
};

extern const struct congestion_operations newreno, cubic;

/* congestion_find: by its name; NULL if there is none. */
const struct congestion_operations *congestion_find(const char *name);

/* congestion_start: the initial window (RFC 6928 2), with the SMSS of the connection. */
void congestion_start(struct congestion *congestion, const struct congestion_operations *operations,
                      uint32_t mss);
/* congestion_acked: slow start below ssthresh (RFC 5681 3.1), else the algorithm's. rtt and now in
 * ns. */
void congestion_acked(struct congestion *congestion, uint32_t bytes, uint64_t rtt, uint64_t now);
/* congestion_timeout: the loss window (RFC 5681 3.1). */
void congestion_timeout(struct congestion *congestion, uint32_t flight);
/* congestion_idle: the restart window after more than an RTO without sending (RFC 5681 4.1). */
void congestion_idle(struct congestion *congestion);
