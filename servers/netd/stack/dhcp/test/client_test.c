/* The DHCP client in conversation with a server, in virtual time. */
#include "../../test/fake_socket.h"
#include "check.h"
#include "server.h"

#include "../../wire/cursor.h"
#include <errno.h>

#define SECOND 1000000000ull
#define RUN(test)                                                                                  \
    do {                                                                                           \
        setup();                                                                                   \
        test();                                                                                    \
        teardown();                                                                                \
    } while (0)

static struct dhcp_client client;
static struct dhcp_lease told; /* the last one */
static unsigned changes, probes;
static const uint8_t ours[4] = {192, 0, 2, 77}, other[4] = {192, 0, 2, 78};

static void changed(void *context, const struct dhcp_lease *lease)
{
    (void)context;
    told = *lease;
    changes++;
}

static void probe(void *context, const struct ip_address *address)
{
    (void)context;
    (void)address;
    probes++;
}

static const struct dhcp_config usual = {.hostname = "cairn", .changed = changed, .probe = probe};

static void setup(void)
{
    fake_reset();
    changes = probes = 0;
    memset(&told, 0, sizeof(told));
    CHECK(dhcp_start(&client, &fake_stack, &fake_netif, &usual) == 0);
    dhcp_poll(&client, fake_stack.now);
}

static void teardown(void)
{
    dhcp_stop(&client);
    CHECK(fake_open_sockets() == 0);
    CHECK(dhcp_deadline(&client) == 0);
}

/* run_until: polls at each deadline, as a server does. */
static void run_until(uint64_t moment)
{
    for (uint64_t next; (next = dhcp_deadline(&client)) != 0 && next <= moment;) {
        if (next > fake_stack.now)
            fake_stack.now = next;
        dhcp_poll(&client, fake_stack.now);
    }
    fake_stack.now = moment;
}

static void run_for(uint64_t seconds) { run_until(fake_stack.now + seconds * SECOND); }

static void deliver(const struct reply *reply)
{
    struct endpoint from = {ip_v4(192, 0, 2, 1), 67, 1}, to = {ip_v4(255, 255, 255, 255), 68, 1};
    CHECK(fake_deliver(from, to, reply->bytes, reply->length));
    run_until(fake_stack.now);
}

static void answer(enum dhcp_type type, const uint8_t *address, uint32_t lease)
{
    struct reply reply;
    reply_begin(&reply, type, client.xid, address);
    reply_usual(&reply, lease);
    reply_end(&reply);
    deliver(&reply);
}

/* sent_option: where the value of an option of the last message begins, or NULL. */
static const uint8_t *sent_option(uint8_t code)
{
    const struct fake_datagram *d = fake_sent_data(0);
    for (size_t at = 240; at + 1 < d->length && d->bytes[at] != 255; at += 2u + d->bytes[at + 1])
        if (d->bytes[at] == code)
            return d->bytes + at + 2;
    return NULL;
}

static bool sent_is(enum dhcp_type type)
{
    const uint8_t *value = sent_option(53);
    return value != NULL && *value == type;
}

static void get_lease(uint32_t lease)
{
    answer(DHCP_OFFER, ours, lease);
    answer(DHCP_ACK, ours, lease);
    run_for(1); /* the probes */
    CHECK(client.state == DHCP_BOUND);
}

/* --- as it should be --- */

