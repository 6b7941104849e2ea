/* IPv6 as the family-independent layers call it (RFC 8200). */
#pragma once

#include "../ip.h"
#include "../netif.h"

int ipv6_layer_create(struct stack *stack); /* ENOMEM */
void ipv6_layer_destroy(struct stack *stack);

/* ipv6_input: a packet that starts at its IPv6 header; taken over. ipv6_output and ipv6_route_find:
 * ip_output and ip_route_find for destinations of this family. */
void ipv6_input(struct netif *netif, struct packet *packet);
int ipv6_output(struct stack *stack, const struct ip_send *send, struct packet *packet);
int ipv6_route_find(struct stack *stack, const struct ip_address *destination,
                    const struct ip_address *source, unsigned interface, struct ip_route *route);

/* ipv6_unresolved: a packet, at its IPv6 header, whose next hop does not answer: its sender learns
 * that the address is unreachable (RFC 4861 7.2.2). Taken over. */
void ipv6_unresolved(struct netif *netif, struct packet *packet);

/* ipv6_link_up, _down: the link-local address and the search for routers begin; everything that
 * was learnt on the link is forgotten. */
void ipv6_link_up(struct netif *netif);
void ipv6_link_down(struct netif *netif);

/* ipv6_address_added: a tentative address is in its slot: duplicate address detection begins.
 * ipv6_address_removed: it is gone from there. */
void ipv6_address_added(struct netif *netif, struct netif_address *address);
void ipv6_address_removed(struct netif *netif, const struct ip_address *address);

/* ipv6_dns_servers: the recursive DNS servers that this link's routers advertise (RFC 8106), at
 * most max; returns how many. */
size_t ipv6_dns_servers(const struct netif *netif, struct ip_address *servers, size_t max);
