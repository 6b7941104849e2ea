/* What the whole stack stands on: addresses, packets, checksums, timers. */
#include "../address.h"
#include "../checksum.h"
#include "../packet.h"
#include "../timer.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

/* --- addresses --- */

static const struct {
    const char *text, *canonical; /* NULL: no address */
} texts[] = {
    {"1.2.3.4", "1.2.3.4"},
    {"255.255.255.255", "255.255.255.255"},
    {"0.0.0.0", "0.0.0.0"},
    {"1.2.3", NULL},
    {"1.2.3.4.5", NULL},
    {"1.2.3.256", NULL},
    {"01.2.3.4", NULL},
    {"1..3.4", NULL},
    {" 1.2.3.4", NULL},
    {"1.2.3.4 ", NULL},
    {"", NULL},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    /* RFC 5952 4.1 to 4.3 */
    {"2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
    /* RFC 5952 5 */
    {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
    {"::ffff:c000:0201", "::ffff:192.0.2.1"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL},
    {"::1.2.3.4:5", NULL},
    {":1::2", NULL},
    {"1:::2", NULL},
    {"1::2::3", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1:2:3:4:5:6:7:8::", NULL},
    {"::1:2:3:4:5:6:7:8", NULL},
    {"12345::", NULL},
    {"::g", NULL},
    {"1:2:3:4:5:6:7:", NULL},
    {"fe80::1%1", NULL},
};

static void test_address_text(void)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ip_address address;
        char buffer[IP_TEXT_MAX];
        const bool parsed = ip_parse(texts[i].text, &address);
        CHECK(parsed == (texts[i].canonical != NULL), "%s", texts[i].text);
        if (parsed && texts[i].canonical)
            CHECK(strcmp(ip_format(&address, buffer), texts[i].canonical) == 0, "%s: %s",
                  texts[i].text, buffer);
    }
}

static struct ip_address parse(const char *text)
{
    struct ip_address address = {0};
    CHECK(ip_parse(text, &address), "%s", text);
    return address;
}

/* Letters of what an address is: any, loopback, multicast, broadcast, link-local (k), mapped (p).
 */
static const struct {
    const char *text, *kinds;
} kinds[] = {
    {"0.0.0.0", "a"},
    {"::", "a"},
    {"127.0.0.1", "l"},
    {"127.9.9.9", "l"},
    {"::1", "l"},
    {"::2", ""},
    {"224.0.0.1", "m"},
    {"239.255.255.255", "m"},
    {"223.255.255.255", ""},
    {"240.0.0.1", ""},
    {"255.255.255.255", "b"},
    {"ff02::1", "m"},
    {"fe80::1", "k"},
    {"febf::1", "k"},
    {"fec0::1", ""},
    {"169.254.1.1", "k"},
    {"::ffff:10.0.0.1", "p"},
    {"10.0.0.1", ""},
};

static void test_address_kinds(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct ip_address a = parse(kinds[i].text);
        char seen[8] = "", *at = seen;
        const struct {
            bool is;
            char letter;
        } found[] = {{ip_is_any(&a), 'a'},        {ip_is_loopback(&a), 'l'},
                     {ip_is_multicast(&a), 'm'},  {ip_is_broadcast(&a), 'b'},
                     {ip_is_link_local(&a), 'k'}, {ip_is_mapped(&a), 'p'}};
        for (size_t j = 0; j < sizeof found / sizeof found[0]; j++) {
            if (found[j].is)
                *at++ = found[j].letter;
        }
        CHECK(strcmp(seen, kinds[i].kinds) == 0, "%s: %s", kinds[i].text, seen);
    }
}

static void test_address_prefix(void)
{
    const struct ip_address a = parse("10.1.2.3"), b = parse("10.1.3.3"), c = parse("2001:db8::1"),
                            d = parse("2001:db8::3");
    CHECK(ip_common_prefix(&a, &b) == 23);
    CHECK(ip_in_prefix(&a, &b, 23) && !ip_in_prefix(&a, &b, 24));
    CHECK(ip_common_prefix(&c, &d) == 126);
    CHECK(ip_common_prefix(&a, &a) == 32 && ip_common_prefix(&c, &c) == 128);
    CHECK(ip_common_prefix(&a, &c) == 0 && !ip_in_prefix(&a, &c, 0));
    const struct ip_address mapped = ip_map(&a), back = ip_unmap(&mapped);
    CHECK(ip_is_mapped(&mapped) && ip_equal(&a, &back));
}

