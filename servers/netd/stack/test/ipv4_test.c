/* IPv4 and ICMP: what is answered, what is dropped in silence, and what is never believed. */
#include "../ip/path_mtu.h"
#include "../ip/reassembly.h"
#include "wire.h"
#include <errno.h>

static struct socket *udp;

static void start(void)
{
    const struct endpoint local = {.address = ip_any(IP_V4), .port = 7000};
    wire_start(NULL);
    said();
    know("10.0.0.2", PEER_MAC);
    know("10.0.0.254", PEER_MAC);
    udp = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    CHECK(socket_bind(udp, &local) == 0);
}

static void stop(void)
{
    expect_silence();
    wire_stop();
}

static void expect_received(const char *text)
{
    const char *seen = received_text(udp);
    CHECK(strcmp(seen, text) == 0, "received \"%s\", not \"%s\"", seen, text);
}

static struct frame *good(void) { return udp_frame("10.0.0.2", 9, "10.0.0.1", 7000, "hello"); }

/* What a test of bad input ends with: everything still works. */
static void still_works(void)
{
    hear(good());
    expect_received("10.0.0.2:9 hello");
    expect_received("-11");
}

/* --- headers --- */

static void test_runt_frames(void)
{
    start();
    for (size_t length = 0; length < 14 + 20 + 8 + 5; length++) {
        struct frame *frame = good();
        frame->length = length;
        hear(frame);
    }
    expect_received("-11");
    still_works();
    stop();
}

static void test_header_length(void)
{
    start();
    for (uint8_t ihl = 0; ihl < 16; ihl++) {
        struct frame *frame = good();
        frame->bytes[14] = 0x40 | ihl;
        if (ihl != 5)
            hear(frame);
    }
    CHECK(stack->counters.ip_in_header_errors == 15);
    struct frame *frame = good();
    frame->bytes[14] = 0x65;
    hear(frame); /* version 6 under IPv4's type */
    still_works();
    stop();
}

static void test_total_length(void)
{
    static const struct {
        uint16_t total; /* what the header says of 20 + 13 bytes */
        bool taken;
    } lengths[] = {{0, false}, {19, false}, {20, false}, {27, false}, {34, false}, {65535, false}};
    start();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const struct frame *whole = good();
        struct ipv4_test test = {
            .payload = whole->bytes + 34, .length = 13, .total_length = lengths[i].total};
        if (lengths[i].total == 0)
            test.version_ihl = 0x4f; /* and a total length below the header's */
        hear(ipv4_frame(&test));
        expect_received("-11");
    }
    CHECK(stack->counters.ip_in_header_errors == 4 && stack->counters.udp_in_errors == 2);
    struct frame *padded = good(); /* Ethernet's padding is not the datagram's */
    padded->length += 18;
    hear(padded);
    expect_received("10.0.0.2:9 hello");
    still_works();
    stop();
}

static void test_header_checksum(void)
{
    start();
    hear(ipv4_frame(
        &(struct ipv4_test){.payload = good()->bytes + 34, .length = 13, .bad_checksum = true}));
    CHECK(stack->counters.ip_in_header_errors == 1);
    still_works();
    stop();
}

static const struct {
    const char *name;
    uint8_t bytes[8];
    const char *answer; /* NULL: silence; "": delivered */
} options[] = {
    {"no operations", {1, 1, 1, 1, 0, 0, 0, 0}, ""},
    {"end before garbage", {0, 68, 0, 0, 7, 0, 0, 0}, ""},
    {"router alert", {148, 4, 0, 0, 0, 0, 0, 0}, ""},
    {"unknown", {77, 8, 0, 0, 0, 0, 0, 0}, ""},
    {"length 0", {7, 0, 0, 0, 0, 0, 0, 0}, "10.0.0.1 > 10.0.0.2 icmp 12/0 14000000 +41"},
    {"length 1", {7, 1, 0, 0, 0, 0, 0, 0}, "10.0.0.1 > 10.0.0.2 icmp 12/0 14000000 +41"},
    {"overrun", {1, 7, 8, 0, 0, 0, 0, 0}, "10.0.0.1 > 10.0.0.2 icmp 12/0 15000000 +41"},
    {"overrun at the end", {1, 1, 1, 1, 1, 1, 1, 7}, "10.0.0.1 > 10.0.0.2 icmp 12/0 1b000000 +41"},
    {"loose source route", {131, 7, 4, 10, 0, 0, 9, 0}, NULL},
    {"strict source route", {137, 7, 8, 10, 0, 0, 9, 0}, NULL},
    {"source route behind others", {1, 131, 3, 4, 0, 0, 0, 0}, NULL},
};

