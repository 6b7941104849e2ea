/* Neighbor Discovery as a conversation: duplicate address detection, solicitations and
 * advertisements, and the messages that must not be believed. */
#include "../../link/neighbour.h"
#include "../ndp/ndp.h"
#include "host.h"
#include <string.h>

static struct host host;
static const uint8_t other_mac[MAC_SIZE] = {2, 0, 0, 0, 0, 0x66};

#define OURS host_address(&host, ADDRESS_LINK_LOCAL)

/* A message about target, with an option or none (mac NULL), in a buffer for all. */
static const uint8_t *neighbor(enum icmpv6_type type, uint8_t flags, const char *target,
                               enum nd_option_type option, const uint8_t *mac, size_t *length)
{
    static uint8_t message[ND_NEIGHBOR_SIZE + ND_OPTION_LINK_SIZE];
    const struct nd_neighbor body = {.flags = flags, .target = address(target)};
    uint8_t *at = nd_neighbor_emit(message, type, &body);
    if (mac)
        at = nd_option_link_emit(at, option, mac);
    *length = (size_t)(at - message);
    return message;
}

static void solicit(const char *source, const char *destination, const char *target,
                    const uint8_t *mac)
{
    size_t length;
    const uint8_t *message =
        neighbor(ND_NEIGHBOR_SOLICIT, 0, target, ND_OPTION_SOURCE_LINK, mac, &length);
    host_receive_icmp(&host, source, destination, ND_HOP_LIMIT, message, length);
}

static void advertise(const char *source, const char *destination, const char *target,
                      uint8_t flags, const uint8_t *mac)
{
    size_t length;
    const uint8_t *message =
        neighbor(ND_NEIGHBOR_ADVERT, flags, target, ND_OPTION_TARGET_LINK, mac, &length);
    host_receive_icmp(&host, source, destination, ND_HOP_LIMIT, message, length);
}

static const char *group_of(const char *target)
{
    const struct ip_address unicast = address(target);
    const struct ip_address group = ndp_solicited_node(&unicast);
    return text_of(&group);
}

static bool is_answered(void)
{
    struct frame frame;
    return host_sent_icmp(&host, ND_NEIGHBOR_ADVERT, &frame);
}

/* What the neighbour cache holds of an address. */
struct wanted {
    struct ip_address address;
    struct neighbour_facts facts;
    unsigned count;
};

static void compare(void *context, const struct neighbour_facts *facts)
{
    struct wanted *wanted = context;
    wanted->count++;
    if (ip_equal(&facts->address, &wanted->address))
        wanted->facts = *facts;
}

static struct neighbour_facts neighbour(const char *text)
{
    struct wanted wanted = {.address = address(text)};
    neighbour_list(host.stack, compare, &wanted);
    return wanted.facts;
}

static unsigned neighbours(void)
{
    struct wanted wanted = {.count = 0};
    neighbour_list(host.stack, compare, &wanted);
    return wanted.count;
}

/* The host sends something to a neighbour: an answer to its ping. */
static void make_send_to(const char *peer)
{
    static const uint8_t request[8] = {ICMPV6_ECHO_REQUEST};
    host_receive_icmp(&host, peer, OURS, 64, request, sizeof request);
}

static uint64_t ignored_since(uint64_t before) { return host.stack->counters.nd_ignored - before; }

/* --- duplicate address detection --- */

/* The link comes up, and time passes until the host asks for its first address. */
static void wait_for_probe(struct frame *probe)
{
    netif_set_link(&host.netif, true);
    for (int i = 0; i < 200; i++) {
        host_run(&host, 10 * MS);
        if (host_sent_icmp(&host, ND_NEIGHBOR_SOLICIT, probe))
            return;
    }
    CHECK(false, "no solicitation");
}

static void test_dad_asks_first(void)
{
    struct frame frame;
    host_start(&host);
    wait_for_probe(&frame);
    const struct ip_address ours = address(OURS);
    CHECK(ip_is_any(&frame.ip.source) && frame.ip.hop_limit == 255 &&
              frame.end - frame.payload == ND_NEIGHBOR_SIZE &&
              memcmp(frame.payload + 8, ours.bytes, 16) == 0,
          "the solicitation");
    CHECK(strcmp(text_of(&frame.ip.destination), group_of(OURS)) == 0 && frame.to[0] == 0x33 &&
              memcmp(frame.to + 2, ours.bytes + 12, 4) != 0 && frame.to[2] == 0xff,
          "its destination");
    host_run(&host, 900 * MS);
    CHECK(!ip_is_local(host.stack, &ours) && !host_sent_icmp(&host, ND_NEIGHBOR_SOLICIT, &frame),
          "the address is used before the answer could be there");
    host_run(&host, SECOND);
    CHECK(ip_is_local(host.stack, &ours), "the address is not used");
    host_end(&host);
}

