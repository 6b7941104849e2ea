/* Where IPv6 packets go and come from: what is ours, and what the link's routers have said. */
#pragma once

#include "../ip.h"

/* ipv6_is_ours: a unicast address that packets on this interface may be sent to: one of its own, or
 * any of ours on the loopback. Tentative addresses are not (RFC 4862 5.4). */
bool ipv6_is_ours(const struct netif *netif, const struct ip_address *address);

/* ipv6_hears: a group that this interface listens to. */
bool ipv6_hears(const struct netif *netif, const struct ip_address *group);

/* ipv6_link_of: the interface on whose link a gateway is, also while our address there is still
 * tentative; NULL: none, or (link-local) any. */
struct netif *ipv6_link_of(struct stack *stack, const struct ip_address *gateway);

/* ipv6_next_hop: ipv6_route_find without the choice of a source: route->source is left alone.
 * ENETUNREACH. */
int ipv6_next_hop(struct stack *stack, const struct ip_address *destination,
                  const struct ip_address *source, unsigned interface, struct ip_route *route);
