/* The UDP header (RFC 768). */
#pragma once

#include "cursor.h"

#define UDP_HEADER      8u
#define UDP_CHECKSUM_AT 6u

struct udp_header {
    uint16_t source, destination, length, checksum;
};

static inline bool udp_parse(struct cursor *cursor, struct udp_header *header)
{
    header->source = cursor_u16(cursor);
    header->destination = cursor_u16(cursor);
    header->length = cursor_u16(cursor);
    header->checksum = cursor_u16(cursor);
    return cursor_ok(cursor);
}

static inline void udp_emit(uint8_t *at, const struct udp_header *header)
{
    at = put_u16(at, header->source);
    at = put_u16(at, header->destination);
    at = put_u16(at, header->length);
    put_u16(at, header->checksum);
}