static void test_dad_listens_while_tentative(void)
{
    struct frame probe;
    host_start(&host);
    wait_for_probe(&probe);
    host_drain(&host);
    solicit("fe80::9", group_of(OURS), OURS, peer_mac);
    CHECK(!is_answered() && host.conflicts == 0, "who asks for it does not claim it");
    make_send_to("fe80::9");
    CHECK(host_drain(&host) == 0, "nor is anything else");
    host_end(&host);
}

static void test_dad_conflict_by_advert(void)
{
    char first[IP_TEXT_MAX];
    struct frame probe;
    host_start(&host);
    wait_for_probe(&probe);
    strcpy(first, OURS);
    advertise(first, "ff02::1", first, ND_OVERRIDE, other_mac);
    CHECK(host.conflicts == 1 && host.stack->counters.nd_duplicates == 1, "not noticed");
    CHECK(strcmp(first, OURS) != 0, "another address is tried (RFC 7217 6)");
    host_run(&host, 2 * SECOND);
    const struct ip_address second = address(OURS);
    CHECK(ip_is_local(host.stack, &second), "and used");
    host_end(&host);
}

static void test_dad_conflict_by_probe(void)
{
    char first[IP_TEXT_MAX];
    struct frame probe;
    host_start(&host);
    wait_for_probe(&probe);
    strcpy(first, OURS);
    solicit("::", group_of(first), first, NULL);
    CHECK(host.conflicts == 1 && strcmp(first, OURS) != 0, "both want it: neither gets it");
    host_end(&host);
}

static void test_dad_gives_up(void)
{
    struct frame frame;
    host_start(&host);
    netif_set_link(&host.netif, true);
    for (int i = 0; i < 10 && *OURS; i++)
        advertise("fe80::9", "ff02::1", OURS, ND_OVERRIDE, other_mac);
    CHECK(!*OURS && host.conflicts == 4, "%u addresses were tried", host.conflicts);
    host_drain(&host);
    host_run(&host, 60 * SECOND);
    CHECK(!host_sent_icmp(&host, ND_NEIGHBOR_SOLICIT, &frame), "no further one is asked for");
    host_end(&host);
}

static void test_dad_of_static_address(void)
{
    const struct ip_address fixed = address("2001:db8::5");
    host_start(&host);
    host_up(&host);
    host.netif.conflict = NULL; /* nobody cares */
    CHECK(netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC) == 0, "-");
    advertise("fe80::9", "ff02::1", "2001:db8::5", ND_OVERRIDE, other_mac);
    CHECK(netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC) == 0, "gone silently");
    host_run(&host, 1500 * MS);
    advertise("fe80::9", "ff02::1", "2001:db8::5", ND_OVERRIDE, other_mac);
    CHECK(netif_address_remove(&host.netif, &fixed) == 0, "kept silently");
    host.netif.conflict = host_conflict;
    CHECK(netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC) == 0, "-");
    CHECK(!ip_is_local(host.stack, &fixed), "tentative");
    host_run(&host, 500 * MS);
    advertise("2001:db8::5", "ff02::1", "2001:db8::5", ND_OVERRIDE, other_mac);
    CHECK(netif_address_find(&host.netif, &fixed) == NULL && host.conflicts == 1, "removed");
    CHECK(netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC) == 0, "once more");
    host_run(&host, 1500 * MS);
    CHECK(ip_is_local(host.stack, &fixed), "-");
    advertise("2001:db8::5", "ff02::1", "2001:db8::5", ND_OVERRIDE, other_mac);
    CHECK(ip_is_local(host.stack, &fixed) && host.conflicts == 1,
          "from our own address nothing comes from the wire");
    advertise("fe80::9", "ff02::1", "2001:db8::5", ND_OVERRIDE, other_mac);
    CHECK(ip_is_local(host.stack, &fixed) && host.conflicts == 2, "reported, and kept");
    host_end(&host);
}

static void test_dad_again_after_link_loss(void)
{
    struct frame frame;
    char before[IP_TEXT_MAX];
    host_start(&host);
    host_up(&host);
    strcpy(before, OURS);
    netif_set_link(&host.netif, false);
    host_run(&host, 60 * SECOND);
    netif_set_link(&host.netif, true);
    const struct ip_address ours = address(OURS);
    CHECK(strcmp(before, OURS) == 0, "the address is stable");
    CHECK(!ip_is_local(host.stack, &ours), "and tentative again");
    host_run(&host, SECOND + 1);
    CHECK(host_sent_icmp(&host, ND_NEIGHBOR_SOLICIT, &frame), "not asked for");
    host_run(&host, SECOND);
    CHECK(ip_is_local(host.stack, &ours), "not used");
    host_end(&host);
}

