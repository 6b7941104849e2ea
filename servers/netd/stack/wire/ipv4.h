/* The IPv4 header and its options (RFC 791 3.1). */
#pragma once

#include "../address.h"
#include "cursor.h"

#define IPV4_HEADER_MAX   60u
#define IPV4_TOTAL_MAX    65535u
#define IPV4_ROUTER_ALERT 4u /* bytes that the option takes (RFC 2113) */

struct ipv4_header {
    uint8_t header_length; /* bytes, with options */
    uint8_t traffic_class;
    uint16_t total_length;
    uint16_t identification;
    bool dont_fragment, more;
    uint16_t offset; /* of a fragment, bytes */
    uint8_t hop_limit, protocol;
    struct ip_address source, destination;
};

/* ipv4_parse: leaves the cursor behind the header and its options. False: cut off, not version 4,
 * shorter than 20 bytes, or a total length that does not even hold the header. The checksum is
 * not looked at: ipv4_checksum_ok. */
bool ipv4_parse(struct cursor *cursor, struct ipv4_header *header);
bool ipv4_checksum_ok(const uint8_t *header, size_t length);

/* ipv4_options_check: over the options of a header. OPTIONS_BAD: *problem is the offset in the
 * header that a Parameter Problem points at. */
enum ipv4_options { OPTIONS_FINE, OPTIONS_BAD, OPTIONS_SOURCE_ROUTE };
enum ipv4_options ipv4_options_check(const uint8_t *header, size_t length, uint8_t *problem);

/* ipv4_emit: writes the header with its checksum; a header_length of 24 has a router alert. */
void ipv4_emit(uint8_t *at, const struct ipv4_header *header);