static void four_messages_make_a_lease(void)
{
    const struct fake_datagram *d = fake_sent_data(0);
    CHECK(fake_sent == 1 && sent_is(DHCP_DISCOVER));
    CHECK(d->unspecified_source && d->to.port == 67 && ip_is_broadcast(&d->to.address));
    CHECK(d->from.port == 68 && d->length >= 300);
    CHECK(d->bytes[0] == 1 && d->bytes[1] == 1 && d->bytes[2] == 6 && d->bytes[10] == 0x80);
    CHECK(memcmp(d->bytes + 28, fake_netif.mac, 6) == 0);
    CHECK(sent_option(12) && memcmp(sent_option(12), "cairn", 5) == 0);
    CHECK(sent_option(50) == NULL && sent_option(54) == NULL);

    answer(DHCP_OFFER, ours, 3600);
    CHECK(client.state == DHCP_REQUESTING && fake_sent == 2 && sent_is(DHCP_REQUEST));
    CHECK(sent_option(50) && memcmp(sent_option(50), ours, 4) == 0);
    CHECK(sent_option(54) && sent_option(54)[3] == 1);
    CHECK(fake_sent_data(0)->bytes[12] == 0); /* ciaddr */

    uint64_t requested = fake_stack.now;
    answer(DHCP_ACK, ours, 3600);
    CHECK(client.state == DHCP_CHECKING && probes == 1 && changes == 0);
    run_for(1);
    CHECK(client.state == DHCP_BOUND && probes == 2 && changes == 1);
    CHECK(memcmp(told.address.bytes, ours, 4) == 0 && told.prefix == 24 && !told.fallback);
    CHECK(told.router_count == 1 && told.name_server_count == 1);
    CHECK(told.renew_at == requested + 1800 * SECOND);
    CHECK(told.rebind_at == requested + 3150 * SECOND);
    CHECK(told.expires_at == requested + 3600 * SECOND);
}

static void discover_is_repeated_with_growing_random_waits(void)
{
    uint64_t last = fake_stack.now;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t base = (i < 4 ? 4ull << i : 64) * SECOND;
        run_until(client.next - 1);
        CHECK(fake_sent == i + 1);
        run_until(client.next);
        CHECK(fake_sent == i + 2 && sent_is(DHCP_DISCOVER));
        uint64_t wait = fake_stack.now - last;
        CHECK(wait >= base - SECOND && wait <= base + SECOND && wait != base);
        last = fake_stack.now;
    }
}

static void nobody_answers_fallback_then_a_server_comes(void)
{
    run_for(5);
    CHECK(changes == 0);
    run_for(2);
    CHECK(changes == 1 && told.fallback && told.prefix == 24);
    CHECK(memcmp(told.address.bytes, (uint8_t[]){10, 0, 2, 15}, 4) == 0);
    CHECK(memcmp(told.routers[0].bytes, (uint8_t[]){10, 0, 2, 2}, 4) == 0);
    CHECK(memcmp(told.name_servers[0].bytes, (uint8_t[]){10, 0, 2, 3}, 4) == 0);
    run_for(100);
    CHECK(changes == 1 && sent_is(DHCP_DISCOVER) && fake_sent_data(0)->unspecified_source);
    get_lease(600);
    CHECK(changes == 2 && !told.fallback && memcmp(told.address.bytes, ours, 4) == 0);
}

static void renews_from_its_address(void)
{
    get_lease(3600);
    unsigned before = fake_sent;
    run_until(told.renew_at - 1);
    CHECK(fake_sent == before);
    run_until(told.renew_at);
    CHECK(client.state == DHCP_RENEWING && fake_sent == before + 1 && sent_is(DHCP_REQUEST));
    const struct fake_datagram *d = fake_sent_data(0);
    CHECK(!d->unspecified_source && memcmp(d->to.address.bytes, (uint8_t[]){192, 0, 2, 1}, 4) == 0);
    CHECK(memcmp(d->bytes + 12, ours, 4) == 0); /* ciaddr */
    CHECK(sent_option(50) == NULL && sent_option(54) == NULL);
    uint64_t at = fake_stack.now;
    unsigned probed = probes;
    answer(DHCP_ACK, ours, 7200);
    CHECK(client.state == DHCP_BOUND && probes == probed);
    CHECK(changes == 2 && told.expires_at == at + 7200 * SECOND);
}

static void rebinds_then_loses_the_lease(void)
{
    get_lease(3600);
    run_until(told.rebind_at - 1);
    CHECK(client.state == DHCP_RENEWING);
    /* 1800 s until 3150 s by halves, not below 60 s: 675, 337, 168, 84, 60, then the end */
    CHECK(fake_sent <= 2 + 7);
    run_until(told.rebind_at);
    CHECK(client.state == DHCP_REBINDING && sent_is(DHCP_REQUEST));
    CHECK(ip_is_broadcast(&fake_sent_data(0)->to.address) &&
          !fake_sent_data(0)->unspecified_source);
    run_until(told.expires_at - 1);
    CHECK(client.state == DHCP_REBINDING && changes == 1);
    run_for(1);
    CHECK(changes == 2 && told.address.family == IP_NONE);
    CHECK(client.state == DHCP_SELECTING && sent_is(DHCP_DISCOVER));
    run_for(7);
    CHECK(changes == 3 && told.fallback);
}

