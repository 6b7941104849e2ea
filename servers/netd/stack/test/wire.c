/* The test's end of the wire. */
#include "wire.h"
#include "../checksum.h"
#include "../link/neighbour.h"
#include "../wire/cursor.h"
#include "../wire/igmp.h"
#include "../wire/udp.h"
#include <stdarg.h>

#define FRAMES   1024u
#define ETHERNET 14u

struct stack *stack;
struct netif eth;
struct packet_pool pool;
bool wire_ipv6, wire_full;

const uint8_t OUR_MAC[MAC_SIZE] = {2, 0, 0, 0, 0, 1};
const uint8_t PEER_MAC[MAC_SIZE] = {2, 0, 0, 0, 0, 2};
const uint8_t OTHER_MAC[MAC_SIZE] = {2, 0, 0, 0, 0, 3};

static struct packet packets[WIRE_PACKETS];
static uint8_t memory[WIRE_PACKETS * PACKET_SIZE];
static struct frame sent[FRAMES];
static unsigned sent_first, sent_end;
int wire_memory = -1, wire_allocations;

/* --- what the stack needs --- */

static void *allocate(size_t size)
{
    if (wire_memory == 0)
        return NULL;
    wire_memory -= wire_memory > 0;
    wire_allocations++;
    return calloc(1, size);
}

static void release(void *at)
{
    wire_allocations -= at != NULL;
    free(at);
}

static void random_bytes(void *to, size_t length)
{
    static uint64_t state = 88172645463325252u;
    for (uint8_t *at = to; length-- > 0; at++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *at = (uint8_t)(state >> 24);
    }
}

static int transmit(struct netif *netif, struct packet *packet)
{
    struct frame *frame = &sent[sent_end % FRAMES];
    (void)netif;
    if (wire_full)
        return -ENOBUFS;
    frame->length = packet_total(packet);
    CHECK(frame->length <= sizeof frame->bytes, "%zu", frame->length);
    CHECK(packet->references == 1 || packet->fragment == NULL);
    packet_read(packet, 0, frame->bytes, (uint32_t)frame->length);
    if (packet->flags & PACKET_CHECKSUM) {
        const size_t start = packet->checksum_start - packet->start;
        const uint16_t field =
            checksum_finish(checksum_add(0, frame->bytes + start, frame->length - start));
        memcpy(frame->bytes + start + packet->checksum_offset, &field, 2);
    }
    packet_release(&pool, packet);
    if (wire_ipv6 || frame->bytes[12] != 0x86)
        sent_end++;
    return 0;
}

struct stack_config wire_config(const struct stack_config *limits)
{
    struct stack_config config = limits ? *limits : (struct stack_config){0};
    packet_pool_init(&pool, packets, memory, WIRE_PACKETS);
    config.allocate = allocate;
    config.release = release;
    config.random = random_bytes;
    config.pool = &pool;
    config.now = SECOND;
    return config;
}

void wire_start(const struct stack_config *limits)
{
    const struct stack_config config = wire_config(limits);
    const struct ip_address own = ip_v4(10, 0, 0, 1);
    wire_full = false;
    sent_first = sent_end;
    stack = stack_create(&config);
    eth = (struct netif){.name = "eth0",
                         .kind = NETIF_ETHERNET,
                         .mtu = ETHERNET_MTU,
                         .up = true,
                         .link = true,
                         .transmit = transmit};
    memcpy(eth.mac, OUR_MAC, MAC_SIZE);
    netif_add(stack, &eth);
    netif_address_add(&eth, &own, 24, ADDRESS_STATIC);
    const struct ip_route_entry route = {.destination = ip_any(IP_V4),
                                         .gateway = ip_v4(10, 0, 0, 254)};
    CHECK(ip_route_add(stack, &route) == 0);
}

void wire_stop(void)
{
    const unsigned before = sent_end;
    stack_destroy(stack);
    CHECK(sent_end == before); /* tells nobody */
    CHECK(pool.in_use == 0, "%u packets lost", pool.in_use);
    CHECK(wire_allocations == 0, "%d allocations lost", wire_allocations);
    sent_first = sent_end;
}

