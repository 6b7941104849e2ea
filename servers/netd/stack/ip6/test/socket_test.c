/* IPv6 as programs see it: UDP and raw sockets, with one foot in IPv4. */
#include "../../checksum.h"
#include "../../socket.h"
#include "host.h"
#include <errno.h>
#include <string.h>

static struct host host;

#define OURS   host_address(&host, ADDRESS_LINK_LOCAL)
#define GLOBAL host_address(&host, ADDRESS_SLAAC)
#define PEER   "2001:db8:1::7"

/* --- sockets --- */

struct memory {
    struct transfer transfer;
    uint8_t *bytes;
    bool reading; /* from the stack */
};

static int copy(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    struct memory *memory = (struct memory *)transfer;
    if (memory->reading)
        memcpy(memory->bytes + offset, data, length);
    else
        memcpy(data, memory->bytes + offset, length);
    return 0;
}

static struct endpoint endpoint(const char *text, uint16_t port)
{
    return (struct endpoint){.address = address(text), .port = port};
}

static struct socket *open_udp(const char *local, uint16_t port)
{
    struct socket *socket;
    const struct endpoint at = endpoint(local, port);
    CHECK(socket_create(host.stack, IP_V6, SOCKET_DATAGRAM, 0, &socket) == 0, "-");
    CHECK(socket_bind(socket, &at) == 0, "%s port %u", local, port);
    return socket;
}

static int64_t send_to(struct socket *socket, const char *peer, uint16_t port, const void *bytes,
                       size_t length)
{
    struct memory from = {{copy}, (uint8_t *)bytes, false};
    struct socket_message message = {.peer = endpoint(peer, port)};
    return socket_send(socket, &from.transfer, length, &message);
}

static uint8_t received[65536];

static int64_t receive(struct socket *socket, struct socket_message *message)
{
    struct memory to = {{copy}, received, true};
    *message = (struct socket_message){.flags = SOCKET_DONTWAIT};
    stack_poll(host.stack, host.now);
    return socket_receive(socket, &to.transfer, sizeof received, message);
}

static void receive_udp(const char *source, const char *destination, uint16_t from, uint16_t to,
                        const char *text)
{
    uint8_t segment[128];
    const size_t length = 8 + strlen(text);
    uint8_t *at = put_u16(put_u16(segment, from), to);
    put_bytes(put_u16(put_u16(at, (uint16_t)length), 0), text, strlen(text));
    fill_checksum(source, destination, PROTOCOL_UDP, segment, length, 6);
    host_receive(&host, source, destination, 64, PROTOCOL_UDP, segment, length);
}

static void begin(void)
{
    host_configure(&host, 7200, 3600);
    host_run(&host, 10 * SECOND);
    host_meet(&host, PEER);
    host_meet(&host, "fe80::ff");
    host_drain(&host);
}

static void end(struct socket *socket)
{
    socket_close(socket);
    host_end(&host);
}

/* --- UDP --- */

static void test_udp(void)
{
    struct socket_message message;
    struct frame frame;
    begin();
    struct socket *socket = open_udp("::", 7777);
    receive_udp(PEER, GLOBAL, 1234, 7777, "hello");
    CHECK(receive(socket, &message) == 5 && memcmp(received, "hello", 5) == 0, "-");
    CHECK(strcmp(text_of(&message.peer.address), PEER) == 0 && message.peer.port == 1234, "-");
    CHECK(strcmp(text_of(&message.local), GLOBAL) == 0 && message.hop_limit == 64, "-");
    CHECK(send_to(socket, PEER, 1234, "world", 5) == 5, "-");
    CHECK(host_sent(&host, &frame) && frame.protocol == PROTOCOL_UDP && frame.checksum_ok, "-");
    CHECK(strcmp(text_of(&frame.ip.source), GLOBAL) == 0 && frame.ip.hop_limit == 64 &&
              memcmp(frame.to, peer_mac, MAC_SIZE) == 0,
          "-");
    CHECK(memcmp(frame.payload + 8, "world", 5) == 0, "-");
    end(socket);
}

