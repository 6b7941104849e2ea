/* IPv6 packets as RFC 8200 has them, and as an attacker does: headers, options, fragments, and the
 * errors that answer them. */
#include "host.h"
#include <string.h>

static struct host host;

#define PEER "fe80::9"
#define OURS host_address(&host, ADDRESS_LINK_LOCAL)

/* --- packets made of extension headers, with an echo request behind them --- */

struct chain {
    uint8_t bytes[2000];
    size_t length;
    size_t last_next; /* where the last header's Next Header is */
    uint8_t first;
};

static void chain_begin(struct chain *chain) { *chain = (struct chain){.first = NEXT_NONE}; }

static void link_header(struct chain *chain, uint8_t kind)
{
    if (chain->length)
        chain->bytes[chain->last_next] = kind;
    else
        chain->first = kind;
    chain->last_next = chain->length;
}

/* A header of this kind, of 8 bytes or as long as its content wants. */
static void chain_add(struct chain *chain, uint8_t kind, const void *content, size_t length)
{
    const size_t whole = (2 + length + 7) / 8 * 8;
    link_header(chain, kind);
    uint8_t *at = chain->bytes + chain->length;
    memset(at, 0, whole);
    at[1] = (uint8_t)(whole / 8 - 1);
    memcpy(at + 2, content, length);
    chain->length += whole;
}

static void chain_end(struct chain *chain, const char *destination)
{
    uint8_t request[16] = {ICMPV6_ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 7};
    fill_checksum(PEER, destination, PROTOCOL_ICMPV6, request, sizeof request, 2);
    link_header(chain, PROTOCOL_ICMPV6);
    memcpy(chain->bytes + chain->length, request, sizeof request);
    chain->length += sizeof request;
}

static bool answered(void)
{
    struct frame frame;
    return host_sent_icmp(&host, ICMPV6_ECHO_REPLY, &frame);
}

static bool chain_answered(struct chain *chain, const char *destination)
{
    host_drain(&host);
    host_receive(&host, PEER, destination, 64, chain->first, chain->bytes, chain->length);
    return answered();
}

/* A parameter problem as the next thing that is sent. */
static bool problem(uint8_t code, uint32_t pointer)
{
    struct frame frame;
    if (!host_sent_icmp(&host, ICMPV6_PARAMETER_PROBLEM, &frame))
        return false;
    struct cursor cursor = cursor_over(frame.payload + 4, 4);
    const uint32_t at = cursor_u32(&cursor);
    CHECK(frame.payload[1] == code && at == pointer, "code %u at %u", frame.payload[1], at);
    return frame.payload[1] == code && at == pointer;
}

static void begin(void)
{
    host_start(&host);
    host_up(&host);
    host_run(&host, 10 * SECOND);
    host_meet(&host, PEER);
    host_drain(&host);
}

/* --- extension headers --- */

static const uint8_t padding[] = {OPTION_PADN, 4, 0, 0, 0, 0};

static void test_all_headers(void)
{
    struct chain chain;
    begin();
    chain_begin(&chain);
    chain_add(&chain, NEXT_HOP_BY_HOP, padding, 6);
    chain_add(&chain, NEXT_DESTINATION, padding, 6);
    chain_add(&chain, NEXT_ROUTING, (const uint8_t[]){0, 0, 0, 0, 0, 0}, 6);  /* at its end */
    chain_add(&chain, NEXT_FRAGMENT, (const uint8_t[]){0, 0, 0, 0, 0, 0}, 6); /* atomic */
    chain.bytes[chain.length - 8 + 1] = 0;
    chain_add(&chain, NEXT_DESTINATION, (const uint8_t[20]){[0] = OPTION_PADN, [1] = 18}, 20);
    chain_end(&chain, OURS);
    CHECK(chain_answered(&chain, OURS), "-");
    host_end(&host);
}

