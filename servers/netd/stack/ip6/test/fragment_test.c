/* Reassembly of IPv6 fragments (RFC 8200 4.5, RFC 5722, RFC 6946, RFC 7112): a ping in pieces. */
#include "../../checksum.h"
#include "../../ip/reassembly.h"
#include "host.h"
#include <string.h>

static struct host host;

#define PEER "fe80::9"
#define OURS host_address(&host, ADDRESS_LINK_LOCAL)

static uint8_t ping[65535];

static void begin(size_t ping_length)
{
    host_start(&host);
    host_up(&host);
    host_run(&host, 10 * SECOND);
    host_meet(&host, PEER);
    host_drain(&host);
    memset(ping, 0, sizeof ping);
    ping[0] = ICMPV6_ECHO_REQUEST;
    for (size_t i = 8; i < sizeof ping; i++)
        ping[i] = (uint8_t)(i * 7 + i / 256);
    fill_checksum(PEER, OURS, PROTOCOL_ICMPV6, ping, ping_length, 2);
}

/* length bytes of any payload, said to be at `offset`. */
static void send_bytes(uint32_t identification, size_t offset, bool more, const void *bytes,
                       size_t length)
{
    uint8_t packet[1600];
    const struct ipv6_fragment fragment = {.next_header = PROTOCOL_ICMPV6,
                                           .more = more,
                                           .offset = (uint16_t)offset,
                                           .identification = identification};
    memcpy(ipv6_fragment_emit(packet, &fragment), bytes, length);
    host_receive(&host, PEER, OURS, 64, NEXT_FRAGMENT, packet, length + IPV6_FRAGMENT_HEADER);
}

static void send_fragment(uint32_t identification, size_t offset, size_t length, bool more)
{
    send_bytes(identification, offset, more, ping + offset, length);
}

/* Is the reply, which may come in fragments itself, that to the first length bytes of ping? */
static bool answered(size_t length)
{
    static uint8_t reply[65536];
    struct frame frame;
    size_t total = 0;
    while (host_sent(&host, &frame)) {
        const size_t part = (size_t)(frame.end - frame.payload);
        if (frame.protocol != PROTOCOL_ICMPV6 ||
            (!frame.fragment.offset && frame.payload[0] != ICMPV6_ECHO_REPLY))
            return false;
        memcpy(reply + frame.fragment.offset, frame.payload, part);
        total += part;
    }
    if (!total)
        return false;
    const struct ip_address from = address(OURS), to = address(PEER);
    const uint16_t sum = checksum_pseudo(&from, &to, PROTOCOL_ICMPV6, (uint32_t)total);
    CHECK(checksum_finish(checksum_add(sum, reply, total)) == 0, "the checksum of the reply");
    return total == length && memcmp(reply + 4, ping + 4, length - 4) == 0;
}

static bool problem(uint8_t code, uint32_t pointer)
{
    struct frame frame;
    if (!host_sent_icmp(&host, ICMPV6_PARAMETER_PROBLEM, &frame))
        return false;
    struct cursor cursor = cursor_over(frame.payload + 4, 4);
    const uint32_t at = cursor_u32(&cursor);
    CHECK(frame.payload[1] == code && at == pointer, "code %u at %u", frame.payload[1], at);
    return true;
}

static void test_in_order(void)
{
    begin(2000);
    send_fragment(1, 0, 1024, true);
    CHECK(host_drain(&host) == 0, "-");
    send_fragment(1, 1024, 976, false);
    CHECK(answered(2000) && host.stack->counters.ip_reassembled == 1, "-");
    host_end(&host);
}

