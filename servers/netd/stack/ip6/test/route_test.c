/* Where packets go and come from, and what happens when there is no room for them. */
#include "../../ip/path_mtu.h"
#include "../icmpv6.h"
#include "host.h"
#include <errno.h>
#include <string.h>

static struct host host;

#define OURS   host_address(&host, ADDRESS_LINK_LOCAL)
#define GLOBAL host_address(&host, ADDRESS_SLAAC)

/* The host in a network with a router; the prefix is on the link. */
static void begin(void)
{
    host_configure(&host, 7200, 3600);
    host_run(&host, 10 * SECOND);
    host_drain(&host);
}

static int find(const char *destination, const char *source, struct ip_route *route)
{
    const struct ip_address to = address(destination);
    const struct ip_address from = source ? address(source) : ip_any(IP_V6);
    return ip_route_find(host.stack, &to, &from, 0, route);
}

static bool goes(const char *destination, const char *next_hop, const char *source)
{
    const struct ip_address wanted = address(next_hop), from = address(source);
    struct ip_route route;
    return find(destination, NULL, &route) == 0 && ip_equal(&route.next_hop, &wanted) &&
           ip_equal(&route.source, &from);
}

static void test_next_hops_and_sources(void)
{
    struct ip_route route;
    begin();
    CHECK(goes("2001:db8:1::7", "2001:db8:1::7", GLOBAL), "on the link");
    CHECK(goes("2001:db8:2::7", ROUTER, GLOBAL), "through the router");
    CHECK(goes("fe80::7", "fe80::7", OURS), "link-local");
    CHECK(goes("ff02::7", "ff02::7", OURS), "a group of the link");
    CHECK(goes("ff0e::7", "ff0e::7", GLOBAL), "a global group");
    CHECK(find("2001:db8:2::7", OURS, &route) == 0, "a source that was asked for");
    CHECK(find("2001:db8:2::7", "2001:db8:1::99", &route) == -EADDRNOTAVAIL, "not ours");
    CHECK(find("::", NULL, &route) == -ENETUNREACH, "the unspecified address");
    CHECK(find("::ffff:192.0.2.1", NULL, &route) == -ENETUNREACH, "IPv4 in disguise");
    host_end(&host);
}

static void test_to_ourselves(void)
{
    struct ip_route route;
    static char ours[IP_TEXT_MAX];
    begin();
    strcpy(ours, OURS);
    CHECK(find("::1", NULL, &route) == 0 && route.netif == host.stack->loopback, "-");
    CHECK(find(GLOBAL, NULL, &route) == 0 && route.netif == host.stack->loopback, "-");
    CHECK(find(ours, NULL, &route) == 0 && route.netif == host.stack->loopback, "-");
    CHECK(goes(ours, ours, ours), "from the same address");
    host_end(&host);
}

static void test_without_addresses(void)
{
    struct ip_route route;
    host_start(&host);
    CHECK(find("2001:db8::1", NULL, &route) == -ENETUNREACH, "-");
    CHECK(find("fe80::1", NULL, &route) == -ENETUNREACH, "the link is down");
    netif_set_link(&host.netif, true);
    CHECK(find("fe80::1", NULL, &route) == -EADDRNOTAVAIL, "tentative ones do not count");
    CHECK(find("::1", NULL, &route) == 0, "the loopback works always");
    host_end(&host);
}

static void test_static_route(void)
{
    struct ip_route_entry entry = {.destination = address("2001:db8:7::"),
                                   .prefix = 48,
                                   .gateway = address("fe80::ee"),
                                   .netif = &host.netif};
    begin();
    CHECK(ip_route_add(host.stack, &entry) == 0, "-");
    CHECK(goes("2001:db8:7:1::1", "fe80::ee", GLOBAL), "before the default router");
    CHECK(goes("2001:db8:8::1", ROUTER, GLOBAL), "-");
    CHECK(ip_route_delete(host.stack, &entry) == 0, "-");
    CHECK(goes("2001:db8:7:1::1", ROUTER, GLOBAL), "-");
    host_end(&host);
}

/* A gateway is on the link that an address of ours, or a router, says it is on. */
static void test_static_route_by_gateway(void)
{
    const struct ip_address fixed = address("2001:db8:5::5");
    struct ip_route_entry entry = {.destination = address("2001:db8:7::"),
                                   .prefix = 48,
                                   .gateway = address("2001:db8:5::1")};
    begin();
    CHECK(ip_route_add(host.stack, &entry) == -ENETUNREACH, "of no link");
    CHECK(netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC) == 0, "-");
    CHECK(ip_route_add(host.stack, &entry) == 0, "while the address is tentative");
    host_run(&host, 3 * SECOND);
    CHECK(goes("2001:db8:7:1::1", "2001:db8:5::1", "2001:db8:5::5"), "-");
    CHECK(ip_route_delete(host.stack, &entry) == 0, "-");
    entry.gateway = address("2001:db8:1::77"); /* on what the router says */
    CHECK(ip_route_add(host.stack, &entry) == 0, "-");
    entry.gateway = address("fe80::77");
    CHECK(ip_route_add(host.stack, &entry) == -ENETUNREACH, "on any link");
    host_end(&host);
}

