/* Fuzz target: the input is what happens to a host: frames of any kind, time that passes, and what
 * its programs do. Whatever it is, memory stays within its bounds, and everything comes back in the
 * end (wire_stop). */
#include "../link/neighbour.h"
#include "wire.h"

#define SOCKETS 4u

/* One event: what, how much, and bytes. Frames that are right but for one part get deeper than
 * noise. */
enum event {
    ANY_FRAME,
    IPV4_PACKET,
    FRAGMENT,
    UDP_DATAGRAM,
    ICMP_MESSAGE,
    ARP_MESSAGE,
    IPV6_FRAME,
    TIME_PASSES,
    PROGRAM_SENDS,
    PROGRAM_RECEIVES,
    PROGRAM_REOPENS,
    PROGRAM_JOINS,
    LINK_CHANGES,
    EVENTS,
};

static struct socket *sockets[SOCKETS];

static void reopen(unsigned i)
{
    static const struct {
        enum ip_family family;
        enum socket_type type;
        unsigned protocol;
    } kinds[SOCKETS] = {{IP_V4, SOCKET_DATAGRAM, 0},
                        {IP_V6, SOCKET_DATAGRAM, 0},
                        {IP_V4, SOCKET_RAW, PROTOCOL_ICMP},
                        {IP_V6, SOCKET_RAW, PROTOCOL_ICMPV6}};
    const struct endpoint local = {.address = ip_any(kinds[i].family),
                                   .port = (uint16_t)(7000 + i)};
    if (sockets[i])
        socket_close(sockets[i]);
    sockets[i] = open_socket(kinds[i].family, kinds[i].type, kinds[i].protocol);
    socket_bind(sockets[i], &local);
}

static void program_sends(unsigned i, const uint8_t *data, size_t length)
{
    static const char *const peers[] = {"10.0.0.2", "192.0.2.1", "239.1.2.3", "127.0.0.1",
                                        "fe80::2",  "::1",       "ff02::1",   "::ffff:10.0.0.3"};
    struct socket_message message = {0};
    if (length == 0)
        return;
    message.peer = endpoint(peers[data[0] % 8], 9);
    message.peer.interface = data[0] & 8 ? eth.index : 0;
    /* Some are long: as long as the byte behind says. */
    static uint8_t text[65536];
    const size_t size = length > 1 && data[0] & 16 ? data[1] * 255u : length;
    socket_send_memory(sockets[i], size > length ? text : data, size, &message);
}

static void program_receives(unsigned i)
{
    uint8_t bytes[2048];
    struct socket_message message = {0};
    socket_receive_memory(sockets[i], bytes, sizeof bytes, &message);
}

static void program_joins(unsigned i, const uint8_t *data, size_t length)
{
    const bool v6 = sockets[i]->family == IP_V6;
    const int name = v6 ? OPTION_IPV6_ADD_MEMBERSHIP : OPTION_IP_ADD_MEMBERSHIP;
    socket_set_option(sockets[i], v6 ? LEVEL_IPV6 : LEVEL_IP, name + (data[0] & 1), data, length);
}

static void hear_bytes(const uint8_t *data, size_t length, uint16_t type)
{
    struct frame frame = {.length = length};
    if (frame.length > sizeof frame.bytes)
        frame.length = sizeof frame.bytes;
    memcpy(frame.bytes, data, frame.length);
    if (type && frame.length >= 14) {
        memcpy(frame.bytes, OUR_MAC, MAC_SIZE);
        frame.bytes[6] &= 0xfe;
        frame.bytes[12] = (uint8_t)(type >> 8);
        frame.bytes[13] = (uint8_t)type;
    }
    hear(&frame);
}

static void hear_ipv4(const uint8_t *data, size_t length, uint8_t protocol)
{
    struct ipv4_test test = {.protocol = protocol};
    if (length < 4)
        return;
    test.identification = data[0] & 3;
    test.fragment = (uint16_t)(data[1] << 8 | data[2]);
    if (protocol)
        test.fragment &= 0x4000;
    test.options_length = (data[3] & 3) * 4u;
    test.to = data[3] & 4 ? "239.1.2.3" : data[3] & 8 ? "255.255.255.255" : NULL;
    test.hop_limit = data[3] & 16 ? 1 : 0;
    data += 4;
    length -= 4;
    if (length < test.options_length)
        return;
    test.options = data;
    test.payload = data + test.options_length;
    test.length = length - test.options_length;
    if (test.length > 1440)
        test.length = 1440;
    hear(ipv4_frame(&test));
}

static void happens(enum event event, unsigned choice, const uint8_t *data, size_t length)
{
    char text[256];
    switch (event) {
    case ANY_FRAME:
        hear_bytes(data, length, 0);
        break;
    case IPV4_PACKET:
        hear_ipv4(data, length, (const uint8_t[]){1, 2, 17, 99}[choice]);
        break;
    case FRAGMENT:
        hear_ipv4(data, length, 0);
        break;
    case UDP_DATAGRAM:
        memcpy(text, data, length);
        text[length] = '\0';
        hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, text));
        break;
    case ICMP_MESSAGE:
        if (length > 6)
            hear(icmp_frame("10.0.0.2", "10.0.0.1", data[0], data[1],
                            (uint32_t)(data[2] << 8 | data[3]), data + 4, length - 4));
        break;
    case ARP_MESSAGE:
        if (length > 6) {
            snprintf(text, sizeof text, "10.0.0.%u", data[0]);
            hear(arp_frame(data[1] & 1 ? ARP_REQUEST : ARP_REPLY, data + 1, text, "10.0.0.1"));
        }
        break;
    case IPV6_FRAME:
        hear_bytes(data, length, 0x86dd);
        break;
    case TIME_PASSES:
        pass(length ? data[0] * (choice ? SECOND : MS) : 0);
        break;
    case PROGRAM_SENDS:
        program_sends(choice, data, length);
        break;
    case PROGRAM_RECEIVES:
        program_receives(choice);
        break;
    case PROGRAM_REOPENS:
        reopen(choice);
        break;
    case PROGRAM_JOINS:
        if (length)
            program_joins(choice, data, length);
        break;
    case LINK_CHANGES:
        netif_set_link(&eth, choice & 1);
        break;
    case EVENTS:
        break;
    }
}

/* What each holder of packets may hold: sockets, reassembly and the fragment that made it too much,
 * neighbours, the loopback ring. */
static void check_bounds(void)
{
    const uint32_t reassembly = stack->config.reassembly_bytes / PACKET_SIZE + 1;
    const uint32_t others = reassembly + stack->config.neighbours * NEIGHBOUR_QUEUE + 256;
    CHECK(stack->socket_packets <= stack->config.socket_packets);
    CHECK(pool.in_use <= stack->socket_packets + others);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct stack_config limits = {
        .neighbours = 8, .reassembly_bytes = 16 * PACKET_SIZE, .datagram_sockets = 8, .routes = 8};
    wire_start(&limits);
    for (unsigned i = 0; i < SOCKETS; i++) {
        sockets[i] = NULL;
        reopen(i);
    }
    while (size >= 2) {
        const enum event event = data[0] % EVENTS;
        const unsigned choice = data[0] / EVENTS % SOCKETS;
        size_t length = data[1];
        data += 2;
        size -= 2;
        if (length > size)
            length = size;
        happens(event, choice, data, length);
        data += length;
        size -= length;
        while (said())
            ;
        check_bounds();
    }
    wire_stop();
    if (check_failed)
        abort();
    return 0;
}