static void rebinding_takes_another_servers_ack(void)
{
    struct reply reply;
    get_lease(3600);
    run_until(told.rebind_at);
    reply_begin(&reply, DHCP_ACK, client.xid, ours);
    reply_option(&reply, 54, (uint8_t[]){192, 0, 2, 2}, 4);
    reply_number(&reply, 51, 3600);
    reply_end(&reply);
    deliver(&reply);
    CHECK(client.state == DHCP_BOUND && told.server.bytes[3] == 2);
}

static void a_nak_begins_anew_and_not_at_once(void)
{
    answer(DHCP_OFFER, ours, 3600);
    unsigned before = fake_sent;
    answer(DHCP_NAK, (uint8_t[4]){0}, 0);
    CHECK(client.state == DHCP_INIT && fake_sent == before && client.counters.naks == 1);
    run_for(1);
    CHECK(client.state == DHCP_SELECTING && fake_sent == before + 1);
}

static void a_nak_while_renewing_takes_the_address(void)
{
    get_lease(3600);
    run_until(told.renew_at);
    answer(DHCP_NAK, (uint8_t[4]){0}, 0);
    CHECK(changes == 2 && told.address.family == IP_NONE && client.state == DHCP_INIT);
}

static void a_request_without_answer_begins_anew(void)
{
    answer(DHCP_OFFER, ours, 3600);
    run_for(70); /* 4 + 8 + 16 + 32 and jitter */
    CHECK(client.state == DHCP_SELECTING && client.counters.sent >= 6);
}

static void an_address_in_use_is_declined(void)
{
    answer(DHCP_OFFER, ours, 3600);
    answer(DHCP_ACK, ours, 3600);
    struct ip_address theirs = ip_v4_bytes(other), address = ip_v4_bytes(ours);
    dhcp_conflict(&client, &theirs, fake_stack.now);
    CHECK(client.state == DHCP_CHECKING);
    dhcp_conflict(&client, &address, fake_stack.now);
    CHECK(client.state == DHCP_INIT && sent_is(DHCP_DECLINE) && changes == 0);
    CHECK(fake_sent_data(0)->unspecified_source && memcmp(sent_option(50), ours, 4) == 0);
    CHECK(sent_option(54) != NULL && fake_sent_data(0)->bytes[10] == 0);
    unsigned before = fake_sent;
    run_until(fake_stack.now + 10 * SECOND - 1);
    CHECK(fake_sent == before);
    run_until(fake_stack.now + 1);
    CHECK(fake_sent == before + 1 && sent_is(DHCP_DISCOVER));
}

static void a_bound_address_is_defended_once(void)
{
    struct ip_address address = ip_v4_bytes(ours);
    get_lease(3600);
    dhcp_conflict(&client, &address, fake_stack.now);
    run_for(11);
    dhcp_conflict(&client, &address, fake_stack.now);
    CHECK(client.state == DHCP_BOUND && changes == 1);
    run_for(9);
    dhcp_conflict(&client, &address, fake_stack.now);
    CHECK(changes == 2 && told.address.family == IP_NONE && sent_is(DHCP_DECLINE));
    CHECK(client.counters.conflicts == 3 && client.counters.declines == 1);
}

static void the_link_comes_back_reboot_keeps_the_address(void)
{
    get_lease(3600);
    fake_netif.link = false;
    dhcp_link(&client, false, fake_stack.now);
    unsigned before = fake_sent;
    run_for(100);
    CHECK(fake_sent == before && changes == 1);
    fake_netif.link = true;
    dhcp_link(&client, true, fake_stack.now);
    CHECK(client.state == DHCP_REBOOTING && sent_is(DHCP_REQUEST));
    CHECK(memcmp(sent_option(50), ours, 4) == 0 && sent_option(54) == NULL);
    CHECK(fake_sent_data(0)->bytes[12] == 0 && ip_is_broadcast(&fake_sent_data(0)->to.address));
    answer(DHCP_ACK, ours, 3600);
    CHECK(client.state == DHCP_BOUND && changes == 2 && probes == 2);
}

