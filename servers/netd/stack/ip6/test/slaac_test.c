/* Routers and autoconfiguration (RFC 4861 6.3, RFC 4862, RFC 8106): what advertisements do, and
 * what bad ones do not. */
#include "../ipv6.h"
#include "host.h"
#include <errno.h>
#include <string.h>

static struct host host;

#define GLOBAL host_address(&host, ADDRESS_SLAAC)
#define ROUTER "fe80::ff"

static unsigned count(enum netif_address_origin origin)
{
    unsigned found = 0;
    for (size_t i = 0; i < NETIF_ADDRESSES; i++)
        found += host.netif.addresses[i].state != ADDRESS_FREE &&
                 host.netif.addresses[i].origin == origin;
    return found;
}

/* One prefix, from one router. */
static void advertise(uint16_t router_lifetime, uint32_t valid, uint32_t preferred)
{
    struct advert advert;
    advert_begin(&advert, 64, router_lifetime);
    advert_prefix(&advert, "2001:db8:1::", 64, ON_LINK | AUTONOMOUS, valid, preferred);
    advert_send(&host, &advert, ROUTER);
}

static void configure(uint32_t valid, uint32_t preferred)
{
    host_start(&host);
    host_up(&host);
    advertise(1800, valid, preferred);
    host_run(&host, 2 * SECOND);
    host_drain(&host);
}

static uint8_t state_of_global(void)
{
    const struct ip_address global = address(*GLOBAL ? GLOBAL : "::1");
    const struct netif_address *found = netif_address_find(&host.netif, &global);
    return found ? found->state : ADDRESS_FREE;
}

/* Where packets to a destination go first; "" = nowhere. */
static const char *next_hop(const char *destination)
{
    const struct ip_address to = address(destination);
    struct ip_route route;
    return ip_route_find(host.stack, &to, NULL, 0, &route) ? "" : text_of(&route.next_hop);
}

/* --- routers --- */

static void test_solicits_routers(void)
{
    struct frame frame;
    unsigned solicits = 0;
    host_start(&host);
    netif_set_link(&host.netif, true);
    host_run(&host, 60 * SECOND);
    while (host_sent_icmp(&host, ND_ROUTER_SOLICIT, &frame)) {
        CHECK(frame.ip.hop_limit == 255 && frame.ip.destination.bytes[15] == 2 &&
                  ip_is_link_local(&frame.ip.source) && frame.payload[8] == ND_OPTION_SOURCE_LINK,
              "-");
        solicits++;
    }
    CHECK(solicits == 3, "%u", solicits);
    host_end(&host);
}

static void test_solicits_until_answered(void)
{
    struct frame frame;
    configure(7200, 3600);
    host_run(&host, 60 * SECOND);
    CHECK(!host_sent_icmp(&host, ND_ROUTER_SOLICIT, &frame), "-");
    host_end(&host);
}

static void test_default_router(void)
{
    configure(7200, 3600);
    CHECK(strcmp(next_hop("2001:db8:9::1"), ROUTER) == 0, "-");
    CHECK(strcmp(next_hop("2001:db8:1::1"), "2001:db8:1::1") == 0, "on the link");
    host_run(&host, 1799 * SECOND);
    CHECK(!*next_hop("2001:db8:9::1"), "its lifetime is over");
    advertise(1800, 7200, 3600);
    CHECK(*next_hop("2001:db8:9::1"), "there it is again");
    advertise(1800, 0, 0);
    CHECK(strcmp(next_hop("2001:db8:1::1"), ROUTER) == 0, "not on the link any more");
    advertise(0, 7200, 3600);
    CHECK(!*next_hop("2001:db8:9::1"), "it says goodbye");
    host_end(&host);
}

