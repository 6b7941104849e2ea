/* Receiving IPv6: a packet is checked, its extension headers are dealt with, and it is given to its
 * protocol (RFC 8200 3, 4). Whatever is wrong with it, it is counted and dropped in silence, except
 * where the RFCs want an ICMP error. */
#include "../stack.h"
#include "../transport/raw.h"
#include "../wire/ipv6.h"
#include "extension.h"
#include "icmpv6.h"
#include "ipv6.h"
#include "route.h"
#include "selection.h"

/* The longest transport header lies in one piece, also behind a fragment of 8 bytes. */
#define TRANSPORT_HEADER_MAX 60u

static void drop(struct netif *netif, struct packet *packet, uint64_t *counter)
{
    ++*counter;
    packet_release(netif->stack->pool, packet);
}

/* The header is whole, and the packet is cut to the length it says. That is 0 in a jumbogram, of
 * which only the header is left then (RFC 2675 is for links that do not exist here). */
static bool parse_header(struct netif *netif, struct packet *packet, struct ipv6_header *header)
{
    struct cursor cursor = cursor_over(packet_bytes(packet), packet_length(packet));
    if (!ipv6_parse(&cursor, header) ||
        IPV6_HEADER + (uint32_t)header->payload_length > packet_total(packet))
        return false;
    packet_trim(netif->stack->pool, packet, IPV6_HEADER + header->payload_length);
    return true;
}

/* One that an answer could go to. Our own addresses, ::1 among them, do not come from a wire.
 * IPv4-mapped addresses never do: sockets would take their holder for a host of IPv4 (RFC
 * 4942 2.2). The unspecified one is left to ICMPv6. */
static bool valid_source(const struct netif *netif, const struct packet *packet,
                         const struct ip_address *source)
{
    if (ip_is_multicast(source) || ip_is_mapped(source))
        return false;
    if (netif->kind == NETIF_LOOPBACK || packet->flags & PACKET_LOCAL)
        return true;
    return !ip_is_local(netif->stack, source);
}

/* Finds out whether, and how, the destination is this host. */
static bool is_for_us(const struct netif *netif, const struct packet *packet,
                      struct ip_received *ip)
{
    if (ip_is_multicast(&ip->destination)) {
        /* RFC 4291 2.7: scope 0 is reserved, scope 1 does not leave a node. */
        const enum ip_scope least = netif->kind == NETIF_LOOPBACK ? SCOPE_INTERFACE : SCOPE_LINK;
        ip->multicast = true;
        return ip_scope(&ip->destination) >= least && ipv6_hears(netif, &ip->destination);
    }
    ip->broadcast = packet->flags & PACKET_BROADCAST;
    return ipv6_is_ours(netif, &ip->destination);
}

static void deliver(struct ipv6_walk *walk)
{
    const struct ip_received *ip = &walk->ip;
    struct stack *stack = ip->netif->stack;
    stack->counters.ip_in_delivered++;
    if (ip->protocol == PROTOCOL_ICMPV6) {
        icmpv6_input(stack, ip, walk->packet);
    } else if (ip_is_any(&ip->source)) {
        drop(ip->netif, walk->packet, &stack->counters.ip_in_address_errors);
    } else if (ip->protocol == NEXT_NONE) {
        packet_release(stack->pool, walk->packet);
    } else if (!transport_input(stack, ip, walk->packet)) {
        stack->counters.ip_in_unknown_protocol++;
        icmpv6_error(stack, ip, walk->packet, ICMPV6_PARAMETER_PROBLEM, PROBLEM_NEXT_HEADER,
                     walk->next_header_at);
        packet_release(stack->pool, walk->packet);
    }
}

void ipv6_input(struct netif *netif, struct packet *packet)
{
    struct stack_counters *counters = &netif->stack->counters;
    struct ipv6_header header;
    counters->ip_in++;
    if (!parse_header(netif, packet, &header)) {
        drop(netif, packet, &counters->ip_in_header_errors);
        return;
    }
    struct ipv6_walk walk = {.ip = {.netif = netif,
                                    .source = header.source,
                                    .destination = header.destination,
                                    .protocol = header.next_header,
                                    .hop_limit = header.hop_limit,
                                    .traffic_class = header.traffic_class,
                                    .header_length = IPV6_HEADER},
                             .packet = packet,
                             .next_header_at = IPV6_NEXT_HEADER_AT};
    if (!valid_source(netif, packet, &header.source) || !is_for_us(netif, packet, &walk.ip)) {
        drop(netif, packet, &counters->ip_in_address_errors);
        return;
    }
    packet_pull(packet, IPV6_HEADER);
    if (!extensions_process(&walk))
        return;
    packet_gather(netif->stack->pool, walk.packet, TRANSPORT_HEADER_MAX);
    deliver(&walk);
}