static void test_options(void)
{
    start();
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        hear(ipv4_frame(&(struct ipv4_test){.options = options[i].bytes,
                                            .options_length = 8,
                                            .payload = good()->bytes + 34,
                                            .length = 13}));
        check_test = options[i].name;
        expect_received(options[i].answer && !*options[i].answer ? "10.0.0.2:9 hello" : "-11");
        expect(options[i].answer);
    }
    still_works();
    stop();
}

/* --- addresses --- */

static void test_sources(void)
{
    static const char *const bad[] = {
        "0.0.0.0",   "0.1.2.3",   "255.255.255.255",     "10.0.0.255", "224.0.0.1",
        "127.0.0.1", "127.1.2.3", "10.0.0.1" /* LAND */, "240.0.0.1",
    };
    start();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hear(udp_frame(bad[i], 7000, "10.0.0.1", 7000, "x"));
        hear(udp_frame(bad[i], 7000, "10.0.0.1", 7001, "x")); /* nor "port unreachable" */
        hear(icmp_frame(bad[i], "10.0.0.1", ICMPV4_ECHO_REQUEST, 0, 1, "x", 1));
        expect_silence();
        expect_received("-11");
    }
    CHECK(stack->counters.ip_in_address_errors == 3 * sizeof bad / sizeof bad[0]);
    still_works();
    stop();
}

static void test_destinations(void)
{
    static const struct {
        const char *to;
        bool to_all, taken;
    } destinations[] = {
        {"10.0.0.1", false, true},   {"10.0.0.1", true, false}, /* RFC 1122 3.3.6 */
        {"10.0.0.3", false, false},  {"10.0.0.255", true, true},  {"255.255.255.255", true, true},
        {"10.0.1.255", true, false}, {"127.0.0.1", false, false}, {"0.0.0.0", true, false},
        {"224.0.0.1", false, false}, /* a member, but no socket is */
        {"239.1.2.3", false, false}, {"240.0.0.1", false, false},
    };
    uint64_t refused = 0;
    start();
    for (size_t i = 0; i < sizeof destinations / sizeof destinations[0]; i++) {
        const struct frame *whole = udp_frame("10.0.0.2", 9, destinations[i].to, 7000, "x");
        hear(ipv4_frame(&(struct ipv4_test){.to = destinations[i].to,
                                            .to_all = destinations[i].to_all,
                                            .payload = whole->bytes + 34,
                                            .length = 9}));
        check_test = destinations[i].to;
        expect_received(destinations[i].taken ? "10.0.0.2:9 x" : "-11");
        refused += !destinations[i].taken && strcmp(destinations[i].to, "224.0.0.1") != 0;
    }
    CHECK(stack->counters.ip_in_address_errors == refused);
    still_works();
    /* RFC 3021: two addresses are too few for a broadcast. */
    const struct ip_address two = address("172.16.0.1"), one = address("172.16.1.1");
    CHECK(netif_address_add(&eth, &two, 31, ADDRESS_STATIC) == 0 &&
          netif_address_add(&eth, &one, 32, ADDRESS_STATIC) == 0);
    said(), said();
    CHECK(!ip_is_directed_broadcast(stack, &two) && !ip_is_directed_broadcast(stack, &one));
    stop();
}

static void test_unknown_protocol(void)
{
    start();
    hear(ipv4_frame(&(struct ipv4_test){.protocol = 99, .payload = "abcdefgh", .length = 8}));
    expect("10.0.0.1 > 10.0.0.2 icmp 3/2 0 +28");
    hear(ipv4_frame(&(struct ipv4_test){
        .protocol = 99, .to = "10.0.0.255", .to_all = true, .payload = "abcdefgh", .length = 8}));
    expect_silence();
    CHECK(stack->counters.ip_in_unknown_protocol == 2 && stack->counters.icmp_out == 1);
    stop();
}

/* --- fragments --- */

#define MORE 0x2000

static uint8_t big[1480 * 3];

/* hear_fragment: of a UDP datagram to port 7000 whose header is in the first one. */
static void hear_fragment(uint16_t identification, size_t offset, size_t length, bool more)
{
    const uint8_t header[8] = {0, 9, 7000 >> 8, 7000 & 0xff, 0, 0, 0, 0};
    uint8_t payload[1480];
    memcpy(payload, big + offset, length);
    if (offset == 0) {
        memcpy(payload, header, 8);
        payload[4] = (uint8_t)(sizeof big >> 8);
        payload[5] = (uint8_t)sizeof big;
    }
    hear(ipv4_frame(&(struct ipv4_test){.identification = identification,
                                        .fragment = (uint16_t)(offset / 8 | (more ? MORE : 0)),
                                        .payload = payload,
                                        .length = length}));
}

