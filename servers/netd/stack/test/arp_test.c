/* ARP and the neighbour cache (RFC 826, RFC 4861 7.3, RFC 5227, RFC 1122 2.3.2), as conversations.
 */
#include "../link/arp.h"
#include "../link/neighbour.h"
#include "wire.h"
#include <errno.h>

static struct socket *udp;

static void start(void)
{
    wire_start(NULL);
    expect("arp request 10.0.0.1 from 10.0.0.1 to all"); /* RFC 5227 2.3: the announcement */
    udp = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    const struct endpoint local = endpoint("10.0.0.1", 7000);
    CHECK(socket_bind(udp, &local) == 0);
}

static int64_t send_to(const char *to) { return send_text(udp, to, 9, "hi"); }

static void find_state(void *context, const struct neighbour_facts *facts)
{
    struct neighbour_facts *found = context;
    if (ip_equal(&facts->address, &found->address))
        *found = *facts;
}

static struct neighbour_facts facts_of(const char *peer)
{
    struct neighbour_facts found = {.address = address(peer)};
    neighbour_list(stack, find_state, &found);
    return found;
}

static enum neighbour_state state_of(const char *peer) { return facts_of(peer).state; }

static void answer(const char *peer, const uint8_t mac[MAC_SIZE])
{
    hear(arp_frame(ARP_REPLY, mac, peer, "10.0.0.1"));
}

/* make_reachable: a whole resolution. */
static void make_reachable(const char *peer)
{
    send_to(peer);
    said();
    answer(peer, PEER_MAC);
    said();
    CHECK(state_of(peer) == NEIGHBOUR_REACHABLE);
}

static void test_answers_requests(void)
{
    start();
    hear(arp_frame(ARP_REQUEST, PEER_MAC, "10.0.0.2", "10.0.0.1"));
    expect("arp reply 10.0.0.1 is-at 02:00:00:00:00:01 to 10.0.0.2");
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_STALE);
    hear(arp_frame(ARP_REQUEST, PEER_MAC, "10.0.0.2", "10.0.0.3"));
    expect_silence();
    hear(arp_frame(ARP_REQUEST, PEER_MAC, "0.0.0.0", "10.0.0.1")); /* a probe: RFC 5227 2.4 */
    expect("arp reply 10.0.0.1 is-at 02:00:00:00:00:01 to 0.0.0.0");
    wire_stop();
}

static void test_resolves_and_queues(void)
{
    start();
    CHECK(send_text(udp, "10.0.0.2", 9, "one") == 3);
    expect("arp request 10.0.0.2 from 10.0.0.1 to all");
    CHECK(send_text(udp, "10.0.0.2", 9, "two") == 3);
    expect_silence(); /* one request a second */
    answer("10.0.0.2", PEER_MAC);
    expect("10.0.0.1 > 10.0.0.2 df udp 7000 > 9 one");
    expect("10.0.0.1 > 10.0.0.2 df udp 7000 > 9 two");
    send_text(udp, "10.0.0.2", 9, "three");
    expect("10.0.0.1 > 10.0.0.2 df udp 7000 > 9 three");
    wire_stop();
}

static void test_queue_is_bounded(void)
{
    start();
    for (unsigned i = 0; i < NEIGHBOUR_QUEUE + 2; i++)
        send_text(udp, "10.0.0.2", 9, (const char[]){(char)('a' + i), '\0'});
    expect("arp request 10.0.0.2 from 10.0.0.1 to all");
    CHECK(pool.in_use == NEIGHBOUR_QUEUE);
    answer("10.0.0.2", PEER_MAC);
    expect("10.0.0.1 > 10.0.0.2 df udp 7000 > 9 c"); /* the oldest have given way */
    for (unsigned i = 1; i < NEIGHBOUR_QUEUE; i++)
        said();
    expect_silence();
    wire_stop();
}

