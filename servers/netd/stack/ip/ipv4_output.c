/* Sending IPv4: a route, a source address, a header, and fragments where the path is too narrow
 * (RFC 791 3.2, RFC 1122 3.3, RFC 6864). */
#include "../link/loopback.h"
#include "../link/neighbour.h"
#include "../netif.h"
#include "../siphash.h"
#include "../stack.h"
#include "../wire/ipv4.h"
#include "ipv4.h"
#include "layer.h"
#include "path_mtu.h"
#include "route.h"
#include <errno.h>
#include <string.h>

/* --- routes --- */

static bool is_broadcast(const struct stack *stack, const struct ip_address *destination)
{
    return ip_is_broadcast(destination) || ip_is_directed_broadcast(stack, destination);
}

/* Where groups and 255.255.255.255 are, if no route and no interface says so. */
static struct netif *default_netif(struct stack *stack, unsigned interface)
{
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        if (interface ? netif->index == interface
                      : netif->kind == NETIF_ETHERNET && netif->up && netif->link)
            return netif;
    }
    return NULL;
}

/* The address to send from over an interface: of the next hop's network if there is one. */
static struct ip_address choose_source(const struct netif *netif, const struct ip_address *next_hop)
{
    struct ip_address chosen = ip_any(IP_V4);
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *own = &netif->addresses[i];
        if (own->state == ADDRESS_FREE || own->address.family != IP_V4)
            continue;
        if (ip_in_prefix(next_hop, &own->address, own->prefix))
            return own->address;
        if (ip_is_any(&chosen))
            chosen = own->address;
    }
    return chosen;
}

/* find_next_hop: fills in netif and next_hop. */
static int find_next_hop(struct stack *stack, const struct ip_address *destination,
                         unsigned interface, struct ip_route *route)
{
    struct ip_route_entry entry;
    route->next_hop = *destination;
    if (ip_is_local(stack, destination)) {
        route->netif = stack->loopback;
        return 0;
    }
    const bool to_many = ip_is_multicast(destination) || ip_is_broadcast(destination);
    if (!(to_many && interface) && route_lookup(stack, destination, interface, &entry)) {
        route->netif = entry.netif;
        if (!ip_is_any(&entry.gateway) && !to_many)
            route->next_hop = entry.gateway;
        return 0;
    }
    route->netif = to_many ? default_netif(stack, interface) : NULL;
    return route->netif ? 0 : -ENETUNREACH;
}

int ipv4_route_find(struct stack *stack, const struct ip_address *destination,
                    const struct ip_address *source, unsigned interface, struct ip_route *route)
{
    const int error = find_next_hop(stack, destination, interface, route);
    if (error)
        return error;
    if (source && !ip_is_any(source)) {
        if (!ip_is_local(stack, source))
            return -EADDRNOTAVAIL;
        route->source = *source;
    } else if (route->netif->kind == NETIF_LOOPBACK) {
        route->source = *destination; /* talks to itself */
    } else {
        route->source = choose_source(route->netif, &route->next_hop);
    }
    route->mtu = path_mtu(stack, destination, route->netif->mtu);
    return 0;
}

/* --- headers --- */

/* A number that repeats as late as possible for the same source, destination and protocol, and that
 * an observer of other flows cannot guess (RFC 6864 4, RFC 7739). */
static uint16_t next_identification(struct stack *stack, const struct ip_send *send,
                                    const struct ip_address *source)
{
    struct ip_layer *layer = stack->ip;
    uint8_t flow[9];
    memcpy(flow, source->bytes, 4);
    memcpy(flow + 4, send->destination.bytes, 4);
    flow[8] = send->protocol;
    const uint64_t hash = siphash(layer->identification_key, flow, sizeof flow);
    return layer->identifications[hash % IPV4_IDENTIFICATIONS]++;
}

/* What one packet is sent with: a header that fits the piece, and where to. */
struct transmission {
    struct stack *stack;
    const struct ip_send *send;
    struct ip_route route;
    struct ipv4_header header; /* without length and offset */
};

