/* Receiving IPv4: a packet is checked, put together if it is a fragment, and given to its protocol
 * (RFC 791 3.2, RFC 1122 3.2.1). Whatever is wrong with it, it is counted and dropped in silence,
 * except where the RFCs want an ICMP error. */
#include "ipv4.h"
#include "../link/neighbour.h"
#include "../netif.h"
#include "../stack.h"
#include "../transport/raw.h"
#include "../wire/icmpv4.h"
#include "../wire/ipv4.h"
#include "icmp.h"
#include "igmp.h"
#include "reassembly.h"

/* The longest transport header lies in one piece, also behind a fragment of 8 bytes. */
#define TRANSPORT_HEADER_MAX 60u

static void drop(struct netif *netif, struct packet *packet, uint64_t *counter)
{
    ++*counter;
    packet_release(netif->stack->pool, packet);
}

/* parse_header: the header is whole and right, and the packet is cut to the length it says. */
static bool parse_header(struct netif *netif, struct packet *packet, struct ipv4_header *header)
{
    struct cursor cursor = cursor_over(packet_bytes(packet), packet_length(packet));
    if (!ipv4_parse(&cursor, header) || header->total_length > packet_total(packet) ||
        !ipv4_checksum_ok(packet_bytes(packet), header->header_length))
        return false;
    packet_trim(netif->stack->pool, packet, header->total_length);
    return true;
}

/* exercise 7.5 */
/* valid_source: one that an answer could go to (RFC 1122 3.2.1.3). Our own addresses and 127/8 do
 * not come from a wire. 0.0.0.0 is whom IGMP hears from switches (RFC 4541 2.1.1). */
static bool valid_source(struct netif *netif, const struct packet *packet,
                         const struct ipv4_header *header)
{
    const struct ip_address *source = &header->source;
    if (ip_is_any(source))
        return header->protocol == PROTOCOL_IGMP;
    if (ip_is_multicast(source) || source->bytes[0] >= 240 || source->bytes[0] == 0 ||
        ip_is_directed_broadcast(netif->stack, source))
        return false;
    return packet->flags & PACKET_LOCAL || !ip_is_local(netif->stack, source);
}

/* for_us: finds out whether, and in which of the ways, the destination is this host. An address is
 * answered for only on its own interface (the strong model of RFC 1122 3.3.4.2). */
static bool for_us(struct netif *netif, const struct packet *packet,
                   const struct ipv4_header *header, struct ip_received *ip)
{
    const struct ip_address *destination = &header->destination;
    if (ip_is_multicast(destination)) {
        ip->multicast = true;
        return netif_is_member(netif, destination);
    }
    if (ip_is_broadcast(destination) || ip_is_directed_broadcast(netif->stack, destination)) {
        ip->broadcast = true;
        return true;
    }
    if (packet->flags & PACKET_BROADCAST) /* RFC 1122 3.3.6 */
        return false;
    if (netif->kind == NETIF_LOOPBACK)
        return ip_is_local(netif->stack, destination);
    return netif_address_find(netif, destination) != NULL;
}
/* end 7.5 */

/* valid_options: no options, or good ones. Source routes are not for hosts to follow, nor to be
 * answered along. */
static bool valid_options(struct netif *netif, struct packet *packet,
                          const struct ipv4_header *header, const struct ip_received *ip)
{
    uint8_t problem;
    switch (ipv4_options_check(packet_bytes(packet), header->header_length, &problem)) {
    case OPTIONS_FINE:
        return true;
    case OPTIONS_SOURCE_ROUTE:
        return false;
    case OPTIONS_BAD:
        packet_pull(packet, header->header_length);
        icmpv4_send_error(netif->stack, ip, packet, ICMPV4_PARAMETER_PROBLEM, 0,
                          (uint32_t)problem << 24);
        return false;
    }
    return false;
}

static void reassembly_expired(struct stack *stack, const struct ip_received *ip,
                               struct packet *packet)
{
    icmpv4_send_error(stack, ip, packet, ICMPV4_TIME_EXCEEDED, ICMPV4_REASSEMBLY_EXCEEDED, 0);
}

/* collect: a fragment, at its payload. The whole datagram if this was the last that was missing. */
static struct packet *collect(struct netif *netif, const struct ipv4_header *header,
                              struct ip_received *ip, struct packet *packet)
{
    struct stack *stack = netif->stack;
    const struct reassembly_fragment fragment = {.identification = header->identification,
                                                 .offset = header->offset,
                                                 .more = header->more,
                                                 .expired = reassembly_expired};
    const uint32_t length = packet_total(packet);
    if ((header->more && length % 8) ||
        header->header_length + header->offset + length > IPV4_TOTAL_MAX) {
        drop(netif, packet, &stack->counters.ip_in_header_errors);
        return NULL;
    }
    packet = reassemble(stack, &fragment, ip, packet);
    if (packet)
        packet_gather(stack->pool, packet, TRANSPORT_HEADER_MAX);
    return packet;
}

static void deliver(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    stack->counters.ip_in_delivered++;
    switch (ip->protocol) {
    case PROTOCOL_ICMP:
        raw_input(stack, ip, packet);
        icmpv4_input(stack, ip, packet);
        break;
    case PROTOCOL_IGMP:
        raw_input(stack, ip, packet);
        igmp_input(stack, ip, packet);
        break;
    default:
        if (transport_input(stack, ip, packet))
            break;
        stack->counters.ip_in_unknown_protocol++;
        icmpv4_send_error(stack, ip, packet, ICMPV4_UNREACHABLE, ICMPV4_PROTOCOL_UNREACHABLE, 0);
        packet_release(stack->pool, packet);
    }
}

void ipv4_input(struct netif *netif, struct packet *packet)
{
    struct stack_counters *counters = &netif->stack->counters;
    struct ipv4_header header;
    counters->ip_in++;
    if (!parse_header(netif, packet, &header)) {
        drop(netif, packet, &counters->ip_in_header_errors);
        return;
    }
    struct ip_received ip = {.netif = netif,
                             .source = header.source,
                             .destination = header.destination,
                             .protocol = header.protocol,
                             .hop_limit = header.hop_limit,
                             .traffic_class = header.traffic_class,
                             .header_length = header.header_length};
    if (!valid_source(netif, packet, &header) || !for_us(netif, packet, &header, &ip)) {
        drop(netif, packet, &counters->ip_in_address_errors);
        return;
    }
    if (!valid_options(netif, packet, &header, &ip)) {
        drop(netif, packet, &counters->ip_in_header_errors);
        return;
    }
    packet_pull(packet, header.header_length);
    if (header.more || header.offset)
        packet = collect(netif, &header, &ip, packet);
    if (packet)
        deliver(netif->stack, &ip, packet);
}

void ipv4_unresolved(struct netif *netif, struct packet *packet)
{
    icmpv4_local_error(netif, packet, ICMPV4_UNREACHABLE, ICMPV4_HOST_UNREACHABLE);
    packet_release(netif->stack->pool, packet);
}
