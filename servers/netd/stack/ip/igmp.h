/* IGMP: which groups we are in, told to the routers (RFC 2236, RFC 3376 as a host). */
#pragma once

#include "../ip.h"
#include "../netif.h"

void igmp_create(struct stack *stack);

/* igmp_input: an IGMP message, as transport; taken over. */
void igmp_input(struct stack *stack, const struct ip_received *ip, struct packet *packet);

/* igmp_joined: the group has its first member. igmp_left: it has lost its last one; the slot is
 * freed when the routers have been told, or taken by a join that finds no other. igmp_link_up: all
 * groups are reported anew. */
void igmp_joined(struct netif *netif, struct netif_group *group);
void igmp_left(struct netif *netif, struct netif_group *group);
void igmp_link_up(struct netif *netif);