static struct ipv4_header make_header(struct stack *stack, const struct ip_send *send,
                                      const struct ip_address *source)
{
    const bool alert = send->router_alert;
    return (struct ipv4_header){
        .header_length = (uint8_t)(IPV4_HEADER_MIN + (alert ? IPV4_ROUTER_ALERT : 0)),
        .traffic_class = send->traffic_class,
        .identification = send->dont_fragment ? 0 : next_identification(stack, send, source),
        .dont_fragment = send->dont_fragment,
        .hop_limit = send->hop_limit ? send->hop_limit : IP_HOP_LIMIT,
        .protocol = send->protocol,
        .source = *source,
        .destination = send->destination};
}

/* loop_back: our own sockets hear what we send to a group that they are in, and to everybody; but
 * nobody takes in what has no source. */
static void loop_back(struct transmission *to, const struct packet *packet)
{
    struct netif *netif = to->route.netif;
    if (netif->kind == NETIF_LOOPBACK || !to->send->multicast_loop ||
        ip_is_any(&to->header.source))
        return;
    if (ip_is_multicast(&to->send->destination) && !netif_is_member(netif, &to->send->destination))
        return;
    struct packet *copy = packet_copy(to->stack->pool, packet, PACKET_HEADROOM);
    if (copy)
        loopback_send(netif, copy);
}

/* send_piece: puts the header in front of a whole datagram or a fragment, and sends it. */
static int send_piece(struct transmission *to, struct packet *packet)
{
    struct ipv4_header *header = &to->header;
    header->total_length = (uint16_t)(packet_total(packet) + header->header_length);
    ipv4_emit(packet_push(packet, header->header_length), header);
    to->stack->counters.ip_out++;
    if (ip_is_multicast(&header->destination) || is_broadcast(to->stack, &header->destination))
        loop_back(to, packet);
    const int error = neighbour_output(to->route.netif, &to->route.next_hop, packet);
    if (error)
        to->stack->counters.ip_out_dropped++;
    return error;
}

/* --- fragments --- */

/* send_fragments: all of them, or as many as there is room for: a datagram that lacks one is lost.
 */
static int send_fragments(struct transmission *to, struct packet *packet)
{
    struct packet_pool *pool = to->stack->pool;
    const uint16_t room = (uint16_t)((to->route.mtu - to->header.header_length) & ~7u);
    uint32_t left = packet_total(packet), offset = 0;
    int error = 0;
    while (left > 0 && !error) {
        const uint16_t length = (uint16_t)(left < room ? left : room);
        struct packet *piece =
            packet_cut(pool, &packet, length, LINK_HEADROOM + to->header.header_length);
        if (!piece) {
            error = -ENOBUFS;
            break;
        }
        left -= length;
        to->header.offset = (uint16_t)offset;
        to->header.more = left > 0;
        to->stack->counters.ip_fragments_made++;
        error = send_piece(to, piece);
        offset += length;
    }
    packet_release(pool, packet);
    return error;
}

/* --- output --- */

static int refuse(struct stack *stack, struct packet *packet, int error)
{
    if (error == -ENETUNREACH || error == -EADDRNOTAVAIL)
        stack->counters.ip_out_no_route++;
    else
        stack->counters.ip_out_dropped++;
    packet_release(stack->pool, packet);
    return error;
}

int ipv4_output(struct stack *stack, const struct ip_send *send, struct packet *packet)
{
    struct transmission to = {.stack = stack, .send = send};
    const struct ip_address *source = send->unspecified_source ? NULL : &send->source;
    const int error =
        ipv4_route_find(stack, &send->destination, source, send->interface, &to.route);
    if (error)
        return refuse(stack, packet, error);
    if (send->unspecified_source)
        to.route.source = ip_any(IP_V4);
    else if (ip_is_any(&to.route.source))
        return refuse(stack, packet, -EADDRNOTAVAIL);
    if (is_broadcast(stack, &send->destination))
        to.route.next_hop = ip_v4(255, 255, 255, 255);
    to.header = make_header(stack, send, &to.route.source);
    const uint32_t total = packet_total(packet) + to.header.header_length;
    if (total > IPV4_TOTAL_MAX && !packet->segment_size)
        return refuse(stack, packet, -EMSGSIZE);
    if (total <= to.route.mtu || packet->segment_size)
        return send_piece(&to, packet);
    if (send->dont_fragment)
        return refuse(stack, packet, -EMSGSIZE);
    return send_fragments(&to, packet);
}