static void fill_big(void)
{
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 7 + i / 256);
}

static bool received_big(void)
{
    static uint8_t bytes[sizeof big];
    struct socket_message message = {0};
    const int64_t length = socket_receive_memory(udp, bytes, sizeof bytes, &message);
    return length == sizeof big - 8 && memcmp(bytes, big + 8, sizeof big - 8) == 0;
}

static void test_reassembly(void)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}};
    fill_big();
    start();
    for (uint16_t i = 0; i < 4; i++) {
        for (unsigned j = 0; j < 3; j++) {
            expect_received("-11");
            hear_fragment(i, orders[i][j] * 1480, 1480, orders[i][j] < 2);
            if (j == 0)
                hear_fragment(i, orders[i][j] * 1480, 1480, orders[i][j] < 2); /* twice */
        }
        CHECK(received_big());
    }
    CHECK(stack->counters.ip_reassembled == 4 && pool.in_use == 0);
    /* The UDP header may be all that the first fragment has. */
    hear_fragment(9, 1480, 1480, true);
    hear_fragment(9, 8, 1472, true);
    hear_fragment(9, 2960, 1480, false);
    hear_fragment(9, 0, 8, true);
    CHECK(received_big());
    stop();
}

static void test_overlapping_fragments(void)
{
    fill_big();
    start();
    hear_fragment(1, 0, 1480, true);
    hear_fragment(1, 1472, 1480, true); /* 8 bytes too early */
    hear_fragment(1, 1480, 1480, true);
    hear_fragment(1, 2960, 1480, false);
    expect_received("-11");
    hear_fragment(2, 2960, 1480, false);
    hear_fragment(2, 4000, 8, true); /* behind what the last one reaches... */
    hear_fragment(2, 4440, 0, false);
    hear_fragment(2, 4432 + 8, 0, true);
    expect_received("-11");
    CHECK(stack->counters.ip_reassembled == 0);
    pass(2 * REASSEMBLY_TIME);
    CHECK(pool.in_use == 0);
    still_works();
    stop();
}

static void test_fragment_past_64k(void)
{
    start();
    for (unsigned last = 8183; last < 8192; last++) {
        hear(ipv4_frame(&(struct ipv4_test){.identification = (uint16_t)last,
                                            .fragment = (uint16_t)last,
                                            .payload = big,
                                            .length = 1480}));
    }
    CHECK(stack->counters.ip_in_header_errors == 9 && pool.in_use == 0);
    hear(ipv4_frame(&(struct ipv4_test){.fragment = MORE, .payload = big, .length = 1479}));
    CHECK(stack->counters.ip_in_header_errors == 10); /* not a multiple of 8 */
    still_works();
    stop();
}

static void test_reassembly_timeout(void)
{
    start();
    hear_fragment(1, 0, 1480, true);
    hear_fragment(2, 1480, 1480, true);
    pass(REASSEMBLY_TIME);
    expect("10.0.0.1 > 10.0.0.2 icmp 11/1 0 +548"); /* only of the one whose beginning was there */
    CHECK(pool.in_use == 0 && stack->counters.ip_reassembly_failed == 2);
    stop();
}

static void test_reassembly_flood(void)
{
    uint32_t most = 0;
    start();
    for (unsigned i = 0; i < 3000; i++) {
        hear_fragment((uint16_t)i, i % 2 ? 0 : 1480, 1480, true);
        if (pool.in_use > most)
            most = pool.in_use;
    }
    CHECK(most * PACKET_SIZE <= (256u << 10) + PACKET_SIZE, "%u packets", most);
    hear_fragment(5000, 0, 1480, true); /* the newest still goes through */
    hear_fragment(5000, 1480, 1480, true);
    hear_fragment(5000, 2960, 1480, false);
    CHECK(received_big());
    pass(REASSEMBLY_TIME);
    while (said())
        ;
    CHECK(pool.in_use == 0);
    stop();
}

/* --- sending --- */

static void test_sends_fragments(void)
{
    static char text[4000];
    memset(text, 'x', sizeof text - 1);
    start();
    CHECK(send_text(udp, "10.0.0.2", 9, text) == 3999);
    expect("10.0.0.1 > 10.0.0.2 fragment 0+ +1480");
    expect("10.0.0.1 > 10.0.0.2 fragment 1480+ +1480");
    expect("10.0.0.1 > 10.0.0.2 fragment 2960 +1047");
    CHECK(stack->counters.ip_fragments_made == 3);
    int discover = 2; /* IP_PMTUDISC_DO */
    socket_set_option(udp, LEVEL_IP, OPTION_IP_MTU_DISCOVER, &discover, sizeof discover);
    CHECK(send_text(udp, "10.0.0.2", 9, text) == -EMSGSIZE);
    wire_full = true;
    discover = 0;
    socket_set_option(udp, LEVEL_IP, OPTION_IP_MTU_DISCOVER, &discover, sizeof discover);
    CHECK(send_text(udp, "10.0.0.2", 9, text) == -EAGAIN && pool.in_use == 0);
    stop();
}