/* --- answers --- */

static void test_solicitation_is_answered(void)
{
    struct frame frame;
    host_start(&host);
    host_up(&host);
    solicit("fe80::9", group_of(OURS), OURS, peer_mac);
    CHECK(host_sent_icmp(&host, ND_NEIGHBOR_ADVERT, &frame), "no answer");
    CHECK(frame.payload[4] == (ND_SOLICITED | ND_OVERRIDE) && frame.ip.hop_limit == 255, "flags");
    CHECK(frame.payload[24] == ND_OPTION_TARGET_LINK &&
              memcmp(frame.payload + 26, host_mac, MAC_SIZE) == 0,
          "our link-layer address");
    CHECK(memcmp(frame.to, peer_mac, MAC_SIZE) == 0, "not asked for again");
    CHECK(neighbour("fe80::9").state >= NEIGHBOUR_STALE, "the sender is known now");
    solicit("fe80::9", group_of(OURS), "fe80::1234", peer_mac);
    CHECK(!is_answered(), "nothing is said for others");
    CHECK(host.stack->counters.nd_ignored == 0, "-");
    host_end(&host);
}

static void test_probe_for_ours_is_answered(void)
{
    struct frame frame;
    host_start(&host);
    host_up(&host);
    solicit("::", group_of(OURS), OURS, NULL);
    CHECK(host_sent_icmp(&host, ND_NEIGHBOR_ADVERT, &frame), "no answer");
    CHECK(frame.payload[4] == ND_OVERRIDE && frame.ip.destination.bytes[0] == 0xff &&
              frame.ip.destination.bytes[15] == 1,
          "to all nodes, not solicited");
    host_end(&host);
}

static void test_resolution(void)
{
    struct frame frame;
    host_start(&host);
    host_up(&host);
    make_send_to("fe80::9");
    CHECK(host_sent_icmp(&host, ND_NEIGHBOR_SOLICIT, &frame), "no question");
    CHECK(strcmp(text_of(&frame.ip.source), OURS) == 0 && frame.payload[24] == 1 &&
              memcmp(frame.payload + 26, host_mac, MAC_SIZE) == 0,
          "the question");
    CHECK(neighbour("fe80::9").state == NEIGHBOUR_INCOMPLETE, "-");
    advertise("fe80::9", OURS, "fe80::9", ND_SOLICITED | ND_OVERRIDE, peer_mac);
    CHECK(neighbour("fe80::9").state == NEIGHBOUR_REACHABLE, "-");
    CHECK(host_sent_icmp(&host, ICMPV6_ECHO_REPLY, &frame) &&
              memcmp(frame.to, peer_mac, MAC_SIZE) == 0,
          "what waited is sent");
    host_run(&host, 60 * SECOND);
    CHECK(neighbour("fe80::9").state == NEIGHBOUR_STALE, "after the reachable time");
    make_send_to("fe80::9");
    CHECK(neighbour("fe80::9").state == NEIGHBOUR_DELAY, "used");
    host_drain(&host);
    host_run(&host, 5 * SECOND);
    CHECK(host_sent_icmp(&host, ND_NEIGHBOR_SOLICIT, &frame) &&
              memcmp(frame.to, peer_mac, MAC_SIZE) == 0 && frame.ip.destination.bytes[15] == 9,
          "probed by unicast");
    advertise("fe80::9", OURS, "fe80::9", ND_SOLICITED, NULL);
    CHECK(neighbour("fe80::9").state == NEIGHBOUR_REACHABLE, "confirmed");
    host_end(&host);
}

static void test_resolution_fails(void)
{
    struct frame frame;
    unsigned questions = 0;
    host_start(&host);
    host_up(&host);
    make_send_to("fe80::9");
    host_run(&host, 10 * SECOND);
    while (host_sent_icmp(&host, ND_NEIGHBOR_SOLICIT, &frame))
        questions++;
    CHECK(questions == 3, "%u questions", questions);
    CHECK(host.pool.in_use == 0, "what waited is gone");
    host_end(&host);
}

/* --- what must not be believed --- */

