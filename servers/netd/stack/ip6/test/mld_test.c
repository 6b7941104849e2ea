/* Multicast listener reports (RFC 3810, RFC 2710). */
#include "host.h"
#include <string.h>

static struct host host;

#define GROUP "ff05::123"

static void join(const char *text)
{
    const struct ip_address group = address(text);
    CHECK(netif_join(&host.netif, &group) == 0, "%s", text);
}

static void leave(const char *text)
{
    const struct ip_address group = address(text);
    CHECK(netif_leave(&host.netif, &group) == 0, "%s", text);
}

/* Time passes until everything that the host says on its own is said. */
static void begin(void)
{
    host_start(&host);
    host_up(&host);
    host_run(&host, 20 * SECOND);
    host_drain(&host);
}

/* The next report: does it have a record of this type for the group? */
static bool reported(uint8_t type, const char *text)
{
    const struct ip_address group = address(text);
    struct frame frame;
    if (!host_sent_icmp(&host, MLD_REPORT_V2, &frame))
        return false;
    CHECK(frame.ip.hop_limit == 1 && frame.ip.destination.bytes[15] == 0x16, "the header");
    CHECK(frame.ip.next_header == NEXT_HOP_BY_HOP && frame.bytes[14 + 42] == OPTION_ROUTER_ALERT,
          "Router Alert");
    const unsigned records = (unsigned)(frame.payload[6] << 8 | frame.payload[7]);
    CHECK(frame.end - frame.payload == 8 + 20 * (int)records, "%u records", records);
    for (unsigned i = 0; i < records; i++) {
        const uint8_t *record = frame.payload + 8 + 20 * i;
        if (record[0] == type && memcmp(record + 4, group.bytes, 16) == 0)
            return true;
    }
    return false;
}

static void query(const char *source, const char *group, uint16_t max_response, size_t length,
                  uint8_t hop_limit)
{
    uint8_t message[28] = {MLD_QUERY};
    put_u16(message + 4, max_response);
    memcpy(message + 8, address(group).bytes, 16);
    host_receive_icmp(&host, source, "ff02::1", hop_limit, message, length);
}

static void test_join_and_leave(void)
{
    begin();
    join(GROUP);
    host_run(&host, 10 * MS);
    CHECK(reported(MLD_TO_EXCLUDE, GROUP), "told at once");
    host_run(&host, 2 * SECOND);
    CHECK(reported(MLD_TO_EXCLUDE, GROUP), "and again");
    host_run(&host, 10 * SECOND);
    CHECK(host_drain(&host) == 0, "and no more");
    join(GROUP);
    leave(GROUP);
    host_run(&host, 10 * SECOND);
    CHECK(host_drain(&host) == 0, "one member is left");
    leave(GROUP);
    host_run(&host, 10 * MS);
    CHECK(reported(MLD_TO_INCLUDE, GROUP), "the last one goes");
    host_run(&host, 2 * SECOND);
    CHECK(reported(MLD_TO_INCLUDE, GROUP), "told again");
    host_run(&host, 10 * SECOND);
    CHECK(host_drain(&host) == 0, "-");
    const struct ip_address group = address(GROUP);
    for (size_t i = 0; i < NETIF_GROUPS; i++)
        CHECK(!ip_equal(&host.netif.groups[i].address, &group), "its slot is free");
    host_end(&host);
}

static void test_solicited_node_group_from_nowhere(void)
{
    struct frame frame;
    host_start(&host);
    netif_set_link(&host.netif, true);
    stack_poll(host.stack, host.now);
    CHECK(host_sent(&host, &frame) && frame.payload[0] == MLD_REPORT_V2 &&
              ip_is_any(&frame.ip.source),
          "the first frame is the report of the group, from ::");
    CHECK(frame.payload[8] == MLD_TO_EXCLUDE && frame.payload[12] == 0xff &&
              frame.payload[24] == 0xff,
          "-");
    host_end(&host);
}