/* --- packets --- */

#define PACKETS 8u
static struct packet packets[PACKETS];
static uint8_t memory[PACKETS * PACKET_SIZE];
static struct packet_pool pool;

static struct packet *chain(const char *const pieces[], size_t count)
{
    struct packet *first = NULL, **link = &first;
    for (size_t i = 0; i < count; i++) {
        struct packet *piece = packet_alloc(&pool, PACKET_HEADROOM);
        memcpy(packet_append(piece, (uint16_t)strlen(pieces[i])), pieces[i], strlen(pieces[i]));
        *link = piece;
        link = &piece->fragment;
    }
    return first;
}

static bool holds(const struct packet *packet, const char *text)
{
    char all[64] = "";
    for (; packet; packet = packet->fragment)
        strncat(all, (const char *)packet->data + packet->start, packet_length(packet));
    return strcmp(all, text) == 0;
}

static void test_packet_pool(void)
{
    struct packet *all[PACKETS];
    packet_pool_init(&pool, packets, memory, PACKETS);
    for (unsigned i = 0; i < PACKETS; i++)
        all[i] = packet_alloc(&pool, 10);
    CHECK(pool.in_use == PACKETS && pool.peak == PACKETS && pool.failures == 0);
    CHECK(packet_alloc(&pool, 0) == NULL && pool.failures == 1);
    packet_release(&pool, packet_hold(all[0]));
    CHECK(pool.in_use == PACKETS);
    for (unsigned i = 0; i < PACKETS; i++)
        packet_release(&pool, all[i]);
    packet_release(&pool, NULL);
    CHECK(pool.in_use == 0 && pool.peak == PACKETS);
}

static void test_packet_bytes(void)
{
    packet_pool_init(&pool, packets, memory, PACKETS);
    struct packet *packet = packet_alloc(&pool, PACKET_HEADROOM);
    CHECK(packet_append(packet, PACKET_SIZE - PACKET_HEADROOM) != NULL);
    CHECK(packet_append(packet, 1) == NULL);
    CHECK(packet_pull(packet, 100) && packet_length(packet) == PACKET_SIZE - 228);
    CHECK(packet_push(packet, 228) == packet->data);
    CHECK(!packet_pull(packet, PACKET_SIZE + 1) && packet_pull(packet, PACKET_SIZE));
    packet_release(&pool, packet);
    CHECK(pool.in_use == 0);
}

static void test_packet_chain(void)
{
    packet_pool_init(&pool, packets, memory, PACKETS);
    struct packet *packet = chain((const char *[]){"abc", "def", "ghi"}, 3);
    CHECK(packet_total(packet) == 9);
    struct packet *copy = packet_copy(&pool, packet, 20);
    CHECK(copy->start == 20 && holds(copy, "abcdefghi") && pool.in_use == 6);
    packet_trim(&pool, packet, 20);
    CHECK(holds(packet, "abcdefghi"));
    packet_trim(&pool, packet, 5);
    CHECK(holds(packet, "abcde") && pool.in_use == 5);
    packet_trim(&pool, packet, 0);
    CHECK(packet_total(packet) == 0 && pool.in_use == 4);
    CHECK(!packet_gather(&pool, copy, 10));
    CHECK(packet_length(copy) == 9 && pool.in_use == 2);
    packet_release(&pool, copy);
    copy = chain((const char *[]){"abc", "def", "ghi"}, 3);
    CHECK(packet_gather(&pool, copy, 5) && packet_length(copy) == 5 && holds(copy, "abcdefghi"));
    packet_release(&pool, copy);
    packet_release(&pool, packet);
    CHECK(pool.in_use == 0);
}

