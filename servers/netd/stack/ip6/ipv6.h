/* IPv6 as the family-independent layers call it. */
#pragma once

#include "../address.h"
#include "../ip.h"
#include "../netif.h"
#include "../packet.h"

int ipv6_layer_create(struct stack *stack); /* ENOMEM */
void ipv6_layer_destroy(struct stack *stack);

/* ipv6_input: a packet that starts at its IPv6 header; taken over. ipv6_output and ipv6_route_find:
 * ip_output and ip_route_find for destinations of this family. */
void ipv6_input(struct netif *netif, struct packet *packet);
int ipv6_output(struct stack *stack, const struct ip_send *send, struct packet *packet);
int ipv6_route_find(struct stack *stack, const struct ip_address *destination,
                    const struct ip_address *source, unsigned interface, struct ip_route *route);
void icmpv6_port_unreachable(struct stack *stack, const struct ip_received *ip,
                             struct packet *packet);

/* ipv6_link_up, _down: the link-local address and the search for routers begin or end. */
void ipv6_link_up(struct netif *netif);
void ipv6_link_down(struct netif *netif);
void ipv6_address_added(struct netif *netif, struct netif_address *address);
void ipv6_address_removed(struct netif *netif, const struct ip_address *address);

/* mld_joined: the group has its first member. mld_left: it has lost its last one; the slot is freed
 * when the routers have been told, or taken by a join that finds no other. */
void mld_joined(struct netif *netif, struct netif_group *group);
void mld_left(struct netif *netif, struct netif_group *group);

/* ndp_solicit: asks for target's link-layer address; source: of the packet that waits, or any; mac:
 * whom to ask, NULL = the solicited-node group. */
void ndp_solicit(struct netif *netif, const struct ip_address *target,
                 const struct ip_address *source, const uint8_t *mac);

/* ipv6_unresolved: a packet, at its IPv6 header, whose next hop does not answer; taken over. */
void ipv6_unresolved(struct netif *netif, struct packet *packet);