static void test_udp_link_local(void)
{
    struct socket_message message;
    begin();
    struct socket *socket = open_udp("::", 7777);
    receive_udp("fe80::ff", OURS, 1234, 7777, "hello");
    CHECK(receive(socket, &message) == 5, "-");
    CHECK(message.peer.interface == host.netif.index, "the scope goes with the address");
    struct memory from = {{copy}, (uint8_t *)"world", false};
    struct socket_message answer = {.peer = message.peer};
    CHECK(socket_send(socket, &from.transfer, 5, &answer) == 5, "-");
    answer.peer = message.peer;
    answer.peer.interface = 99;
    CHECK(socket_send(socket, &from.transfer, 5, &answer) < 0, "an interface that is not there");
    struct frame frame;
    CHECK(host_sent(&host, &frame) && strcmp(text_of(&frame.ip.source), OURS) == 0, "-");
    end(socket);
}

/* RFC 8200 8.1. */
static void test_udp_checksum_0(void)
{
    struct socket_message message;
    uint8_t segment[12] = {4, 210, 0x1e, 0x61, 0, 12, 0, 0, 'e', 'v', 'i', 'l'};
    begin();
    struct socket *socket = open_udp("::", 7777);
    host_receive(&host, PEER, GLOBAL, 64, PROTOCOL_UDP, segment, sizeof segment);
    CHECK(receive(socket, &message) == -EAGAIN && host.stack->counters.udp_in_errors == 1, "-");
    end(socket);
}

static void test_port_unreachable(void)
{
    struct frame frame;
    begin();
    receive_udp(PEER, GLOBAL, 1234, 9, "nobody");
    CHECK(host_sent_icmp(&host, ICMPV6_UNREACHABLE, &frame) && frame.payload[1] == 4, "-");
    const struct ip_address ours = frame.ip.source;
    CHECK(strcmp(text_of(&ours), GLOBAL) == 0, "from the address that was meant");
    CHECK(frame.payload[8] == 0x60 && frame.payload[8 + 6] == PROTOCOL_UDP &&
              memcmp(frame.payload + 8 + 40 + 8, "nobody", 6) == 0,
          "it quotes the packet");
    receive_udp(PEER, "ff02::1", 1234, 9, "nobody");
    CHECK(!host_sent(&host, &frame), "nothing about what was for a group");
    host_end(&host);
}

static void test_loopback(void)
{
    struct socket_message message;
    begin();
    struct socket *socket = open_udp("::1", 7777);
    CHECK(send_to(socket, "::1", 7777, "echo", 4) == 4, "-");
    CHECK(receive(socket, &message) == 4 && strcmp(text_of(&message.peer.address), "::1") == 0,
          "-");
    struct socket *other = open_udp("::", 7778);
    CHECK(send_to(other, GLOBAL, 7778, "echo", 4) == 4, "-");
    CHECK(receive(other, &message) == 4 && strcmp(text_of(&message.peer.address), GLOBAL) == 0,
          "from and to our own address");
    CHECK(host_drain(&host) == 0, "nothing of it on the wire");
    socket_close(other);
    end(socket);
}