static const struct {
    const char *what;
    const char *source, *destination, *target; /* NULL: ours */
    uint8_t hop_limit, code;
    bool with_option;
} bad_solicits[] = {
    {"hop limit 254", "fe80::9", NULL, NULL, 254, 0, true},
    {"hop limit 0", "fe80::9", NULL, NULL, 0, 0, true},
    {"code 1", "fe80::9", NULL, NULL, 255, 1, true},
    {"multicast target", "fe80::9", NULL, "ff02::1", 255, 0, true},
    {"a link-layer address from nowhere", "::", NULL, NULL, 255, 0, true},
    {"from nowhere, not to the solicited-node group", "::", "ff02::1", NULL, 255, 0, false},
};

static void test_bad_solicitations(void)
{
    host_start(&host);
    host_up(&host);
    for (size_t i = 0; i < sizeof bad_solicits / sizeof bad_solicits[0]; i++) {
        const uint64_t before = host.stack->counters.nd_ignored;
        uint8_t message[64];
        size_t length;
        const char *target = bad_solicits[i].target ? bad_solicits[i].target : OURS;
        memcpy(message,
               neighbor(ND_NEIGHBOR_SOLICIT, 0, target, ND_OPTION_SOURCE_LINK,
                        bad_solicits[i].with_option ? peer_mac : NULL, &length),
               ND_NEIGHBOR_SIZE + ND_OPTION_LINK_SIZE);
        message[1] = bad_solicits[i].code;
        host_receive_icmp(&host, bad_solicits[i].source,
                          bad_solicits[i].destination ? bad_solicits[i].destination
                                                      : group_of(OURS),
                          bad_solicits[i].hop_limit, message, length);
        CHECK(!is_answered(), "%s", bad_solicits[i].what);
        CHECK(ignored_since(before) == 1, "%s is not counted", bad_solicits[i].what);
    }
    CHECK(neighbours() == 0, "nothing was learnt");
    host_end(&host);
}

static void test_option_of_length_0(void)
{
    host_start(&host);
    host_up(&host);
    for (enum icmpv6_type type = ND_ROUTER_SOLICIT; type <= ND_REDIRECT; type++) {
        uint8_t message[64] = {0};
        const struct ip_address target = address(OURS);
        const uint64_t before = host.stack->counters.nd_ignored;
        message[0] = (uint8_t)type;
        memcpy(message + 8, target.bytes, 16);
        message[40] = ND_OPTION_SOURCE_LINK; /* length 0, behind the longest fixed part */
        memset(message + 24, 0, 16);
        host_receive_icmp(&host, "fe80::9", type == ND_ROUTER_ADVERT ? "ff02::1" : OURS, 255,
                          message, sizeof message);
        CHECK(type == ND_ROUTER_SOLICIT || ignored_since(before) == 1, "type %d", type);
        CHECK(!is_answered(), "type %d", type);
    }
    host_end(&host);
}

static void test_truncated_messages(void)
{
    host_start(&host);
    host_up(&host);
    size_t length;
    const uint8_t *message =
        neighbor(ND_NEIGHBOR_SOLICIT, 0, OURS, ND_OPTION_SOURCE_LINK, peer_mac, &length);
    for (size_t cut = 0; cut < length; cut++) {
        if (cut == ND_NEIGHBOR_SIZE)
            continue; /* a good one */
        uint8_t copy[64];
        memcpy(copy, message, length);
        if (cut < 4)
            host_receive(&host, "fe80::9", OURS, 255, PROTOCOL_ICMPV6, copy, cut);
        else
            host_receive_icmp(&host, "fe80::9", OURS, 255, copy, cut);
        CHECK(!is_answered(), "%zu bytes", cut);
    }
    CHECK(neighbours() == 0, "nothing was learnt");
    host_end(&host);
}

static void test_wrong_checksum(void)
{
    size_t length;
    uint8_t message[64];
    host_start(&host);
    host_up(&host);
    memcpy(message,
           neighbor(ND_NEIGHBOR_SOLICIT, 0, OURS, ND_OPTION_SOURCE_LINK, peer_mac, &length), 32);
    fill_checksum("fe80::9", OURS, PROTOCOL_ICMPV6, message, length, 2);
    message[3] ^= 1;
    host_receive(&host, "fe80::9", OURS, 255, PROTOCOL_ICMPV6, message, length);
    CHECK(!is_answered() && host.stack->counters.icmp_in_errors == 1, "-");
    host_end(&host);
}

