/* A captured frame taken apart, through cursors: nothing behind its end is ever read. */
#include "decode.h"

#include "netd/stack/wire/cursor.h"

#define EXTENSIONS_MAX 8

static void decode_arp(struct cursor *c, struct frame *frame)
{
    if (cursor_u16(c) != 1 || cursor_u16(c) != TYPE_IPV4 || cursor_u8(c) != 6 || cursor_u8(c) != 4)
        return;
    frame->arp_operation = cursor_u16(c);
    frame->arp_sender_mac = cursor_take(c, 6);
    cursor_bytes(c, frame->source, 4);
    cursor_take(c, 6);
    cursor_bytes(c, frame->destination, 4);
    frame->has_addresses = cursor_ok(c);
}

static void decode_ports(struct frame *frame)
{
    struct cursor c = cursor_over(frame->transport, frame->transport_length);
    if (frame->fragment || (frame->protocol != P_TCP && frame->protocol != P_UDP))
        return;
    frame->source_port = cursor_u16(&c);
    frame->destination_port = cursor_u16(&c);
    frame->has_ports = cursor_ok(&c);
}

/* set_transport: what is left; `said` is how long the packet itself says that to be. */
static void set_transport(struct cursor *c, size_t said, struct frame *frame)
{
    frame->transport_said = said;
    if (!cursor_ok(c))
        return;
    frame->transport_length = cursor_left(c) < said ? cursor_left(c) : said;
    frame->transport = cursor_take(c, frame->transport_length);
    decode_ports(frame);
}

static void decode_ipv4(struct cursor *c, struct frame *frame)
{
    uint8_t first = cursor_u8(c);
    size_t header = (first & 15u) * 4u;
    cursor_u8(c);
    size_t total = cursor_u16(c);
    cursor_u16(c);
    uint16_t offset = cursor_u16(c);
    frame->hops = cursor_u8(c);
    frame->protocol = cursor_u8(c);
    cursor_u16(c);
    cursor_bytes(c, frame->source, 4);
    cursor_bytes(c, frame->destination, 4);
    if (!cursor_ok(c) || first >> 4 != 4 || header < 20)
        return;
    frame->has_addresses = true;
    frame->fragment = (offset & 0x1fff) != 0;
    frame->more_fragments = (offset & 0x2000) != 0;
    if (total == 0) /* cut by the device later on: no length yet */
        total = header + cursor_left(c) - (header - 20);
    if (cursor_take(c, header - 20) != NULL && total >= header)
        set_transport(c, total - header, frame);
}

static bool is_extension(uint8_t next)
{
    return next == 0 || next == 43 || next == 44 || next == 60;
}

static void decode_ipv6(struct cursor *c, struct frame *frame)
{
    frame->v6 = true;
    uint32_t first = cursor_u32(c);
    size_t said = cursor_u16(c);
    frame->protocol = cursor_u8(c);
    frame->hops = cursor_u8(c);
    cursor_bytes(c, frame->source, 16);
    cursor_bytes(c, frame->destination, 16);
    if (!cursor_ok(c) || first >> 28 != 6)
        return;
    frame->has_addresses = true;
    if (said == 0)
        said = cursor_left(c);
    for (int i = 0; i < EXTENSIONS_MAX && is_extension(frame->protocol) && !frame->fragment; i++) {
        bool is_fragment = frame->protocol == 44;
        frame->protocol = cursor_u8(c);
        size_t length = 8u * cursor_u8(c) + 8;
        uint16_t offset = cursor_u16(c);
        if (is_fragment) {
            length = 8;
            frame->fragment = (offset & 0xfff8) != 0;
            frame->more_fragments = (offset & 1) != 0;
        }
        if (cursor_take(c, length - 4) == NULL || said < length)
            return;
        said -= length;
    }
    set_transport(c, said, frame);
}

void decode(const uint8_t *data, size_t length, struct frame *frame)
{
    struct cursor c = cursor_over(data, length);

    memset(frame, 0, sizeof(*frame));
    frame->transport = data; /* nothing of it yet */
    const uint8_t *destination = cursor_take(&c, 6), *source = cursor_take(&c, 6);
    uint16_t type = cursor_u16(&c);
    if (type == 0x8100) { /* a VLAN's tag */
        cursor_u16(&c);
        type = cursor_u16(&c);
    }
    if (!cursor_ok(&c))
        return;
    frame->destination_mac = destination;
    frame->source_mac = source;
    frame->type = type;
    if (type == TYPE_ARP)
        decode_arp(&c, frame);
    else if (type == TYPE_IPV4)
        decode_ipv4(&c, frame);
    else if (type == TYPE_IPV6)
        decode_ipv6(&c, frame);
}
