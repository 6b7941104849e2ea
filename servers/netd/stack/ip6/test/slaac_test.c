/* Autoconfiguration of addresses and DNS servers (RFC 4862, RFC 7217, RFC 8106). */
#include "../ipv6.h"
#include "host.h"
#include <string.h>

static struct host host;

#define GLOBAL host_address(&host, ADDRESS_SLAAC)

static unsigned count(enum netif_address_origin origin)
{
    unsigned found = 0;
    for (size_t i = 0; i < NETIF_ADDRESSES; i++)
        found += host.netif.addresses[i].state != ADDRESS_FREE &&
                 host.netif.addresses[i].origin == origin;
    return found;
}

static uint8_t state_of_global(void)
{
    const struct ip_address global = address(*GLOBAL ? GLOBAL : "::1");
    const struct netif_address *found = netif_address_find(&host.netif, &global);
    return found ? found->state : ADDRESS_FREE;
}

/* --- addresses --- */

static void test_address_from_prefix(void)
{
    const struct ip_address prefix = address("2001:db8:1::");
    host_start(&host);
    host_up(&host);
    host_advertise(&host, 1800, 7200, 3600);
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
    host_configure(&host, 7200, 3600);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "-");
    host_run(&host, 3598 * SECOND);
    CHECK(state_of_global() == ADDRESS_DEPRECATED, "after the preferred lifetime");
    CHECK(host_ping(&host, "2001:db8:1::7", GLOBAL), "deprecated ones still work");
    host_advertise(&host, 1800, 7200, 3600);
    host_run(&host, SECOND);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "advertised again");
    host_run(&host, 7199 * SECOND);
    CHECK(state_of_global() == ADDRESS_FREE, "after the valid lifetime");
    host_end(&host);
}

static void test_infinite_lifetime(void)
{
    host_configure(&host, ND_LIFETIME_INFINITE, ND_LIFETIME_INFINITE);
    host_run(&host, 5000000000ull * SECOND);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "-");
    host_end(&host);
}

/* RFC 4862 5.5.3 e. */
static void test_two_hour_rule(void)
{
    host_configure(&host, 86400, 86400);
    host_advertise(&host, 1800, 1, 0);
    host_run(&host, 7190 * SECOND);
    CHECK(state_of_global() == ADDRESS_DEPRECATED, "not gone at once");
    host_advertise(&host, 1800, 1, 0);
    host_run(&host, 20 * SECOND);
    CHECK(state_of_global() == ADDRESS_FREE, "nor kept beyond two hours by repetition");
    host_advertise(&host, 1800, 600, 600);
    host_run(&host, 500 * SECOND);
    host_advertise(&host, 1800, 5000, 5000);
    host_run(&host, 4900 * SECOND);
    CHECK(state_of_global() == ADDRESS_PREFERRED, "longer than what is left is believed");
    host_end(&host);
}

static void test_addresses_go_with_the_link(void)
{
    const struct ip_address fixed = address("2001:db8::5"), late = address("2001:db8::6");
    host_configure(&host, 7200, 3600);
    netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC);
    netif_set_link(&host.netif, false);
    CHECK(!*GLOBAL, "another network may be there when it comes back");
    CHECK(netif_address_find(&host.netif, &fixed), "what was given by hand stays");
    netif_address_add(&host.netif, &late, 64, ADDRESS_STATIC);
    host_run(&host, 10 * SECOND);
    CHECK(!ip_is_local(host.stack, &late), "nobody could have objected");
    netif_set_link(&host.netif, true);
    host_run(&host, 5 * SECOND);
    CHECK(!*host_next_hop(&host, "2001:db8:9::1"), "the router also");
    host_end(&host);
}

static void test_two_prefixes(void)
{
    struct advert advert;
    host_start(&host);
    host_up(&host);
    advert_begin(&advert, 64, 1800);
    advert_prefix(&advert, "2001:db8:1::", 64, ON_LINK | AUTONOMOUS, 7200, 3600);
    advert_prefix(&advert, "2001:db8:2::", 64, ON_LINK | AUTONOMOUS, 7200, 3600);
    advert_send(&host, &advert, ROUTER);
    advert_send(&host, &advert, ROUTER);
    CHECK(count(ADDRESS_SLAAC) == 2, "one address from each");
    host_run(&host, 7201 * SECOND);
    CHECK(count(ADDRESS_SLAAC) == 0, "not advertised again");
    host_end(&host);
}

