/* The routing table: which interface and gateway lead to a destination. The public half is in
 * ip.h. */
#pragma once

#include "../ip.h"

/* route_lookup: the entry with the longest prefix that holds destination, over interfaces that are
 * running; among equals the one with the lowest metric. interface: 0 = any. Connected networks
 * of IPv4 addresses take part as if they were entries. False if there is none. */
bool route_lookup(struct stack *stack, const struct ip_address *destination, unsigned interface,
                  struct ip_route_entry *entry);