/* What is sent in fragments can be put together again: by ourselves. */
static void test_fragments_are_right(void)
{
    static char text[8001], back[8001];
    struct socket_message message = {0};
    start();
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = (char)('!' + i % 90);
    const struct endpoint local = endpoint("127.0.0.1", 7002);
    struct socket *other = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    CHECK(socket_bind(other, &local) == 0);
    CHECK(send_text(udp, "127.0.0.1", 7002, text) == 8000);
    pass(0);
    CHECK(socket_receive_memory(other, back, sizeof back, &message) == 8000);
    CHECK(memcmp(text, back, 8000) == 0);
    stop();
}

/* RFC 6864: a number does not come back soon; and what one flow sees does not tell another's. */
static void test_identification(void)
{
    uint16_t numbers[2] = {0};
    int never = 0;
    start();
    socket_set_option(udp, LEVEL_IP, OPTION_IP_MTU_DISCOVER, &never, sizeof never);
    know("10.0.0.3", OTHER_MAC);
    for (unsigned i = 0; i < 4; i++) {
        send_text(udp, i % 2 ? "10.0.0.2" : "10.0.0.3", 9, "x");
        const struct frame *frame = said();
        const uint16_t number = (uint16_t)(frame->bytes[18] << 8 | frame->bytes[19]);
        CHECK(i < 2 || number == numbers[i % 2] + 1);
        numbers[i % 2] = number;
    }
    CHECK(numbers[0] != numbers[1]);
    stop();
}

static void test_routes(void)
{
    const struct ip_route_entry via = {
        .destination = ip_v4(192, 0, 2, 0), .prefix = 24, .gateway = ip_v4(10, 0, 0, 2)};
    struct ip_route_entry bad = via;
    start();
    CHECK(send_text(udp, "192.0.2.5", 9, "a") == 1);
    expect("10.0.0.1 > 192.0.2.5 df udp 7000 > 9 a"); /* through 10.0.0.254 */
    CHECK(ip_route_add(stack, &via) == 0 && ip_route_add(stack, &via) == -EEXIST);
    bad.gateway = ip_v4(172, 16, 0, 1);
    CHECK(ip_route_add(stack, &bad) == -ENETUNREACH);
    bad.prefix = 33;
    CHECK(ip_route_add(stack, &bad) == -EINVAL);
    struct ip_route route;
    const struct ip_address inside = address("192.0.2.5"), outside = address("192.0.3.5"),
                            local = address("10.0.0.1"), foreign = address("10.0.0.77");
    CHECK(ip_route_find(stack, &inside, NULL, 0, &route) == 0 && route.next_hop.bytes[3] == 2);
    CHECK(ip_route_find(stack, &outside, NULL, 0, &route) == 0 && route.next_hop.bytes[3] == 254);
    CHECK(route.mtu == 1500 && ip_equal(&route.source, &local));
    CHECK(ip_route_find(stack, &local, NULL, 0, &route) == 0 && route.netif == stack->loopback);
    CHECK(ip_route_find(stack, &outside, &foreign, 0, &route) == -EADDRNOTAVAIL);
    CHECK(ip_route_find(stack, &outside, NULL, 99, &route) == -ENETUNREACH);
    CHECK(ip_route_delete(stack, &via) == 0 && ip_route_delete(stack, &via) == -ESRCH);
    const struct ip_route_entry standard = {.destination = ip_any(IP_V4)};
    CHECK(ip_route_delete(stack, &standard) == 0);
    CHECK(send_text(udp, "192.0.2.5", 9, "a") == -ENETUNREACH);
    CHECK(stack->counters.ip_out_no_route == 0); /* the socket asked before */
    netif_set_link(&eth, false);
    CHECK(send_text(udp, "10.0.0.2", 9, "a") == -ENETUNREACH);
    stop();
}