static void test_second_router_when_first_is_dead(void)
{
    struct advert advert;
    configure(7200, 3600);
    advert_begin(&advert, 64, 1800);
    advert_send(&host, &advert, "fe80::ee");
    const char *peer = "2001:db8:9::1";
    static const uint8_t request[8] = {ICMPV6_ECHO_REQUEST};
    CHECK(strcmp(next_hop(peer), ROUTER) == 0, "the first");
    host_receive_icmp(&host, peer, GLOBAL, 60, request, sizeof request);
    host_run(&host, 3500 * MS);
    CHECK(strcmp(next_hop(peer), "fe80::ee") == 0, "the first does not answer: %s", next_hop(peer));
    host_end(&host);
}

static void test_router_becomes_host(void)
{
    const struct nd_neighbor body = {.flags = ND_OVERRIDE, .target = address(ROUTER)};
    uint8_t message[ND_NEIGHBOR_SIZE + ND_OPTION_LINK_SIZE];
    configure(7200, 3600);
    host_meet(&host, ROUTER);
    CHECK(*next_hop("2001:db8:9::1"), "-");
    const struct nd_neighbor still = {.flags = ND_OVERRIDE | ND_ROUTER, .target = address(ROUTER)};
    nd_option_link_emit(nd_neighbor_emit(message, ND_NEIGHBOR_ADVERT, &still),
                        ND_OPTION_TARGET_LINK, peer_mac);
    host_receive_icmp(&host, ROUTER, "ff02::1", 255, message, sizeof message);
    CHECK(*next_hop("2001:db8:9::1"), "a router it says");
    nd_option_link_emit(nd_neighbor_emit(message, ND_NEIGHBOR_ADVERT, &body), ND_OPTION_TARGET_LINK,
                        peer_mac);
    host_receive_icmp(&host, ROUTER, "ff02::1", 255, message, sizeof message);
    CHECK(!*next_hop("2001:db8:9::1"), "-");
    host_end(&host);
}

static void test_parameters(void)
{
    struct advert advert;
    host_start(&host);
    host_up(&host);
    advert_begin(&advert, 77, 1800);
    put_u32(put_u32(advert.bytes + 8, 12345), 2000);
    advert_option(&advert, (const uint8_t[]){ND_OPTION_MTU, 1, 0, 0, 0, 0, 0x05, 0x78}, 8);
    advert_send(&host, &advert, ROUTER);
    CHECK(host.netif.hop_limit == 77 && host.netif.reachable_ms == 12345 &&
              host.netif.retransmit_ms == 2000 && host.netif.ipv6_mtu == 1400,
          "-");
    host_end(&host);
}

/* The router's link-layer address comes with the advertisement: nobody need be asked for it. */
static void test_router_is_known(void)
{
    struct advert advert;
    struct frame frame;
    static const uint8_t request[8] = {ICMPV6_ECHO_REQUEST};
    configure(7200, 3600);
    advert_begin(&advert, 64, 1800);
    advert_option(&advert, (const uint8_t[]){ND_OPTION_SOURCE_LINK, 1, 2, 0, 0, 0, 0, 9}, 8);
    advert_send(&host, &advert, ROUTER);
    host_receive_icmp(&host, "2001:db8:9::1", GLOBAL, 60, request, sizeof request);
    CHECK(host_sent(&host, &frame) && frame.payload[0] == ICMPV6_ECHO_REPLY &&
              memcmp(frame.to, peer_mac, MAC_SIZE) == 0,
          "-");
    host_end(&host);
}

/* --- addresses --- */

static void test_address_from_prefix(void)
{
    const struct ip_address prefix = address("2001:db8:1::");
    host_start(&host);
    host_up(&host);
    advertise(1800, 7200, 3600);
    CHECK(state_of_global() == ADDRESS_TENTATIVE, "tested first");
    host_run(&host, 2 * SECOND);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "-");
    const struct ip_address global = address(GLOBAL);
    CHECK(ip_in_prefix(&global, &prefix, 64), "%s", GLOBAL);
    CHECK(memcmp(global.bytes + 8, address(host_address(&host, ADDRESS_LINK_LOCAL)).bytes + 8, 8),
          "the identifier is another one in each network (RFC 7217)");
    CHECK(host_ping(&host, "2001:db8:1::7", GLOBAL), "-");
    host_end(&host);
}