/* What an autoconfigured address has in front is not on the link unless a router says so. */
static void test_prefix_not_on_link(void)
{
    struct advert advert;
    const struct ip_address fixed = address("2001:db8:5::5");
    begin();
    advert_begin(&advert, 64, 1800);
    advert_prefix(&advert, "2001:db8:4::", 64, AUTONOMOUS, 7200, 3600);
    advert_send(&host, &advert, ROUTER);
    netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC);
    host_run(&host, 2 * SECOND);
    struct ip_route route;
    const struct ip_address router = address(ROUTER);
    CHECK(find("2001:db8:4::7", NULL, &route) == 0 && ip_equal(&route.next_hop, &router), "-");
    CHECK(goes("2001:db8:5::7", "2001:db8:5::7", "2001:db8:5::5"), "that of a static one is");
    host_end(&host);
}

static void test_order_of_destinations(void)
{
    const struct ip_address v4 = ip_v4(10, 0, 0, 1);
    begin();
    struct ip_address addresses[] = {ip_v4(192, 0, 2, 1), address("fe80::7"),
                                     address("2001:db8:2::1")};
    CHECK(netif_address_add(&host.netif, &v4, 24, ADDRESS_STATIC) == 0, "-");
    ip_order_destinations(host.stack, addresses, 3);
    struct ip_address either[IP_ORDER_MAX + 8] = {ip_v4(10, 0, 0, 9), address("2001:db8:2::1"),
                                                  ip_v4(127, 0, 0, 5)};
    ip_order_destinations(host.stack, either, 2);
    CHECK(either[0].family == IP_V6, "IPv6 has precedence");
    host_run(&host, 3600 * SECOND);
    ip_order_destinations(host.stack, either, 2);
    CHECK(either[0].family == IP_V4, "but not from a deprecated address");
    ip_order_destinations(host.stack, either, sizeof either / sizeof either[0]);
    CHECK(either[0].bytes[0] == 127, "the smallest scope of all, without an address of its own");
    CHECK(addresses[0].bytes[0] == 0xfe && addresses[1].bytes[0] == 0x20 &&
              addresses[2].family == IP_V4,
          "the smallest scope first, what cannot be reached last");
    host_end(&host);
}

/* --- limits --- */

static int send_echo(const char *destination, size_t length, bool dont_fragment)
{
    const struct ip_send send = {.destination = address(destination),
                                 .dont_fragment = dont_fragment};
    struct packet *first = NULL, **link = &first;
    for (size_t left = length; left > 0;) {
        const uint16_t part = (uint16_t)(left < 1400 ? left : 1400);
        *link = packet_alloc(&host.pool, PACKET_HEADROOM);
        memset(packet_append(*link, part), 0, part);
        link = &(*link)->fragment;
        left -= part;
    }
    *packet_bytes(first) = ICMPV6_ECHO_REQUEST;
    return icmpv6_send(host.stack, &send, first);
}

static void test_sizes(void)
{
    struct frame frame;
    begin();
    host_meet(&host, "2001:db8:1::7");
    CHECK(send_echo("2001:db8:1::7", 1460, true) == 0 && host_sent(&host, &frame), "just fits");
    CHECK(send_echo("2001:db8:1::7", 1461, true) == -EMSGSIZE && !host_sent(&host, &frame), "-");
    CHECK(send_echo("2001:db8:1::7", 1461, false) == 0 && host_drain(&host) == 2, "-");
    CHECK(send_echo("2001:db8:1::7", 65535, false) == 0 && host_drain(&host) > 40, "-");
    CHECK(send_echo("2001:db8:1::7", 65536, false) == -EMSGSIZE && !host_drain(&host), "-");
    CHECK(send_echo("2001:dead::1", 10, false) == 0, "-");
    CHECK(send_echo("::", 10, false) == -ENETUNREACH, "-");
    CHECK(send_echo("ff02::7", 10, false) == 0 && host_sent_icmp(&host, 128, &frame) &&
              frame.ip.hop_limit == 1,
          "groups: not beyond the link");
    host_end(&host);
}

static void test_path_mtu_table(void)
{
    char text[IP_TEXT_MAX];
    unsigned kept = 0;
    begin();
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "2001:db8:9::%x", i);
        const struct ip_address destination = address(text);
        path_mtu_lower(host.stack, &destination, 1300);
        CHECK(path_mtu(host.stack, &destination, 1500) == 1300, "the newest is there");
        host_run(&host, MS);
    }
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "2001:db8:9::%x", i);
        const struct ip_address destination = address(text);
        kept += path_mtu(host.stack, &destination, 1500) == 1300;
    }
    CHECK(kept > 0 && kept <= PATH_MTU_SETS * PATH_MTU_WAYS, "%u", kept);
    host_end(&host);
}