static void test_general_query(void)
{
    const struct ip_address v4 = ip_v4(239, 1, 2, 3);
    begin();
    join(GROUP);
    join("ff01::123");
    join("ff05::124");
    netif_join(&host.netif, &v4);
    host_run(&host, 5 * SECOND);
    leave("ff05::124");
    host_run(&host, 1);
    host_drain(&host);
    query("fe80::ff", "::", 1, 28, 1);
    host_run(&host, 2 * MS);
    struct frame frame;
    CHECK(host_sent_icmp(&host, MLD_REPORT_V2, &frame) && frame.payload[7] == 2,
          "our own group, and the one joined");
    host_run(&host, 5 * SECOND);
    host_drain(&host);
    query("fe80::ff", "::", 1000, 28, 1);
    host_run(&host, SECOND);
    const uint64_t out = host.stack->counters.mld_out;
    CHECK(reported(MLD_IS_EXCLUDE, GROUP), "all groups in one report");
    CHECK(!host_sent(&host, &frame) && host.stack->counters.mld_out == out, "and no second one");
    host_end(&host);
}

static void test_group_query(void)
{
    begin();
    join(GROUP);
    join("ff05::124");
    host_run(&host, 5 * SECOND);
    host_drain(&host);
    query("fe80::ff", GROUP, 1000, 28, 1);
    host_run(&host, SECOND);
    CHECK(reported(MLD_IS_EXCLUDE, GROUP) && host_drain(&host) == 0, "that group only");
    query("fe80::ff", GROUP, 10000, 28, 1);
    join("ff05::125");
    host_run(&host, MS);
    CHECK(reported(MLD_TO_EXCLUDE, "ff05::125") && host_drain(&host) == 0,
          "another's report does not hasten the answer");
    host_run(&host, 20 * SECOND);
    host_drain(&host);
    query("fe80::ff", "ff05::999", 1000, 28, 1);
    host_run(&host, 2 * SECOND);
    CHECK(host_drain(&host) == 0, "of which we are no members");
    host_end(&host);
}

static void test_v1_router(void)
{
    struct frame frame;
    begin();
    join(GROUP);
    host_run(&host, 5 * SECOND);
    host_drain(&host);
    query("fe80::ff", "::", 1000, 24, 1);
    host_run(&host, SECOND);
    CHECK(host_sent_icmp(&host, MLD_REPORT_V1, &frame), "an answer that it understands");
    host_drain(&host);
    leave(GROUP);
    host_run(&host, SECOND);
    CHECK(host_sent_icmp(&host, MLD_DONE, &frame) && frame.ip.destination.bytes[15] == 2, "done");
    host_run(&host, 261 * SECOND);
    host_drain(&host);
    join(GROUP);
    host_run(&host, SECOND);
    CHECK(reported(MLD_TO_EXCLUDE, GROUP), "the router is gone: version 2 again");
    host_end(&host);
}

static void test_v1_report_of_another(void)
{
    uint8_t report[24];
    struct frame frame;
    const struct ip_address group = address(GROUP);
    begin();
    join(GROUP);
    host_run(&host, 5 * SECOND);
    query("fe80::ff", GROUP, 10000, 24, 1);
    host_drain(&host);
    mld_v1_emit(report, MLD_REPORT_V1, &group);
    host_receive_icmp(&host, "fe80::9", GROUP, 1, report, sizeof report);
    host_run(&host, 20 * SECOND);
    CHECK(!host_sent_icmp(&host, MLD_REPORT_V1, &frame), "ours is not needed");
    join("ff05::124");
    host_run(&host, 5 * SECOND);
    host_drain(&host);
    query("fe80::ff", "ff05::124", 10000, 24, 1);
    host_receive_icmp(&host, "fe80::9", GROUP, 1, report, sizeof report);
    host_run(&host, 20 * SECOND);
    CHECK(host_sent_icmp(&host, MLD_REPORT_V1, &frame), "that was of another group");
    host_end(&host);
}