static void test_option_actions(void)
{
    static const struct {
        uint8_t type;
        const char *destination; /* NULL: ours */
        bool answered, problem;
    } cases[] = {
        {0x1e, NULL, true, false},
        {0x5e, NULL, false, false},
        {0x9e, NULL, false, true},
        {0xde, NULL, false, true},
        {0x1e, "ff02::1", true, false},
        {0x5e, "ff02::1", false, false},
        {0x9e, "ff02::1", false, true},
        {0xde, "ff02::1", false, false},
        {OPTION_ROUTER_ALERT, NULL, true, false},
    };
    begin();
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const size_t n = i / 2;
        const uint8_t option[6] = {0, 0, cases[n].type, 2};
        const char *destination = cases[n].destination ? cases[n].destination : OURS;
        struct chain chain;
        chain_begin(&chain);
        chain_add(&chain, i & 1 ? NEXT_DESTINATION : NEXT_HOP_BY_HOP, option, sizeof option);
        chain_end(&chain, destination);
        CHECK(chain_answered(&chain, destination) == cases[n].answered, "type %#x to %s",
              cases[n].type, destination);
        host_receive(&host, PEER, destination, 64, chain.first, chain.bytes, chain.length);
        if (cases[n].problem)
            CHECK(problem(PROBLEM_OPTION, 40 + 4), "type %#x to %s", cases[n].type, destination);
        else
            CHECK(host_drain(&host) == cases[n].answered, "type %#x to %s", cases[n].type,
                  destination);
        host_run(&host, SECOND / 10); /* within the rate limit */
        host_meet(&host, PEER);
    }
    host_end(&host);
}

static void test_routing_header_0(void)
{
    struct chain chain;
    uint8_t route[22] = {0, 1}; /* type 0, one segment left */
    begin();
    memcpy(route + 6, address("2001:db8::1").bytes, 16);
    chain_begin(&chain);
    chain_add(&chain, NEXT_ROUTING, route, sizeof route);
    chain_end(&chain, OURS);
    host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(problem(PROBLEM_FIELD, 42) && host_drain(&host) == 0, "and nothing is passed on");
    chain.bytes[2] = 253; /* any other type is treated alike */
    host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(problem(PROBLEM_FIELD, 42), "-");
    host_end(&host);
}

static void test_hop_by_hop_not_first(void)
{
    struct chain chain;
    begin();
    chain_begin(&chain);
    chain_add(&chain, NEXT_DESTINATION, padding, 6);
    chain_add(&chain, NEXT_HOP_BY_HOP, padding, 6);
    chain_end(&chain, OURS);
    host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(problem(PROBLEM_NEXT_HEADER, 40), "-");
    host_end(&host);
}

static void test_endless_headers(void)
{
    struct chain chain;
    begin();
    for (unsigned count = 1; count < 150; count++) {
        chain_begin(&chain);
        for (unsigned i = 0; i < count; i++)
            chain_add(&chain, NEXT_DESTINATION, padding, 6);
        chain_end(&chain, OURS);
        CHECK(chain_answered(&chain, OURS) == (count <= EXTENSIONS_MAX), "%u headers", count);
        host_run(&host, 100 * MS);
        host_meet(&host, PEER);
    }
    host_end(&host);
}

/* A length that leads out of the packet: cut off at every byte, and with the largest value. */
static void test_headers_out_of_the_packet(void)
{
    struct chain chain;
    begin();
    chain_begin(&chain);
    chain_add(&chain, NEXT_HOP_BY_HOP, padding, 6);
    chain_add(&chain, NEXT_DESTINATION, padding, 6);
    chain_add(&chain, NEXT_ROUTING, (const uint8_t[6]){0}, 6);
    for (size_t length = 0; length < chain.length; length++) {
        host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, length);
        CHECK(host_drain(&host) == 0, "%zu bytes", length);
    }
    for (size_t at = 1; at < chain.length; at += 8) {
        struct chain copy = chain;
        copy.bytes[at] = 255;
        chain_end(&copy, OURS);
        CHECK(!chain_answered(&copy, OURS), "length 255 at %zu", at);
    }
    host_end(&host);
}