/* The same network over two routers: the lower metric, and the other when that one is gone. */
static void test_metrics(void)
{
    const struct ip_address inside = address("192.0.2.5");
    struct ip_route_entry entry = {.destination = ip_v4(192, 0, 2, 0), .prefix = 24};
    struct ip_route route;
    start();
    for (uint8_t i = 1; i <= 3; i++) {
        entry.gateway = ip_v4(10, 0, 0, (uint8_t)(100 + i));
        entry.metric = i == 2 ? 1 : 5;
        CHECK(ip_route_add(stack, &entry) == 0);
    }
    CHECK(ip_route_find(stack, &inside, NULL, 0, &route) == 0 && route.next_hop.bytes[3] == 102);
    entry.gateway = ip_v4(10, 0, 0, 102);
    CHECK(ip_route_delete(stack, &entry) == 0);
    CHECK(ip_route_find(stack, &inside, NULL, 0, &route) == 0 && route.next_hop.bytes[3] == 101);
    entry = (struct ip_route_entry){
        .destination = entry.destination, .prefix = 24, .netif = &eth}; /* on the link */
    CHECK(ip_route_add(stack, &entry) == 0 && ip_route_add(stack, &entry) == -EEXIST);
    CHECK(ip_route_find(stack, &inside, NULL, 0, &route) == 0 && route.next_hop.bytes[3] == 5);
    stop();
}

static void count_route(void *context, const struct ip_route_entry *entry)
{
    *(unsigned *)context += entry->connected ? 100 : 1;
}

static void test_addresses(void)
{
    struct ip_address more = address("10.0.1.1");
    const struct ip_address own = address("10.0.0.1");
    unsigned added = 0, routes = 0;
    start();
    CHECK(netif_address_add(&eth, &own, 24, ADDRESS_STATIC) == -EEXIST);
    static const char *const bad[] = {"0.0.0.0", "224.0.0.1", "255.255.255.255"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct ip_address none = address(bad[i]);
        CHECK(netif_address_add(&eth, &none, 24, ADDRESS_STATIC) == -EINVAL);
    }
    CHECK(netif_address_add(&eth, &more, 33, ADDRESS_STATIC) == -EINVAL);
    while (netif_address_add(&eth, &more, 24, ADDRESS_STATIC) == 0) {
        more.bytes[2]++;
        added++;
    }
    CHECK(netif_address_add(&eth, &more, 24, ADDRESS_STATIC) == -ENOSPC);
    CHECK(added > 0 && added < NETIF_ADDRESSES);
    ip_route_list(stack, count_route, &routes);
    CHECK(routes == (added + 2) * 100 + 1, "%u", routes); /* with lo, and the default route */
    CHECK(netif_address_remove(&eth, &more) == -EADDRNOTAVAIL);
    CHECK(netif_address_remove(&eth, &own) == 0 && !ip_is_local(stack, &own));
    hear(good());
    expect_received("-11");
    while (said())
        ;
    stop();
}

static void test_route_table_is_bounded(void)
{
    const struct stack_config limits = {.routes = 4};
    wire_start(&limits);
    struct ip_route_entry entry = {.gateway = ip_v4(10, 0, 0, 2)};
    for (uint8_t i = 0; i < 5; i++) {
        entry.destination = ip_v4(20, i, 0, 0);
        entry.prefix = 16;
        CHECK(ip_route_add(stack, &entry) == (i < 3 ? 0 : -ENOSPC));
    }
    wire_stop();
}

/* --- ICMP --- */

static void test_echo(void)
{
    static uint8_t data[1472];
    start();
    hear(icmp_frame("10.0.0.2", "10.0.0.1", ICMPV4_ECHO_REQUEST, 0, 0x12340001, "abcdef", 6));
    expect("10.0.0.1 > 10.0.0.2 icmp 0/0 12340001 +6");
    hear(icmp_frame("10.0.0.2", "10.0.0.1", ICMPV4_ECHO_REQUEST, 0, 7, data, sizeof data));
    expect("10.0.0.1 > 10.0.0.2 icmp 0/0 7 +1472");
    hear(icmp_frame("10.0.0.2", "10.0.0.1", ICMPV4_ECHO_REQUEST, 0, 7, NULL, 0));
    expect("10.0.0.1 > 10.0.0.2 icmp 0/0 7 +0");
    hear(icmp_frame("10.0.0.2", "255.255.255.255", ICMPV4_ECHO_REQUEST, 0, 7, data, 8));
    hear(icmp_frame("10.0.0.2", "224.0.0.1", ICMPV4_ECHO_REQUEST, 0, 7, data, 8));
    expect_silence();
    struct frame *broken = icmp_frame("10.0.0.2", "10.0.0.1", ICMPV4_ECHO_REQUEST, 0, 7, data, 8);
    broken->bytes[40] ^= 1;
    hear(broken);
    for (size_t length = 0; length < 8; length++)
        hear(ipv4_frame(&(struct ipv4_test){
            .protocol = PROTOCOL_ICMP, .payload = "\10\0\367\377\0\0\0", .length = length}));
    CHECK(stack->counters.icmp_in_errors == 9 && stack->counters.icmp_out == 3);
    stop();
}

