/* The IPv6 header and the chain of extension headers behind it (RFC 8200 3, 4). */
#pragma once

#include "../address.h"
#include "cursor.h"

/* Numbers of a Next Header field that are no transport's. */
enum ipv6_next_header {
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_NONE = 59,
    NEXT_DESTINATION = 60,
};

/* Offsets of fields that a Parameter Problem points at. */
enum { IPV6_PAYLOAD_LENGTH_AT = 4, IPV6_NEXT_HEADER_AT = 6 };

struct ipv6_header {
    uint8_t traffic_class;
    uint32_t flow_label;
    uint16_t payload_length; /* of what follows the 40 bytes; 0 in a jumbogram, which we refuse */
    uint8_t next_header, hop_limit;
    struct ip_address source, destination;
};

/* ipv6_parse: false: too short, or not version 6. ipv6_emit: writes IPV6_HEADER bytes, returns
 * the place behind them. */
bool ipv6_parse(struct cursor *cursor, struct ipv6_header *header);
uint8_t *ipv6_emit(uint8_t *at, const struct ipv6_header *header);

/* A fragment header (RFC 8200 4.5). */
#define IPV6_FRAGMENT_HEADER 8u
struct ipv6_fragment {
    uint8_t next_header;
    bool more;
    uint16_t offset; /* in bytes, a multiple of 8 */
    uint32_t identification;
};
bool ipv6_fragment_parse(struct cursor *cursor, struct ipv6_fragment *fragment);
uint8_t *ipv6_fragment_emit(uint8_t *at, const struct ipv6_fragment *fragment);

/* ipv6_extension_parse: takes a header of the form "next header, length in 8 bytes without the
 * first 8" (hop-by-hop, routing, destination options); body: what follows its first two bytes. */
bool ipv6_extension_parse(struct cursor *cursor, uint8_t *next_header, struct cursor *body);
bool ipv6_is_extension(uint8_t next_header);

/* ipv6_find_transport: walks over the extension headers of a packet whose fixed header has been
 * read, and leaves the cursor at the transport, whose number replaces *next_header. False if
 * the chain is cut off, longer than EXTENSIONS_MAX, or belongs to a later fragment. */
#define EXTENSIONS_MAX 8
bool ipv6_find_transport(struct cursor *cursor, uint8_t *next_header);

/* Options of the hop-by-hop and destination headers (RFC 8200 4.2). */
enum { OPTION_PAD1 = 0, OPTION_PADN = 1, OPTION_ROUTER_ALERT = 5, OPTION_JUMBO = 0xc2 };
struct ipv6_option {
    uint8_t type;
    struct cursor data;
};

/* ipv6_option_next: the next option that is not padding. False at the end, and when an option
 * runs out of the header: cursor_ok tells which. */
bool ipv6_option_next(struct cursor *options, struct ipv6_option *option);

/* What a type's two highest bits want of a node that does not know the option. */
enum ipv6_option_action {
    ACTION_SKIP = 0,
    ACTION_DISCARD = 1,
    ACTION_PROBLEM = 2,         /* parameter problem, code 2, whatever the destination was */
    ACTION_PROBLEM_UNICAST = 3, /* only if the destination was not multicast */
};
static inline enum ipv6_option_action ipv6_option_action(uint8_t type)
{
    return (enum ipv6_option_action)(type >> 6);
}