static void test_lifetimes(void)
{
    configure(7200, 3600);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "-");
    host_run(&host, 3598 * SECOND);
    CHECK(state_of_global() == ADDRESS_DEPRECATED, "after the preferred lifetime");
    CHECK(host_ping(&host, "2001:db8:1::7", GLOBAL), "deprecated ones still work");
    advertise(1800, 7200, 3600);
    host_run(&host, SECOND);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "advertised again");
    host_run(&host, 7199 * SECOND);
    CHECK(state_of_global() == ADDRESS_FREE, "after the valid lifetime");
    host_end(&host);
}

static void test_infinite_lifetime(void)
{
    configure(ND_LIFETIME_INFINITE, ND_LIFETIME_INFINITE);
    host_run(&host, 5000000000ull * SECOND);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "-");
    host_end(&host);
}

/* RFC 4862 5.5.3 e. */
static void test_two_hour_rule(void)
{
    configure(86400, 86400);
    advertise(1800, 1, 0);
    host_run(&host, 7190 * SECOND);
    CHECK(state_of_global() == ADDRESS_DEPRECATED, "not gone at once");
    advertise(1800, 1, 0);
    host_run(&host, 20 * SECOND);
    CHECK(state_of_global() == ADDRESS_FREE, "nor kept beyond two hours by repetition");
    advertise(1800, 600, 600);
    host_run(&host, 500 * SECOND);
    advertise(1800, 5000, 5000);
    host_run(&host, 4900 * SECOND);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "longer than what is left is believed");
    host_end(&host);
}

static void test_addresses_go_with_the_link(void)
{
    const struct ip_address fixed = address("2001:db8::5"), late = address("2001:db8::6");
    configure(7200, 3600);
    netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC);
    netif_set_link(&host.netif, false);
    CHECK(!*GLOBAL, "another network may be there when it comes back");
    CHECK(netif_address_find(&host.netif, &fixed), "what was given by hand stays");
    netif_address_add(&host.netif, &late, 64, ADDRESS_STATIC);
    host_run(&host, 10 * SECOND);
    CHECK(!ip_is_local(host.stack, &late), "nobody could have objected");
    netif_set_link(&host.netif, true);
    host_run(&host, 5 * SECOND);
    CHECK(!*next_hop("2001:db8:9::1"), "the router also");
    host_end(&host);
}

static void test_stable_addresses(void)
{
    char first[IP_TEXT_MAX];
    configure(7200, 3600);
    strcpy(first, GLOBAL);
    host_end(&host);
    configure(7200, 3600);
    CHECK(strcmp(first, GLOBAL) == 0, "the same secret, network and interface");
    host_end(&host);
}

static void test_dns_servers(void)
{
    struct advert advert;
    struct ip_address servers[8];
    uint8_t option[40] = {ND_OPTION_RDNSS, 5, 0, 0, 0, 0, 0, 60};
    host_start(&host);
    host_up(&host);
    memcpy(option + 8, address("2001:db8::53").bytes, 16);
    memcpy(option + 24, address("ff02::53").bytes, 16); /* nonsense */
    advert_begin(&advert, 64, 1800);
    advert_option(&advert, option, sizeof option);
    advert_send(&host, &advert, ROUTER);
    CHECK(ipv6_dns_servers(&host.netif, servers, 8) == 1 && servers[0].bytes[15] == 0x53, "-");
    host_run(&host, 61 * SECOND);
    CHECK(ipv6_dns_servers(&host.netif, servers, 8) == 0, "its lifetime is over");
    host_end(&host);
}

/* --- redirects --- */

static void redirect(const char *source, const char *destination, const char *target,
                     uint8_t hop_limit)
{
    uint8_t message[48] = {ND_REDIRECT};
    memcpy(message + 8, address(target).bytes, 16);
    memcpy(message + 24, address(destination).bytes, 16);
    nd_option_link_emit(message + 40, ND_OPTION_TARGET_LINK, peer_mac);
    host_receive_icmp(&host, source, host_address(&host, ADDRESS_LINK_LOCAL), hop_limit, message,
                      sizeof message);
}