static void test_packet_cut(void)
{
    packet_pool_init(&pool, packets, memory, PACKETS);
    struct packet *rest = chain((const char *[]){"abcd", "efgh", "ij"}, 3), *first = rest;
    struct packet *piece = packet_cut(&pool, &rest, 4, 20);
    CHECK(piece == first && holds(piece, "abcd") && holds(rest, "efghij")); /* not copied */
    packet_release(&pool, piece);
    piece = packet_cut(&pool, &rest, 3, 20);
    CHECK(piece->start == PACKET_HEADROOM && holds(piece, "efg") && holds(rest, "hij"));
    packet_release(&pool, piece);
    piece = packet_cut(&pool, &rest, 1, PACKET_HEADROOM + 10); /* not room enough in front */
    CHECK(piece != NULL && holds(piece, "h") && holds(rest, "ij") && pool.in_use == 2);
    packet_release(&pool, piece);
    packet_hold(rest);
    first = rest;
    piece = packet_cut(&pool, &rest, 2, 20); /* somebody else's, too */
    CHECK(piece != first && holds(piece, "ij") && rest == NULL);
    packet_release(&pool, piece);
    packet_release(&pool, first);
    CHECK(pool.in_use == 0);
}

static void test_packet_copy_without_packets(void)
{
    packet_pool_init(&pool, packets, memory, PACKETS);
    struct packet *packet = chain((const char *[]){"a", "b", "c", "d", "e"}, 5);
    CHECK(packet_copy(&pool, packet, 0) == NULL && pool.in_use == 5);
    packet_release(&pool, packet);
    CHECK(pool.in_use == 0);
}

static void test_packet_queue(void)
{
    struct packet_queue queue = {0};
    packet_pool_init(&pool, packets, memory, PACKETS);
    packet_queue_put(&queue, chain((const char *[]){"one", "more"}, 2));
    packet_queue_put(&queue, chain((const char *[]){"two"}, 1));
    packet_queue_put(&queue, chain((const char *[]){"three"}, 1));
    CHECK(queue.count == 3 && queue.bytes == 15);
    struct packet *packet = packet_queue_take(&queue);
    CHECK(holds(packet, "onemore") && queue.bytes == 8);
    packet_release(&pool, packet);
    packet_queue_clear(&pool, &queue);
    CHECK(queue.count == 0 && queue.bytes == 0 && !queue.first && !queue.last);
    CHECK(packet_queue_take(&queue) == NULL && pool.in_use == 0);
}

/* --- checksums --- */

static uint16_t plain_sum(const uint8_t *data, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t in_order(uint16_t sum) { return __builtin_bswap16(sum); }

/* One kind of zero: 0x0000 and 0xffff are the same sum. */
static bool same_sum(uint16_t a, uint16_t b) { return a % 0xffff == b % 0xffff; }

static void test_checksum_example(void) /* RFC 1071 3 */
{
    const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    const uint16_t sum = checksum_add(0, data, sizeof data), field = checksum_finish(sum);
    CHECK(in_order(sum) == 0xddf2);
    CHECK(checksum_add(sum, &field, 2) == 0xffff);
}

static void test_checksum_lengths(void)
{
    uint8_t data[200];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(rand() | (i % 3 ? 0 : 0xff));
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t length = 0; length < sizeof data - offset; length++) {
            const uint8_t *at = data + offset;
            const uint16_t expected = plain_sum(at, length);
            const size_t half = length / 2;
            CHECK(same_sum(in_order(checksum_add(0, at, length)), expected));
            const uint16_t first = checksum_add(0, at, half);
            const uint16_t both = half % 2 ? checksum_add_odd(first, at + half, length - half)
                                           : checksum_add(first, at + half, length - half);
            CHECK(same_sum(in_order(both), expected));
        }
    }
}

/* Over pieces, of which some begin at an odd offset. */
static void test_checksum_of_chain(void)
{
    char read[8];
    packet_pool_init(&pool, packets, memory, PACKETS);
    struct packet *packet = chain((const char *[]){"abc", "d", "efgh", "ijklm"}, 4);
    const uint16_t expected = plain_sum((const uint8_t *)"abcdefghijklm", 13);
    CHECK(same_sum(in_order(packet_checksum(0, packet)), expected));
    CHECK(packet_read(packet, 2, read, 7) && memcmp(read, "cdefghi", 7) == 0);
    CHECK(packet_read(packet, 6, read, 7) && !packet_read(packet, 7, read, 7));
    packet_release(&pool, packet);
}