static void test_dual_stack(void)
{
    struct socket_message message;
    const struct ip_address v4 = ip_v4(127, 0, 0, 1);
    begin();
    struct socket *socket = open_udp("::", 7777), *old;
    CHECK(socket_create(host.stack, IP_V4, SOCKET_DATAGRAM, 0, &old) == 0, "-");
    struct memory from = {{copy}, (uint8_t *)"four", false};
    message = (struct socket_message){.peer = {.address = v4, .port = 7777}};
    CHECK(socket_send(old, &from.transfer, 4, &message) == 4, "-");
    CHECK(receive(socket, &message) == 4 &&
              strcmp(text_of(&message.peer.address), "::ffff:127.0.0.1") == 0,
          "%s", text_of(&message.peer.address));
    const uint16_t port = message.peer.port;
    CHECK(send_to(socket, "::ffff:127.0.0.1", port, "six", 3) == 3, "-");
    CHECK(receive(old, &message) == 3 && ip_equal(&message.peer.address, &v4), "-");
    socket_close(old);
    CHECK(socket_create(host.stack, IP_V6, SOCKET_DATAGRAM, 0, &old) == 0, "-");
    const int on = 1;
    CHECK(socket_set_option(old, LEVEL_IPV6, OPTION_IPV6_V6ONLY, &on, sizeof on) == 0, "-");
    CHECK(send_to(old, "::ffff:127.0.0.1", 7777, "six", 3) == -ENETUNREACH, "IPv6 only");
    socket_close(old);
    end(socket);
}

static void test_multicast(void)
{
    struct socket_message message;
    struct frame frame;
    uint8_t request[20] = {0};
    begin();
    struct socket *socket = open_udp("::", 7777);
    memcpy(request, address("ff02::123").bytes, 16);
    const uint32_t index = host.netif.index;
    memcpy(request + 16, &index, sizeof index);
    receive_udp(PEER, "ff02::123", 1234, 7777, "early");
    CHECK(receive(socket, &message) == -EAGAIN, "not a member yet");
    CHECK(socket_set_option(socket, LEVEL_IPV6, OPTION_IPV6_ADD_MEMBERSHIP, request,
                            sizeof request) == 0,
          "-");
    receive_udp(PEER, "ff02::123", 1234, 7777, "group");
    CHECK(receive(socket, &message) == 5, "-");
    host_run(&host, 2 * SECOND);
    host_drain(&host);
    CHECK(send_to(socket, "ff02::123", 7777, "to all", 6) == 6, "-");
    CHECK(host_sent(&host, &frame) && frame.ip.hop_limit == 1 && frame.to[0] == 0x33 &&
              frame.to[5] == 0x23,
          "-");
    CHECK(receive(socket, &message) == 6, "our own copy");
    const struct ip_address group = address("ff02::123");
    CHECK(netif_is_member(&host.netif, &group), "-");
    end(socket);
}

/* --- path MTU (RFC 8201) --- */

/* "Too big" about the frame that was sent last. */
static void too_big(const struct frame *frame, uint32_t mtu, size_t quoted)
{
    uint8_t message[8 + 1232] = {ICMPV6_PACKET_TOO_BIG};
    put_u32(message + 4, mtu);
    memcpy(message + 8, frame->bytes + 14, quoted);
    host_receive_icmp(&host, "2001:db8:2::1", GLOBAL, 64, message, 8 + quoted);
}

static unsigned frames_for(struct socket *socket, size_t length, size_t *longest)
{
    static uint8_t bytes[65536];
    struct frame frame;
    unsigned count = 0;
    *longest = 0;
    CHECK(send_to(socket, PEER, 1234, bytes, length) == (int64_t)length, "-");
    while (host_sent(&host, &frame)) {
        count++;
        if (frame.size - 14 > *longest)
            *longest = frame.size - 14;
    }
    return count;
}

static void test_path_mtu(void)
{
    struct frame frame;
    size_t longest;
    static uint8_t bytes[1400];
    begin();
    struct socket *socket = open_udp("::", 7777);
    CHECK(frames_for(socket, 1400, &longest) == 1, "-");
    CHECK(send_to(socket, PEER, 1234, bytes, 1400) == 1400 && host_sent(&host, &frame), "-");
    too_big(&frame, 1300, 1232);
    CHECK(frames_for(socket, 1400, &longest) == 2 && longest <= 1300, "%zu bytes", longest);
    too_big(&frame, 1460, 1232);
    CHECK(frames_for(socket, 1400, &longest) == 2, "an error never makes the path wider");
    host_run(&host, 601 * SECOND);
    host_meet(&host, PEER);
    CHECK(frames_for(socket, 1400, &longest) == 1, "ten minutes later");
    end(socket);
}

