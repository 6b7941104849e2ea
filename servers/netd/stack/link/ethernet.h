/* Ethernet II frames (RFC 894, RFC 2464). */
#pragma once

#include "../address.h"
#include "../packet.h"
#include <stdint.h>

struct netif;

#define ETHERNET_HEADER 14u

enum ethertype { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_IPV6 = 0x86dd };

extern const uint8_t ethernet_broadcast[MAC_SIZE];

/* ethernet_input: a frame from the device; taken over. */
void ethernet_input(struct netif *netif, struct packet *frame);

/* ethernet_output: puts the header in front and sends; taken over. ENOBUFS. */
int ethernet_output(struct netif *netif, const uint8_t destination[MAC_SIZE], enum ethertype type,
                    struct packet *packet);

/* ethernet_multicast: the group address that stands for an IP group (RFC 1112 6.4, RFC 2464 7). */
void ethernet_multicast(const struct ip_address *group, uint8_t mac[MAC_SIZE]);