static void test_redirect(void)
{
    configure(7200, 3600);
    redirect(ROUTER, "2001:db8:9::1", "fe80::ee", 255);
    CHECK(strcmp(next_hop("2001:db8:9::1"), "fe80::ee") == 0, "to a better router");
    CHECK(strcmp(next_hop("2001:db8:9::2"), ROUTER) == 0, "others are left alone");
    redirect(ROUTER, "2001:db8:9::2", "2001:db8:9::2", 255);
    CHECK(strcmp(next_hop("2001:db8:9::2"), "2001:db8:9::2") == 0, "it is on the link");
    CHECK(strcmp(next_hop("2001:db8:9::1"), "fe80::ee") == 0, "both are kept");
    redirect("fe80::ee", "2001:db8:9::1", "fe80::dd", 255);
    CHECK(strcmp(next_hop("2001:db8:9::1"), "fe80::dd") == 0, "the newer one counts");
    host_run(&host, 601 * SECOND);
    CHECK(strcmp(next_hop("2001:db8:9::1"), ROUTER) == 0, "not for ever");
    host_end(&host);
}

/* The better next hop's link-layer address comes with the Redirect; when it does not answer, the
 * router is asked again. */
static void test_redirect_to_dead_router(void)
{
    struct frame frame;
    static const uint8_t request[8] = {ICMPV6_ECHO_REQUEST};
    configure(7200, 3600);
    redirect(ROUTER, "2001:db8:9::1", "fe80::ee", 255);
    host_receive_icmp(&host, "2001:db8:9::1", GLOBAL, 60, request, sizeof request);
    CHECK(host_sent(&host, &frame) && frame.payload[0] == ICMPV6_ECHO_REPLY &&
              memcmp(frame.to, peer_mac, MAC_SIZE) == 0,
          "-");
    host_run(&host, 9 * SECOND);
    CHECK(strcmp(next_hop("2001:db8:9::1"), ROUTER) == 0, "%s", next_hop("2001:db8:9::1"));
    host_end(&host);
}

static void test_bad_redirects(void)
{
    struct ip_route_entry entry = {.destination = address("2001:db8:7::"),
                                   .prefix = 48,
                                   .gateway = address("2001:db8:1::ff"),
                                   .netif = &host.netif};
    configure(7200, 3600);
    ip_route_add(host.stack, &entry);
    const uint64_t before = host.stack->counters.nd_ignored;
    redirect("fe80::ee", "2001:db8:9::1", "fe80::ee", 255); /* not the router in use */
    redirect("2001:db8:1::ff", "2001:db8:9::1", "fe80::ee", 255);
    redirect(ROUTER, "2001:db8:9::1", "fe80::ee", 254);
    redirect(ROUTER, "2001:db8:9::1", "2001:db8:1::ee", 255); /* neither a router nor itself */
    redirect(ROUTER, "ff02::1", "fe80::ee", 255);
    redirect("2001:db8:1::ff", "2001:db8:7::1", "fe80::ee", 255); /* not from a link-local one */
    CHECK(host.stack->counters.nd_ignored - before == 6, "-");
    uint8_t message[48] = {ND_REDIRECT};
    memcpy(message + 8, address("fe80::ee").bytes, 16);
    memcpy(message + 24, address("2001:db8:9::1").bytes, 16);
    const char *ours = host_address(&host, ADDRESS_LINK_LOCAL);
    for (size_t length = 8; length <= sizeof message; length += 8)
        if (length != 40) /* the last one with an option of length 0 */
            host_receive_icmp(&host, ROUTER, ours, 255, message, length);
    CHECK(host.stack->counters.nd_ignored - before == 11, "-");
    CHECK(strcmp(next_hop("2001:db8:9::1"), ROUTER) == 0, "-");
    CHECK(strcmp(next_hop("2001:db8:7::1"), "2001:db8:1::ff") == 0, "-");
    host_receive_icmp(&host, ROUTER, ours, 255, message, 40);
    CHECK(strcmp(next_hop("2001:db8:9::1"), "fe80::ee") == 0, "no option is needed");
    host_end(&host);
}