static void reboot_without_answer_goes_on_with_the_lease(void)
{
    get_lease(3600);
    uint64_t renew_at = told.renew_at;
    dhcp_link(&client, false, fake_stack.now);
    dhcp_link(&client, true, fake_stack.now);
    run_for(20);
    CHECK(client.state == DHCP_BOUND && changes == 1);
    run_until(renew_at);
    CHECK(client.state == DHCP_RENEWING);
}

static void reboot_on_another_network_is_refused(void)
{
    get_lease(3600);
    dhcp_link(&client, false, fake_stack.now);
    dhcp_link(&client, true, fake_stack.now);
    answer(DHCP_NAK, (uint8_t[4]){0}, 0);
    CHECK(told.address.family == IP_NONE);
    run_for(1);
    CHECK(client.state == DHCP_SELECTING);
}

static void a_lease_runs_out_without_a_link(void)
{
    get_lease(600);
    fake_netif.link = false;
    dhcp_link(&client, false, fake_stack.now);
    unsigned before = fake_sent;
    run_for(700);
    CHECK(changes == 2 && told.address.family == IP_NONE && fake_sent == before);
}

static void a_lease_for_ever_is_never_renewed(void)
{
    get_lease(DHCP_FOREVER);
    CHECK(told.expires_at == 0 && dhcp_deadline(&client) == 0);
    unsigned before = fake_sent;
    run_for(100000000);
    CHECK(client.state == DHCP_BOUND && fake_sent == before);
}

static void stopping_releases(void)
{
    get_lease(3600);
    dhcp_stop(&client);
    CHECK(sent_is(DHCP_RELEASE) && told.address.family == IP_NONE);
    CHECK(!fake_sent_data(0)->unspecified_source);
    CHECK(memcmp(fake_sent_data(0)->bytes + 12, ours, 4) == 0 && sent_option(54) != NULL);
}

static void options_may_be_in_file_and_sname(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_option(&reply, 54, (uint8_t[]){192, 0, 2, 1}, 4);
    reply_option(&reply, 52, (uint8_t[]){3}, 1);
    reply_end(&reply);
    memcpy(reply.bytes + 108, (uint8_t[]){51, 4, 0, 0, 14, 16, 255}, 7);
    memcpy(reply.bytes + 44,
           (uint8_t[]){1, 4, 255, 255, 240, 0, 15, 7, 'l', 'a', 'b', '.', 'o', 'r', 'g', 255}, 16);
    deliver(&reply);
    CHECK(client.state == DHCP_REQUESTING && client.wanted.prefix == 20);
    CHECK(strcmp(client.wanted.domain, "lab.org") == 0);
}

static void the_mtu_and_many_routers(void)
{
    struct reply reply;
    uint8_t many[6 * 4];
    for (unsigned i = 0; i < sizeof(many); i++)
        many[i] = (uint8_t)(1 + i);
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 100);
    reply_option(&reply, 26, (uint8_t[]){5, 120}, 2);
    reply_option(&reply, 3, many, sizeof(many));
    reply_end(&reply);
    deliver(&reply);
    CHECK(client.wanted.mtu == 1400 && client.wanted.router_count == DHCP_ROUTERS);
}

static void a_socket_that_cannot_be_had_is_an_error(void)
{
    struct dhcp_client second = {0};
    CHECK(dhcp_start(&second, &fake_stack, &fake_netif, &usual) == -EADDRINUSE);
    fake_create_error = -ENFILE;
    CHECK(dhcp_start(&second, &fake_stack, &fake_netif, &usual) == -ENFILE);
    CHECK(fake_open_sockets() == 1);
}

/* --- as it should not be --- */

