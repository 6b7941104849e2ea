/* The routing table: a sorted array, so that the first entry that fits is the best one. */
#include "route.h"
#include "../ip6/route.h"
#include "../netif.h"
#include "../stack.h"
#include "layer.h"
#include <errno.h>
#include <string.h>

static bool usable(const struct netif *netif, unsigned interface)
{
    return netif->up && netif->link && (interface == 0 || netif->index == interface);
}

/* better: a goes before b, among routes of any destinations. */
static bool better(const struct ip_route_entry *a, const struct ip_route_entry *b)
{
    return a->prefix != b->prefix ? a->prefix > b->prefix : a->metric < b->metric;
}

static struct ip_route_entry connected_route(struct netif *netif, const struct netif_address *own)
{
    struct ip_route_entry entry = {.destination = own->address,
                                   .prefix = own->prefix,
                                   .connected = true,
                                   .gateway = ip_any(own->address.family),
                                   .netif = netif};
    for (size_t i = own->prefix / 8; i < ip_address_size(&own->address); i++)
        entry.destination.bytes[i] &= (uint8_t)~ip_host_bits(own->prefix, i);
    return entry;
}

static bool is_connected(const struct netif_address *own)
{
    return own->state != ADDRESS_FREE && own->address.family == IP_V4;
}

static bool lookup_connected(struct stack *stack, const struct ip_address *destination,
                             unsigned interface, struct ip_route_entry *best)
{
    bool found = false;
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        for (size_t i = 0; i < NETIF_ADDRESSES && usable(netif, interface); i++) {
            const struct netif_address *own = &netif->addresses[i];
            if (!is_connected(own) || !ip_in_prefix(destination, &own->address, own->prefix))
                continue;
            const struct ip_route_entry entry = connected_route(netif, own);
            if (!found || better(&entry, best))
                *best = entry;
            found = true;
        }
    }
    return found;
}

bool route_lookup(struct stack *stack, const struct ip_address *destination, unsigned interface,
                  struct ip_route_entry *entry)
{
    const struct ip_layer *layer = stack->ip;
    const bool found = lookup_connected(stack, destination, interface, entry);
    for (uint32_t i = 0; i < layer->route_count; i++) {
        const struct ip_route_entry *route = &layer->routes[i];
        if (usable(route->netif, interface) &&
            ip_in_prefix(destination, &route->destination, route->prefix)) {
            if (!found || better(route, entry))
                *entry = *route;
            return true;
        }
    }
    return found;
}

/* --- changing the table --- */

static bool same_route(const struct ip_route_entry *entry, const struct ip_route_entry *wanted)
{
    return entry->prefix == wanted->prefix && ip_equal(&entry->destination, &wanted->destination) &&
           (ip_is_any(&wanted->gateway) || ip_equal(&entry->gateway, &wanted->gateway)) &&
           (!wanted->netif || entry->netif == wanted->netif);
}

/* The interface on whose link a gateway is. */
static struct netif *netif_of_gateway(struct stack *stack, const struct ip_address *gateway)
{
    struct ip_route_entry entry;
    if (gateway->family == IP_V6)
        return ipv6_link_of(stack, gateway);
    if (ip_is_any(gateway) || !lookup_connected(stack, gateway, 0, &entry))
        return NULL;
    return entry.netif;
}

static bool valid(const struct ip_route_entry *entry)
{
    return (entry->destination.family == IP_V4 || entry->destination.family == IP_V6) &&
           entry->prefix <= ip_address_size(&entry->destination) * 8 &&
           (entry->gateway.family == IP_NONE ||
            entry->gateway.family == entry->destination.family) &&
           !ip_is_multicast(&entry->gateway) && !ip_is_broadcast(&entry->gateway);
}

int ip_route_add(struct stack *stack, const struct ip_route_entry *wanted)
{
    struct ip_layer *layer = stack->ip;
    struct ip_route_entry entry = *wanted;
    if (!valid(&entry))
        return -EINVAL;
    entry.gateway.family = entry.destination.family;
    if (!entry.netif)
        entry.netif = netif_of_gateway(stack, &entry.gateway);
    if (!entry.netif)
        return -ENETUNREACH;
    uint32_t at = 0;
    for (uint32_t i = 0; i < layer->route_count; i++) {
        if (same_route(&layer->routes[i], &entry) &&
            ip_equal(&layer->routes[i].gateway, &entry.gateway))
            return -EEXIST;
        if (!better(&entry, &layer->routes[i]))
            at = i + 1;
    }
    if (layer->route_count == stack->config.routes)
        return -ENOSPC;
    memmove(&layer->routes[at + 1], &layer->routes[at],
            (layer->route_count - at) * sizeof layer->routes[0]);
    entry.connected = false;
    layer->routes[at] = entry;
    layer->route_count++;
    return 0;
}

int ip_route_delete(struct stack *stack, const struct ip_route_entry *wanted)
{
    struct ip_layer *layer = stack->ip;
    for (uint32_t i = 0; i < layer->route_count; i++) {
        if (same_route(&layer->routes[i], wanted)) {
            layer->route_count--;
            memmove(&layer->routes[i], &layer->routes[i + 1],
                    (layer->route_count - i) * sizeof layer->routes[0]);
            return 0;
        }
    }
    return -ESRCH;
}

void ip_route_list(struct stack *stack,
                   void (*visit)(void *context, const struct ip_route_entry *entry), void *context)
{
    const struct ip_layer *layer = stack->ip;
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
            if (is_connected(&netif->addresses[i])) {
                const struct ip_route_entry entry = connected_route(netif, &netif->addresses[i]);
                visit(context, &entry);
            }
        }
    }
    for (uint32_t i = 0; i < layer->route_count; i++)
        visit(context, &layer->routes[i]);
}