static void test_retries_and_gives_up(void)
{
    const struct endpoint peer = endpoint("10.0.0.2", 9);
    start();
    CHECK(socket_connect(udp, &peer) == 0);
    int on = 1;
    socket_set_option(udp, LEVEL_IP, OPTION_IP_RECVERR, &on, sizeof on);
    send_text(udp, NULL, 0, "hi");
    for (unsigned i = 0; i < 3; i++) {
        expect("arp request 10.0.0.2 from 10.0.0.1 to all");
        expect_silence();
        CHECK(udp->error == 0);
        pass(SECOND);
    }
    expect_silence();
    CHECK(udp->error == -EHOSTUNREACH); /* RFC 1122 3.3.1.3 */
    CHECK(stack->counters.neighbour_failed == 1 && pool.in_use == 0);
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_FAILED);
    socket_receive(udp, NULL, 0, &(struct socket_message){0});
    CHECK(send_text(udp, NULL, 0, "hi") == -EHOSTUNREACH); /* RFC 1122 2.3.2.1 */
    pass(SECOND);
    CHECK(send_text(udp, NULL, 0, "hi") == 2);
    expect("arp request 10.0.0.2 from 10.0.0.1 to all");
    wire_stop();
}

/* RFC 4861 7.3.3: reachable, stale, delay, probe by unicast, reachable again. */
static void test_unicast_probe(void)
{
    start();
    make_reachable("10.0.0.2");
    pass(46 * SECOND); /* at most 1.5 times REACHABLE_TIME */
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_STALE);
    send_to("10.0.0.2");
    expect("10.0.0.1 > 10.0.0.2 df udp 7000 > 9 hi");
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_DELAY);
    pass(5 * SECOND);
    expect("arp request 10.0.0.2 from 10.0.0.1 to 02:00:00:00:00:02");
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_PROBE);
    send_to("10.0.0.2"); /* goes on meanwhile */
    expect("10.0.0.1 > 10.0.0.2 df udp 7000 > 9 hi");
    answer("10.0.0.2", PEER_MAC);
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_REACHABLE);
    pass(16 * SECOND);
    expect_silence();
    wire_stop();
}

static void test_probe_unanswered(void)
{
    start();
    make_reachable("10.0.0.2");
    pass(46 * SECOND);
    send_to("10.0.0.2");
    said();
    pass(5 * SECOND);
    for (unsigned i = 0; i < 3; i++) {
        expect("arp request 10.0.0.2 from 10.0.0.1 to 02:00:00:00:00:02");
        pass(SECOND);
    }
    expect_silence();
    send_to("10.0.0.2"); /* asks everybody, at once */
    expect("arp request 10.0.0.2 from 10.0.0.1 to all");
    answer("10.0.0.2", OTHER_MAC);
    said();
    CHECK(memcmp(facts_of("10.0.0.2").mac, OTHER_MAC, MAC_SIZE) == 0);
    wire_stop();
}

static void test_transport_confirms(void)
{
    const struct ip_address peer = address("10.0.0.2");
    start();
    make_reachable("10.0.0.2");
    for (unsigned i = 0; i < 20; i++) {
        pass(10 * SECOND);
        CHECK(state_of("10.0.0.2") == NEIGHBOUR_REACHABLE);
        ip_reached(stack, &peer, 0);
    }
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_REACHABLE);
    expect_silence();
    wire_stop();
}

/* --- what is not believed --- */

static void test_unsolicited_creates_nothing(void)
{
    start();
    answer("10.0.0.2", PEER_MAC);
    hear(arp_frame(ARP_REQUEST, PEER_MAC, "10.0.0.2", "10.0.0.2")); /* gratuitous */
    hear(arp_frame(ARP_REPLY, PEER_MAC, "10.0.0.2", "10.0.0.2"));
    hear(arp_frame(ARP_REQUEST, PEER_MAC, "192.0.2.1", "10.0.0.1")); /* not of this link */
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_FREE && state_of("192.0.2.1") == NEIGHBOUR_FREE);
    wire_stop();
}

/* An entry in use is not taken over by whoever says so: its holder is asked first. */
static void test_spoofed_is_verified(void)
{
    start();
    make_reachable("10.0.0.2");
    hear(arp_frame(ARP_REQUEST, OTHER_MAC, "10.0.0.2", "10.0.0.2"));
    expect("arp request 10.0.0.2 from 10.0.0.1 to 02:00:00:00:00:02");
    hear(arp_frame(ARP_REQUEST, OTHER_MAC, "10.0.0.2", "10.0.0.1"));
    expect("arp reply 10.0.0.1 is-at 02:00:00:00:00:01 to 10.0.0.2");
    answer("10.0.0.2", OTHER_MAC);
    CHECK(memcmp(facts_of("10.0.0.2").mac, PEER_MAC, MAC_SIZE) == 0);
    answer("10.0.0.2", PEER_MAC);
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_REACHABLE);
    expect_silence();
    wire_stop();
}

