/* Next hop determination (RFC 4861 5.2) and the choice of a source (RFC 6724 5). */
#include "route.h"
#include "../ip/path_mtu.h"
#include "../ip/route.h"
#include "../stack.h"
#include "ipv6.h"
#include "link.h"
#include "ndp/ndp.h"
#include "selection.h"
#include <errno.h>

static bool is_assigned(const struct netif_address *address)
{
    return address->state >= ADDRESS_PREFERRED && address->address.family == IP_V6;
}

static bool has_address(const struct netif *netif, const struct ip_address *wanted)
{
    for (size_t i = 0; i < NETIF_ADDRESSES; i++)
        if (is_assigned(&netif->addresses[i]) && ip_equal(&netif->addresses[i].address, wanted))
            return true;
    return false;
}

bool ipv6_is_ours(const struct netif *netif, const struct ip_address *address)
{
    if (netif->kind != NETIF_LOOPBACK)
        return has_address(netif, address);
    for (const struct netif *n = netif->stack->netifs; n; n = n->next)
        if (has_address(n, address))
            return true;
    return false;
}

/* The solicited-node groups of our addresses also count when there was no slot left to join them:
 * an address that nobody can resolve is none. */
bool ipv6_hears(const struct netif *netif, const struct ip_address *group)
{
    if (ip_equal(group, &ipv6_all_nodes) || netif_is_member(netif, group))
        return true;
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *address = &netif->addresses[i];
        if (address->state == ADDRESS_FREE || address->address.family != IP_V6)
            continue;
        const struct ip_address own = ndp_solicited_node(&address->address);
        if (ip_equal(&own, group))
            return true;
    }
    return false;
}

/* --- the interface and the next hop --- */

static bool is_usable(const struct netif *netif, unsigned interface)
{
    return netif->up && netif->link && (interface == 0 || netif->index == interface);
}

/* Link-local and multicast destinations are the same on every link: without an interface, that of
 * the source is meant, or else the first link there is (the default zone of RFC 4007 6). */
static struct netif *choose_link(struct stack *stack, const struct ip_address *source,
                                 unsigned interface)
{
    struct netif *first = NULL;
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        if (!is_usable(netif, interface) || (netif->kind == NETIF_LOOPBACK && !interface))
            continue;
        if (source && has_address(netif, source))
            return netif;
        if (!first)
            first = netif;
    }
    return first;
}

/* A static address (in this state or a better one) says what is on the link; what an autoconfigured
 * one has in front says it only if a router does (RFC 5942 4). */
static bool is_on_link(const struct netif *netif, const struct ip_address *destination,
                       enum netif_address_state least)
{
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *address = &netif->addresses[i];
        if (address->state >= least && address->origin == ADDRESS_STATIC &&
            ip_in_prefix(destination, &address->address, address->prefix))
            return true;
    }
    return router_on_link(netif, destination);
}

struct netif *ipv6_link_of(struct stack *stack, const struct ip_address *gateway)
{
    struct netif *netif = ip_is_link_local(gateway) ? NULL : stack->netifs;
    while (netif &&
           (netif->kind == NETIF_LOOPBACK || !is_on_link(netif, gateway, ADDRESS_TENTATIVE)))
        netif = netif->next;
    return netif;
}

static bool find_on_link(struct stack *stack, const struct ip_address *destination,
                         unsigned interface, struct ip_route *route)
{
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        if (netif->kind == NETIF_LOOPBACK || !is_usable(netif, interface))
            continue;
        const struct ip_address *redirected = redirect_next_hop(netif, destination);
        if (redirected || is_on_link(netif, destination, ADDRESS_PREFERRED)) {
            route->netif = netif;
            route->next_hop = redirected ? *redirected : *destination;
            return true;
        }
    }
    return false;
}

static bool find_router(struct stack *stack, unsigned interface, struct ip_route *route)
{
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        const struct ip_address *router = is_usable(netif, interface) ? router_choose(netif) : NULL;
        if (router) {
            route->netif = netif;
            route->next_hop = *router;
            return true;
        }
    }
    return false;
}