void pass(uint64_t ns)
{
    const uint64_t end = stack->now + ns;
    for (unsigned turns = 0; turns < 100000; turns++) {
        const uint64_t next = stack_deadline(stack);
        if (!next || next > end)
            break;
        stack_poll(stack, next);
    }
    stack_poll(stack, end);
}

/* --- frames --- */

/* Some frames are alive at once, so that they can be arguments. */
static struct frame *new_frame(void)
{
    static struct frame frames[16];
    static unsigned next;
    struct frame *frame = &frames[next++ % 16];
    memset(frame, 0, sizeof *frame);
    return frame;
}

void hear(const struct frame *frame)
{
    struct packet *first = NULL, **link = &first;
    size_t offset = 0;
    do {
        const size_t left = frame->length - offset, part = left < 1800 ? left : 1800;
        struct packet *piece = *link = packet_alloc(&pool, 12);
        if (!piece) {
            packet_release(&pool, first);
            return;
        }
        memcpy(packet_append(piece, (uint16_t)part), frame->bytes + offset, part);
        link = &piece->fragment;
        offset += part;
    } while (offset < frame->length);
    netif_input(&eth, first);
}

struct ip_address address(const char *text)
{
    struct ip_address parsed = {0};
    CHECK(ip_parse(text, &parsed), "%s", text);
    return parsed;
}

static uint8_t *put_ethernet(struct frame *frame, const uint8_t *to, const uint8_t *from,
                             uint16_t type)
{
    uint8_t *at = put_bytes(frame->bytes, to, MAC_SIZE);
    at = put_bytes(at, from, MAC_SIZE);
    return put_u16(at, type);
}

static const uint8_t everybody[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct frame *arp_frame(uint16_t operation, const uint8_t sender_mac[MAC_SIZE], const char *sender,
                        const char *target)
{
    struct frame *frame = new_frame();
    struct arp arp = {.operation = operation, .sender = address(sender), .target = address(target)};
    memcpy(arp.sender_mac, sender_mac, MAC_SIZE);
    if (operation == ARP_REPLY)
        memcpy(arp.target_mac, OUR_MAC, MAC_SIZE);
    arp_emit(put_ethernet(frame, operation == ARP_REPLY ? OUR_MAC : everybody, sender_mac, 0x0806),
             &arp);
    frame->length = ETHERNET + ARP_SIZE;
    return frame;
}

struct frame *ipv4_frame(const struct ipv4_test *test)
{
    struct frame *frame = new_frame();
    const struct ip_address from = address(test->from ? test->from : "10.0.0.2");
    const struct ip_address to = address(test->to ? test->to : "10.0.0.1");
    uint8_t mac[MAC_SIZE] = {1, 0, 0x5e, to.bytes[1] & 0x7f, to.bytes[2], to.bytes[3]};
    if (!ip_is_multicast(&to))
        memcpy(mac, test->to_all ? everybody : OUR_MAC, MAC_SIZE);
    uint8_t *start = put_ethernet(frame, mac, PEER_MAC, 0x0800), *at = start;
    const size_t header = IPV4_HEADER_MIN + test->options_length, total = header + test->length;
    at = put_u8(at, test->version_ihl ? test->version_ihl : (uint8_t)(0x40 | header / 4));
    at = put_u8(at, 0);
    at = put_u16(at, test->total_length ? test->total_length : (uint16_t)total);
    at = put_u16(at, test->identification);
    at = put_u16(at, test->fragment);
    at = put_u8(at, test->hop_limit ? test->hop_limit : 64);
    at = put_u8(at, test->protocol ? test->protocol : PROTOCOL_UDP);
    at = put_u16(at, 0);
    at = put_bytes(at, from.bytes, 4);
    at = put_bytes(at, to.bytes, 4);
    if (test->options_length)
        at = put_bytes(at, test->options, test->options_length);
    if (test->length)
        put_bytes(at, test->payload, test->length);
    uint16_t field = checksum_finish(checksum_add(0, start, header));
    if (test->bad_checksum)
        field ^= 1;
    memcpy(start + 10, &field, 2);
    frame->length = ETHERNET + total;
    return frame;
}

struct frame *udp_frame(const char *from, uint16_t from_port, const char *to, uint16_t to_port,
                        const char *text)
{
    uint8_t datagram[1480];
    const struct ip_address source = address(from), destination = address(to);
    const uint16_t length = (uint16_t)(UDP_HEADER + strlen(text));
    const struct udp_header header = {
        .source = from_port, .destination = to_port, .length = length};
    udp_emit(datagram, &header);
    memcpy(datagram + UDP_HEADER, text, strlen(text));
    const uint16_t field = checksum_finish(checksum_add(
        checksum_pseudo(&source, &destination, PROTOCOL_UDP, length), datagram, length));
    memcpy(datagram + UDP_CHECKSUM_AT, &field, 2);
    return ipv4_frame(
        &(struct ipv4_test){.from = from, .to = to, .payload = datagram, .length = length});
}

struct frame *icmp_frame(const char *from, const char *to, uint8_t type, uint8_t code,
                         uint32_t rest, const void *data, size_t length)
{
    uint8_t message[1480];
    const struct icmpv4 header = {.type = type, .code = code, .rest = rest};
    icmpv4_emit(message, &header);
    if (length)
        memcpy(message + ICMPV4_HEADER, data, length);
    const uint16_t field = checksum_finish(checksum_add(0, message, ICMPV4_HEADER + length));
    memcpy(message + ICMPV4_CHECKSUM_AT, &field, 2);
    return ipv4_frame(&(struct ipv4_test){.from = from,
                                          .to = to,
                                          .protocol = PROTOCOL_ICMP,
                                          .payload = message,
                                          .length = ICMPV4_HEADER + length});
}

/* --- descriptions --- */

static char line[400];
static size_t used;

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    used += (size_t)vsnprintf(line + used, sizeof line - used, format, arguments);
    va_end(arguments);
}

