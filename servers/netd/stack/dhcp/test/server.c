/* Replies of a DHCP server. */
#include "server.h"

#include "../../wire/cursor.h"

static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

void reply_begin(struct reply *reply, enum dhcp_type type, uint32_t xid, const uint8_t address[4])
{
    uint8_t value = (uint8_t)type;

    memset(reply, 0, sizeof(*reply));
    uint8_t *b = reply->bytes;
    b[0] = 2;
    b[1] = 1;
    b[2] = 6;
    put_u32(b + 4, xid);
    memcpy(b + 16, address, 4);
    memcpy(b + 28, mac, 6);
    put_u32(b + 236, 0x63825363);
    reply->length = 240;
    reply_option(reply, 53, &value, 1);
}

void reply_option(struct reply *reply, uint8_t code, const void *value, uint8_t length)
{
    uint8_t *at = put_u8(put_u8(reply->bytes + reply->length, code), length);
    put_bytes(at, value, length);
    reply->length += 2u + length;
}

void reply_number(struct reply *reply, uint8_t code, uint32_t value)
{
    uint8_t bytes[4];
    put_u32(bytes, value);
    reply_option(reply, code, bytes, 4);
}

void reply_end(struct reply *reply) { reply->bytes[reply->length++] = 255; }

void reply_usual(struct reply *reply, uint32_t lease)
{
    reply_option(reply, 54, (uint8_t[]){192, 0, 2, 1}, 4);
    reply_option(reply, 1, (uint8_t[]){255, 255, 255, 0}, 4);
    reply_option(reply, 3, (uint8_t[]){192, 0, 2, 1}, 4);
    reply_option(reply, 6, (uint8_t[]){192, 0, 2, 53}, 4);
    reply_number(reply, 51, lease);
}
