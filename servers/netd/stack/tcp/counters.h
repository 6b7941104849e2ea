/* What TCP counts; net:counters shows it. */
#pragma once

#include "../stack.h"

/* Counters that only grow; those of RFC 4022 have its names. */
#define TCP_COUNTERS(X)                                                                            \
    X(active_opens)                                                                                \
    X(passive_opens)                                                                               \
    X(attempt_fails)                                                                               \
    X(estab_resets)                                                                                \
    X(in_segs)                                                                                     \
    X(out_segs)                                                                                    \
    X(retrans_segs)                                                                                \
    X(in_errs)                                                                                     \
    X(out_rsts)                                                                                    \
    X(timeouts)                                                                                    \
    X(fast_recoveries)                                                                             \
    X(sack_blocks_in)                                                                              \
    X(dup_acks_in)                                                                                 \
    X(out_of_order)                                                                                \
    X(out_of_order_dropped)                                                                        \
    X(paws_dropped)                                                                                \
    X(challenge_acks)                                                                              \
    X(challenge_acks_limited)                                                                      \
    X(zero_window_probes)                                                                          \
    X(keepalive_probes)                                                                            \
    X(listen_overflows)                                                                            \
    X(cookies_sent)                                                                                \
    X(cookies_accepted)                                                                            \
    X(cookies_refused)                                                                             \
    X(time_wait_evicted)                                                                           \
    X(time_wait_reused)                                                                            \
    X(icmp_ignored)                                                                                \
    X(no_packets)                                                                                  \
    X(no_control_blocks)                                                                           \
    X(aborted)

struct tcp_counters {
#define TCP_COUNTER(name) uint64_t name;
    TCP_COUNTERS(TCP_COUNTER)
#undef TCP_COUNTER
};
