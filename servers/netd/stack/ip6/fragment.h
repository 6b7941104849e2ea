/* Sending a packet in fragments (RFC 8200 4.5). */
#pragma once

#include "../ip.h"
#include "../wire/ipv6.h"

/* fragment_output: cuts the payload in packet, at most 65,535 bytes, into fragments that fit into
 * the route's MTU, puts header in front of each, and sends them; takes the packet over. A datagram
 * that lacks one is lost, so the first error ends it: ENOBUFS, EHOSTUNREACH. */
int fragment_output(const struct ip_route *route, const struct ipv6_header *header,
                    struct packet *packet);