static void test_path_mtu_lies(void)
{
    struct frame frame;
    size_t longest;
    static uint8_t bytes[1400];
    begin();
    struct socket *socket = open_udp("::", 7777);
    CHECK(send_to(socket, PEER, 1234, bytes, 1400) == 1400 && host_sent(&host, &frame), "-");
    const uint64_t before = host.stack->counters.icmp_in_errors;
    too_big(&frame, 1279, 1232);
    too_big(&frame, 0, 1232);
    too_big(&frame, 1300, 47); /* 7 bytes of UDP */
    too_big(&frame, 1300, 39);
    too_big(&frame, 1300, 0);
    CHECK(host.stack->counters.icmp_in_errors - before == 5, "-");
    CHECK(frames_for(socket, 1400, &longest) == 1, "none is believed");
    end(socket);
}

static void test_path_mtu_of_unknown_flow(void)
{
    struct frame frame;
    size_t longest;
    static uint8_t bytes[1400];
    begin();
    struct socket *socket = open_udp("::", 7777);
    CHECK(send_to(socket, PEER, 1234, bytes, 1400) == 1400 && host_sent(&host, &frame), "-");
    put_u16(frame.bytes + 14 + 40, 5555); /* our port: no such socket */
    too_big(&frame, 1300, 1232);
    put_u16(frame.bytes + 14 + 40, 7777);
    frame.bytes[14 + 8 + 15] ^= 1; /* the source: not ours */
    too_big(&frame, 1300, 1232);
    CHECK(frames_for(socket, 1400, &longest) == 1, "-");
    end(socket);
}

static void test_errors_reach_the_socket(void)
{
    static const struct {
        uint8_t type, code;
        int error;
    } errors[] = {{1, 4, -ECONNREFUSED}, {1, 1, -EACCES}, {4, 1, -EPROTO}, {1, 0, 0}, {3, 0, 0}};
    struct frame frame;
    struct socket_message message;
    begin();
    struct socket *socket = open_udp("::", 7777);
    const struct endpoint peer = endpoint(PEER, 1234);
    CHECK(socket_connect(socket, &peer) == 0, "-");
    CHECK(send_to(socket, PEER, 1234, "x", 1) == 1 && host_sent(&host, &frame), "-");
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        uint8_t quote[8 + 49] = {errors[i].type, errors[i].code};
        memcpy(quote + 8, frame.bytes + 14, 49);
        host_receive_icmp(&host, "2001:db8:2::1", GLOBAL, 64, quote, sizeof quote);
        const int64_t error = receive(socket, &message);
        CHECK(error == (errors[i].error ? errors[i].error : -EAGAIN), "type %u code %u: %d",
              errors[i].type, errors[i].code, (int)error);
    }
    end(socket);
}

static void test_no_neighbour(void)
{
    struct socket_message message;
    begin();
    struct socket *socket = open_udp("::", 7777);
    const struct endpoint peer = endpoint("2001:db8:1::99", 1234);
    CHECK(socket_connect(socket, &peer) == 0, "-");
    CHECK(send_to(socket, "2001:db8:1::99", 1234, "x", 1) == 1, "-");
    host_run(&host, 5 * SECOND);
    CHECK(receive(socket, &message) == -EAGAIN, "no hard error, as on Linux");
    CHECK(host.pool.in_use == host.sent.count, "what waited is gone");
    CHECK(send_to(socket, "2001:db8:1::99", 1234, "x", 1) == 1, "asked again");
    host_run(&host, 3 * SECOND + 1);
    CHECK(send_to(socket, "2001:db8:1::99", 1234, "x", 1) == -EHOSTUNREACH, "just failed");
    end(socket);
}

/* --- long datagrams --- */

