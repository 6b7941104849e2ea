/* ICMPv6: what arrives, echoes, and the errors that we send. */
#include "icmpv6.h"
#include "../checksum.h"
#include "../ip/icmp.h"
#include "../stack.h"
#include "../transport/raw.h"
#include "../wire/ipv6.h"
#include "mld.h"
#include "ndp/ndp.h"
#include <string.h>

static bool checksum_is_right(const struct ip_received *ip, const struct packet *packet)
{
    const uint16_t pseudo =
        checksum_pseudo(&ip->source, &ip->destination, PROTOCOL_ICMPV6, packet_total(packet));
    return packet->flags & PACKET_CHECKED || checksum_finish(packet_checksum(pseudo, packet)) == 0;
}

/* RFC 4443 4.2: back where it came from, from the address it was sent to; if that is a group, from
 * one of ours. */
static void echo_reply(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    const struct ip_send send = {.source = ip->multicast ? ip_any(IP_V6) : ip->destination,
                                 .destination = ip->source,
                                 .interface = ip->netif->index,
                                 .traffic_class = ip->traffic_class};
    put_u32(packet_bytes(packet), (uint32_t)ICMPV6_ECHO_REPLY << 24);
    icmpv6_send(stack, &send, packet);
}

void icmpv6_input(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    struct cursor message = cursor_over(packet_bytes(packet), packet_length(packet));
    const uint8_t type = cursor_u8(&message);
    const uint8_t code = cursor_u8(&message);
    cursor_u16(&message); /* the checksum */
    stack->counters.icmp_in++;
    if (cursor_left(&message) < 4 || !checksum_is_right(ip, packet)) {
        stack->counters.icmp_in_errors++;
        packet_release(stack->pool, packet);
        return;
    }
    raw_input(stack, ip, packet);
    switch (type) {
    case ICMPV6_UNREACHABLE:
    case ICMPV6_PACKET_TOO_BIG:
    case ICMPV6_TIME_EXCEEDED:
    case ICMPV6_PARAMETER_PROBLEM:
        icmpv6_error_input(stack, ip, type, code, message);
        break;
    case ICMPV6_ECHO_REQUEST:
        echo_reply(stack, ip, packet);
        return;
    case MLD_QUERY:
    case MLD_REPORT_V1:
        mld_input(stack, ip, type, message);
        break;
    case ND_ROUTER_SOLICIT:
    case ND_ROUTER_ADVERT:
    case ND_NEIGHBOR_SOLICIT:
    case ND_NEIGHBOR_ADVERT:
    case ND_REDIRECT:
        ndp_input(stack, ip, type, code, message);
        break;
    }
    packet_release(stack->pool, packet);
}

int icmpv6_send(struct stack *stack, const struct ip_send *send, struct packet *packet)
{
    struct ip_send complete = *send;
    struct ip_route route;
    complete.protocol = PROTOCOL_ICMPV6;
    /* The checksum wants the source. Without a route ip_output will say why there is none. */
    if (ip_is_any(&send->source) && !send->unspecified_source &&
        ip_route_find(stack, &send->destination, NULL, send->interface, &route) == 0)
        complete.source = route.source;
    const uint16_t pseudo = checksum_pseudo(&complete.source, &complete.destination,
                                            PROTOCOL_ICMPV6, packet_total(packet));
    const uint16_t sum = checksum_finish(packet_checksum(pseudo, packet));
    memcpy(packet_bytes(packet) + ICMPV6_CHECKSUM_AT, &sum, sizeof sum);
    stack->counters.icmp_out++;
    return ip_output(stack, &complete, packet);
}

/* --- errors --- */

/* Whether the packet that went wrong was itself an error or a Redirect: those are never answered,
 * so that no two hosts can go on complaining to each other. */
static bool was_error(const struct ip_received *ip, struct packet *packet)
{
    struct cursor quoted = cursor_over(packet_bytes(packet) - ip->header_length,
                                       (size_t)packet_length(packet) + ip->header_length);
    struct ipv6_header header;
    if (!ipv6_parse(&quoted, &header) || !ipv6_find_transport(&quoted, &header.next_header))
        return false;
    if (header.next_header != PROTOCOL_ICMPV6)
        return false;
    const uint8_t type = cursor_u8(&quoted);
    return !cursor_ok(&quoted) || type < ICMPV6_INFORMATIONAL || type == ND_REDIRECT;
}

/* RFC 4443 2.4 e. */
static bool may_answer(const struct ip_received *ip, struct packet *packet, enum icmpv6_type type,
                       uint8_t code)
{
    const bool for_groups_too = type == ICMPV6_PACKET_TOO_BIG ||
                                (type == ICMPV6_PARAMETER_PROBLEM && code == PROBLEM_OPTION);
    if (ip_is_any(&ip->source))
        return false;
    if ((ip->multicast || ip->broadcast) && !for_groups_too)
        return false;
    return !was_error(ip, packet);
}

void icmpv6_error(struct stack *stack, const struct ip_received *ip, struct packet *packet,
                  enum icmpv6_type type, uint8_t code, uint32_t parameter)
{
    /* As much of the packet as fits without going over the least MTU. */
    const uint32_t room = IPV6_MTU_MIN - IPV6_HEADER - ICMPV6_ERROR_HEADER;
    const uint32_t whole = ip->header_length + packet_total(packet);
    const uint32_t quoted = whole < room ? whole : room;
    if (!may_answer(ip, packet, type, code) || !icmp_may_send(stack))
        return;
    struct packet *error = packet_alloc(stack->pool, PACKET_HEADROOM);
    if (!error)
        return;
    uint8_t *at = packet_append(error, (uint16_t)(ICMPV6_ERROR_HEADER + quoted));
    at = put_u32(at, (uint32_t)type << 24 | (uint32_t)code << 16);
    at = put_u32(at, parameter);
    packet_push(packet, ip->header_length); /* for the moment of reading */
    packet_read(packet, 0, at, quoted);
    packet_pull(packet, ip->header_length);
    const struct ip_send send = {.source = ip->multicast ? ip_any(IP_V6) : ip->destination,
                                 .destination = ip->source,
                                 .interface = ip->netif->index};
    icmpv6_send(stack, &send, error);
}

void icmpv6_port_unreachable(struct stack *stack, const struct ip_received *ip,
                             struct packet *packet)
{
    icmpv6_error(stack, ip, packet, ICMPV6_UNREACHABLE, UNREACHABLE_PORT, 0);
}