/* refused: the client has taken no notice of the reply. */
static void refused(struct reply *reply)
{
    unsigned before = fake_sent;
    uint64_t ignored = client.counters.ignored;
    enum dhcp_state state = client.state;
    deliver(reply);
    CHECK(client.counters.ignored == ignored + 1 && client.state == state && fake_sent == before);
}

static void an_option_longer_than_the_message(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 3600);
    reply_option(&reply, 15, "ab", 2);
    reply.bytes[reply.length - 3] = 200;
    refused(&reply);
}

static void options_without_an_end(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 3600);
    refused(&reply);
    reply.bytes[reply.length++] = 15; /* a code and nothing more */
    refused(&reply);
}

static void overloaded_fields_without_an_end(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 3600);
    reply_option(&reply, 52, (uint8_t[]){1}, 1);
    reply_end(&reply);
    refused(&reply);
}

static void a_wrong_xid(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid ^ 1, ours);
    reply_usual(&reply, 3600);
    reply_end(&reply);
    refused(&reply);
}

static void somebody_elses_hardware_address(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 3600);
    reply_end(&reply);
    reply.bytes[30] ^= 1;
    refused(&reply);
}

static void a_mask_with_holes(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 3600);
    reply_option(&reply, 1, (uint8_t[]){255, 0, 255, 0}, 4);
    reply_end(&reply);
    refused(&reply);
}

static void an_offer_of_no_host(void)
{
    static const uint8_t bad[][4] = {
        {0, 0, 0, 0}, {0, 0, 0, 9}, {127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct reply reply;
        reply_begin(&reply, DHCP_OFFER, client.xid, bad[i]);
        reply_usual(&reply, 3600);
        reply_end(&reply);
        refused(&reply);
    }
}

static void no_server_identifier_or_no_lease_time(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_number(&reply, 51, 60);
    reply_end(&reply);
    refused(&reply);
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 0);
    reply_end(&reply);
    refused(&reply);
}

static void messages_cut_anywhere(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 3600);
    reply_end(&reply);
    size_t whole = reply.length;
    for (reply.length = 0; reply.length < whole; reply.length++)
        refused(&reply);
}

static void a_domain_that_is_no_name(void)
{
    struct reply reply;
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 3600);
    reply_option(&reply, 15, "a;rm -rf", 8);
    reply_end(&reply);
    deliver(&reply);
    CHECK(client.state == DHCP_REQUESTING && client.wanted.domain[0] == '\0');
}

static void an_ack_from_another_server_or_of_another_address(void)
{
    struct reply reply;
    answer(DHCP_OFFER, ours, 3600);
    reply_begin(&reply, DHCP_ACK, client.xid, other);
    reply_usual(&reply, 3600);
    reply_end(&reply);
    refused(&reply);
    reply_begin(&reply, DHCP_ACK, client.xid, ours);
    reply_option(&reply, 54, (uint8_t[]){192, 0, 2, 2}, 4);
    reply_number(&reply, 51, 3600);
    reply_end(&reply);
    refused(&reply);
    reply.bytes[242] = DHCP_NAK;
    refused(&reply);
}

static void an_ack_that_nobody_asked_for(void)
{
    struct reply reply;
    get_lease(3600);
    reply_begin(&reply, DHCP_ACK, client.xid, other);
    reply_usual(&reply, 1);
    reply_end(&reply);
    refused(&reply);
    reply.bytes[242] = DHCP_NAK;
    refused(&reply);
}

static void a_reply_from_another_port(void)
{
    struct reply reply;
    struct endpoint from = {ip_v4(192, 0, 2, 1), 6700, 1}, to = {ip_v4(255, 255, 255, 255), 68, 1};
    reply_begin(&reply, DHCP_OFFER, client.xid, ours);
    reply_usual(&reply, 3600);
    reply_end(&reply);
    fake_deliver(from, to, reply.bytes, reply.length);
    run_until(fake_stack.now);
    CHECK(client.state == DHCP_SELECTING && client.counters.received == 0);
}