/* A gratuitous ARP about an entry that nobody has confirmed lately is good news (RFC 826). */
static void test_gratuitous_updates_stale(void)
{
    start();
    know("10.0.0.2", PEER_MAC);
    hear(arp_frame(ARP_REQUEST, OTHER_MAC, "10.0.0.2", "10.0.0.2"));
    CHECK(memcmp(facts_of("10.0.0.2").mac, OTHER_MAC, MAC_SIZE) == 0);
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_STALE);
    wire_stop();
}

static void test_malformed(void)
{
    const size_t offsets[] = {14, 16, 18, 19, 20}; /* of the five fields that say what it is */
    const uint8_t group_mac[MAC_SIZE] = {1, 0, 0x5e, 0, 0, 1};
    start();
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        struct frame *frame = arp_frame(ARP_REQUEST, PEER_MAC, "10.0.0.2", "10.0.0.1");
        frame->bytes[offsets[i]] ^= 0x40;
        hear(frame);
    }
    for (size_t length = 0; length < 42; length++) {
        struct frame *frame = arp_frame(ARP_REQUEST, PEER_MAC, "10.0.0.2", "10.0.0.1");
        frame->length = length;
        hear(frame);
    }
    struct frame *frame = arp_frame(ARP_REQUEST, group_mac, "10.0.0.2", "10.0.0.1");
    frame->bytes[6] = 2; /* so that only ARP could see it */
    hear(frame);
    hear(arp_frame(ARP_REQUEST, PEER_MAC, "224.0.0.1", "10.0.0.1"));
    hear(arp_frame(ARP_REQUEST, PEER_MAC, "255.255.255.255", "10.0.0.1"));
    hear(arp_frame(ARP_REQUEST, PEER_MAC, "127.0.0.1", "10.0.0.1"));
    hear(arp_frame(ARP_REQUEST, OUR_MAC, "10.0.0.2", "10.0.0.1"));
    expect_silence();
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_FREE);
    know("10.0.0.2", PEER_MAC);
    frame = arp_frame(ARP_REQUEST, OTHER_MAC, "10.0.0.2", "10.0.0.2");
    frame->length--; /* all is there that the table would need */
    hear(frame);
    CHECK(memcmp(facts_of("10.0.0.2").mac, PEER_MAC, MAC_SIZE) == 0);
    wire_stop();
}

/* --- bounds --- */

static void test_all_in_use(void)
{
    const struct stack_config limits = {.neighbours = 2};
    wire_start(&limits);
    udp = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    said();
    make_reachable("10.0.0.2");
    make_reachable("10.0.0.3");
    CHECK(send_to("10.0.0.4") == -EAGAIN);
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_REACHABLE);
    pass(10 * SECOND); /* one of them has been idle for long enough */
    send_to("10.0.0.3");
    CHECK(send_to("10.0.0.4") == 2);
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_FREE);
    wire_stop();
}

/* Who asks for us under a thousand names fills the table with what nobody uses. */
static void test_flood_of_requests(void)
{
    const struct stack_config limits = {.neighbours = 16};
    wire_start(&limits);
    udp = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    said();
    make_reachable("10.0.0.2");
    for (unsigned i = 3; i < 1003; i++) {
        char from[16];
        snprintf(from, sizeof from, "10.0.0.%u", i % 250 + 3);
        hear(arp_frame(ARP_REQUEST, OTHER_MAC, from, "10.0.0.1"));
        said();
        if (i % 100 == 0) {
            send_to("10.0.0.2"); /* it is in use, and stays */
            CHECK(strncmp(describe(said()), "10.0.0.1 > 10.0.0.2", 19) == 0);
            pass(SECOND);
        }
    }
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_REACHABLE);
    CHECK(stack->counters.neighbour_evicted > 900);
    wire_stop();
}

/* Who makes us look for a thousand hosts gets room for his own searches only. */
static void test_flood_of_resolutions(void)
{
    const struct stack_config limits = {.neighbours = 16};
    wire_start(&limits);
    udp = open_socket(IP_V4, SOCKET_DATAGRAM, 0);
    said();
    make_reachable("10.0.0.2");
    for (unsigned i = 0; i < 240; i++) {
        char to[16];
        snprintf(to, sizeof to, "10.0.0.%u", i + 3);
        send_to(to);
    }
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_REACHABLE);
    CHECK(pool.in_use <= 15 * NEIGHBOUR_QUEUE);
    pass(10 * SECOND);
    CHECK(pool.in_use == 0);
    wire_stop();
}