static void test_redirect_flood(void)
{
    char destination[IP_TEXT_MAX];
    configure(7200, 3600);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(destination, sizeof destination, "2001:db8:9::%x", i + 1);
        redirect(ROUTER, destination, "fe80::ee", 255);
        host_run(&host, MS);
    }
    CHECK(strcmp(next_hop("2001:db8:9::3e8"), "fe80::ee") == 0, "the last one");
    CHECK(strcmp(next_hop("2001:db8:9::1"), ROUTER) == 0, "the first one has given way");
    host_end(&host);
}

/* --- what must not be believed --- */

static void test_bad_adverts(void)
{
    struct advert advert;
    host_start(&host);
    host_up(&host);
    advert_begin(&advert, 64, 1800);
    advert_prefix(&advert, "2001:db8:1::", 64, ON_LINK | AUTONOMOUS, 7200, 3600);
    const uint64_t before = host.stack->counters.nd_ignored;
    host_receive_icmp(&host, ROUTER, "ff02::1", 254, advert.bytes, advert.length);
    host_receive_icmp(&host, "2001:db8:1::ff", "ff02::1", 255, advert.bytes, advert.length);
    host_receive_icmp(&host, ROUTER, "ff02::1", 255, advert.bytes, 15);
    host_receive_icmp(&host, ROUTER, "ff02::1", 255, advert.bytes, advert.length - 1);
    advert.bytes[17] = 0; /* an option's length */
    host_receive_icmp(&host, ROUTER, "ff02::1", 255, advert.bytes, advert.length);
    advert.bytes[1] = 1; /* the code */
    host_receive_icmp(&host, ROUTER, "ff02::1", 255, advert.bytes, 16);
    CHECK(host.stack->counters.nd_ignored - before == 6, "-");
    CHECK(!*GLOBAL && !*next_hop("2001:db8:9::1"), "-");
    host_end(&host);
}

static void test_bad_prefixes(void)
{
    struct advert advert;
    host_start(&host);
    host_up(&host);
    advert_begin(&advert, 64, 0);
    advert_prefix(&advert, "fe80::", 64, ON_LINK | AUTONOMOUS, 7200, 3600);
    advert_prefix(&advert, "2001:db8:2::", 64, AUTONOMOUS, 3600, 7200); /* preferred > valid */
    advert_prefix(&advert, "2001:db8:3::", 65, AUTONOMOUS, 7200, 3600);
    advert_prefix(&advert, "2001:db8:4::", 129, AUTONOMOUS | ON_LINK, 7200, 3600);
    advert_prefix(&advert, "2001:db8:5::", 64, AUTONOMOUS, 0, 0);
    advert_prefix(&advert, "2001:db8:6::", 64, ON_LINK, 7200, 3600); /* good, but no address */
    advert_prefix(&advert, "ff0e::", 64, AUTONOMOUS, 7200, 3600);
    advert_send(&host, &advert, ROUTER);
    CHECK(count(ADDRESS_SLAAC) == 0, "%s", GLOBAL);
    CHECK(count(ADDRESS_LINK_LOCAL) == 1, "-");
    for (size_t i = 1; i < IPV6_PREFIXES; i++)
        CHECK(host.netif.ipv6.prefixes[i].prefix.family == IP_NONE, "only one is on the link");
    host_end(&host);
}

