/* ICMP messages of IPv4 (RFC 792, RFC 1191 4). Each begins with type, code, checksum and four bytes
 * of its own. */
#pragma once

#include "cursor.h"

#define ICMPV4_HEADER      8u
#define ICMPV4_CHECKSUM_AT 2u

enum icmpv4_type {
    ICMPV4_ECHO_REPLY = 0,
    ICMPV4_UNREACHABLE = 3,
    ICMPV4_SOURCE_QUENCH = 4, /* ignored: RFC 6633 */
    ICMPV4_REDIRECT = 5,      /* ignored: we have the router that we were told */
    ICMPV4_ECHO_REQUEST = 8,
    ICMPV4_TIME_EXCEEDED = 11,
    ICMPV4_PARAMETER_PROBLEM = 12,
};
enum icmpv4_unreachable_code {
    ICMPV4_NET_UNREACHABLE = 0,
    ICMPV4_HOST_UNREACHABLE = 1,
    ICMPV4_PROTOCOL_UNREACHABLE = 2,
    ICMPV4_PORT_UNREACHABLE = 3,
    ICMPV4_FRAGMENTATION_NEEDED = 4,
    ICMPV4_SOURCE_ROUTE_FAILED = 5,
    ICMPV4_UNREACHABLE_CODES = 16,
};
enum icmpv4_time_code { ICMPV4_TTL_EXCEEDED = 0, ICMPV4_REASSEMBLY_EXCEEDED = 1 };

struct icmpv4 {
    uint8_t type, code;
    uint16_t checksum;
    uint32_t rest; /* unused, pointer, MTU, or identifier and sequence number */
};

static inline bool icmpv4_parse(struct cursor *cursor, struct icmpv4 *message)
{
    message->type = cursor_u8(cursor);
    message->code = cursor_u8(cursor);
    message->checksum = cursor_u16(cursor);
    message->rest = cursor_u32(cursor);
    return cursor_ok(cursor);
}

static inline void icmpv4_emit(uint8_t *at, const struct icmpv4 *message)
{
    at = put_u8(at, message->type);
    at = put_u8(at, message->code);
    at = put_u16(at, message->checksum);
    put_u32(at, message->rest);
}