/* A ping of the largest size comes back in fragments; one beyond never becomes a datagram. */
static void test_oversized_echo(void)
{
    static uint8_t whole[65515];
    size_t offset = 0;
    unsigned answers = 0;
    start();
    whole[0] = ICMPV4_ECHO_REQUEST;
    whole[2] = 0xf7;
    whole[3] = 0xff;
    for (; offset < sizeof whole; offset += 1480) {
        const size_t length = sizeof whole - offset < 1480 ? sizeof whole - offset : 1480;
        const bool more = offset + length < sizeof whole;
        hear(ipv4_frame(&(struct ipv4_test){.protocol = PROTOCOL_ICMP,
                                            .fragment = (uint16_t)(offset / 8 | (more ? MORE : 0)),
                                            .payload = whole + offset,
                                            .length = length}));
    }
    while (said())
        answers++;
    CHECK(answers == 45, "%u", answers);
    CHECK(pool.in_use == 0);
    /* The same, 8 bytes longer. */
    for (offset = 0; offset < sizeof whole + 8; offset += 1480) {
        hear(ipv4_frame(
            &(struct ipv4_test){.protocol = PROTOCOL_ICMP,
                                .identification = 1,
                                .fragment = (uint16_t)(offset / 8 | (offset < 65120 ? MORE : 0)),
                                .payload = whole,
                                .length = offset < 65120 ? 1480 : 403}));
    }
    stop();
}

static void test_errors_are_limited(void)
{
    unsigned answers = 0;
    start();
    for (unsigned i = 0; i < 500; i++)
        hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 1, "x"));
    while (said())
        answers++;
    CHECK(answers == 50 && stack->counters.icmp_out_limited == 450);
    pass(100 * MS);
    for (unsigned i = 0; i < 500; i++)
        hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 1, "x"));
    for (answers = 0; said();)
        answers++;
    CHECK(answers == 10);
    pass(20 * SECOND); /* saves up no more than a burst */
    know("10.0.0.2", PEER_MAC);
    while (said())
        ;
    for (unsigned i = 0; i < 500; i++)
        hear(udp_frame("10.0.0.2", 9, "10.0.0.1", 1, "x"));
    for (answers = 0; said();)
        answers++;
    CHECK(answers == 50, "%u", answers);
    stop();
}

/* RFC 1122 3.2.2: an error is never answered by another. */
static void test_no_error_about_errors(void)
{
    uint8_t quoted[28];
    start();
    memcpy(quoted, good()->bytes + 14, sizeof quoted);
    for (unsigned type = 0; type < 256; type++) {
        hear(icmp_frame("10.0.0.2", "10.0.0.1", (uint8_t)type, 0, 0, quoted, sizeof quoted));
        if (type == ICMPV4_ECHO_REQUEST)
            said();
    }
    /* A bad option in an ICMP error, and in a later fragment. */
    const struct frame *error =
        icmp_frame("10.0.0.2", "10.0.0.1", ICMPV4_UNREACHABLE, 1, 0, quoted, sizeof quoted);
    struct ipv4_test test = {.protocol = PROTOCOL_ICMP,
                             .options = "\7\0\0\0",
                             .options_length = 4,
                             .payload = error->bytes + 34,
                             .length = 36};
    hear(ipv4_frame(&test));
    test.protocol = PROTOCOL_UDP;
    test.fragment = 10;
    hear(ipv4_frame(&test));
    stop();
}

/* sent_packet: what the socket has sent last, for an error to quote. */
static struct frame *sent_packet(const char *text)
{
    send_text(udp, "10.0.0.2", 9, text);
    return said();
}

static void test_error_reaches_its_flow(void)
{
    static const struct {
        uint8_t type, code;
        int error;
    } errors[] = {
        {3, 3, -ECONNREFUSED}, {3, 2, -ENOPROTOOPT},   {3, 1, -EHOSTUNREACH},
        {3, 0, -ENETUNREACH},  {11, 0, -EHOSTUNREACH}, {12, 0, -EPROTO},
        {4, 0, -EAGAIN},       {5, 0, -EAGAIN},        {3, 16, -EAGAIN},
    };
    int on = 1;
    start();
    socket_set_option(udp, LEVEL_IP, OPTION_IP_RECVERR, &on, sizeof on);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        char expected[16];
        struct frame *sent = sent_packet("hello");
        hear(icmp_frame("10.0.0.254", "10.0.0.1", errors[i].type, errors[i].code, 0,
                        sent->bytes + 14, 28));
        snprintf(expected, sizeof expected, "%d", errors[i].error);
        expect_received(expected);
        expect_received("-11"); /* once */
    }
    stop();
}