static void test_unsolicited_advert_makes_no_entry(void)
{
    host_start(&host);
    host_up(&host);
    const uint64_t before = host.stack->counters.nd_ignored;
    advertise("fe80::9", "ff02::1", "fe80::9", ND_OVERRIDE, other_mac);
    advertise("fe80::9", OURS, "fe80::9", ND_SOLICITED | ND_OVERRIDE, other_mac);
    CHECK(neighbours() == 0 && ignored_since(before) == 2, "-");
    host_end(&host);
}

static void test_spoofed_advert_without_override(void)
{
    host_start(&host);
    host_up(&host);
    host_meet(&host, "fe80::9");
    advertise("fe80::9", OURS, "fe80::9", ND_SOLICITED, peer_mac);
    CHECK(neighbour("fe80::9").state == NEIGHBOUR_REACHABLE, "-");
    advertise("fe80::9", OURS, "fe80::9", ND_SOLICITED, other_mac);
    CHECK(memcmp(neighbour("fe80::9").mac, peer_mac, MAC_SIZE) == 0, "it is not replaced");
    CHECK(neighbour("fe80::9").state == NEIGHBOUR_STALE, "but doubted (RFC 4861 7.2.5)");
    host_end(&host);
}

static void test_solicited_advert_to_group(void)
{
    host_start(&host);
    host_up(&host);
    host_meet(&host, "fe80::9");
    const uint64_t before = host.stack->counters.nd_ignored;
    advertise("fe80::9", "ff02::1", "fe80::9", ND_SOLICITED | ND_OVERRIDE, other_mac);
    CHECK(ignored_since(before) == 1 && memcmp(neighbour("fe80::9").mac, peer_mac, MAC_SIZE) == 0,
          "-");
    host_end(&host);
}

/* Ten thousand addresses ask for us: the cache stays within its bounds, and who was there and in
 * use still is. */
static void test_cache_flood(void)
{
    char source[IP_TEXT_MAX];
    host_start(&host);
    host_up(&host);
    host_meet(&host, "fe80::9");
    make_send_to("fe80::9");
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(source, sizeof source, "fe80::1:%x", i);
        solicit(source, OURS, OURS, other_mac);
        host_drain(&host);
    }
    CHECK(neighbours() <= 256, "%u entries", neighbours());
    CHECK(memcmp(neighbour("fe80::9").mac, peer_mac, MAC_SIZE) == 0, "the peer was pushed out");
    CHECK(host_ping(&host, "fe80::9", OURS), "-");
    host_end(&host);
}

/* The same with addresses that do not answer. */
static void test_resolution_flood(void)
{
    char source[IP_TEXT_MAX];
    host_start(&host);
    host_up(&host);
    host_meet(&host, "fe80::9");
    make_send_to("fe80::9");
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(source, sizeof source, "fe80::1:%x", i);
        make_send_to(source);
        host_drain(&host);
        if (i % 10 == 0)
            host_run(&host, 10 * MS);
    }
    CHECK(neighbours() <= 256 && host.pool.in_use < PACKETS / 2, "%u packets wait",
          host.pool.in_use);
    CHECK(host_ping(&host, "fe80::9", OURS), "-");
    host_end(&host);
}

int main(void)
{
    static const struct test tests[] = {
        {"DAD: an address is asked for before it is used", test_dad_asks_first},
        {"DAD: a tentative address answers nothing", test_dad_listens_while_tentative},
        {"DAD: an advertisement for a tentative address", test_dad_conflict_by_advert},
        {"DAD: another host's probe for the same address", test_dad_conflict_by_probe},
        {"DAD: gives up after four addresses", test_dad_gives_up},
        {"DAD: an address given by hand", test_dad_of_static_address},
        {"DAD: again when the link comes back", test_dad_again_after_link_loss},
        {"NS: is answered", test_solicitation_is_answered},
        {"NS: a probe for an address of ours is answered to all", test_probe_for_ours_is_answered},
        {"NUD: from INCOMPLETE to PROBE and back", test_resolution},
        {"NUD: nobody answers", test_resolution_fails},
        {"bad: solicitations that are not valid", test_bad_solicitations},
        {"bad: ND option of length 0", test_option_of_length_0},
        {"bad: truncated solicitations", test_truncated_messages},
        {"bad: wrong ICMPv6 checksum", test_wrong_checksum},
        {"bad: unsolicited advertisement of a stranger", test_unsolicited_advert_makes_no_entry},
        {"bad: spoofed advertisement", test_spoofed_advert_without_override},
        {"bad: solicited advertisement to a group", test_solicited_advert_to_group},
        {"bad: flood of solicitations from many addresses", test_cache_flood},
        {"bad: flood that makes us ask for many addresses", test_resolution_flood},
    };
    return RUN_TESTS(tests);
}