static void an_offer_storm(void)
{
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 60; i++) {
            struct reply reply;
            struct endpoint from = {ip_v4(192, 0, 2, 1), 67, 1},
                            to = {ip_v4(255, 255, 255, 255), 68, 1};
            reply_begin(&reply, DHCP_OFFER, client.xid, (uint8_t[]){192, 0, 2, (uint8_t)(i + 1)});
            reply_usual(&reply, 3600);
            reply_end(&reply);
            fake_deliver(from, to, reply.bytes, reply.length);
        }
        uint64_t received = client.counters.received;
        dhcp_poll(&client, fake_stack.now);
        CHECK(client.counters.received - received <= 16); /* a poll has an end */
        run_until(fake_stack.now);
    }
    CHECK(fake_sent == 2 && client.state == DHCP_REQUESTING);
    CHECK(client.wanted.address.bytes[3] == 1);
}

static void a_nak_storm(void)
{
    get_lease(3600);
    run_until(told.renew_at);
    unsigned before = fake_sent;
    for (unsigned i = 0; i < 1000; i++)
        answer(DHCP_NAK, (uint8_t[4]){0}, 0);
    CHECK(fake_sent == before && changes == 2);
}

static void times_out_of_order(void)
{
    struct reply reply;
    answer(DHCP_OFFER, ours, 1000);
    uint64_t requested = client.requested;
    reply_begin(&reply, DHCP_ACK, client.xid, ours);
    reply_usual(&reply, 1000);
    reply_number(&reply, 58, 900);
    reply_number(&reply, 59, 800);
    reply_end(&reply);
    deliver(&reply);
    run_for(1);
    CHECK(told.renew_at == requested + 500 * SECOND && told.rebind_at == requested + 875 * SECOND);
}

static void xids_cannot_be_predicted(void)
{
    uint32_t seen[64], ones = 0;
    for (unsigned i = 0; i < 64; i++) {
        dhcp_link(&client, false, fake_stack.now);
        dhcp_link(&client, true, fake_stack.now);
        run_until(fake_stack.now);
        seen[i] = client.xid;
        ones += (unsigned)__builtin_popcount(client.xid);
        for (unsigned k = 0; k < i; k++)
            CHECK(seen[k] != seen[i]);
    }
    CHECK(ones > 64 * 16 - 200 && ones < 64 * 16 + 200);
}

int main(void)
{
    RUN(four_messages_make_a_lease);
    RUN(discover_is_repeated_with_growing_random_waits);
    RUN(nobody_answers_fallback_then_a_server_comes);
    RUN(renews_from_its_address);
    RUN(rebinds_then_loses_the_lease);
    RUN(rebinding_takes_another_servers_ack);
    RUN(a_nak_begins_anew_and_not_at_once);
    RUN(a_nak_while_renewing_takes_the_address);
    RUN(a_request_without_answer_begins_anew);
    RUN(an_address_in_use_is_declined);
    RUN(a_bound_address_is_defended_once);
    RUN(the_link_comes_back_reboot_keeps_the_address);
    RUN(reboot_without_answer_goes_on_with_the_lease);
    RUN(reboot_on_another_network_is_refused);
    RUN(a_lease_runs_out_without_a_link);
    RUN(a_lease_for_ever_is_never_renewed);
    RUN(stopping_releases);
    RUN(options_may_be_in_file_and_sname);
    RUN(the_mtu_and_many_routers);
    RUN(a_socket_that_cannot_be_had_is_an_error);

    RUN(an_option_longer_than_the_message);
    RUN(options_without_an_end);
    RUN(overloaded_fields_without_an_end);
    RUN(a_wrong_xid);
    RUN(somebody_elses_hardware_address);
    RUN(a_mask_with_holes);
    RUN(an_offer_of_no_host);
    RUN(no_server_identifier_or_no_lease_time);
    RUN(messages_cut_anywhere);
    RUN(a_domain_that_is_no_name);
    RUN(an_ack_from_another_server_or_of_another_address);
    RUN(an_ack_that_nobody_asked_for);
    RUN(a_reply_from_another_port);
    RUN(an_offer_storm);
    RUN(a_nak_storm);
    RUN(times_out_of_order);
    RUN(xids_cannot_be_predicted);
    return report();
}