/* Cut off, not ours, of later fragments, of flows that we do not have: nothing happens. */
static void test_errors_not_believed(void)
{
    int on = 1;
    start();
    socket_set_option(udp, LEVEL_IP, OPTION_IP_RECVERR, &on, sizeof on);
    struct frame *sent = sent_packet("hello");
    uint8_t quoted[33];
    memcpy(quoted, sent->bytes + 14, sizeof quoted);
    for (size_t length = 0; length < 28; length++)
        hear(icmp_frame("10.0.0.254", "10.0.0.1", 3, 3, 0, quoted, length));
    expect_received("-11");
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 0x65},
        {0, 0x44},
        {0, 0x4f},
        {2, 0xff} /* not: length may be anything */,
        {7, 1} /* offset */,
        {9, 6} /* protocol */,
        {9, 99},
        {15, 9} /* source */,
        {20, 1} /* port */,
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const uint8_t old = quoted[changes[i].at];
        quoted[changes[i].at] = changes[i].value;
        hear(icmp_frame("10.0.0.254", "10.0.0.1", 3, 3, 0, quoted, 28));
        quoted[changes[i].at] = old;
        expect_received(changes[i].at == 2 ? "-111" : "-11");
    }
    stop();
}

static uint16_t mtu_to_peer(void)
{
    const struct ip_address peer = address("10.0.0.2");
    return path_mtu(stack, &peer, ETHERNET_MTU);
}

static void test_path_mtu(void)
{
    static char text[1400];
    memset(text, 'x', sizeof text - 1);
    start();
    struct frame *sent = sent_packet(text);
    CHECK(strncmp(describe(sent), "10.0.0.1 > 10.0.0.2 df ", 23) == 0);
    hear(icmp_frame("10.0.0.254", "10.0.0.1", 3, 4, 1000, sent->bytes + 14, 28));
    CHECK(mtu_to_peer() == 1000);
    CHECK(send_text(udp, "10.0.0.2", 9, text) == 1399); /* fits no more: fragments, without DF */
    expect("10.0.0.1 > 10.0.0.2 fragment 0+ +976");
    expect("10.0.0.1 > 10.0.0.2 fragment 976 +431");
    pass(PATH_MTU_TIME);
    CHECK(mtu_to_peer() == 1500);
    while (said())
        ;
    stop();
}

static void test_path_mtu_not_believed(void)
{
    static const struct {
        uint32_t mtu;
        uint16_t becomes;
    } values[] = {
        {67, 1500},    {1, 1500}, {1428, 1500}, /* as long as the packet */
        {65535, 1500}, {0, 1006},               /* RFC 1191 5: a router that does not say */
        {68, 68},
    };
    static char text[1401];
    memset(text, 'x', sizeof text - 1);
    start();
    struct frame sent = *sent_packet(text);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        hear(icmp_frame("10.0.0.254", "10.0.0.1", 3, 4, values[i].mtu, sent.bytes + 14, 28));
        CHECK(mtu_to_peer() == values[i].becomes, "%u: %u", values[i].mtu, mtu_to_peer());
    }
    pass(PATH_MTU_TIME);
    sent.bytes[14 + 21] ^= 1; /* a port that nobody has */
    hear(icmp_frame("10.0.0.254", "10.0.0.1", 3, 4, 576, sent.bytes + 14, 28));
    CHECK(mtu_to_peer() == 1500);
    while (said())
        ;
    stop();
}

/* --- the stack --- */

/* Whichever allocation fails, nothing of the others is lost. */
static void test_no_memory(void)
{
    const struct stack_config config = wire_config(NULL);
    int allowed = 0;
    do {
        wire_memory = allowed++;
        stack = stack_create(&config);
        CHECK(stack || wire_allocations == 0);
    } while (!stack);
    CHECK(allowed > 5 && wire_allocations == allowed - 1);
    wire_memory = -1;
    wire_stop();
}

/* --- frames --- */

static void test_ethernet(void)
{
    start();
    struct frame *other = good();
    other->bytes[5] = 9; /* for another host: a switch floods */
    hear(other);
    struct frame *from_group = good();
    from_group->bytes[6] = 3;
    hear(from_group);
    struct frame *unknown = good();
    unknown->bytes[13] = 0x77;
    hear(unknown);
    expect_received("-11");
    CHECK(eth.counters.rx_errors == 1 && eth.counters.rx_dropped == 2);
    eth.up = false;
    hear(good());
    expect_received("-11");
    eth.up = true;
    still_works();
    stop();
}