static void test_checksum_pseudo(void)
{
    const struct ip_address a = parse("192.0.2.1"), b = parse("198.51.100.2");
    const uint8_t v4[12] = {192, 0, 2, 1, 198, 51, 100, 2, 0, 17, 0x12, 0x34};
    CHECK(same_sum(in_order(checksum_pseudo(&a, &b, 17, 0x1234)), plain_sum(v4, sizeof v4)));
    const struct ip_address c = parse("2001:db8::1"), d = parse("fe80::2");
    uint8_t v6[40] = {[32] = 0, 1, 0x12, 0x34, [39] = 6};
    memcpy(v6, c.bytes, 16);
    memcpy(v6 + 16, d.bytes, 16);
    CHECK(same_sum(in_order(checksum_pseudo(&c, &d, 6, 0x11234)), plain_sum(v6, sizeof v6)));
}

/* --- timers --- */

#define TIMERS 200u
static struct timer timers_of_test[TIMERS];
static struct timers timers;
static uint64_t last_due;
static unsigned expirations;

static void expired(struct timer *timer, uint64_t now)
{
    CHECK(timer->due <= now && timer->due >= last_due && !timer_running(timer));
    last_due = timer->due;
    expirations++;
}

static void again(struct timer *timer, uint64_t now)
{
    expirations++;
    timer_start(&timers, timer, now + 10);
}

static void test_timers_in_order(void)
{
    static struct timer *slots[TIMERS + 1];
    timers_init(&timers, slots, TIMERS);
    CHECK(timers_next(&timers) == 0);
    for (unsigned round = 0; round < 20; round++) {
        unsigned running = 0;
        uint64_t first = UINT64_MAX;
        for (unsigned i = 0; i < TIMERS; i++) {
            timers_of_test[i] = (struct timer){.expired = expired};
            timer_start(&timers, &timers_of_test[i], (uint64_t)rand() % 1000 + 1);
        }
        for (unsigned i = 0; i < TIMERS; i++) { /* some move, some stop */
            if (i % 3 == 0)
                timer_start(&timers, &timers_of_test[i], (uint64_t)rand() % 1000 + 1);
            if (i % 5 == 0)
                timer_stop(&timers, &timers_of_test[i]);
            else
                running++;
        }
        timer_stop(&timers, &timers_of_test[0]);
        for (unsigned i = 0; i < TIMERS; i++) {
            if (timer_running(&timers_of_test[i]) && timers_of_test[i].due < first)
                first = timers_of_test[i].due;
        }
        CHECK(timers_next(&timers) == first);
        last_due = expirations = 0;
        timers_run(&timers, first - 1);
        CHECK(expirations == 0);
        timers_run(&timers, 500);
        CHECK(timers_next(&timers) > 500);
        timers_run(&timers, 1000);
        CHECK(expirations == running && timers_next(&timers) == 0);
    }
}

static void test_timers_full_and_again(void)
{
    static struct timer *slots[3];
    struct timer a = {.expired = again}, b = {.expired = again}, c = {.expired = again};
    timers_init(&timers, slots, 2);
    CHECK(timer_start(&timers, &a, 5) && timer_start(&timers, &b, 7));
    CHECK(!timer_start(&timers, &c, 6) && !timer_running(&c));
    CHECK(timer_start(&timers, &a, 6)); /* moving needs no room */
    expirations = 0;
    timers_run(&timers, 7);
    CHECK(expirations == 2 && timers_next(&timers) == 17);
}

static const struct test tests[] = {
    {"address text", test_address_text},
    {"address kinds", test_address_kinds},
    {"address prefix", test_address_prefix},
    {"packet pool", test_packet_pool},
    {"packet bytes", test_packet_bytes},
    {"packet chain", test_packet_chain},
    {"packet cut", test_packet_cut},
    {"packet copy without packets", test_packet_copy_without_packets},
    {"packet queue", test_packet_queue},
    {"checksum example of RFC 1071", test_checksum_example},
    {"checksum of all lengths", test_checksum_lengths},
    {"checksum of a chain", test_checksum_of_chain},
    {"checksum of pseudo-headers", test_checksum_pseudo},
    {"timers expire in order", test_timers_in_order},
    {"timers: full, and started again", test_timers_full_and_again},
};

int main(void) { return RUN_TESTS(tests); }
