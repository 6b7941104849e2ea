/* Reading and writing IPv6 headers. */
#include "ipv6.h"

bool ipv6_parse(struct cursor *cursor, struct ipv6_header *header)
{
    const uint32_t first = cursor_u32(cursor);
    header->traffic_class = (uint8_t)(first >> 20);
    header->flow_label = first & 0xfffff;
    header->payload_length = cursor_u16(cursor);
    header->next_header = cursor_u8(cursor);
    header->hop_limit = cursor_u8(cursor);
    const uint8_t *source = cursor_take(cursor, 16);
    const uint8_t *destination = cursor_take(cursor, 16);
    if (!cursor_ok(cursor) || first >> 28 != 6)
        return false;
    header->source = ip_v6_bytes(source);
    header->destination = ip_v6_bytes(destination);
    return true;
}

uint8_t *ipv6_emit(uint8_t *at, const struct ipv6_header *header)
{
    at = put_u32(at, 6u << 28 | (uint32_t)header->traffic_class << 20 | header->flow_label);
    at = put_u16(at, header->payload_length);
    at = put_u8(at, header->next_header);
    at = put_u8(at, header->hop_limit);
    at = put_bytes(at, header->source.bytes, 16);
    return put_bytes(at, header->destination.bytes, 16);
}

bool ipv6_fragment_parse(struct cursor *cursor, struct ipv6_fragment *fragment)
{
    fragment->next_header = cursor_u8(cursor);
    cursor_u8(cursor); /* reserved */
    const uint16_t word = cursor_u16(cursor);
    fragment->offset = word & 0xfff8;
    fragment->more = word & 1;
    fragment->identification = cursor_u32(cursor);
    return cursor_ok(cursor);
}

uint8_t *ipv6_fragment_emit(uint8_t *at, const struct ipv6_fragment *fragment)
{
    at = put_u8(at, fragment->next_header);
    at = put_u8(at, 0);
    at = put_u16(at, (uint16_t)(fragment->offset | fragment->more));
    return put_u32(at, fragment->identification);
}

bool ipv6_extension_parse(struct cursor *cursor, uint8_t *next_header, struct cursor *body)
{
    *next_header = cursor_u8(cursor);
    const size_t length = cursor_u8(cursor) * 8u + 6;
    *body = cursor_sub(cursor, length);
    return cursor_ok(cursor);
}

bool ipv6_is_extension(uint8_t next_header)
{
    return next_header == NEXT_HOP_BY_HOP || next_header == NEXT_ROUTING ||
           next_header == NEXT_FRAGMENT || next_header == NEXT_DESTINATION;
}

bool ipv6_find_transport(struct cursor *cursor, uint8_t *next_header)
{
    for (unsigned i = 0; ipv6_is_extension(*next_header); i++) {
        struct ipv6_fragment fragment;
        struct cursor body;
        if (i == EXTENSIONS_MAX)
            return false;
        if (*next_header == NEXT_FRAGMENT) {
            if (!ipv6_fragment_parse(cursor, &fragment) || fragment.offset)
                return false;
            *next_header = fragment.next_header;
        } else if (!ipv6_extension_parse(cursor, next_header, &body)) {
            return false;
        }
    }
    return true;
}

bool ipv6_option_next(struct cursor *options, struct ipv6_option *option)
{
    while (cursor_left(options)) {
        option->type = cursor_u8(options);
        if (option->type == OPTION_PAD1)
            continue;
        const uint8_t length = cursor_u8(options);
        option->data = cursor_sub(options, length);
        if (!cursor_ok(options))
            return false;
        if (option->type != OPTION_PADN)
            return true;
    }
    return false;
}
