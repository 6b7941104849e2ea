/* Sending IPv6: a route, a header, and fragments where the path is too narrow (RFC 8200 3, 5). */
#include "../link/loopback.h"
#include "../link/neighbour.h"
#include "../stack.h"
#include "../wire/ipv6.h"
#include "fragment.h"
#include "icmpv6.h"
#include "ipv6.h"
#include "route.h"
#include <errno.h>

#define ROUTER_ALERT_HEADER 8u

static int refuse(struct stack *stack, struct packet *packet, int error)
{
    if (error == -ENETUNREACH || error == -EADDRNOTAVAIL)
        stack->counters.ip_out_no_route++;
    else
        stack->counters.ip_out_dropped++;
    packet_release(stack->pool, packet);
    return error;
}

static int find_route(struct stack *stack, const struct ip_send *send, struct ip_route *route)
{
    if (!send->unspecified_source)
        return ipv6_route_find(stack, &send->destination, &send->source, send->interface, route);
    route->source = ip_any(IP_V6);
    return ipv6_next_hop(stack, &send->destination, NULL, send->interface, route);
}

/* Groups are of the link, unless the sender wants more (RFC 3493 5.2). */
static uint8_t default_hop_limit(const struct ip_send *send, const struct netif *netif)
{
    if (ip_is_multicast(&send->destination))
        return 1;
    return netif->hop_limit ? netif->hop_limit : IP_HOP_LIMIT;
}

static struct ipv6_header make_header(const struct ip_send *send, const struct ip_route *route)
{
    return (struct ipv6_header){
        .traffic_class = send->traffic_class,
        .next_header = send->protocol,
        .hop_limit = send->hop_limit ? send->hop_limit : default_hop_limit(send, route->netif),
        .source = route->source,
        .destination = send->destination,
    };
}

/* A hop-by-hop header with the Router Alert option of MLD (RFC 2711 2.1), filled up to 8 bytes. */
static void push_router_alert(struct packet *packet, struct ipv6_header *header)
{
    uint8_t *at = packet_push(packet, ROUTER_ALERT_HEADER);
    at = put_u8(at, header->next_header);
    at = put_u8(at, ROUTER_ALERT_HEADER / 8 - 1);
    at = put_bytes(at, (const uint8_t[]){OPTION_ROUTER_ALERT, 2, 0, 0}, 4);
    put_bytes(at, (const uint8_t[]){OPTION_PADN, 0}, 2);
    header->next_header = NEXT_HOP_BY_HOP;
}

/* Our own sockets hear what we send to a group that they are in. */
static void loop_back(struct netif *netif, const struct ip_send *send, const struct packet *packet)
{
    if (!send->multicast_loop || netif->kind == NETIF_LOOPBACK ||
        !netif_is_member(netif, &send->destination))
        return;
    struct packet *copy = packet_copy(netif->stack->pool, packet, PACKET_HEADROOM);
    if (copy)
        loopback_send(netif, copy);
}

int ipv6_output(struct stack *stack, const struct ip_send *send, struct packet *packet)
{
    struct ip_route route;
    int error = find_route(stack, send, &route);
    if (error)
        return refuse(stack, packet, error);
    struct ipv6_header header = make_header(send, &route);
    if (send->router_alert)
        push_router_alert(packet, &header);
    const uint32_t length = packet_total(packet);
    const bool fits = IPV6_HEADER + length <= route.mtu || packet->segment_size;
    if (length > UINT16_MAX || (!fits && send->dont_fragment))
        return refuse(stack, packet, -EMSGSIZE);
    header.payload_length = (uint16_t)length;
    ipv6_emit(packet_push(packet, IPV6_HEADER), &header);
    loop_back(route.netif, send, packet);
    if (!fits) {
        packet_pull(packet, IPV6_HEADER);
        return fragment_output(&route, &header, packet);
    }
    stack->counters.ip_out++;
    error = neighbour_output(route.netif, &route.next_hop, packet);
    if (error)
        stack->counters.ip_out_dropped++;
    return error;
}

void ipv6_unresolved(struct netif *netif, struct packet *packet)
{
    icmpv6_local_error(netif->stack, packet, ICMPV6_UNREACHABLE, UNREACHABLE_ADDRESS);
    packet_release(netif->stack->pool, packet);
}