static const char *mac_text(const uint8_t mac[MAC_SIZE])
{
    static char texts[2][18];
    static unsigned next;
    char *text = texts[next++ % 2];
    if (memcmp(mac, everybody, MAC_SIZE) == 0)
        return "all";
    snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    return text;
}

static const char *text_of(struct ip_address ip)
{
    static char texts[4][IP_TEXT_MAX];
    static unsigned next;
    return ip_format(&ip, texts[next++ % 4]);
}

static void describe_arp(struct cursor *cursor, const uint8_t *to)
{
    struct arp arp;
    if (!arp_parse(cursor, &arp)) {
        say("arp ?");
    } else if (arp.operation == ARP_REQUEST) {
        say("arp request %s from %s to %s", text_of(arp.target), text_of(arp.sender), mac_text(to));
    } else {
        say("arp reply %s is-at %s to %s", text_of(arp.sender), mac_text(arp.sender_mac),
            text_of(arp.target));
    }
}

static void describe_udp(struct cursor *cursor, const struct ipv4_header *ip)
{
    struct udp_header header;
    const uint8_t *start = cursor->at;
    const size_t length = cursor_left(cursor);
    if (!udp_parse(cursor, &header)) {
        say("udp ?");
        return;
    }
    uint16_t sum = checksum_pseudo(&ip->source, &ip->destination, PROTOCOL_UDP, header.length);
    sum = checksum_add(sum, start, length);
    const bool whole = header.length == length;
    say("udp %u > %u %s%.*s", header.source, header.destination,
        !whole            ? "part "
        : sum == 0xffff   ? ""
        : header.checksum ? "bad-checksum "
                          : "no-checksum ",
        length > 40 ? 0 : (int)(length - UDP_HEADER), (const char *)cursor->at);
    if (length > 40)
        say("+%zu", length - UDP_HEADER);
}

static void describe_icmp(struct cursor *cursor)
{
    struct icmpv4 message;
    const bool good = checksum_add(0, cursor->at, cursor_left(cursor)) == 0xffff;
    icmpv4_parse(cursor, &message);
    say("icmp %u/%u %x%s +%zu", message.type, message.code, message.rest,
        good ? "" : " bad-checksum", cursor_left(cursor));
}

