/* Addresses as messages carry them, and as the stack has them. */
#pragma once

#include "netd/stack/address.h"
#include "proto/net.h"

/* endpoint_from: false if the family is none of ours; the endpoint is then empty. */
bool endpoint_from(const struct net_address *address, struct endpoint *endpoint);
struct net_address endpoint_to(const struct endpoint *endpoint);