static void test_fragments_out(void)
{
    static uint8_t bytes[65507], back[65536];
    struct frame frame;
    size_t total = 0;
    uint32_t identification = 0;
    begin();
    struct socket *socket = open_udp("::", 7777);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    CHECK(send_to(socket, PEER, 1234, bytes, sizeof bytes) == sizeof bytes, "-");
    while (host_sent(&host, &frame)) {
        const size_t length = (size_t)(frame.end - frame.payload);
        CHECK(frame.is_fragment && frame.size <= 14 + 1500, "-");
        CHECK(!identification || frame.fragment.identification == identification, "-");
        identification = frame.fragment.identification;
        CHECK(frame.fragment.more == (total + length < 8 + sizeof bytes), "at %zu", total);
        CHECK(frame.fragment.offset == total, "offset");
        memcpy(back + total, frame.payload, length);
        total += length;
    }
    CHECK(total == 8 + sizeof bytes && memcmp(back + 8, bytes, sizeof bytes) == 0, "%zu", total);
    const struct ip_address from = address(GLOBAL), to = address(PEER);
    const uint16_t sum = checksum_pseudo(&from, &to, PROTOCOL_UDP, (uint32_t)total);
    CHECK(checksum_finish(checksum_add(sum, back, total)) == 0, "the checksum of all");
    end(socket);
}

static void test_long_datagram_to_ourselves(void)
{
    static uint8_t bytes[60000];
    struct socket_message message;
    begin();
    struct socket *socket = open_udp("::", 7777);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    CHECK(send_to(socket, "::1", 7777, bytes, sizeof bytes) == sizeof bytes, "-");
    CHECK(receive(socket, &message) == sizeof bytes && memcmp(bytes, received, sizeof bytes) == 0,
          "through fragments and back");
    end(socket);
}

/* --- raw --- */

static void test_ping_from_raw_socket(void)
{
    uint8_t request[16] = {ICMPV6_ECHO_REQUEST, 0, 0, 0, 0, 1, 0, 1, 'p'}, reply[16];
    struct socket_message message;
    struct socket *socket;
    struct frame frame;
    begin();
    CHECK(socket_create(host.stack, IP_V6, SOCKET_RAW, PROTOCOL_ICMPV6, &socket) == 0, "-");
    CHECK(send_to(socket, PEER, 0, request, sizeof request) == sizeof request, "-");
    CHECK(host_sent_icmp(&host, ICMPV6_ECHO_REQUEST, &frame), "with the checksum filled in");
    memcpy(reply, request, sizeof reply);
    reply[0] = ICMPV6_ECHO_REPLY;
    host_receive_icmp(&host, PEER, GLOBAL, 60, reply, sizeof reply);
    CHECK(receive(socket, &message) == sizeof reply && received[0] == ICMPV6_ECHO_REPLY &&
              message.hop_limit == 60,
          "-");
    end(socket);
}

int main(void)
{
    static const struct test tests[] = {
        {"UDP: there and back", test_udp},
        {"UDP: link-local, with its scope", test_udp_link_local},
        {"UDP: nobody listens", test_port_unreachable},
        {"UDP: loopback, and to our own address", test_loopback},
        {"UDP: one socket for both families", test_dual_stack},
        {"UDP: multicast", test_multicast},
        {"UDP: ICMPv6 errors become errno", test_errors_reach_the_socket},
        {"UDP: the neighbour does not answer", test_no_neighbour},
        {"UDP: fragments", test_fragments_out},
        {"UDP: 60,000 bytes to ourselves", test_long_datagram_to_ourselves},
        {"PMTU: found and forgotten", test_path_mtu},
        {"bad: Packet Too Big below the minimum, or truncated", test_path_mtu_lies},
        {"bad: Packet Too Big about an unknown flow", test_path_mtu_of_unknown_flow},
        {"bad: UDP checksum 0", test_udp_checksum_0},
        {"raw: ping", test_ping_from_raw_socket},
    };
    return RUN_TESTS(tests);
}
