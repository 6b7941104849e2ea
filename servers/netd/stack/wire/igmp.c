/* IGMP messages. */
#include "igmp.h"
#include "../checksum.h"

#define TENTH          100u   /* ms: the unit of response times */
#define V1_RESPONSE_MS 10000u /* RFC 2236 4 */

/* RFC 3376 4.1.1: from 128 on a floating-point number. */
static uint32_t decode_time(uint8_t code)
{
    if (code < 128)
        return code * TENTH;
    return ((uint32_t)((code & 0xf) | 0x10) << ((code >> 4 & 7) + 3)) * TENTH;
}

bool igmp_parse(struct cursor *cursor, struct igmp *message)
{
    const size_t length = cursor_left(cursor);
    uint8_t group[4];
    message->type = cursor_u8(cursor);
    const uint8_t code = cursor_u8(cursor);
    cursor_u16(cursor); /* checksum */
    cursor_bytes(cursor, group, sizeof group);
    message->group = ip_v4_bytes(group);
    message->version = length >= IGMP_V3_QUERY ? 3 : code ? 2 : 1;
    message->max_response_ms = message->version == 3   ? decode_time(code)
                               : message->version == 2 ? code * TENTH
                                                       : V1_RESPONSE_MS;
    return cursor_ok(cursor);
}

static void put_checksum(uint8_t *message, size_t length)
{
    const uint16_t checksum = checksum_finish(checksum_add(0, message, length));
    memcpy(message + IGMP_CHECKSUM_AT, &checksum, 2);
}

void igmp_emit(uint8_t *at, enum igmp_type type, const struct ip_address *group)
{
    uint8_t *end = put_u8(at, (uint8_t)type);
    end = put_u8(end, 0);
    end = put_u16(end, 0);
    put_bytes(end, group->bytes, 4);
    put_checksum(at, IGMP_SIZE);
}

void igmp_emit_v3(uint8_t *at, enum igmp_record_type type, const struct ip_address *group)
{
    uint8_t *end = put_u8(at, IGMP_REPORT_V3);
    end = put_u8(end, 0);
    end = put_u16(end, 0);
    end = put_u16(end, 0);
    end = put_u16(end, 1); /* records */
    end = put_u8(end, (uint8_t)type);
    end = put_u8(end, 0);
    end = put_u16(end, 0); /* sources */
    put_bytes(end, group->bytes, 4);
    put_checksum(at, IGMP_V3_REPORT);
}
