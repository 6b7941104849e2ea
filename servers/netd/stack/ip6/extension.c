/* The chain of extension headers: each kind has a handler, which looks at one header, takes it off
 * the front of the packet, and says whether to go on. */
#include "extension.h"
#include "../stack.h"
#include "../wire/ipv6.h"
#include "icmpv6.h"

bool extension_drop(struct ipv6_walk *walk)
{
    struct stack *stack = walk->ip.netif->stack;
    stack->counters.ip_in_header_errors++;
    packet_release(stack->pool, walk->packet);
    return false;
}

bool extension_problem(struct ipv6_walk *walk, uint8_t code, uint32_t offset)
{
    icmpv6_error(walk->ip.netif->stack, &walk->ip, walk->packet, ICMPV6_PARAMETER_PROBLEM, code,
                 offset);
    return extension_drop(walk);
}

/* RFC 8200 4.2: what is to be done about an option that is not known. True: nothing. */
static bool unknown_option(struct ipv6_walk *walk, uint8_t type, uint32_t offset)
{
    switch (ipv6_option_action(type)) {
    case ACTION_SKIP:
        return true;
    case ACTION_DISCARD:
        return extension_drop(walk);
    case ACTION_PROBLEM_UNICAST:
        return walk->ip.multicast ? extension_drop(walk)
                                  : extension_problem(walk, PROBLEM_OPTION, offset);
    case ACTION_PROBLEM:
        break;
    }
    return extension_problem(walk, PROBLEM_OPTION, offset);
}

/* A header of options. A host has nothing to do for the one that it knows, Router Alert. */
static bool options_input(struct ipv6_walk *walk)
{
    struct cursor cursor = cursor_over(packet_bytes(walk->packet), packet_length(walk->packet));
    struct cursor options;
    struct ipv6_option option;
    uint8_t next_header;
    if (!ipv6_extension_parse(&cursor, &next_header, &options))
        return extension_drop(walk);
    const uint16_t length = (uint16_t)(options.end - packet_bytes(walk->packet));
    while (ipv6_option_next(&options, &option)) {
        const uint8_t *at = option.data.at - 2; /* type and length */
        const uint32_t offset =
            walk->ip.header_length + (uint32_t)(at - packet_bytes(walk->packet));
        if (option.type != OPTION_ROUTER_ALERT && !unknown_option(walk, option.type, offset))
            return false;
    }
    if (!cursor_ok(&options))
        return extension_drop(walk);
    walk->next_header_at = walk->ip.header_length;
    walk->ip.protocol = next_header;
    walk->ip.header_length = (uint16_t)(walk->ip.header_length + length);
    return packet_pull(walk->packet, length);
}

/* Nothing but the IPv6 header may stand in front of it (RFC 8200 4.1). */
static bool hop_by_hop_input(struct ipv6_walk *walk)
{
    if (walk->headers > 1)
        return extension_problem(walk, PROBLEM_NEXT_HEADER, walk->next_header_at);
    return options_input(walk);
}

/* A route that is at its end is no matter; to travel on with the help of hosts is not allowed, of
 * type 0 (RFC 5095) or any other (RFC 8200 4.4). */
static bool routing_input(struct ipv6_walk *walk)
{
    struct cursor cursor = cursor_over(packet_bytes(walk->packet), packet_length(walk->packet));
    struct cursor body;
    uint8_t next_header;
    if (!ipv6_extension_parse(&cursor, &next_header, &body))
        return extension_drop(walk);
    const uint16_t length = (uint16_t)(body.end - packet_bytes(walk->packet));
    cursor_u8(&body); /* the routing type, 2 bytes into the header */
    const uint8_t segments_left = cursor_u8(&body);
    if (segments_left > 0)
        return extension_problem(walk, PROBLEM_FIELD, walk->ip.header_length + 2u);
    walk->next_header_at = walk->ip.header_length;
    walk->ip.protocol = next_header;
    walk->ip.header_length = (uint16_t)(walk->ip.header_length + length);
    return packet_pull(walk->packet, length);
}

static const struct {
    uint8_t next_header;
    bool (*input)(struct ipv6_walk *walk);
} handlers[] = {
    {NEXT_HOP_BY_HOP, hop_by_hop_input},
    {NEXT_ROUTING, routing_input},
    {NEXT_FRAGMENT, fragment_input},
    {NEXT_DESTINATION, options_input},
};
#define HANDLERS (sizeof handlers / sizeof handlers[0])

bool extensions_process(struct ipv6_walk *walk)
{
    for (;;) {
        size_t i = 0;
        while (i < HANDLERS && handlers[i].next_header != walk->ip.protocol)
            i++;
        if (i == HANDLERS)
            return true;
        if (walk->headers++ == EXTENSIONS_MAX)
            return extension_drop(walk);
        if (!handlers[i].input(walk))
            return false;
    }
}