static bool find_next_hop(struct stack *stack, const struct ip_address *destination,
                          const struct ip_address *source, unsigned interface,
                          struct ip_route *route)
{
    struct ip_route_entry entry;
    route->next_hop = *destination;
    if (ip_is_multicast(destination) && ip_scope(destination) <= SCOPE_INTERFACE) {
        route->netif = stack->loopback;
        return true;
    }
    if (ip_is_multicast(destination) || ip_is_link_local(destination)) {
        route->netif = choose_link(stack, source, interface);
        if (route->netif && has_address(route->netif, destination))
            route->netif = stack->loopback;
        return route->netif;
    }
    if (ip_is_local(stack, destination)) {
        route->netif = stack->loopback;
        return true;
    }
    if (find_on_link(stack, destination, interface, route))
        return true;
    if (route_lookup(stack, destination, interface, &entry)) {
        route->netif = entry.netif;
        if (!ip_is_any(&entry.gateway))
            route->next_hop = entry.gateway;
        return true;
    }
    return find_router(stack, interface, route);
}

/* --- the source --- */

/* The candidates are the addresses of the interface that the packet leaves by (RFC 6724 4); what
 * goes to ourselves may come from any. */
static size_t collect_candidates(const struct netif *outgoing, const struct netif *netif,
                                 struct source_candidate *candidates)
{
    size_t count = 0;
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *address = &netif->addresses[i];
        if (is_assigned(address))
            candidates[count++] =
                (struct source_candidate){.address = address->address,
                                          .prefix = address->prefix,
                                          .deprecated = address->state == ADDRESS_DEPRECATED,
                                          .on_outgoing = netif == outgoing};
    }
    return count;
}

static bool choose_source(struct stack *stack, const struct ip_address *destination,
                          const struct netif *outgoing, struct source_candidate *chosen)
{
    bool found = false;
    for (const struct netif *netif = stack->netifs; netif; netif = netif->next) {
        struct source_candidate candidates[NETIF_ADDRESSES + 1];
        if (netif != outgoing && outgoing->kind != NETIF_LOOPBACK)
            continue;
        size_t count = collect_candidates(outgoing, netif, candidates);
        if (found)
            candidates[count++] = *chosen;
        const struct source_candidate *best = select_source(destination, candidates, count);
        if (best)
            *chosen = *best;
        found = best;
    }
    return found;
}

static bool is_source_of_ours(struct stack *stack, const struct netif *outgoing,
                              const struct ip_address *source)
{
    return ip_is_link_local(source) ? ipv6_is_ours(outgoing, source) : ip_is_local(stack, source);
}

int ipv6_next_hop(struct stack *stack, const struct ip_address *destination,
                  const struct ip_address *source, unsigned interface, struct ip_route *route)
{
    if (ip_is_any(destination) || ip_is_mapped(destination) ||
        !find_next_hop(stack, destination, source, interface, route))
        return -ENETUNREACH;
    const struct netif *netif = route->netif;
    route->mtu = path_mtu(stack, destination, netif->ipv6_mtu ? netif->ipv6_mtu : netif->mtu);
    return route->mtu < IPV6_MTU_MIN ? -ENETUNREACH : 0;
}

int ipv6_route_find(struct stack *stack, const struct ip_address *destination,
                    const struct ip_address *source, unsigned interface, struct ip_route *route)
{
    struct source_candidate chosen;
    if (source && ip_is_any(source))
        source = NULL;
    const int error = ipv6_next_hop(stack, destination, source, interface, route);
    if (error)
        return error;
    if (source) {
        if (!is_source_of_ours(stack, route->netif, source))
            return -EADDRNOTAVAIL;
        route->source = *source;
    } else {
        if (!choose_source(stack, destination, route->netif, &chosen))
            return -EADDRNOTAVAIL;
        route->source = chosen.address;
    }
    return 0;
}
