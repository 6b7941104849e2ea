/* The IP layer as its users see it: the two families behind one face, and what is neither's. */
#include "../ip.h"
#include "../ip6/icmpv6.h"
#include "../ip6/ipv6.h"
#include "../link/neighbour.h"
#include "../netif.h"
#include "../stack.h"
#include "../wire/icmpv4.h"
#include "icmp.h"
#include "igmp.h"
#include "ipv4.h"
#include "layer.h"
#include "path_mtu.h"
#include <errno.h>

int ip_layer_create(struct stack *stack)
{
    struct ip_layer *layer = stack->config.allocate(sizeof *layer);
    if (!layer)
        return -ENOMEM;
    layer->routes = stack->config.allocate(stack->config.routes * sizeof layer->routes[0]);
    if (!layer->routes) {
        stack->config.release(layer);
        return -ENOMEM;
    }
    layer->stack = stack;
    layer->icmp_tokens = ICMP_BURST;
    layer->icmp_refilled = stack->now;
    stack->config.random(layer->identifications, sizeof layer->identifications);
    stack->config.random(layer->identification_key, sizeof layer->identification_key);
    stack->ip = layer;
    igmp_create(stack);
    return 0;
}

void ip_layer_destroy(struct stack *stack)
{
    timer_stop(&stack->timers, &stack->ip->igmp_timer);
    stack->config.release(stack->ip->routes);
    stack->config.release(stack->ip);
}

void ip_input(struct netif *netif, struct packet *packet)
{
    if (packet_length(packet) && *packet_bytes(packet) >> 4 == 6)
        ipv6_input(netif, packet);
    else
        ipv4_input(netif, packet);
}

int ip_output(struct stack *stack, const struct ip_send *send, struct packet *packet)
{
    if (send->destination.family == IP_V4)
        return ipv4_output(stack, send, packet);
    if (send->destination.family == IP_V6)
        return ipv6_output(stack, send, packet);
    packet_release(stack->pool, packet);
    return -EAFNOSUPPORT;
}

int ip_route_find(struct stack *stack, const struct ip_address *destination,
                  const struct ip_address *source, unsigned interface, struct ip_route *route)
{
    if (destination->family == IP_V4)
        return ipv4_route_find(stack, destination, source, interface, route);
    if (destination->family == IP_V6)
        return ipv6_route_find(stack, destination, source, interface, route);
    return -EAFNOSUPPORT;
}

void ip_reached(struct stack *stack, const struct ip_address *peer, unsigned interface)
{
    struct ip_route route;
    if (ip_route_find(stack, peer, NULL, interface, &route) == 0)
        neighbour_confirm(route.netif, &route.next_hop);
}

bool ip_is_local(const struct stack *stack, const struct ip_address *address)
{
    /* All of 127/8 is ours (RFC 1122 3.2.1.3 (g)). */
    if (address->family == IP_V4 && ip_is_loopback(address))
        return true;
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        const struct netif_address *own = netif_address_find(netif, address);
        if (own && own->state != ADDRESS_TENTATIVE)
            return true;
    }
    return false;
}

/* Networks of one or two addresses have no broadcast address (RFC 3021). */
static bool is_broadcast_of(const struct netif_address *own, const struct ip_address *address)
{
    struct ip_address last = own->address;
    if (own->state == ADDRESS_FREE || own->address.family != IP_V4 || own->prefix > 30)
        return false;
    for (size_t i = own->prefix / 8; i < 4; i++)
        last.bytes[i] |= ip_host_bits(own->prefix, i);
    return ip_equal(&last, address);
}

bool ip_is_directed_broadcast(const struct stack *stack, const struct ip_address *address)
{
    for (const struct netif *netif = stack->netifs; netif; netif = netif->next) {
        for (size_t i = 0; netif->kind == NETIF_ETHERNET && i < NETIF_ADDRESSES; i++) {
            if (is_broadcast_of(&netif->addresses[i], address))
                return true;
        }
    }
    return false;
}

void icmp_port_unreachable(struct stack *stack, const struct ip_received *ip, struct packet *packet)
{
    if (ip->source.family == IP_V4)
        icmpv4_send_error(stack, ip, packet, ICMPV4_UNREACHABLE, ICMPV4_PORT_UNREACHABLE, 0);
    else
        icmpv6_port_unreachable(stack, ip, packet);
}

bool icmp_may_send(struct stack *stack)
{
    struct ip_layer *layer = stack->ip;
    const uint64_t interval = 1000000000ull / ICMP_RATE;
    const uint64_t new_tokens = (stack->now - layer->icmp_refilled) / interval;
    layer->icmp_refilled += new_tokens * interval;
    if (new_tokens >= ICMP_BURST - layer->icmp_tokens)
        layer->icmp_tokens = ICMP_BURST;
    else
        layer->icmp_tokens += (uint32_t)new_tokens;
    if (layer->icmp_tokens == 0) {
        stack->counters.icmp_out_limited++;
        return false;
    }
    layer->icmp_tokens--;
    return true;
}