static void test_option_out_of_its_header(void)
{
    struct chain chain;
    begin();
    for (unsigned length = 5; length < 256; length++) {
        const uint8_t option[6] = {0x1e, (uint8_t)length};
        chain_begin(&chain);
        chain_add(&chain, NEXT_DESTINATION, option, sizeof option);
        chain_end(&chain, OURS);
        CHECK(!chain_answered(&chain, OURS), "length %u", length);
    }
    const uint8_t cut[6] = {OPTION_PADN, 3, 0, 0, 0, 0x1e}; /* a type without a length */
    chain_begin(&chain);
    chain_add(&chain, NEXT_DESTINATION, cut, sizeof cut);
    chain_end(&chain, OURS);
    CHECK(!chain_answered(&chain, OURS), "-");
    host_end(&host);
}

static void test_unknown_next_header(void)
{
    static const uint8_t bytes[16];
    begin();
    host_receive(&host, PEER, OURS, 64, 200, bytes, sizeof bytes);
    CHECK(problem(PROBLEM_NEXT_HEADER, 6), "-");
    struct chain chain;
    chain_begin(&chain);
    chain_add(&chain, NEXT_DESTINATION, padding, 6);
    link_header(&chain, 200);
    host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(problem(PROBLEM_NEXT_HEADER, 40), "-");
    host_receive(&host, PEER, "ff02::1", 64, 200, bytes, sizeof bytes);
    CHECK(host_drain(&host) == 0, "to a group: every host would complain");
    host_receive(&host, PEER, OURS, 64, NEXT_NONE, bytes, sizeof bytes);
    CHECK(host_drain(&host) == 0, "no next header: nothing to say");
    chain_begin(&chain);
    chain_add(&chain, NEXT_DESTINATION, (const uint8_t[6]){0xde, 4}, 6);
    for (unsigned i = 0; i < 1000; i++)
        host_receive(&host, "::", OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(host_drain(&host) == 0 && host.stack->counters.icmp_out_limited == 0,
          "nobody there to be told");
    host_end(&host);
}

/* --- the fixed header --- */

static void test_jumbogram(void)
{
    uint8_t frame[200] = {0};
    const struct ipv6_header header = {.payload_length = 0,
                                       .next_header = NEXT_HOP_BY_HOP,
                                       .hop_limit = 64,
                                       .source = address(PEER)};
    struct ipv6_header own = header;
    begin();
    own.destination = address(OURS);
    put_u16(put_bytes(put_bytes(frame, host_mac, 6), peer_mac, 6), 0x86dd);
    put_bytes(ipv6_emit(frame + 14, &own),
              (const uint8_t[]){PROTOCOL_ICMPV6, 0, OPTION_JUMBO, 4, 0, 1, 0, 0}, 8);
    host_receive_raw(&host, frame, sizeof frame);
    CHECK(host_drain(&host) == 0 && host.stack->counters.ip_in_header_errors == 1, "length 0");
    struct chain chain;
    chain_begin(&chain);
    chain_add(&chain, NEXT_HOP_BY_HOP, (const uint8_t[]){OPTION_JUMBO, 4, 0, 1, 0, 0}, 6);
    chain_end(&chain, OURS);
    host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(problem(PROBLEM_OPTION, 42), "the option without need");
    host_end(&host);
}

static void test_lengths(void)
{
    uint8_t frame[14 + 40 + 16 + 20] = {0}; /* with padding behind, as Ethernet has it */
    uint8_t request[16] = {ICMPV6_ECHO_REQUEST};
    begin();
    const struct ipv6_header header = {.payload_length = 16,
                                       .next_header = PROTOCOL_ICMPV6,
                                       .hop_limit = 64,
                                       .source = address(PEER),
                                       .destination = address(OURS)};
    fill_checksum(PEER, OURS, PROTOCOL_ICMPV6, request, sizeof request, 2);
    put_u16(put_bytes(put_bytes(frame, host_mac, 6), peer_mac, 6), 0x86dd);
    put_bytes(ipv6_emit(frame + 14, &header), request, sizeof request);
    host_receive_raw(&host, frame, sizeof frame);
    CHECK(answered(), "padding is cut off");
    for (size_t length = 14; length < 14 + 40 + 16; length++) {
        host_receive_raw(&host, frame, length);
        CHECK(!answered(), "%zu bytes", length);
    }
    for (unsigned version = 0; version < 16; version++) {
        frame[14] = (uint8_t)(version << 4);
        host_receive_raw(&host, frame, sizeof frame);
        CHECK(answered() == (version == 6), "version %u", version);
    }
    host_end(&host);
}

static void test_sources(void)
{
    static const char *const bad[] = {"::", "::1", "ff02::1", "ff0e::1", "::ffff:192.0.2.1", NULL};
    static const uint8_t request[16] = {ICMPV6_ECHO_REQUEST};
    static const uint8_t datagram[8] = {0, 1, 0, 2, 0, 8};
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *source = bad[i] ? bad[i] : OURS;
        const uint64_t before = host.stack->counters.ip_in_address_errors;
        host_receive_icmp(&host, source, OURS, 64, request, sizeof request);
        CHECK(host_drain(&host) == 0, "ping from %s", source);
        host_receive(&host, source, OURS, 64, PROTOCOL_UDP, datagram, sizeof datagram);
        host_receive(&host, source, OURS, 64, 200, datagram, sizeof datagram);
        CHECK(host_drain(&host) == 0, "from %s", source);
        CHECK(host.stack->counters.ip_in_address_errors > before, "%s is not counted", source);
    }
    host_end(&host);
}

