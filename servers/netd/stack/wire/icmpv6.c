/* Reading and writing the bodies of ICMPv6 messages. */
#include "icmpv6.h"

bool nd_option_next(struct cursor *options, struct nd_option *option)
{
    if (!cursor_left(options))
        return false;
    option->type = cursor_u8(options);
    const size_t length = cursor_u8(options) * 8u;
    if (length == 0)
        options->failed = true; /* an endless list */
    else
        option->data = cursor_sub(options, length - 2);
    return cursor_ok(options);
}

bool nd_options_valid(struct cursor options)
{
    struct nd_option option;
    while (nd_option_next(&options, &option))
        ;
    return cursor_ok(&options);
}

const uint8_t *nd_option_link(struct cursor options, enum nd_option_type type)
{
    struct nd_option option;
    while (nd_option_next(&options, &option))
        if (option.type == type)
            return cursor_left(&option.data) == MAC_SIZE ? option.data.at : NULL;
    return NULL;
}

uint8_t *nd_option_link_emit(uint8_t *at, enum nd_option_type type, const uint8_t mac[MAC_SIZE])
{
    at = put_u8(at, (uint8_t)type);
    at = put_u8(at, ND_OPTION_LINK_SIZE / 8);
    return put_bytes(at, mac, MAC_SIZE);
}

bool nd_router_advert_parse(struct cursor *cursor, struct nd_router_advert *advert)
{
    advert->hop_limit = cursor_u8(cursor);
    cursor_u8(cursor); /* managed, other: there is no DHCPv6 here */
    advert->router_lifetime = cursor_u16(cursor);
    advert->reachable_ms = cursor_u32(cursor);
    advert->retransmit_ms = cursor_u32(cursor);
    return cursor_ok(cursor);
}

bool nd_prefix_parse(struct cursor data, struct nd_prefix *prefix)
{
    prefix->length = cursor_u8(&data);
    const uint8_t flags = cursor_u8(&data);
    prefix->on_link = flags & 0x80;
    prefix->autonomous = flags & 0x40;
    prefix->valid_lifetime = cursor_u32(&data);
    prefix->preferred_lifetime = cursor_u32(&data);
    cursor_u32(&data); /* reserved */
    const uint8_t *bytes = cursor_take(&data, 16);
    if (!bytes)
        return false;
    prefix->prefix = ip_v6_bytes(bytes);
    return prefix->length <= 128;
}

bool nd_neighbor_parse(struct cursor *cursor, struct nd_neighbor *neighbor)
{
    neighbor->flags = (uint8_t)(cursor_u32(cursor) >> 24);
    const uint8_t *target = cursor_take(cursor, 16);
    if (target)
        neighbor->target = ip_v6_bytes(target);
    return target;
}

uint8_t *nd_neighbor_emit(uint8_t *at, enum icmpv6_type type, const struct nd_neighbor *neighbor)
{
    at = put_u32(at, (uint32_t)type << 24);
    at = put_u32(at, (uint32_t)neighbor->flags << 24);
    return put_bytes(at, neighbor->target.bytes, 16);
}

/* A floating-point number of 16 bits (RFC 3810 5.1.3). */
static uint32_t response_code(uint16_t code)
{
    if (code < 0x8000)
        return code;
    return ((code & 0xfffu) | 0x1000) << ((code >> 12 & 7) + 3);
}

bool mld_query_parse(struct cursor *cursor, struct mld_query *query)
{
    const size_t length = ICMPV6_HEADER + cursor_left(cursor);
    const uint16_t code = cursor_u16(cursor);
    cursor_u16(cursor); /* reserved */
    const uint8_t *group = cursor_take(cursor, 16);
    if (!group || (length != MLD_V1_SIZE && length < MLD_V1_SIZE + 4))
        return false;
    query->v2 = length != MLD_V1_SIZE;
    query->group = ip_v6_bytes(group);
    query->max_response_ms = query->v2 ? response_code(code) : code;
    return true;
}

uint8_t *mld_v1_emit(uint8_t *at, enum icmpv6_type type, const struct ip_address *group)
{
    at = put_u32(at, (uint32_t)type << 24);
    at = put_u32(at, 0); /* maximum response delay, reserved */
    return put_bytes(at, group->bytes, 16);
}

uint8_t *mld_v2_emit(uint8_t *at, uint16_t records)
{
    at = put_u32(at, (uint32_t)MLD_REPORT_V2 << 24);
    at = put_u16(at, 0);
    return put_u16(at, records);
}

uint8_t *mld_record_emit(uint8_t *at, enum mld_record_type type, const struct ip_address *group)
{
    at = put_u8(at, (uint8_t)type);
    at = put_u8(at, 0);  /* no auxiliary data */
    at = put_u16(at, 0); /* no sources */
    return put_bytes(at, group->bytes, 16);
}

bool mld_v1_parse(struct cursor *cursor, struct ip_address *group)
{
    cursor_u32(cursor);
    const uint8_t *bytes = cursor_take(cursor, 16);
    if (bytes)
        *group = ip_v6_bytes(bytes);
    return bytes;
}
