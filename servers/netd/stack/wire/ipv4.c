/* The IPv4 header. */
#include "ipv4.h"
#include "../checksum.h"
#include "../ip.h"

#define FLAG_DONT_FRAGMENT 0x4000u
#define FLAG_MORE          0x2000u
#define OFFSET_MASK        0x1fffu /* in units of 8 bytes */
#define CHECKSUM_AT        10

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137, OPTION_ALERT = 148 };

/* exercise 7.2 */
bool ipv4_parse(struct cursor *cursor, struct ipv4_header *header)
{
    uint8_t address[4];
    const uint8_t version = cursor_u8(cursor);
    header->header_length = (uint8_t)((version & 0xf) * 4);
    header->traffic_class = cursor_u8(cursor);
    header->total_length = cursor_u16(cursor);
    header->identification = cursor_u16(cursor);
    const uint16_t fragment = cursor_u16(cursor);
    header->dont_fragment = fragment & FLAG_DONT_FRAGMENT;
    header->more = fragment & FLAG_MORE;
    header->offset = (uint16_t)((fragment & OFFSET_MASK) * 8);
    header->hop_limit = cursor_u8(cursor);
    header->protocol = cursor_u8(cursor);
    cursor_u16(cursor); /* checksum */
    cursor_bytes(cursor, address, 4);
    header->source = ip_v4_bytes(address);
    cursor_bytes(cursor, address, 4);
    header->destination = ip_v4_bytes(address);
    if (version >> 4 != 4 || header->header_length < IPV4_HEADER_MIN)
        return false;
    cursor_take(cursor, header->header_length - IPV4_HEADER_MIN);
    return cursor_ok(cursor) && header->total_length >= header->header_length;
}
/* end 7.2 */

bool ipv4_checksum_ok(const uint8_t *header, size_t length)
{
    return checksum_add(0, header, length) == 0xffff;
}

enum ipv4_options ipv4_options_check(const uint8_t *header, size_t length, uint8_t *problem)
{
    struct cursor options = cursor_over(header + IPV4_HEADER_MIN, length - IPV4_HEADER_MIN);
    while (cursor_left(&options)) {
        *problem = (uint8_t)(options.at - header);
        const uint8_t type = cursor_u8(&options);
        if (type == OPTION_END)
            break;
        if (type == OPTION_NOP)
            continue;
        const uint8_t size = cursor_u8(&options);
        if (size < 2 || !cursor_take(&options, size - 2u))
            return OPTIONS_BAD;
        if (type == OPTION_LSRR || type == OPTION_SSRR)
            return OPTIONS_SOURCE_ROUTE;
    }
    return OPTIONS_FINE;
}

void ipv4_emit(uint8_t *at, const struct ipv4_header *header)
{
    const uint8_t *start = at;
    const unsigned flags = (header->dont_fragment ? FLAG_DONT_FRAGMENT : 0) |
                           (header->more ? FLAG_MORE : 0) | header->offset / 8u;
    uint8_t *checksum = at + CHECKSUM_AT;
    at = put_u8(at, (uint8_t)(0x40 | header->header_length / 4));
    at = put_u8(at, header->traffic_class);
    at = put_u16(at, header->total_length);
    at = put_u16(at, header->identification);
    at = put_u16(at, (uint16_t)flags);
    at = put_u8(at, header->hop_limit);
    at = put_u8(at, header->protocol);
    at = put_u16(at, 0);
    at = put_bytes(at, header->source.bytes, 4);
    at = put_bytes(at, header->destination.bytes, 4);
    if (header->header_length > IPV4_HEADER_MIN) {
        at = put_u8(at, OPTION_ALERT);
        at = put_u8(at, IPV4_ROUTER_ALERT);
        put_u16(at, 0);
    }
    const uint16_t field = checksum_finish(checksum_add(0, start, header->header_length));
    memcpy(checksum, &field, sizeof field);
}
