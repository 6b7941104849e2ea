/* Which frames are wanted: expressions in the manner of pcap-filter.
 *
 *   expression: term { ("and" | "or") term }, from left to right
 *   term:       "not" term | "(" expression ")" | primitive
 *   primitive:  arp ip ip6 tcp udp icmp icmp6 broadcast, [src | dst] host ADDRESS,
 *               [src | dst] port NUMBER */
#pragma once

#include "decode.h"

#define FILTER_STEPS 64

enum filter_kind {
    FILTER_AND,
    FILTER_OR,
    FILTER_NOT,
    FILTER_TYPE,
    FILTER_PROTOCOL,
    FILTER_HOST,
    FILTER_PORT,
    FILTER_BROADCAST
};
enum filter_side { SIDE_ANY, SIDE_SOURCE, SIDE_DESTINATION };

/* In postfix order: a primitive pushes, the others combine what is on top. */
struct filter_step {
    uint8_t kind, side;
    bool v6;
    uint16_t number; /* type, protocol, port */
    uint8_t address[16];
};

struct filter {
    unsigned count; /* 0: everything is wanted */
    struct filter_step steps[FILTER_STEPS];
};

/* filter_compile: words, as on a command line; NULL, or what is wrong with them (problem is the
 * word;
 * "" = the end). */
const char *filter_compile(char *const *words, unsigned count, struct filter *filter,
                           const char **problem);
bool filter_matches(const struct filter *filter, const struct frame *frame);