static void test_destinations(void)
{
    static const char *const bad[] = {"::",      "::1",     "2001:db8::1",      "ff02::99",
                                      "ff01::1", "ff00::1", "::ffff:127.0.0.1", "fe80::1"};
    static const uint8_t request[16] = {ICMPV6_ECHO_REQUEST};
    const struct ip_address node_group = address("ff01::5");
    begin();
    netif_join(&host.netif, &node_group);
    host_receive_icmp(&host, PEER, "ff01::5", 64, request, sizeof request);
    CHECK(host_drain(&host) == 0, "a group of the node itself, from the wire");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        host_receive_icmp(&host, PEER, bad[i], 64, request, sizeof request);
        CHECK(host_drain(&host) == 0, "to %s", bad[i]);
    }
    host_end(&host);
}

/* --- errors --- */

static void test_no_error_about_an_error(void)
{
    static const uint8_t error[48] = {ICMPV6_UNREACHABLE, 9};
    struct chain chain;
    begin();
    chain_begin(&chain);
    chain_add(&chain, NEXT_DESTINATION, (const uint8_t[6]){0xde, 4}, 6);
    link_header(&chain, PROTOCOL_ICMPV6);
    memcpy(chain.bytes + chain.length, error, sizeof error);
    chain.length += sizeof error;
    host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(host_drain(&host) == 0, "a bad option in front of an error");
    chain.bytes[8] = ND_REDIRECT;
    host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(host_drain(&host) == 0, "in front of a Redirect");
    chain.bytes[8] = ICMPV6_ECHO_REPLY;
    host_receive(&host, PEER, OURS, 64, chain.first, chain.bytes, chain.length);
    CHECK(problem(PROBLEM_OPTION, 42), "in front of something else");
    host_end(&host);
}

static void test_error_rate(void)
{
    static const uint8_t bytes[1452];
    struct frame frame;
    unsigned errors = 0;
    begin();
    for (unsigned i = 0; i < 1000; i++)
        host_receive(&host, PEER, OURS, 64, 200, bytes, sizeof bytes);
    while (host_sent_icmp(&host, ICMPV6_PARAMETER_PROBLEM, &frame)) {
        CHECK(frame.size == 14 + 1280, "%zu bytes", frame.size);
        errors++;
    }
    CHECK(errors > 0 && errors <= 100, "%u errors", errors);
    CHECK(host.stack->counters.icmp_out_limited == 1000 - errors, "-");
    host_run(&host, SECOND);
    host_receive(&host, PEER, OURS, 64, 200, bytes, sizeof bytes);
    CHECK(host_sent_icmp(&host, ICMPV6_PARAMETER_PROBLEM, &frame), "a second later");
    host_end(&host);
}