/* The pool is empty for a while: nothing is sent, nothing breaks, and all works again afterwards.
 */
static void test_pool_exhausted(void)
{
    struct packet *taken = NULL, *packet;
    struct advert advert;
    static const uint8_t request[16] = {ICMPV6_ECHO_REQUEST};
    host_start(&host);
    netif_set_link(&host.netif, true);
    advert_begin(&advert, 64, 1800);
    advert_prefix(&advert, "2001:db8:1::", 64, ON_LINK | AUTONOMOUS, 7200, 3600);
    while (host.pool.in_use < PACKETS - 1) {
        packet = packet_alloc(&host.pool, 0);
        packet->next = taken;
        taken = packet;
    }
    advert_send(&host, &advert, ROUTER); /* takes the last one, and gives it back */
    packet = packet_alloc(&host.pool, 0);
    host_run(&host, 30 * SECOND);
    CHECK(host_drain(&host) == 0 && host.pool.failures > 0, "-");
    packet_release(&host.pool, packet);
    host_receive(&host, "fe80::9", OURS, 64, 200, request, sizeof request);
    host_receive_icmp(&host, "fe80::9", OURS, 64, request, sizeof request);
    host_run(&host, 5 * SECOND);
    while (taken) {
        packet = taken;
        taken = taken->next;
        packet_release(&host.pool, packet);
    }
    host_drain(&host);
    CHECK(host_ping(&host, "2001:db8:1::7", GLOBAL), "-");
    host_end(&host);
}

static void test_fragments_without_packets(void)
{
    struct packet *taken = NULL, *packet;
    begin();
    host_meet(&host, "2001:db8:1::7");
    while (host.pool.in_use < PACKETS - 10) {
        packet = packet_alloc(&host.pool, 0);
        packet->next = taken;
        taken = packet;
    }
    CHECK(send_echo("2001:db8:1::7", 14000, false) == -ENOBUFS, "10 pieces, and none to spare");
    CHECK(host.stack->counters.ip_out_dropped == 1, "-");
    while (taken) {
        packet = taken;
        taken = taken->next;
        packet_release(&host.pool, packet);
    }
    host_end(&host);
}

static void test_narrow_link(void)
{
    host_start(&host);
    host.netif.mtu = 1279;
    netif_set_link(&host.netif, true);
    host_run(&host, 10 * SECOND);
    CHECK(host_drain(&host) == 0 && !*OURS, "no IPv6 on a link below its minimum (RFC 8200 5)");
    host_end(&host);
}

/* All group slots are taken by others: the addresses work all the same. */
static void test_no_group_slots(void)
{
    char text[IP_TEXT_MAX];
    host_start(&host);
    for (unsigned i = 0; i < NETIF_GROUPS; i++) {
        snprintf(text, sizeof text, "ff05::%x", i + 1);
        const struct ip_address group = address(text);
        CHECK(netif_join(&host.netif, &group) == 0, "%s", text);
    }
    host_up(&host);
    host_run(&host, 20 * SECOND);
    CHECK(host_ping(&host, "fe80::9", OURS), "-");
    const struct ip_address ours = address(OURS);
    uint8_t message[ND_NEIGHBOR_SIZE + ND_OPTION_LINK_SIZE];
    struct frame frame;
    const struct nd_neighbor body = {.target = ours};
    nd_option_link_emit(nd_neighbor_emit(message, ND_NEIGHBOR_SOLICIT, &body),
                        ND_OPTION_SOURCE_LINK, peer_mac);
    snprintf(text, sizeof text, "ff02::1:ff%02x:%02x%02x", ours.bytes[13], ours.bytes[14],
             ours.bytes[15]);
    host_receive_icmp(&host, "fe80::9", text, 255, message, sizeof message);
    CHECK(host_sent_icmp(&host, ND_NEIGHBOR_ADVERT, &frame), "-");
    host_end(&host);
}

int main(void)
{
    static const struct test tests[] = {
        {"next hops and sources", test_next_hops_and_sources},
        {"to ourselves", test_to_ourselves},
        {"without addresses", test_without_addresses},
        {"static routes", test_static_route},
        {"static routes by a gateway", test_static_route_by_gateway},
        {"prefixes that are not on the link (RFC 5942)", test_prefix_not_on_link},
        {"the order of destinations (RFC 6724 6)", test_order_of_destinations},
        {"sizes of packets", test_sizes},
        {"the table of path MTUs is bounded", test_path_mtu_table},
        {"the pool is empty", test_pool_exhausted},
        {"no packets for fragments", test_fragments_without_packets},
        {"a link below the minimum MTU", test_narrow_link},
        {"no room for solicited-node groups", test_no_group_slots},
    };
    return RUN_TESTS(tests);
}
