/* Neighbor Discovery (RFC 4861) and address autoconfiguration (RFC 4862): what its parts offer each
 * other. The states of neighbours are kept by link/neighbour.h, those of a link by link.h. */
#pragma once

#include "../../ip.h"
#include "../../netif.h"
#include "../../wire/icmpv6.h"

/* ndp_input: a message of one of the five types whose ICMPv6 checksum is right, from behind the
 * checksum. What is not valid (RFC 4861 6.1, 7.1, 8.1) is counted in nd_ignored. */
void ndp_input(struct stack *stack, const struct ip_received *ip, uint8_t type, uint8_t code,
               struct cursor message);

/* ndp_solicit: asks for target's link-layer address; source: of the packet that waits, or any; mac:
 * whom to ask, NULL = the solicited-node group. */
void ndp_solicit(struct netif *netif, const struct ip_address *target,
                 const struct ip_address *source, const uint8_t *mac);

/* ndp_probe: the solicitation of duplicate address detection: from the unspecified address. */
void ndp_probe(struct netif *netif, const struct ip_address *target);
/* ndp_solicited_node: the multicast group that target listens to (RFC 4291 2.7.1). */
struct ip_address ndp_solicited_node(const struct ip_address *target);

/* --- dad.c: duplicate address detection (RFC 4862 5.4) --- */

#define DAD_TRANSMITS 1 /* DupAddrDetectTransmits */

/* dad_begin: a tentative address is to be tested, the first time after `delay`. dad_conflict:
 * somebody else has it, or wants it at the same time. */
void dad_begin(struct netif *netif, struct netif_address *address, uint64_t delay);
void dad_conflict(struct netif *netif, struct netif_address *address);

/* --- slaac.c: addresses made from prefixes (RFC 4862 5.3, 5.5; RFC 7217) --- */

#define SLAAC_ADDRESSES 4u /* of the NETIF_ADDRESSES, so that others find room, too */

/* slaac_link_local: makes the link-local address. slaac_prefix: a router has advertised
 * this, which is not the link-local prefix. */
void slaac_link_local(struct netif *netif);
void slaac_prefix(struct netif *netif, const struct nd_prefix *prefix);
/* slaac_replace: the address turned out to be a duplicate: another one, unless it was not made
 * here or too many have been tried. */
void slaac_replace(struct netif *netif, const struct netif_address *duplicate);

/* --- router.c: routers and what they advertise (RFC 4861 6.3) --- */

/* router_solicit_begin: asks the routers of the link for their advertisements. */
void router_solicit_begin(struct netif *netif);
/* router_advert_input, redirect_input: false if the message is not valid. */
bool router_advert_input(struct netif *netif, const struct ip_address *source,
                         struct cursor message);
/* router_forget: this neighbour says that it is no router (any more). */
void router_forget(struct netif *netif, const struct ip_address *address);
/* router_choose: the default router to use now (RFC 4861 6.3.6), or NULL. */
const struct ip_address *router_choose(const struct netif *netif);
bool router_on_link(const struct netif *netif, const struct ip_address *destination);

/* --- redirect.c (RFC 4861 8) --- */

bool redirect_input(struct netif *netif, const struct ip_address *source, struct cursor message);
/* redirect_next_hop: where a router has said that packets to destination should go, or NULL. */
const struct ip_address *redirect_next_hop(const struct netif *netif,
                                           const struct ip_address *destination);