static void test_truncated_errors(void)
{
    uint8_t message[8 + 40 + 8] = {0}, longer[8 + 40 + 9 * 8 + 8] = {0};
    begin();
    struct ipv6_header inner = {.payload_length = 8,
                                .next_header = PROTOCOL_UDP,
                                .source = address(OURS),
                                .destination = address(PEER)};
    ipv6_emit(message + 8, &inner);
    for (uint8_t type = 1; type <= 4; type++) {
        message[0] = type;
        put_u32(message + 4, 1400);
        for (size_t length = 8; length < sizeof message; length++) {
            const uint64_t before = host.stack->counters.icmp_in_errors;
            host_receive_icmp(&host, PEER, OURS, 64, message, length);
            CHECK(host.stack->counters.icmp_in_errors == before + 1, "type %u, %zu bytes", type,
                  length);
        }
    }
    inner.next_header = NEXT_FRAGMENT; /* a later fragment: its flow is not to be told */
    ipv6_emit(message + 8, &inner);
    longer[0] = 1;
    memcpy(longer + 8, message + 8, 40);
    put_bytes(longer + 48, (const uint8_t[]){PROTOCOL_UDP, 0, 1, 0, 0, 0, 0, 1}, 8);
    uint64_t before = host.stack->counters.icmp_in_errors;
    host_receive_icmp(&host, PEER, OURS, 64, longer, sizeof longer);
    CHECK(host.stack->counters.icmp_in_errors == before + 1, "a later fragment");
    longer[48 + 2] = 0; /* the first one */
    host_receive_icmp(&host, PEER, OURS, 64, longer, sizeof longer);
    CHECK(host.stack->counters.icmp_in_errors == before + 1, "a first fragment");
    before = host.stack->counters.icmp_in_errors;
    inner.next_header = NEXT_DESTINATION;
    ipv6_emit(longer + 8, &inner);
    for (unsigned i = 0; i < 9; i++)
        longer[48 + 8 * i] = i < 8 ? NEXT_DESTINATION : PROTOCOL_UDP;
    memset(longer + 49, 0, 7);
    host_receive_icmp(&host, PEER, OURS, 64, longer, sizeof longer);
    CHECK(host.stack->counters.icmp_in_errors == before + 1, "more headers than we send");
    host_end(&host);
}

static void test_short_messages(void)
{
    static const uint8_t request[8] = {ICMPV6_ECHO_REQUEST};
    begin();
    for (size_t length = 4; length <= 8; length++) {
        host_receive_icmp(&host, PEER, OURS, 64, request, length);
        CHECK(answered() == (length == 8), "%zu bytes", length);
    }
    host_end(&host);
}

static void test_long_ping(void)
{
    /* 1,452 bytes: the largest packet of the link. */
    uint8_t request[1460] = {ICMPV6_ECHO_REQUEST};
    struct frame frame;
    begin();
    for (size_t i = 8; i < sizeof request; i++)
        request[i] = (uint8_t)i;
    host_receive_icmp(&host, PEER, OURS, 64, request, sizeof request);
    CHECK(host_sent_icmp(&host, ICMPV6_ECHO_REPLY, &frame) && frame.size == 14 + 1500 &&
              memcmp(frame.payload + 8, request + 8, sizeof request - 8) == 0,
          "-");
    host_end(&host);
}

int main(void)
{
    static const struct test tests[] = {
        {"headers: all kinds in one packet", test_all_headers},
        {"headers: no next header, and unknown ones", test_unknown_next_header},
        {"bad: option action bits", test_option_actions},
        {"bad: routing header 0", test_routing_header_0},
        {"bad: hop-by-hop options that are not first", test_hop_by_hop_not_first},
        {"bad: extension headers without end", test_endless_headers},
        {"bad: extension headers out of the packet", test_headers_out_of_the_packet},
        {"bad: options out of their header", test_option_out_of_its_header},
        {"bad: jumbogram", test_jumbogram},
        {"bad: truncated packets, other versions", test_lengths},
        {"bad: sources", test_sources},
        {"bad: destinations", test_destinations},
        {"errors: never about an error", test_no_error_about_an_error},
        {"errors: rate limit and length", test_error_rate},
        {"bad: errors with truncated inner headers", test_truncated_errors},
        {"bad: messages without their second word", test_short_messages},
        {"echo: as long as the link allows", test_long_ping},
    };
    return RUN_TESTS(tests);
}