/* Somebody has the address that was made: the next one has the same lifetimes. */
static void test_duplicate(void)
{
    struct nd_neighbor taken = {.flags = ND_OVERRIDE};
    uint8_t message[ND_NEIGHBOR_SIZE];
    host_start(&host);
    host_up(&host);
    host_advertise(&host, 1800, 7200, 3600);
    for (unsigned tries = 1; tries <= 2; tries++) {
        taken.target = address(GLOBAL);
        nd_neighbor_emit(message, ND_NEIGHBOR_ADVERT, &taken);
        host_receive_icmp(&host, "fe80::9", "ff02::1", 255, message, sizeof message);
        CHECK(count(ADDRESS_SLAAC) == 1, "try %u", tries);
    }
    host_run(&host, 2 * SECOND);
    CHECK(state_of_global() == ADDRESS_PREFERRED && host.conflicts == 2, "-");
    host_run(&host, 3600 * SECOND);
    CHECK(state_of_global() == ADDRESS_DEPRECATED, "-");
    host_run(&host, 3600 * SECOND);
    CHECK(state_of_global() == ADDRESS_FREE, "-");
    host_end(&host);
}

static void test_no_room_for_addresses(void)
{
    char text[IP_TEXT_MAX];
    host_start(&host);
    host_up(&host);
    for (unsigned i = 0; i < NETIF_ADDRESSES; i++) {
        snprintf(text, sizeof text, "2001:db8:5::%x", i + 1);
        const struct ip_address fixed = address(text);
        netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC);
    }
    host_advertise(&host, 1800, 7200, 3600);
    host_run(&host, 3 * SECOND);
    CHECK(count(ADDRESS_SLAAC) == 0 && count(ADDRESS_STATIC) == NETIF_ADDRESSES - 1, "-");
    CHECK(host_ping(&host, "2001:db8:5::99", "2001:db8:5::1"), "-");
    host_end(&host);
}

static void test_stable_addresses(void)
{
    char first[IP_TEXT_MAX];
    host_configure(&host, 7200, 3600);
    strcpy(first, GLOBAL);
    host_end(&host);
    host_configure(&host, 7200, 3600);
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

/* --- what must not be believed --- */

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

/* A thousand routers with a thousand prefixes: what was there before stays, and works. */
static void test_advert_flood(void)
{
    host_configure(&host, 7200, 3600);
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
    CHECK(strcmp(host_next_hop(&host, "2001:db9::1"), ROUTER) == 0, "%s",
          host_next_hop(&host, "2001:db9::1"));
    CHECK(host_ping(&host, "2001:db8:1::7", GLOBAL), "-");
    const struct ip_address fixed = address("2001:db8::5");
    CHECK(netif_address_add(&host.netif, &fixed, 64, ADDRESS_STATIC) == 0, "room for others");
    host_end(&host);
}

int main(void)
{
    static const struct test tests[] = {
        {"SLAAC: an address from a prefix", test_address_from_prefix},
        {"SLAAC: preferred, deprecated, gone", test_lifetimes},
        {"SLAAC: infinite lifetimes", test_infinite_lifetime},
        {"SLAAC: the two-hour rule", test_two_hour_rule},
        {"SLAAC: nothing is kept when the link goes", test_addresses_go_with_the_link},
        {"SLAAC: two prefixes", test_two_prefixes},
        {"SLAAC: the address is a duplicate", test_duplicate},
        {"SLAAC: no room for another address", test_no_room_for_addresses},
        {"SLAAC: stable addresses (RFC 7217)", test_stable_addresses},
        {"RDNSS: servers and lifetimes", test_dns_servers},
        {"bad: prefixes that make no address", test_bad_prefixes},
        {"bad: RA flood", test_advert_flood},
    };
    return RUN_TESTS(tests);
}
