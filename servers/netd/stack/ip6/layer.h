/* What IPv6 keeps for the stack as a whole. */
#pragma once

#include <stdint.h>

struct ipv6_layer {
    uint64_t address_secret[2]; /* RFC 7217 */
};
