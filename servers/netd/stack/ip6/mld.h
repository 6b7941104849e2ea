/* Multicast Listener Discovery: which groups we are in, told to the routers (RFC 3810 as a host
 * without source filters; RFC 2710 while a router of that version is there). */
#pragma once

#include "../ip.h"
#include "../wire/icmpv6.h"

/* mld_input: a query, or a version 1 report of another host, from behind the checksum. */
void mld_input(struct stack *stack, const struct ip_received *ip, uint8_t type,
               struct cursor message);

/* mld_joined: the group has its first member. mld_left: it has lost its last one; the slot is freed
 * when the routers have been told, or taken by a join that finds no other. mld_link_up: all groups
 * are reported anew. */
void mld_joined(struct netif *netif, struct netif_group *group);
void mld_left(struct netif *netif, struct netif_group *group);
void mld_link_up(struct netif *netif);