static void test_any_order(void)
{
    static const uint8_t orders[][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    begin(3000);
    for (uint32_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        for (unsigned j = 0; j < 3; j++) {
            CHECK(host_drain(&host) == 0, "too early");
            send_fragment(i, orders[i][j] * 1000u, 1000, orders[i][j] < 2);
        }
        CHECK(answered(3000), "order %u", i);
    }
    host_end(&host);
}

static void test_largest(void)
{
    const size_t length = 65535 - 7; /* so that all fragments but the last are multiples of 8 */
    begin(length);
    for (size_t at = 0; at < length; at += 1448)
        send_fragment(1, at, length - at < 1448 ? length - at : 1448, length - at > 1448);
    CHECK(answered(length), "-");
    host_end(&host);
}

static void test_smallest_pieces(void)
{
    begin(400);
    for (size_t at = 0; at < 400; at += 8)
        send_fragment(1, at, 8, at + 8 < 400);
    CHECK(answered(400), "fragments of 8 bytes");
    host_end(&host);
}

static void test_atomic(void)
{
    begin(100);
    send_fragment(1, 0, 64, true);
    send_fragment(1, 0, 100, false);
    CHECK(answered(100), "an atomic fragment is whole, whatever else waits");
    host_end(&host);
}

static void test_flows_are_apart(void)
{
    begin(2000);
    send_fragment(1, 0, 1000, true);
    send_fragment(2, 1000, 1000, false);
    CHECK(host_drain(&host) == 0, "of another datagram");
    send_fragment(1, 1000, 1000, false);
    CHECK(answered(2000), "-");
    host_end(&host);
}

static void test_repetition(void)
{
    begin(2000);
    send_fragment(1, 0, 1000, true);
    send_fragment(1, 0, 1000, true);
    send_fragment(1, 1000, 1000, false);
    CHECK(answered(2000), "an exact repetition is no overlap");
    host_end(&host);
}

static void test_timeout(void)
{
    struct frame frame;
    begin(2000);
    send_fragment(1, 0, 1000, true);
    host_run(&host, 59 * SECOND);
    CHECK(!host_sent_icmp(&host, ICMPV6_TIME_EXCEEDED, &frame) && host.pool.in_use == 1, "-");
    host_meet(&host, PEER);
    host_run(&host, 2 * SECOND);
    CHECK(host_sent_icmp(&host, ICMPV6_TIME_EXCEEDED, &frame) && frame.payload[1] == 1, "-");
    CHECK(frame.payload[8 + 6] == PROTOCOL_ICMPV6 && frame.payload[8 + 40] == ICMPV6_ECHO_REQUEST,
          "it quotes the first fragment");
    CHECK(host.pool.in_use == 0, "given back");
    send_fragment(1, 1000, 1000, false);
    host_run(&host, 61 * SECOND);
    CHECK(!host_sent_icmp(&host, ICMPV6_TIME_EXCEEDED, &frame), "without the first: silence");
    CHECK(host.stack->counters.ip_reassembly_failed == 2, "-");
    host_end(&host);
}

/* --- what an attacker sends --- */

static void test_overlap(void)
{
    static const struct {
        size_t offset, length;
        bool more;
    } overlaps[] = {
        {0, 1008, true},     /* over the end of the first */
        {992, 1000, true},   /* into it */
        {8, 16, true},       /* within it */
        {0, 8, true},        /* its beginning */
        {0, 3000, false},    /* all of it */
        {1992, 1008, false}, /* over the beginning of the last */
        {2000, 992, false},  /* another end */
        {2000, 1008, true},  /* behind the end */
        {3000, 8, false},    /* yet another end */
        {3000, 8, true},     /* behind it all */
    };
    begin(3000);
    for (uint32_t i = 0; i < sizeof overlaps / sizeof overlaps[0]; i++) {
        send_fragment(i, 0, 1000, true);
        send_fragment(i, 2000, 1000, false);
        if (overlaps[i].length <= 1448)
            send_fragment(i, overlaps[i].offset, overlaps[i].length, overlaps[i].more);
        else
            send_fragment(i, overlaps[i].offset, 1440, true);
        CHECK(host.pool.in_use == 0, "case %u: the datagram is not discarded", i);
        send_fragment(i, 1000, 1000, true);
        send_fragment(i, 0, 1000, true);
        send_fragment(i, 2000, 1000, false);
        CHECK(host_drain(&host) == 0, "case %u: what came later is not discarded", i);
        CHECK(host.pool.in_use == 0, "case %u: what came later is kept", i);
    }
    host_end(&host);
}

static void test_repetition_with_other_bytes(void)
{
    uint8_t other[1000];
    begin(2000);
    memset(other, 'x', sizeof other);
    send_fragment(1, 0, 1000, true);
    send_bytes(1, 0, true, other, sizeof other);
    send_fragment(1, 1000, 1000, false);
    CHECK(host_drain(&host) == 0 && host.pool.in_use == 0, "-");
    host_end(&host);
}

/* Nothing may lie behind a last fragment, also when that comes later. */
static void test_last_in_front_of_others(void)
{
    begin(3000);
    send_fragment(1, 0, 1000, true);
    send_fragment(1, 2000, 1000, true);
    send_fragment(1, 1000, 8, false);
    CHECK(host.pool.in_use == 0, "-");
    host_end(&host);
}

/* The datagram has the headers of its first fragment, whichever fragment comes last. */
static void test_headers_of_the_first_fragment(void)
{
    uint8_t first[8 + 16] = {200, 0, 0, 1, 0, 0, 0, 5, 'f', 'i', 'r', 's', 't'};
    uint8_t last[8 + 8 + 8] = {NEXT_FRAGMENT, 0, OPTION_PADN, 4,  0, 0, 0, 0, /* options */
                               200,           0, 0,           16, 0, 0, 0, 5};
    struct frame frame;
    begin(2000);
    host_receive(&host, PEER, OURS, 64, NEXT_FRAGMENT, first, sizeof first);
    host_receive(&host, PEER, OURS, 33, NEXT_DESTINATION, last, sizeof last);
    CHECK(host_sent_icmp(&host, ICMPV6_PARAMETER_PROBLEM, &frame), "an unknown protocol");
    CHECK(frame.payload[7] == IPV6_NEXT_HEADER_AT && frame.payload[8] == 0x60 &&
              frame.payload[8 + 5] == 24 && frame.payload[8 + 6] == 200 &&
              frame.payload[8 + 7] == 64 && memcmp(frame.payload + 8 + 40, "first", 5) == 0,
          "-");
    host_end(&host);
}

static void test_past_65535(void)
{
    begin(2000);
    send_bytes(1, 65528, false, ping, 8);
    CHECK(problem(PROBLEM_FIELD, 42), "-");
    send_bytes(1, 64800, true, ping, 1000);
    CHECK(problem(PROBLEM_FIELD, 42), "-");
    send_bytes(1, 65528, false, ping, 7);
    CHECK(host_drain(&host) == 0 && host.pool.in_use == 1, "just fits");
    host_end(&host);
}

static void test_length_no_multiple_of_8(void)
{
    begin(2000);
    send_fragment(1, 0, 1001, true);
    CHECK(problem(PROBLEM_FIELD, 4) && host.pool.in_use == 0, "-");
    host_end(&host);
}

static void test_empty_fragments(void)
{
    begin(2000);
    send_fragment(1, 8, 0, true);
    send_fragment(2, 8, 0, false);
    CHECK(host.pool.in_use == 0, "-");
    send_fragment(3, 0, 0, true);
    CHECK(host_drain(&host) == 0, "what might be an error is not answered with one");
    CHECK(host.pool.in_use == 0, "-");
    host_end(&host);
}

/* RFC 7112. */
static void test_headers_in_later_fragments(void)
{
    uint8_t packet[32] = {NEXT_DESTINATION, 0, 0, 1, 0, 0, 0, 1, /* fragment */
                          PROTOCOL_ICMPV6,  1, 1, 4};            /* 16 bytes of options, cut */
    begin(2000);
    host_receive(&host, PEER, OURS, 64, NEXT_FRAGMENT, packet, 16);
    CHECK(problem(PROBLEM_INCOMPLETE_CHAIN, 0) && host.pool.in_use == 0, "-");
    put_bytes(packet + 8, (const uint8_t[]){PROTOCOL_UDP, 0, OPTION_PADN, 4}, 4);
    host_receive(&host, PEER, OURS, 64, NEXT_FRAGMENT, packet, 16);
    CHECK(problem(PROBLEM_INCOMPLETE_CHAIN, 0) && host.pool.in_use == 0, "no transport header");
    host_end(&host);
}

static void test_fragments_of_fragments(void)
{
    uint8_t packet[8 + 8 + 16] = {NEXT_FRAGMENT,   0, 0, 0, 0, 0, 0, 1,
                                  PROTOCOL_ICMPV6, 0, 0, 0, 0, 0, 0, 2};
    begin(16);
    memcpy(packet + 16, ping, 16);
    host_receive(&host, PEER, OURS, 64, NEXT_FRAGMENT, packet, sizeof packet);
    CHECK(host_drain(&host) == 0 && host.pool.in_use == 0, "-");
    host_end(&host);
}

/* First halves without second ones: bounded, and a datagram that comes whole gets through. */
static void test_flood(void)
{
    begin(2000);
    for (uint32_t i = 0; i < 5000; i++) {
        send_fragment(100 + i, 0, 1000, true);
        CHECK(host.pool.in_use <= REASSEMBLY_DATAGRAMS, "%u", host.pool.in_use);
    }
    send_fragment(1, 0, 1000, true);
    send_fragment(1, 1000, 1000, false);
    CHECK(answered(2000), "-");
    host_end(&host);
}

static void test_flood_of_small_fragments(void)
{
    begin(2000);
    for (uint32_t i = 0; i < 5000; i++)
        send_fragment(100 + i % 8, 8 + i * 16 % 65000, 8, true);
    CHECK(host.pool.in_use <= (256u << 10) / PACKET_SIZE, "%u packets", host.pool.in_use);
    send_fragment(1, 0, 1000, true);
    send_fragment(1, 1000, 1000, false);
    CHECK(answered(2000), "-");
    host_end(&host);
}

int main(void)
{
    static const struct test tests[] = {
        {"in order", test_in_order},
        {"in any order", test_any_order},
        {"the largest datagram", test_largest},
        {"the smallest fragments", test_smallest_pieces},
        {"atomic fragments", test_atomic},
        {"datagrams are kept apart", test_flows_are_apart},
        {"a repeated fragment", test_repetition},
        {"timeout", test_timeout},
        {"bad: overlapping fragments", test_overlap},
        {"bad: a repetition with other bytes", test_repetition_with_other_bytes},
        {"headers of the first fragment", test_headers_of_the_first_fragment},
        {"bad: a last fragment in front of others", test_last_in_front_of_others},
        {"bad: fragments past 65,535", test_past_65535},
        {"bad: a length that is no multiple of 8", test_length_no_multiple_of_8},
        {"bad: empty fragments", test_empty_fragments},
        {"bad: headers in later fragments", test_headers_in_later_fragments},
        {"bad: fragments of fragments", test_fragments_of_fragments},
        {"bad: reassembly flood", test_flood},
        {"bad: flood of small fragments", test_flood_of_small_fragments},
    };
    return RUN_TESTS(tests);
}
