/* What the parts of the IP layer keep in the stack. */
#pragma once

#include "../ip.h"
#include "../stack.h"

#define IPV4_IDENTIFICATIONS 256u

struct ip_layer {
    struct ip_route_entry *routes; /* the longest prefix first, then the lowest metric */
    uint32_t route_count;
    /* IPv4 identifications (RFC 6864): one counter per group of flows, each begun at random, so
     * that a flow's are unique for long, and tell nothing of other flows. */
    uint16_t identifications[IPV4_IDENTIFICATIONS];
    uint64_t identification_key[2];
    /* ICMP errors may use up so many tokens (RFC 1812 4.3.2.8). */
    uint32_t icmp_tokens;
    uint64_t icmp_refilled;
    struct timer igmp_timer;
    struct stack *stack;
};
