/* One line about a frame. */
#include "decode.h"

#include "netd/stack/wire/cursor.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

struct line {
    char *text;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line->text + line->used, line->size - line->used, format, arguments);
    va_end(arguments);
    line->used += length > 0 ? (size_t)length : 0;
    if (line->used >= line->size)
        line->used = line->size - 1;
}

static void add_address(struct line *line, const struct frame *frame, const uint8_t *address)
{
    char text[64];
    add(line, "%s", inet_ntop(frame->v6 ? AF_INET6 : AF_INET, address, text, sizeof(text)));
}

static void add_mac(struct line *line, const uint8_t *mac)
{
    add(line, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* --- TCP (RFC 9293 3.1) --- */

static void add_option(struct line *line, uint8_t kind, struct cursor *data)
{
    switch (kind) {
    case 2:
        add(line, "mss %u", cursor_u16(data));
        break;
    case 3:
        add(line, "wscale %u", cursor_u8(data));
        break;
    case 4:
        add(line, "sackOK");
        break;
    case 5:
        add(line, "sack %zu ", cursor_left(data) / 8);
        while (cursor_left(data) >= 8) {
            uint32_t from = cursor_u32(data), to = cursor_u32(data);
            add(line, "{%u:%u}", from, to);
        }
        break;
    case 8: {
        uint32_t value = cursor_u32(data), echo = cursor_u32(data);
        add(line, "TS val %u ecr %u", value, echo);
        break;
    }
    default:
        add(line, "unknown-%u", kind);
    }
}

static void add_options(struct line *line, struct cursor options)
{
    const char *separator = ", options [";
    while (cursor_left(&options) > 0) {
        uint8_t kind = cursor_u8(&options);
        add(line, "%s", separator);
        separator = ",";
        if (kind <= 1) {
            add(line, kind == 0 ? "eol" : "nop");
            if (kind == 0)
                break;
            continue;
        }
        uint8_t length = cursor_u8(&options);
        struct cursor data = cursor_sub(&options, length >= 2 ? length - 2u : SIZE_MAX);
        if (!cursor_ok(&data)) {
            add(line, "bad");
            break;
        }
        add_option(line, kind, &data);
    }
    if (*separator == ',' && separator[1] == '\0')
        add(line, "]");
}

static void add_tcp(struct line *line, const struct frame *frame)
{
    static const char letters[] = "FSRP.UEW";
    struct cursor c = cursor_over(frame->transport, frame->transport_length);
    cursor_u32(&c);
    uint32_t sequence = cursor_u32(&c), acknowledged = cursor_u32(&c);
    uint16_t bits = cursor_u16(&c), window = cursor_u16(&c);
    cursor_u16(&c);
    uint16_t urgent = cursor_u16(&c);
    size_t header = (size_t)(bits >> 12) * 4;
    if (!cursor_ok(&c) || header < 20 || frame->transport_said < header) {
        add(line, "tcp, truncated or bad header");
        return;
    }
    size_t data = frame->transport_said - header;
    add(line, "Flags [");
    for (unsigned i = 0; i < 8; i++)
        if (bits & 1u << i)
            add(line, "%c", letters[i]);
    add(line, (bits & 0xff) == 0 ? "none]" : "]");
    if (data > 0)
        add(line, ", seq %u:%u", sequence, sequence + (uint32_t)data);
    else if (bits & 7) /* SYN, FIN, RST */
        add(line, ", seq %u", sequence);
    if (bits & 0x10)
        add(line, ", ack %u", acknowledged);
    add(line, ", win %u", window);
    if (bits & 0x20)
        add(line, ", urg %u", urgent);
    add_options(line, cursor_sub(&c, header - 20));
    add(line, ", length %zu", data);
}

/* --- ICMP --- */

static const char *icmp_name(const struct frame *frame, uint8_t type, uint8_t code)
{
    static const char *const unreachable[] = {"net unreachable", "host unreachable",
                                              "protocol unreachable", "port unreachable",
                                              "unreachable - need to frag"};
    if (frame->protocol == P_ICMPV6)
        switch (type) {
        case 1:
            return code == 4 ? "destination unreachable, port" : "destination unreachable";
        case 2:
            return "packet too big";
        case 3:
            return "time exceeded in-transit";
        case 4:
            return "parameter problem";
        case 128:
            return "echo request";
        case 129:
            return "echo reply";
        case 130:
            return "multicast listener query";
        case 131:
            return "multicast listener report";
        case 132:
            return "multicast listener done";
        case 133:
            return "router solicitation";
        case 134:
            return "router advertisement";
        case 135:
            return "neighbor solicitation";
        case 136:
            return "neighbor advertisement";
        case 143:
            return "multicast listener report v2";
        default:
            return NULL;
        }
    switch (type) {
    case 0:
        return "echo reply";
    case 3:
        return code < 5 ? unreachable[code] : "unreachable";
    case 5:
        return "redirect";
    case 8:
        return "echo request";
    case 11:
        return "time exceeded in-transit";
    case 12:
        return "parameter problem";
    default:
        return NULL;
    }
}

static void add_icmp(struct line *line, const struct frame *frame)
{
    struct cursor c = cursor_over(frame->transport, frame->transport_length);
    uint8_t type = cursor_u8(&c), code = cursor_u8(&c);
    cursor_u16(&c);
    uint16_t id = cursor_u16(&c), sequence = cursor_u16(&c);
    const char *name = icmp_name(frame, type, code);
    bool v6 = frame->protocol == P_ICMPV6;

    add(line, v6 ? "ICMP6, " : "ICMP ");
    if (name != NULL)
        add(line, "%s", name);
    else
        add(line, "type-#%u", type);
    if (cursor_ok(&c) && (v6 ? type == 128 || type == 129 : type == 0 || type == 8))
        add(line, ", id %u, seq %u", id, sequence);
    if (v6 && (type == 135 || type == 136) && cursor_left(&c) >= 16) {
        add(line, ", %s ", type == 135 ? "who has" : "tgt is");
        add_address(line, frame, cursor_take(&c, 16));
    }
    add(line, ", length %zu", frame->transport_said);
}

/* --- layers above Ethernet --- */

static void add_transport(struct line *line, const struct frame *frame)
{
    size_t length = frame->transport_said;

    if (frame->fragment)
        add(line, "frag, length %zu", length);
    else if (frame->protocol == P_TCP)
        add_tcp(line, frame);
    else if (frame->protocol == P_UDP)
        add(line, "UDP, length %zu", length >= 8 ? length - 8 : 0);
    else if (frame->protocol == P_ICMP || frame->protocol == P_ICMPV6)
        add_icmp(line, frame);
    else if (frame->protocol == P_IGMP)
        add(line, "igmp, length %zu", length);
    else
        add(line, "ip-proto-%u, length %zu", frame->protocol, length);
    if (frame->more_fragments)
        add(line, ", more fragments");
}

static void add_ip(struct line *line, const struct frame *frame)
{
    add(line, frame->v6 ? "IP6 " : "IP ");
    if (!frame->has_addresses) {
        add(line, "truncated or bad header");
        return;
    }
    add_address(line, frame, frame->source);
    if (frame->has_ports)
        add(line, ".%u", frame->source_port);
    add(line, " > ");
    add_address(line, frame, frame->destination);
    if (frame->has_ports)
        add(line, ".%u", frame->destination_port);
    add(line, ": ");
    add_transport(line, frame);
}

static void add_arp(struct line *line, const struct frame *frame)
{
    add(line, "ARP, ");
    if (!frame->has_addresses) {
        add(line, "truncated or bad header");
    } else if (frame->arp_operation == 1) {
        add(line, "Request who-has ");
        add_address(line, frame, frame->destination);
        add(line, " tell ");
        add_address(line, frame, frame->source);
    } else if (frame->arp_operation == 2) {
        add(line, "Reply ");
        add_address(line, frame, frame->source);
        add(line, " is-at ");
        add_mac(line, frame->arp_sender_mac);
    } else {
        add(line, "operation %u", frame->arp_operation);
    }
}

char *describe(const struct frame *frame, char *text, size_t size)
{
    struct line line = {.text = text, .size = size};
    text[0] = '\0';
    if (frame->source_mac == NULL)
        add(&line, "truncated frame");
    else if (frame->type == TYPE_ARP)
        add_arp(&line, frame);
    else if (frame->type == TYPE_IPV4 || frame->type == TYPE_IPV6)
        add_ip(&line, frame);
    else
        add(&line, "ethertype 0x%04x", frame->type);
    return text;
}
