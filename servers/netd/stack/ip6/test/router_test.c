/* Routers (RFC 4861 6.3, 8): what advertisements and Redirects do, and what bad ones do not. */
#include "host.h"
#include <string.h>

static struct host host;

#define GLOBAL host_address(&host, ADDRESS_SLAAC)

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
    host_configure(&host, 7200, 3600);
    host_run(&host, 60 * SECOND);
    CHECK(!host_sent_icmp(&host, ND_ROUTER_SOLICIT, &frame), "-");
    host_end(&host);
}

static void test_default_router(void)
{
    host_configure(&host, 7200, 3600);
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), ROUTER) == 0, "-");
    CHECK(strcmp(host_next_hop(&host, "2001:db8:1::1"), "2001:db8:1::1") == 0, "on the link");
    host_run(&host, 1799 * SECOND);
    CHECK(!*host_next_hop(&host, "2001:db8:9::1"), "its lifetime is over");
    host_advertise(&host, 1800, 7200, 3600);
    CHECK(*host_next_hop(&host, "2001:db8:9::1"), "there it is again");
    host_advertise(&host, 1800, 0, 0);
    CHECK(strcmp(host_next_hop(&host, "2001:db8:1::1"), ROUTER) == 0, "not on the link any more");
    host_advertise(&host, 0, 7200, 3600);
    CHECK(!*host_next_hop(&host, "2001:db8:9::1"), "it says goodbye");
    host_end(&host);
}

static void test_second_router_when_first_is_dead(void)
{
    struct advert advert;
    host_configure(&host, 7200, 3600);
    advert_begin(&advert, 64, 1800);
    advert_send(&host, &advert, "fe80::ee");
    const char *peer = "2001:db8:9::1";
    static const uint8_t request[8] = {ICMPV6_ECHO_REQUEST};
    CHECK(strcmp(host_next_hop(&host, peer), ROUTER) == 0, "the first");
    host_receive_icmp(&host, peer, GLOBAL, 60, request, sizeof request);
    host_run(&host, 3500 * MS);
    CHECK(strcmp(host_next_hop(&host, peer), "fe80::ee") == 0, "the first does not answer: %s",
          host_next_hop(&host, peer));
    host_end(&host);
}

static void test_router_becomes_host(void)
{
    const struct nd_neighbor body = {.flags = ND_OVERRIDE, .target = address(ROUTER)};
    uint8_t message[ND_NEIGHBOR_SIZE + ND_OPTION_LINK_SIZE];
    host_configure(&host, 7200, 3600);
    host_meet(&host, ROUTER);
    CHECK(*host_next_hop(&host, "2001:db8:9::1"), "-");
    const struct nd_neighbor still = {.flags = ND_OVERRIDE | ND_ROUTER, .target = address(ROUTER)};
    nd_option_link_emit(nd_neighbor_emit(message, ND_NEIGHBOR_ADVERT, &still),
                        ND_OPTION_TARGET_LINK, peer_mac);
    host_receive_icmp(&host, ROUTER, "ff02::1", 255, message, sizeof message);
    CHECK(*host_next_hop(&host, "2001:db8:9::1"), "a router it says");
    nd_option_link_emit(nd_neighbor_emit(message, ND_NEIGHBOR_ADVERT, &body), ND_OPTION_TARGET_LINK,
                        peer_mac);
    host_receive_icmp(&host, ROUTER, "ff02::1", 255, message, sizeof message);
    CHECK(!*host_next_hop(&host, "2001:db8:9::1"), "-");
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
    host_configure(&host, 7200, 3600);
    advert_begin(&advert, 64, 1800);
    advert_option(&advert, (const uint8_t[]){ND_OPTION_SOURCE_LINK, 1, 2, 0, 0, 0, 0, 9}, 8);
    advert_send(&host, &advert, ROUTER);
    host_receive_icmp(&host, "2001:db8:9::1", GLOBAL, 60, request, sizeof request);
    CHECK(host_sent(&host, &frame) && frame.payload[0] == ICMPV6_ECHO_REPLY &&
              memcmp(frame.to, peer_mac, MAC_SIZE) == 0,
          "-");
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
    host_configure(&host, 7200, 3600);
    redirect(ROUTER, "2001:db8:9::1", "fe80::ee", 255);
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), "fe80::ee") == 0, "to a better router");
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::2"), ROUTER) == 0, "others are left alone");
    redirect(ROUTER, "2001:db8:9::2", "2001:db8:9::2", 255);
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::2"), "2001:db8:9::2") == 0, "it is on the link");
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), "fe80::ee") == 0, "both are kept");
    redirect("fe80::ee", "2001:db8:9::1", "fe80::dd", 255);
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), "fe80::dd") == 0, "the newer one counts");
    host_run(&host, 601 * SECOND);
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), ROUTER) == 0, "not for ever");
    host_end(&host);
}

/* The better next hop's link-layer address comes with the Redirect; when it does not answer, the
 * router is asked again. */
static void test_redirect_to_dead_router(void)
{
    struct frame frame;
    static const uint8_t request[8] = {ICMPV6_ECHO_REQUEST};
    host_configure(&host, 7200, 3600);
    redirect(ROUTER, "2001:db8:9::1", "fe80::ee", 255);
    host_receive_icmp(&host, "2001:db8:9::1", GLOBAL, 60, request, sizeof request);
    CHECK(host_sent(&host, &frame) && frame.payload[0] == ICMPV6_ECHO_REPLY &&
              memcmp(frame.to, peer_mac, MAC_SIZE) == 0,
          "-");
    host_run(&host, 9 * SECOND);
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), ROUTER) == 0, "%s",
          host_next_hop(&host, "2001:db8:9::1"));
    host_end(&host);
}

static void test_bad_redirects(void)
{
    struct ip_route_entry entry = {.destination = address("2001:db8:7::"),
                                   .prefix = 48,
                                   .gateway = address("2001:db8:1::ff"),
                                   .netif = &host.netif};
    host_configure(&host, 7200, 3600);
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
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), ROUTER) == 0, "-");
    CHECK(strcmp(host_next_hop(&host, "2001:db8:7::1"), "2001:db8:1::ff") == 0, "-");
    host_receive_icmp(&host, ROUTER, ours, 255, message, 40);
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), "fe80::ee") == 0, "no option is needed");
    host_end(&host);
}

static void test_redirect_flood(void)
{
    char destination[IP_TEXT_MAX];
    host_configure(&host, 7200, 3600);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(destination, sizeof destination, "2001:db8:9::%x", i + 1);
        redirect(ROUTER, destination, "fe80::ee", 255);
        host_run(&host, MS);
    }
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::3e8"), "fe80::ee") == 0, "the last one");
    CHECK(strcmp(host_next_hop(&host, "2001:db8:9::1"), ROUTER) == 0,
          "the first one has given way");
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
    CHECK(!*GLOBAL && !*host_next_hop(&host, "2001:db8:9::1"), "-");
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
        {"redirect: to a router, and to the host itself", test_redirect},
        {"redirect: to a router that is dead", test_redirect_to_dead_router},
        {"bad: redirects that are not valid", test_bad_redirects},
        {"bad: redirect flood", test_redirect_flood},
        {"bad: advertisements that are not valid", test_bad_adverts},
        {"bad: RA with MTU below 1280 or above the link's", test_mtu_below_1280},
        {"bad: RA with extreme values", test_extreme_parameters},
    };
    return RUN_TESTS(tests);
}