static void test_mtu_below_1280(void)
{
    struct advert advert;
    host_start(&host);
    host_up(&host);
    for (unsigned i = 0; i < 3; i++) {
        static const uint8_t options[][8] = {{ND_OPTION_MTU, 1, 0, 0, 0, 0, 0x04, 0xff},
                                             {ND_OPTION_MTU, 1, 0, 0, 0, 0, 0x05, 0xdd},
                                             {ND_OPTION_MTU, 1, 0, 0, 0xff, 0xff, 0xff, 0xff}};
        advert_begin(&advert, 64, 1800);
        advert_option(&advert, options[i], 8);
        advert_send(&host, &advert, ROUTER);
        CHECK(host.netif.ipv6_mtu == 0, "%u", host.netif.ipv6_mtu);
    }
    host_end(&host);
}

/* Values that would take us off the network. */
static void test_extreme_parameters(void)
{
    struct advert advert;
    host_start(&host);
    host_up(&host);
    advert_begin(&advert, 1, 1800);
    put_u32(put_u32(advert.bytes + 8, 0xffffffff), 0xffffffff);
    advert_send(&host, &advert, ROUTER);
    CHECK(host.netif.hop_limit == 0 && host.netif.reachable_ms == 0 &&
              host.netif.retransmit_ms == 0,
          "-");
    host_end(&host);
}

/* A thousand routers with a thousand prefixes: what was there before stays, and works. */
static void test_advert_flood(void)
{
    configure(7200, 3600);
    for (unsigned i = 0; i < 1000; i++) {
        struct advert advert;
        char router[IP_TEXT_MAX], prefix[IP_TEXT_MAX];
        snprintf(router, sizeof router, "fe80::1:%x", i);
        advert_begin(&advert, 64, 9000);
        for (unsigned j = 0; j < 20; j++) {
            snprintf(prefix, sizeof prefix, "2001:db8:%x:%x::", 100 + i, j);
            advert_prefix(&advert, prefix, 64, ON_LINK | AUTONOMOUS, 7200, 3600);
        }
        advert_send(&host, &advert, router);
    }
    host_run(&host, 5 * SECOND);
    CHECK(count(ADDRESS_SLAAC) <= 4, "%u addresses", count(ADDRESS_SLAAC));
    CHECK(strcmp(next_hop("2001:db9::1"), ROUTER) == 0, "%s", next_hop("2001:db9::1"));
    CHECK(host_ping(&host, "2001:db8:1::7", GLOBAL), "-");
    const struct ip_address fixed = address("2001:db8::5");
    CHECK(netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC) == 0, "room for others");
    host_end(&host);
}

int main(void)
{
    static const struct test tests[] = {
        {"RS: three when nobody answers", test_solicits_routers},
        {"RS: none after an answer", test_solicits_until_answered},
        {"RA: a default router and its lifetime", test_default_router},
        {"RA: the router's link-layer address", test_router_is_known},
        {"RA: another router when the first is dead", test_second_router_when_first_is_dead},
        {"NA: a router says that it is none", test_router_becomes_host},
        {"RA: hop limit, times, MTU", test_parameters},
        {"SLAAC: an address from a prefix", test_address_from_prefix},
        {"SLAAC: preferred, deprecated, gone", test_lifetimes},
        {"SLAAC: infinite lifetimes", test_infinite_lifetime},
        {"SLAAC: the two-hour rule", test_two_hour_rule},
        {"SLAAC: nothing is kept when the link goes", test_addresses_go_with_the_link},
        {"SLAAC: stable addresses (RFC 7217)", test_stable_addresses},
        {"RDNSS: servers and lifetimes", test_dns_servers},
        {"redirect: to a router, and to the host itself", test_redirect},
        {"redirect: to a router that is dead", test_redirect_to_dead_router},
        {"bad: redirects that are not valid", test_bad_redirects},
        {"bad: redirect flood", test_redirect_flood},
        {"bad: advertisements that are not valid", test_bad_adverts},
        {"bad: prefixes that make no address", test_bad_prefixes},
        {"bad: RA with MTU below 1280 or above the link's", test_mtu_below_1280},
        {"bad: RA with extreme values", test_extreme_parameters},
        {"bad: RA flood", test_advert_flood},
    };
    return RUN_TESTS(tests);
}