static void describe_igmp(struct cursor *cursor)
{
    const uint8_t *b = cursor->at;
    const bool good = checksum_add(0, b, cursor_left(cursor)) == 0xffff;
    if (b[0] == IGMP_REPORT_V3)
        say("igmp v3 record %u %u.%u.%u.%u", b[8], b[12], b[13], b[14], b[15]);
    else
        say("igmp %02x %u.%u.%u.%u", b[0], b[4], b[5], b[6], b[7]);
    say("%s", good ? "" : " bad-checksum");
}

static void describe_ipv4(struct cursor *cursor)
{
    struct ipv4_header header;
    const uint8_t *start = cursor->at;
    if (!ipv4_parse(cursor, &header) || !ipv4_checksum_ok(start, header.header_length)) {
        say("ip ?");
        return;
    }
    say("%s > %s ", text_of(header.source), text_of(header.destination));
    if (header.hop_limit != IP_HOP_LIMIT)
        say("ttl %u ", header.hop_limit);
    if (header.header_length > IPV4_HEADER_MIN)
        say("options %u ", header.header_length - IPV4_HEADER_MIN);
    if (header.dont_fragment)
        say("df ");
    if (header.more || header.offset) {
        say("fragment %u%s +%zu", header.offset, header.more ? "+" : "", cursor_left(cursor));
        return;
    }
    if (header.protocol == PROTOCOL_UDP)
        describe_udp(cursor, &header);
    else if (header.protocol == PROTOCOL_ICMP)
        describe_icmp(cursor);
    else if (header.protocol == PROTOCOL_IGMP)
        describe_igmp(cursor);
    else
        say("protocol %u +%zu", header.protocol, cursor_left(cursor));
}

const char *describe(const struct frame *frame)
{
    struct cursor cursor = cursor_over(frame->bytes, frame->length);
    cursor_take(&cursor, 12);
    used = 0;
    line[0] = '\0';
    switch (cursor_u16(&cursor)) {
    case 0x0800:
        describe_ipv4(&cursor);
        break;
    case 0x0806:
        describe_arp(&cursor, frame->bytes);
        break;
    default:
        say("frame of %zu bytes", frame->length);
    }
    return line;
}

struct frame *said(void) { return sent_first == sent_end ? NULL : &sent[sent_first++ % FRAMES]; }

void expect_at(int at, const char *text)
{
    const struct frame *frame = said();
    const char *seen = frame ? describe(frame) : "";
    CHECK(strcmp(seen, text ? text : "") == 0, "line %d: sent \"%s\", not \"%s\"", at, seen,
          text ? text : "");
}

void know(const char *peer, const uint8_t mac[MAC_SIZE])
{
    const struct ip_address ip = address(peer);
    neighbour_learn(&eth, &ip, mac);
}

/* --- sockets --- */

struct socket *open_socket(enum ip_family family, enum socket_type type, unsigned protocol)
{
    struct socket *socket = NULL;
    CHECK(socket_create(stack, family, type, protocol, &socket) == 0);
    return socket;
}

struct endpoint endpoint(const char *text, uint16_t port)
{
    return (struct endpoint){.address = address(text), .port = port};
}

int64_t send_text(struct socket *socket, const char *to, uint16_t port, const char *text)
{
    struct socket_message message = {0};
    if (to)
        message.peer = endpoint(to, port);
    return socket_send_memory(socket, text, strlen(text), &message);
}

const char *received_text(struct socket *socket)
{
    static char text[2200];
    char bytes[2048];
    struct socket_message message = {0};
    const int64_t length = socket_receive_memory(socket, bytes, sizeof bytes, &message);
    if (length < 0)
        snprintf(text, sizeof text, "%d", (int)length);
    else
        snprintf(text, sizeof text, "%s:%u %.*s", text_of(message.peer.address), message.peer.port,
                 (int)length, bytes);
    return text;
}
