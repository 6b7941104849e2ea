/* Address selection (RFC 6724), as comparisons of candidates: nothing here knows the stack. */
#pragma once

#include "../address.h"

/* --- section 5: which of our addresses a packet to `destination` comes from --- */

struct source_candidate {
    struct ip_address address;
    uint8_t prefix; /* bits of its on-link prefix; longer matches do not count (RFC 6724 2.2) */
    bool deprecated;
    bool on_outgoing; /* assigned to the interface that the packet leaves by */
};

/* select_source: the best of count candidates, all IPv6; NULL of none. */
const struct source_candidate *select_source(const struct ip_address *destination,
                                             const struct source_candidate *candidates,
                                             size_t count);

/* --- section 6: which of a host's addresses to try first, of both families --- */

struct destination_candidate {
    struct ip_address address;
    struct ip_address source; /* that would be used; any = there is no way to it */
    uint8_t source_prefix;
    bool source_deprecated;
};

/* order_destinations: the best first; what is equal keeps its order. */
void order_destinations(struct destination_candidate *candidates, size_t count);

/* The scope of an address (RFC 6724 3.1), as the scope field of a multicast address has it. */
enum ip_scope { SCOPE_INTERFACE = 1, SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };
enum ip_scope ip_scope(const struct ip_address *address);