static void test_reports_after_link_loss(void)
{
    begin();
    join(GROUP);
    join("ff05::126");
    const struct ip_address v4 = ip_v4(239, 1, 2, 3);
    netif_join(&host.netif, &v4);
    host_run(&host, 5 * SECOND);
    leave("ff05::126");
    netif_set_link(&host.netif, false);
    join("ff05::124");
    join("ff05::125");
    leave("ff05::125");
    host_run(&host, 5 * SECOND);
    host_drain(&host);
    netif_set_link(&host.netif, true);
    host_run(&host, 10 * MS);
    bool both[2] = {false, false};
    for (int i = 0; i < 3; i++) {
        struct frame frame;
        if (!host_sent_icmp(&host, MLD_REPORT_V2, &frame))
            break;
        both[0] |= frame.payload[27] == 0x23;
        both[1] |= frame.payload[27] == 0x24;
        CHECK(frame.payload[27] != 0x25 && frame.payload[27] != 0x26 && frame.payload[12] == 0xff,
              "left meanwhile, or of IPv4");
    }
    CHECK(both[0] && both[1], "-");
    host_end(&host);
}

static void test_group_of_the_node(void)
{
    begin();
    host_run(&host, 5 * SECOND);
    host_drain(&host);
    join("ff01::123");
    join("ff02::1");
    host_run(&host, 5 * SECOND);
    CHECK(host_drain(&host) == 0, "these are never reported");
    host_end(&host);
}

static void test_bad_queries(void)
{
    begin();
    join(GROUP);
    host_run(&host, 5 * SECOND);
    host_drain(&host);
    query("fe80::ff", "::", 1000, 28, 2);
    query("2001:db8::ff", "::", 1000, 28, 1);
    query("::", "::", 1000, 28, 1);
    query("fe80::ff", "::", 1000, 23, 1);
    query("fe80::ff", "::", 1000, 26, 1); /* neither version's length (RFC 3810 8.1) */
    host_run(&host, 5 * SECOND);
    CHECK(host_drain(&host) == 0, "-");
    host_end(&host);
}

static void test_query_flood(void)
{
    begin();
    join(GROUP);
    host_run(&host, 5 * SECOND);
    host_drain(&host);
    for (int i = 0; i < 1000; i++)
        query("fe80::ff", i & 1 ? "::" : GROUP, 1000, 28, 1);
    host_run(&host, 2 * SECOND);
    CHECK(host_drain(&host) <= 2, "one answer of each kind for all");
    host_end(&host);
}

static void test_membership_decides(void)
{
    static const uint8_t request[8] = {ICMPV6_ECHO_REQUEST};
    begin();
    host_meet(&host, "fe80::9");
    host_receive_icmp(&host, "fe80::9", GROUP, 64, request, sizeof request);
    CHECK(host_drain(&host) == 0, "not a member");
    join(GROUP);
    CHECK(host_ping(&host, "fe80::9", GROUP), "a member");
    leave(GROUP);
    CHECK(!host_ping(&host, "fe80::9", GROUP), "left, though still to be told");
    CHECK(host_ping(&host, "fe80::9", "ff02::1"), "all nodes");
    host_end(&host);
}

int main(void)
{
    static const struct test tests[] = {
        {"MLDv2: joining and leaving", test_join_and_leave},
        {"MLDv2: the solicited-node group, before any address",
         test_solicited_node_group_from_nowhere},
        {"MLDv2: a general query", test_general_query},
        {"MLDv2: a query for a group", test_group_query},
        {"MLDv1: reports and done while an old router is there", test_v1_router},
        {"MLDv1: another host's report", test_v1_report_of_another},
        {"MLD: groups are told anew when the link comes back", test_reports_after_link_loss},
        {"MLD: groups of the node itself", test_group_of_the_node},
        {"MLD: membership decides what is heard", test_membership_decides},
        {"bad: queries that are not valid", test_bad_queries},
        {"bad: query flood", test_query_flood},
    };
    return RUN_TESTS(tests);
}
