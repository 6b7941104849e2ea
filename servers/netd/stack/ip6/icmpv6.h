/* ICMPv6: echoes, and errors in both directions (RFC 4443). */
#pragma once

#include "../ip.h"
#include "../wire/icmpv6.h"

/* icmpv6_input: a message, as transport; taken over. */
void icmpv6_input(struct stack *stack, const struct ip_received *ip, struct packet *packet);

/* icmpv6_send: completes the checksum of a message, which is 0 so far, and sends it; send's
 * protocol need not be set. The packet is taken over. */
int icmpv6_send(struct stack *stack, const struct ip_send *send, struct packet *packet);

/* icmpv6_error: tells the sender of a packet what is wrong with it, as far as the rules of RFC 4443
 * 2.4 and the rate limit allow. parameter: the message's second word (pointer or MTU). The packet
 * stays the caller's. */
void icmpv6_error(struct stack *stack, const struct ip_received *ip, struct packet *packet,
                  enum icmpv6_type type, uint8_t code, uint32_t parameter);
void icmpv6_port_unreachable(struct stack *stack, const struct ip_received *ip,
                             struct packet *packet);

/* icmpv6_error_input: an error about one of our packets, from its second word on (RFC 4443 3). */
void icmpv6_error_input(struct stack *stack, const struct ip_received *ip, uint8_t type,
                        uint8_t code, struct cursor message);

/* icmpv6_local_error: a packet of our own, at its IPv6 header, cannot be delivered: its flow is
 * told as if by a router. */
void icmpv6_local_error(struct stack *stack, struct packet *packet, enum icmpv6_type type,
                        uint8_t code);
