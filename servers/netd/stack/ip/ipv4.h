/* IPv4 (RFC 791, RFC 1122 3.2, RFC 6864). */
#pragma once

#include "../ip.h"
#include "../netif.h"
#include "../packet.h"

/* ipv4_input: a packet that starts at its IPv4 header; taken over. ipv4_output and ipv4_route_find:
 * ip_output and ip_route_find for destinations of this family. */
void ipv4_input(struct netif *netif, struct packet *packet);
int ipv4_output(struct stack *stack, const struct ip_send *send, struct packet *packet);
int ipv4_route_find(struct stack *stack, const struct ip_address *destination,
                    const struct ip_address *source, unsigned interface, struct ip_route *route);

/* ipv4_unresolved: a packet, at its IPv4 header, whose next hop does not answer: its sender learns
 * that the host is unreachable (RFC 1122 2.3.2.2, 3.3.1.3). Taken over. */
void ipv4_unresolved(struct netif *netif, struct packet *packet);
