/* ICMP for IPv4 (RFC 792, RFC 1122 3.2.2), and the limit on errors that both families keep to. */
#pragma once

#include "../ip.h"

#define ICMP_RATE  100u /* errors a second, ... */
#define ICMP_BURST 50u  /* ... and so many at once */

/* icmp_may_send: takes a token for an ICMP error; false if there is none. */
bool icmp_may_send(struct stack *stack);

/* icmpv4_input: a message, as transport; taken over. */
void icmpv4_input(struct stack *stack, const struct ip_received *ip, struct packet *packet);

/* icmpv4_send_error: tells the sender of a packet what is wrong with it, where RFC 1122 3.2.2
 * allows that. The packet, at its transport with ip->header_length bytes in front, stays the
 * caller's. rest: the four bytes behind the checksum. */
void icmpv4_send_error(struct stack *stack, const struct ip_received *ip, struct packet *packet,
                       uint8_t type, uint8_t code, uint32_t rest);

/* icmpv4_local_error: the packet of our own, at its IPv4 header, cannot be delivered: its flow is
 * told as if by a router (RFC 1122 3.3.1.3). */
void icmpv4_local_error(struct netif *netif, struct packet *packet, uint8_t type, uint8_t code);
