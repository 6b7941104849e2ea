/* ARP (RFC 826) with address conflict detection (RFC 5227), for IPv4 on Ethernet. */
#pragma once

#include "../address.h"
#include "../packet.h"

struct netif;

/* arp_input: a packet that starts at the ARP header; taken over. */
void arp_input(struct netif *netif, struct packet *packet);

/* arp_solicit: asks who has target; source: the address to ask from, any = the interface's first
 * one on target's network; mac: whom to ask, NULL = all. */
void arp_solicit(struct netif *netif, const struct ip_address *target,
                 const struct ip_address *source, const uint8_t *mac);

/* arp_probe: asks whether anybody uses address, without claiming it (RFC 5227 2.1.1);
 * netif->conflict is called if somebody answers or probes for the same, until an answer can no
 * longer be meant (PROBE_WAIT). arp_announce: tells all that address is ours (2.3). */
void arp_probe(struct netif *netif, const struct ip_address *address);
void arp_announce(struct netif *netif, const struct ip_address *address);
