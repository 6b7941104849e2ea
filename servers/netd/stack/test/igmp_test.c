/* IGMP: joining, leaving, queries of three versions (RFC 2236, RFC 3376). */
#include "../checksum.h"
#include "../wire/igmp.h"
#include "wire.h"

static const char *const GROUP = "239.1.2.3";
#define REPORT3 "10.0.0.1 > 224.0.0.22 ttl 1 options 4 igmp v3 record "

static void start(void)
{
    wire_start(NULL);
    said();
}

static void stop(void)
{
    expect_silence();
    wire_stop();
}

static void join(void)
{
    const struct ip_address group = address(GROUP);
    CHECK(netif_join(&eth, &group) == 0);
}

static void leave(void)
{
    const struct ip_address group = address(GROUP);
    CHECK(netif_leave(&eth, &group) == 0);
}

/* message: from a router, or from another host. */
static struct frame *message(const char *to, uint8_t type, uint8_t code, const char *group,
                             size_t length, uint8_t hop_limit)
{
    uint8_t bytes[12] = {type, code};
    const struct ip_address ip = address(group);
    memcpy(bytes + 4, ip.bytes, 4);
    const uint16_t field = checksum_finish(checksum_add(0, bytes, length));
    memcpy(bytes + 2, &field, 2);
    return ipv4_frame(&(struct ipv4_test){.to = to,
                                          .protocol = PROTOCOL_IGMP,
                                          .hop_limit = hop_limit,
                                          .options = "\224\4\0\0",
                                          .options_length = 4,
                                          .payload = bytes,
                                          .length = length});
}

static struct frame *query_v3(const char *group)
{
    return message("224.0.0.1", IGMP_QUERY, 100, group, IGMP_V3_QUERY, 1);
}

static void test_join_and_leave(void)
{
    start();
    join();
    expect(REPORT3 "4 239.1.2.3");
    join(); /* another member: nothing new */
    pass(SECOND);
    expect(REPORT3 "4 239.1.2.3"); /* robustness: twice */
    pass(100 * SECOND);
    expect_silence();
    leave();
    expect_silence();
    leave();
    expect(REPORT3 "3 239.1.2.3");
    const struct ip_address group = address(GROUP);
    CHECK(!netif_is_member(&eth, &group));
    pass(SECOND);
    expect(REPORT3 "3 239.1.2.3");
    for (size_t i = 0; i < NETIF_GROUPS; i++)
        CHECK(!ip_equal(&eth.groups[i].address, &group)); /* its place is free again */
    CHECK(netif_leave(&eth, &group) < 0);
    stop();
}

static void test_query(void)
{
    start();
    join();
    pass(5 * SECOND);
    said(), said();
    hear(query_v3("0.0.0.0"));
    expect_silence(); /* not at once: all hosts would answer together */
    pass(10 * SECOND);
    expect(REPORT3 "2 239.1.2.3");
    hear(query_v3(GROUP));
    hear(query_v3(GROUP));
    pass(10 * SECOND);
    expect(REPORT3 "2 239.1.2.3");
    hear(query_v3("239.1.2.4"));
    pass(10 * SECOND);
    stop();
}

static void test_version_2(void)
{
    start();
    join();
    pass(5 * SECOND);
    said(), said();
    hear(message("224.0.0.1", IGMP_QUERY, 100, "0.0.0.0", IGMP_SIZE, 1));
    pass(10 * SECOND);
    expect("10.0.0.1 > 239.1.2.3 ttl 1 options 4 igmp 16 239.1.2.3");
    /* Another member's report is enough. */
    hear(message("224.0.0.1", IGMP_QUERY, 100, "0.0.0.0", IGMP_SIZE, 1));
    hear(message(GROUP, IGMP_REPORT_V2, 0, GROUP, IGMP_SIZE, 1));
    pass(10 * SECOND);
    expect_silence();
    leave();
    expect("10.0.0.1 > 224.0.0.2 ttl 1 options 4 igmp 17 239.1.2.3");
    pass(10 * SECOND);
    said();
    pass(300 * SECOND); /* no router of version 2 for long: 3 again */
    join();
    expect(REPORT3 "4 239.1.2.3");
    pass(SECOND);
    said();
    stop();
}

static void test_version_1(void)
{
    start();
    join();
    pass(5 * SECOND);
    said(), said();
    hear(message("224.0.0.1", IGMP_QUERY, 0, "0.0.0.0", IGMP_SIZE, 1));
    pass(10 * SECOND);
    expect("10.0.0.1 > 239.1.2.3 ttl 1 options 4 igmp 12 239.1.2.3");
    leave(); /* version 1 knows no leaving */
    pass(10 * SECOND);
    stop();
}

static void test_ignored(void)
{
    start();
    join();
    pass(5 * SECOND);
    said(), said();
    hear(message("224.0.0.1", IGMP_QUERY, 100, "0.0.0.0", IGMP_V3_QUERY, 2)); /* crossed a router */
    struct frame *broken = query_v3("0.0.0.0");
    broken->bytes[14 + 24 + 2] ^= 1;
    hear(broken);
    for (size_t length = 0; length < IGMP_SIZE; length++)
        hear(message("224.0.0.1", IGMP_QUERY, 100, "0.0.0.0", length, 1));
    pass(20 * SECOND);
    stop();
}

/* RFC 3376 4.1.1: from 128 on the response time is a floating-point number. */
static void test_response_time(void)
{
    static const struct {
        uint8_t code;
        uint32_t ms;
    } times[] = {{1, 100}, {127, 12700}, {128, 12800}, {129, 13600}, {255, 3174400}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        const uint8_t bytes[12] = {IGMP_QUERY, times[i].code};
        struct cursor cursor = cursor_over(bytes, sizeof bytes);
        struct igmp query;
        CHECK(igmp_parse(&cursor, &query) && query.version == 3);
        CHECK(query.max_response_ms == times[i].ms, "%u", query.max_response_ms);
    }
}

static void test_link_up(void)
{
    start();
    join();
    pass(SECOND);
    said(), said();
    netif_set_link(&eth, false);
    netif_set_link(&eth, true);
    expect(REPORT3 "4 239.1.2.3");
    said(); /* the ARP announcement */
    pass(SECOND);
    expect(REPORT3 "4 239.1.2.3");
    stop();
}

static void test_limits(void)
{
    struct ip_address group = address("239.1.2.0");
    unsigned joined = 0;
    start();
    while (netif_join(&eth, &group) == 0) {
        group.bytes[3]++;
        joined++;
    }
    CHECK(joined > 8 && joined <= NETIF_GROUPS); /* IPv6 has its own in the table */
    group.bytes[3]--;
    CHECK(netif_leave(&eth, &group) == 0);
    group.bytes[2]++;
    CHECK(netif_join(&eth, &group) == 0); /* takes the place of the one being left */
    while (said())
        ;
    stop();
}

/* A report that is still to be sent when the stack goes away. */
static void test_stack_ends_first(void)
{
    start();
    join();
    expect(REPORT3 "4 239.1.2.3");
    stop();
}

static const struct test tests[] = {
    {"join and leave", test_join_and_leave},
    {"queries", test_query},
    {"version 2 routers", test_version_2},
    {"version 1 routers", test_version_1},
    {"what is ignored", test_ignored},
    {"response times", test_response_time},
    {"a link that comes up", test_link_up},
    {"limits", test_limits},
    {"the stack ends first", test_stack_ends_first},
};

int main(void) { return RUN_TESTS(tests); }