static void test_waiting_packets_are_bounded(void)
{
    start();
    for (unsigned i = 0; i < 100; i++) {
        char to[16];
        snprintf(to, sizeof to, "10.0.0.%u", i + 3);
        for (unsigned j = 0; j < NEIGHBOUR_QUEUE; j++)
            send_to(to);
    }
    CHECK(pool.in_use == WIRE_PACKETS / 8);
    CHECK(send_to("10.0.0.250") == -EAGAIN);
    pass(10 * SECOND); /* given up: there is room again */
    CHECK(pool.in_use == 0 && send_to("10.0.0.250") == 2);
    wire_stop();
}

static void test_link_down_forgets(void)
{
    start();
    make_reachable("10.0.0.2");
    send_to("10.0.0.3");
    said();
    netif_set_link(&eth, false);
    CHECK(state_of("10.0.0.2") == NEIGHBOUR_FREE && pool.in_use == 0);
    netif_set_link(&eth, true);
    expect("arp request 10.0.0.1 from 10.0.0.1 to all");
    wire_stop();
}

/* --- conflicts (RFC 5227) --- */

static unsigned conflicts;

static void conflict(struct netif *netif, const struct ip_address *where)
{
    (void)netif, (void)where;
    conflicts++;
}

static void test_defends_its_address(void)
{
    start();
    eth.conflict = conflict;
    conflicts = 0;
    hear(arp_frame(ARP_REQUEST, OTHER_MAC, "10.0.0.1", "10.0.0.7"));
    expect("arp request 10.0.0.1 from 10.0.0.1 to all");
    hear(arp_frame(ARP_REPLY, OTHER_MAC, "10.0.0.1", "10.0.0.1"));
    expect_silence(); /* once in DEFEND_INTERVAL */
    CHECK(conflicts == 2);
    pass(10 * SECOND);
    hear(arp_frame(ARP_REPLY, OTHER_MAC, "10.0.0.1", "10.0.0.1"));
    expect("arp request 10.0.0.1 from 10.0.0.1 to all");
    wire_stop();
}

static void test_probe_finds_holder(void)
{
    const struct ip_address wanted = address("10.0.0.9");
    start();
    eth.conflict = conflict;
    conflicts = 0;
    arp_probe(&eth, &wanted);
    expect("arp request 10.0.0.9 from 0.0.0.0 to all");
    hear(arp_frame(ARP_REPLY, OTHER_MAC, "10.0.0.8", "10.0.0.1"));
    CHECK(conflicts == 0);
    hear(arp_frame(ARP_REPLY, OTHER_MAC, "10.0.0.9", "0.0.0.0"));
    CHECK(conflicts == 1);
    arp_probe(&eth, &wanted);
    hear(arp_frame(ARP_REQUEST, OTHER_MAC, "0.0.0.0", "10.0.0.9")); /* wants it, too */
    CHECK(conflicts == 2);
    arp_probe(&eth, &wanted);
    pass(5 * SECOND);
    hear(arp_frame(ARP_REPLY, OTHER_MAC, "10.0.0.9", "0.0.0.0")); /* too late to be an answer */
    CHECK(conflicts == 2);
    wire_stop();
}

static const struct test tests[] = {
    {"answers requests", test_answers_requests},
    {"resolves, and sends what waited", test_resolves_and_queues},
    {"the queue of an entry is bounded", test_queue_is_bounded},
    {"retries, gives up, tells the sender", test_retries_and_gives_up},
    {"probes by unicast before it forgets", test_unicast_probe},
    {"an unanswered probe starts anew", test_probe_unanswered},
    {"the transport confirms", test_transport_confirms},
    {"unsolicited ARP creates nothing", test_unsolicited_creates_nothing},
    {"spoofed ARP is verified", test_spoofed_is_verified},
    {"gratuitous ARP updates a stale entry", test_gratuitous_updates_stale},
    {"malformed ARP", test_malformed},
    {"all entries in use", test_all_in_use},
    {"flood of requests", test_flood_of_requests},
    {"flood of resolutions", test_flood_of_resolutions},
    {"waiting packets are bounded", test_waiting_packets_are_bounded},
    {"a link that goes down forgets", test_link_down_forgets},
    {"defends its address", test_defends_its_address},
    {"a probe finds the holder", test_probe_finds_holder},
};

int main(void) { return RUN_TESTS(tests); }