/* Frames longer than a packet: a device that puts segments together, and one that cuts them. */
static void test_long_frames(void)
{
    static uint8_t text[3500];
    char back[3500];
    struct socket_message message = {0};
    const uint8_t header[8] = {0, 9, 7000 >> 8, 7000 & 0xff, sizeof text >> 8, sizeof text & 0xff};
    start();
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
    memcpy(text, header, sizeof header);
    hear(ipv4_frame(&(struct ipv4_test){.payload = text, .length = sizeof text}));
    CHECK(socket_receive_memory(udp, back, sizeof back, &message) == sizeof text - 8);
    CHECK(memcmp(back, text + 8, sizeof text - 8) == 0);
    hear(ipv4_frame(&(struct ipv4_test){
        .payload = text, .length = sizeof text, .total_length = 20 + sizeof text + 1}));
    hear(ipv4_frame(&(struct ipv4_test){/* padding behind, and whole pieces of it */
                                        .payload = text,
                                        .length = sizeof text,
                                        .total_length = 20 + 8 + 100}));
    expect_received("-11"); /* UDP's length does not fit */
    CHECK(pool.in_use == 0);
    struct packet *packet = packet_alloc(&pool, PACKET_HEADROOM);
    packet_append(packet, 1400);
    packet->fragment = packet_alloc(&pool, 0);
    packet_append(packet->fragment, 2000);
    packet->segment_size = 1380;
    const struct ip_send send = {.destination = ip_v4(10, 0, 0, 2), .protocol = 99};
    CHECK(ip_output(stack, &send, packet) == 0);
    expect("10.0.0.1 > 10.0.0.2 protocol 99 +3400");
    stop();
}

static void test_loopback(void)
{
    const struct endpoint local = endpoint("127.0.0.1", 7003);
    start();
    struct socket *a = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    CHECK(socket_bind(a, &local) == 0);
    CHECK(send_text(a, "127.0.0.1", 7003, "self") == 4);
    CHECK(strcmp(received_text(a), "-11") == 0); /* not before the next poll */
    CHECK(stack_deadline(stack) == stack->now);
    pass(0);
    CHECK(strcmp(received_text(a), "127.0.0.1:7003 self") == 0);
    CHECK(send_text(udp, "10.0.0.1", 7000, "us") == 2); /* our own address, too */
    pass(0);
    expect_received("10.0.0.1:7000 us");
    CHECK(send_text(udp, "127.0.0.1", 4, "none") == 4);
    for (unsigned i = 0; i < 300; i++) {
        const int64_t sent = send_text(a, "127.0.0.1", 7003, "flood");
        CHECK(sent == (i < 255 ? 5 : -EAGAIN), "%u", i);
    }
    CHECK(!(socket_ready(a) & SOCKET_WRITABLE));
    pass(0);
    CHECK(socket_ready(a) & SOCKET_WRITABLE);
    stop();
}

static const struct test tests[] = {
    {"runt frames", test_runt_frames},
    {"IHL below 5 or past the packet", test_header_length},
    {"total length unequal to the frame", test_total_length},
    {"header checksum", test_header_checksum},
    {"options: length 0, overrun, source routes", test_options},
    {"sources: 0, broadcast, multicast, loopback, own (LAND)", test_sources},
    {"destinations", test_destinations},
    {"unknown protocol", test_unknown_protocol},
    {"reassembly in any order", test_reassembly},
    {"overlapping fragments", test_overlapping_fragments},
    {"fragment past 65,535", test_fragment_past_64k},
    {"reassembly timeout", test_reassembly_timeout},
    {"reassembly flood", test_reassembly_flood},
    {"sends fragments", test_sends_fragments},
    {"fragments come together again", test_fragments_are_right},
    {"identification", test_identification},
    {"routes", test_routes},
    {"metrics", test_metrics},
    {"addresses", test_addresses},
    {"route table is bounded", test_route_table_is_bounded},
    {"echo", test_echo},
    {"oversized echo", test_oversized_echo},
    {"ICMP errors are limited", test_errors_are_limited},
    {"no error about errors", test_no_error_about_errors},
    {"ICMP errors reach their flow", test_error_reaches_its_flow},
    {"ICMP errors: truncated, unknown flows", test_errors_not_believed},
    {"path MTU", test_path_mtu},
    {"path MTU below the minimum, and other lies", test_path_mtu_not_believed},
    {"no memory for the stack", test_no_memory},
    {"Ethernet", test_ethernet},
    {"frames longer than a packet", test_long_frames},
    {"loopback", test_loopback},
};

int main(void) { return RUN_TESTS(tests); }
