/* Raw sockets: copies of the packets of one IP protocol, and sending any. */
#pragma once

#include "../ip.h"

/* raw_input: gives copies to the raw sockets that want this packet; true if there was one. The
 * packet stays the caller's. */
bool raw_input(struct stack *stack, const struct ip_received *ip, struct packet *packet);
