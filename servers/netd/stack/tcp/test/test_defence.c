/* Segments that were made to hurt: each named test is one of them. */
#include "../../checksum.h"
#include "../../siphash.h"
#include "../../test/check.h"
#include "../../wire/cursor.h"
#include "../isn.h"
#include "talk.h"
#include "talk_openings.h"
#include <stdlib.h>
#include <string.h>

/* ---- The header ------------------------------------------------------------------------------ */

/* A SYN to the listener with the given first byte of the data offset field and options; answered
 * or not? */
static unsigned answers(struct talk *t, uint8_t offset, const uint8_t *options, size_t length)
{
    uint8_t bytes[128] = {0}, *at = bytes;
    const struct ip_address peer = ip_v4(10, 0, 0, 2);
    static uint16_t port = 3000;
    at = put_u16(put_u16(at, port++), 80);
    at = put_u32(put_u32(at, t->peer_iss), 0);
    at = put_u8(put_u8(at, offset), TCP_SYN);
    at = put_u16(put_u32(at, 0xffff0000), 0);
    at = put_bytes(at, options, length);
    const size_t size = (size_t)(at - bytes);
    uint16_t sum = checksum_pseudo(&peer, &t->host.address, PROTOCOL_TCP, (uint32_t)size);
    sum = checksum_finish(checksum_add(sum, bytes, size));
    put_bytes(bytes + TCP_CHECKSUM_FIELD, &sum, sizeof sum);
    talk_inject(t, bytes, size);
    const unsigned count = t->count;
    t->count = 0;
    return count;
}

static void test_data_offset(void)
{
    static struct talk t;
    static const uint8_t none[40];
    talk_start(&t);
    talk_say(&t, "listen 50\n");
    for (uint8_t words = 0; words < 5; words++)
        CHECK(answers(&t, (uint8_t)(words << 4), none, 0) == 0, "data offset %u", words);
    CHECK(answers(&t, 6 << 4, none, 0) == 0, "past the segment");
    CHECK(answers(&t, 15 << 4, none, 36) == 0, "past the segment");
    CHECK(t.host.stack.tcp->counters.in_errs == 7);
    CHECK(answers(&t, 15 << 4, none, 40) == 1);
    CHECK(answers(&t, 5 << 4, none, 0) == 1);
    talk_end(&t);
}

static void test_truncated(void)
{
    static struct talk t;
    static const uint8_t bytes[20];
    talk_start(&t);
    for (size_t size = 0; size < 20; size++)
        talk_inject(&t, bytes, size);
    CHECK(t.host.stack.tcp->counters.in_errs == 20);
    talk_end(&t);
}

static void test_option_lengths(void)
{
    static struct talk t;
    static const uint8_t zero[4] = {TCP_OPTION_MSS, 0, 5, 5}, one[4] = {TCP_OPTION_MSS, 1, 5, 5},
                         overrun[4] = {TCP_OPTION_MSS, 5, 5, 5},
                         cut[4] = {1, 1, TCP_OPTION_SACK_PERMITTED, 9},
                         far[4] = {TCP_OPTION_TIMESTAMPS, 255, 0, 0},
                         wrong[4] = {TCP_OPTION_MSS, 3, 5, 0};
    const uint8_t *const all[] = {zero, one, overrun, cut, far, wrong};
    talk_start(&t);
    talk_say(&t, "listen 50\n");
    for (int i = 0; i < 6; i++) {
        CHECK(answers(&t, 6 << 4, all[i], 4) == 1, "option %d", i);
        struct segment segment;
        uint8_t header[24] = {0};
        put_bytes(header + 20, all[i], 4);
        segment_parse(&segment, header, 24, 0);
        CHECK(segment.options.mss == 0 && !segment.options.timestamps &&
                  !segment.options.sack_permitted,
              "option %d", i);
    }
    talk_end(&t);
}

static void test_inverted_blocks_are_not_read(void)
{
    uint8_t header[TCP_HEADER + 28] = {0}, *at = header + TCP_HEADER;
    struct segment segment;
    at = put_u8(put_u8(at, TCP_OPTION_NOP), TCP_OPTION_NOP);
    at = put_u8(put_u8(at, TCP_OPTION_SACK), 26);
    at = put_u32(put_u32(at, 2000), 1000);
    at = put_u32(put_u32(at, 5), 5);
    at = put_u32(put_u32(at, 0xfffffff0), 10);
    segment_parse(&segment, header, sizeof header, 0);
    CHECK(segment.options.sack_count == 1 && segment.options.sack[0].right == 10);
}

static void test_bad_checksum(void)
{
    talk(CONNECT "< A 1:100 ack=1 bad\n"
                 "< R 1:0 bad\n"
                 "state ESTABLISHED\n"
                 "recv 10\n"
                 "result EAGAIN\n");
}

static void test_mss_zero(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< SA 0:0 ack=1 mss=0\n"
         "> A 1:0 ack=1\n"
         "send 600\n"
         "> A 1:536\n");
}

static void test_mss_tiny(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< SA 0:0 ack=1 mss=1\n"
         "> A 1:0 ack=1\n"
         "send 100\n"
         "> A 1:88\n");
}

static void test_odd_flags(void)
{
    /* SYN+FIN, null, Christmas tree: in LISTEN, SYN-SENT, and on a connection. */
    talk("listen 5\n"
         "< SF 0:0\n"
         "< - 0:0\n"
         "< FSRPAU 0:0 ack=5\n"
         "< FPU 0:0\n"
         "nothing\n");
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< - 0:0\n"
         "< F 0:0\n"
         "< FPU 0:0 urg=9\n"
         "nothing\n"
         "state SYN_SENT\n");
    talk(CONNECT "< - 1:0\n"
                 "< - 1:10\n"
                 "< FPU 1:0\n"
                 "nothing\n"
                 "< FSRPAU 1:0 ack=77\n"
                 "state CLOSED\n");
}

static void test_urgent_past_the_data(void)
{
    talk(CONNECT "< UA 1:1 ack=1 urg=65535\n"
                 "< UA 2:0 ack=1 urg=65535\n"
                 "recv 10\n"
                 "result 1\n"
                 "+40\n"
                 "> A 1:0 ack=2\n");
}

/* ---- RFC 5961 -------------------------------------------------------------------------------- */

static void test_blind_reset(void)
{
    talk(CONNECT "# in the window, but not the number: a challenge\n"
                 "< R 100:0\n"
                 "> A 1:0 ack=1\n"
                 "< R 65000:0\n"
                 "> A 1:0 ack=1\n"
                 "# outside: nothing\n"
                 "< R 80000:0\n"
                 "< R 0:0\n"
                 "nothing\n"
                 "state ESTABLISHED\n"
                 "< R 1:0\n"
                 "state CLOSED\n"
                 "error ECONNRESET\n");
}

static void test_blind_syn(void)
{
    talk(CONNECT "< S 1:0\n"
                 "> A 1:0 ack=1\n"
                 "< S 5000:0\n"
                 "> A 1:0 ack=1\n"
                 "< S 1000000:0\n"
                 "> A 1:0 ack=1\n"
                 "< SA 0:0 ack=1\n"
                 "> A 1:0 ack=1\n"
                 "state ESTABLISHED\n");
}

static void test_blind_data(void)
{
    talk(CONNECT "# ACK beyond SND.NXT\n"
                 "< A 1:10 ack=2\n"
                 "> A 1:0 ack=1\n"
                 "# ACK older than any window\n"
                 "< A 1:10 ack=-70000\n"
                 "> A 1:0 ack=1\n"
                 "recv 10\n"
                 "result EAGAIN\n");
}

static void test_challenges_are_limited(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT);
    for (int i = 0; i < 100; i++)
        talk_say(&t, "< R 100:0\n");
    CHECK(t.count == 10, "%u", t.count);
    t.count = 0;
    talk_say(&t, "+1000\n");
    for (int i = 0; i < 100; i++)
        talk_say(&t, "< S 1:0\n");
    CHECK(t.count == 10, "%u", t.count);
    t.count = 0;
    talk_end(&t);
}

/* Two who do not agree on the numbers answer each other's ACKs: this must end. */
static void test_ack_storm(void)
{
    static struct talk t;
    unsigned exchanged = 0;
    talk_start(&t);
    talk_say(&t, CONNECT);
    talk_say(&t, "< A 500000:0 ack=1\n");
    while (t.count > 0 && exchanged < 1000) {
        t.count--;
        exchanged++;
        talk_say(&t, "< A 500000:0 ack=1\n");
    }
    CHECK(exchanged <= 10, "%u", exchanged);
    talk_end(&t);
}

/* ---- What a greedy receiver tries (Savage et al. 1999) ----------------------------------------
 */

static void test_optimistic_acks(void)
{
    talk(CONNECT "send 3000\n"
                 "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n"
                 "# more than was ever sent\n"
                 "< A 1:0 ack=9001\n"
                 "> A 3001:0 ack=1\n"
                 "cwnd 10000\n");
}

static void test_split_acks(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT "send 10000\n" TEN_SEGMENTS);
    for (int i = 1; i <= 1000; i++) {
        char line[64];
        snprintf(line, sizeof line, "< A 1:0 ack=%d\n", 1 + i);
        talk_say(&t, line);
    }
    /* One segment was acknowledged, in however many pieces: octets count (RFC 5681 3.1). */
    CHECK(talk_tcb(&t)->congestion.cwnd <= 11000, "%u", talk_tcb(&t)->congestion.cwnd);
    talk_say(&t, "< A 1:0 ack=10001\n");
    talk_end(&t);
}

static void test_duplicate_ack_flood(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT "set sndbuf 200000\nsend 100000\n" TEN_SEGMENTS);
    for (int i = 0; i < 1000; i++)
        talk_say(&t, "< A 1:0 ack=1\n");
    /* Each inflates cwnd, but the peer's window still bounds what is out. */
    CHECK(talk_tcb(&t)->snd.nxt - talk_tcb(&t)->snd.una <= 65535);
    CHECK(t.count < 60, "%u", t.count);
    t.count = 0;
    talk_end(&t);
}

static void test_sack_blocks_inverted_or_outside(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT_SACK "send 4000\n"
                              "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n> A 3001:1000\n"
                              "# inverted, empty, below, never sent, half of the numbers\n"
                              "< A 1:0 ack=1 sk=3001-2001\n"
                              "< A 1:0 ack=1 sk=2001-2001\n"
                              "< A 1:0 ack=1 sk=-9000--8000\n"
                              "< A 1:0 ack=1 sk=2001-9001\n"
                              "< A 1:0 ack=1 sk=1001-2000000000\n"
                              "< A 1:0 ack=1 sk=-5-4001\n"
                              "# not even a whole segment\n"
                              "< A 1:0 ack=1 sk=1500-1600\n"
                              "nothing\n"
                              "cwnd 10000\n");
    CHECK(seq_le(talk_tcb(&t)->high_sacked, talk_tcb(&t)->snd.una), "one of them was believed");
    CHECK(talk_tcb(&t)->pipe == 4000);
    talk_say(&t, "< A 1:0 ack=4001\n"
                 "+9000\n");
    talk_end(&t);
}

static void test_data_beyond_the_window(void)
{
    talk("set rcvbuf 4000\n" CONNECT "< A 4001:1000 ack=1\n"
         "> A 1:0 ack=1\n"
         "< A 2000000001:1000 ack=1\n"
         "> A 1:0 ack=1\n"
         "recv 10\n"
         "result EAGAIN\n");
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* One octet in every second place: each costs a packet. */
static void test_out_of_order_exhaustion(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT);
    for (int i = 0; i < 20000; i++) {
        char line[64];
        snprintf(line, sizeof line, "< A %d:1 ack=1\n", 3 + 2 * i);
        talk_say(&t, line);
        t.count = 0;
    }
    const struct tcb *tcb = talk_tcb(&t);
    const uint32_t most = 2 * tcb->socket.receive_buffer / PACKET_SIZE + 1;
    CHECK(tcb->ahead.packets <= most, "%u", tcb->ahead.packets);
    CHECK(t.host.stack.tcp->counters.out_of_order_dropped > 0);
    /* and what comes in order is still taken */
    talk_say(&t, "< A 1:1000 ack=1\n> A 1:0\nrecv 5000\n");
    CHECK(t.result >= 1000, "%lld", (long long)t.result);
    t.count = 0;
    talk_end(&t);
}

static void test_no_packets_left(void)
{
    static const struct host_limits few = {.packets = 16, .socket_packets = 8};
    static struct talk t;
    talk_start_limited(&t, &few);
    talk_say(&t, CONNECT "send 60000\n");
    CHECK(t.result == 8000, "%lld", (long long)t.result);
    t.count = 0;
    talk_say(&t, "send 1\n"
                 "result EAGAIN\n"
                 "< A 1:0 ack=8001\n"
                 "+10\n"
                 "events 0x4\n"
                 "send 1\n"
                 "result 1\n"
                 "> A 8001:1\n");
    talk_end(&t);
}

/* Not a single one: the program is told when it is worth another try. */
static void test_woken_when_there_are_packets(void)
{
    static const struct host_limits few = {.packets = 16};
    static struct talk t;
    struct packet *taken[17];
    unsigned count = 0;
    talk_start_limited(&t, &few);
    talk_say(&t, CONNECT);
    while ((taken[count] = packet_alloc(&t.host.pool, 0)))
        count++;
    talk_say(&t, "send 10\n"
                 "result EAGAIN\n"
                 "+1\n");
    t.events = 0;
    while (count > 0)
        packet_release(&t.host.pool, taken[--count]);
    talk_say(&t, "+1\n");
    CHECK(t.events & SOCKET_WRITABLE);
    talk_say(&t, "send 10\n"
                 "result 10\n"
                 "> A 1:10\n");
    talk_end(&t);
}

/* ---- Floods ---------------------------------------------------------------------------------- */

static void flood(struct talk *t, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char line[64];
        snprintf(line, sizeof line, "< S %u:0 mss=1460 port=%u\n", i * 77777, 10000 + i);
        talk_say(t, line);
        t->count = 0;
    }
}

static void test_syn_flood(void)
{
    static struct talk t;
    static const struct host_limits limits = {.sockets = 1024};
    talk_start_limited(&t, &limits);
    talk_say(&t, "listen 5\n");
    flood(&t, 5000);
    const struct tcp_counters *counters = &t.host.stack.tcp->counters;
    CHECK(t.host.stack.tcp->connections == TCP_SYN_QUEUE + 1);
    CHECK(counters->cookies_sent > 4800, "%llu", (unsigned long long)counters->cookies_sent);
    /* forged ACKs open nothing */
    talk_say(&t, "< A 1:0 ack=12345 port=9999\n"
                 "> R 12345:0 port=9999\n"
                 "accept\n"
                 "result EAGAIN\n");
    for (int i = 0; i < 5000; i++) {
        char line[64];
        snprintf(line, sizeof line, "< A 1:0 ack=%lld port=9999\n", i * 858993LL);
        talk_say(&t, line);
        t.count = 0;
    }
    CHECK(counters->cookies_refused == 5001 && counters->cookies_accepted == 0);
    talk_end(&t);
}

static void test_bystander_of_a_flood(void)
{
    static struct talk t;
    static const struct host_limits limits = {.sockets = 16};
    talk_start_limited(&t, &limits);
    talk_say(&t, "listen 5\n");
    flood(&t, 1000);
    talk_say(&t, "< S 0:0 mss=1460 ws=3 sack ts\n"
                 "> SA 0:0 ack=1 mss=1460 ws=7 sack ts\n");
    flood(&t, 1000);
    talk_say(&t, "< A 1:0 ack=1 ts\n"
                 "accept\n"
                 "result 0\n"
                 "send 100\n"
                 "> A 1:100 ts\n"
                 "< A 1:5 ack=101 ts\n"
                 "recv 10\n"
                 "result 5\n");
    t.count = 0;
    talk_end(&t);
}

/* A cookie alone makes a connection, with everything that its SYN said. */
static void test_cookie(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, "listen 5\n");
    flood(&t, TCP_SYN_QUEUE);
    talk_say(&t, "< S 0:0 mss=1400 ws=3 sack ts\n"
                 "> SA 0:0 ack=1 mss=1460 ws=7 sack ts\n"
                 "+30\n"
                 "< A 1:0 ack=1 win=1000 ts\n"
                 "accept\n"
                 "result 0\n"
                 "state ESTABLISHED\n"
                 "send 1388\n"
                 "> A 1:1388 ts\n"
                 "< A 1:10 ack=1389 ts\n"
                 "recv 10\n"
                 "result 10\n");
    const struct tcb *tcb = talk_tcb(&t);
    CHECK(t.host.stack.tcp->counters.cookies_accepted == 1);
    CHECK(tcb->sack && tcb->timestamps && tcb->snd.scale == 3 && tcb->mss == 1388);
    CHECK(tcb->snd.wnd == 8000 || tcb->snd.wnd == 65535 * 8, "%u", tcb->snd.wnd);
    t.count = 0;
    talk_end(&t);
}

static void test_old_cookie(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, "listen 5\n");
    flood(&t, TCP_SYN_QUEUE);
    talk_say(&t, "< S 0:0 mss=1400\n"
                 "> SA 0:0 ack=1 mss=1460\n"
                 "+200000\n");
    t.count = 0;
    flood(&t, TCP_SYN_QUEUE + 1);
    talk_say(&t, "< A 1:0 ack=1\n"
                 "> R 1:0\n"
                 "accept\n"
                 "result EAGAIN\n");
    t.count = 0;
    talk_end(&t);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* 10,000 ISNs of different peers: all over the place; and those of one peer grow with the clock. */
static void test_isn(void)
{
    static struct talk t;
    static uint32_t isn[10000];
    unsigned bits[32] = {0}, equal = 0, neighbours = 0;
    talk_start(&t);
    struct tcp_layer *layer = t.host.stack.tcp;
    const struct endpoint local = {t.host.address, 80, 0};
    for (unsigned i = 0; i < 10000; i++) {
        const struct endpoint peer = {ip_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i), 2000, 0};
        isn[i] = tcp_isn(layer, &local, &peer);
        neighbours += i > 0 && isn[i] - isn[i - 1] + 65536 < 131072;
        for (int bit = 0; bit < 32; bit++)
            bits[bit] += isn[i] >> bit & 1;
    }
    for (int bit = 0; bit < 32; bit++)
        CHECK(bits[bit] > 4750 && bits[bit] < 5250, "bit %d: %u of 10000", bit, bits[bit]);
    CHECK(neighbours < 10, "%u follow their predecessor", neighbours);
    qsort(isn, 10000, sizeof *isn, compare);
    for (unsigned i = 1; i < 10000; i++)
        equal += isn[i] == isn[i - 1];
    CHECK(equal < 3, "%u are equal", equal); /* 10000^2 / 2^33 = 0.01 are expected */
    const struct endpoint peer = {ip_v4(10, 1, 1, 1), 2000, 0};
    const uint32_t before = tcp_isn(layer, &local, &peer);
    host_run(&t.host, t.host.stack.now + NS_PER_S);
    CHECK(tcp_isn(layer, &local, &peer) - before == 250000, "every 4 us (RFC 6528)");
    talk_end(&t);
}

/* SipHash's own test vectors: key 00 01 .. 0f, message 00 01 .. */
static void test_siphash(void)
{
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t message[15];
    for (uint8_t i = 0; i < sizeof message; i++)
        message[i] = i;
    CHECK(siphash(key, message, 15) == 0xa129ca6149be45e5);
    CHECK(siphash(key, message, 0) == 0x726fdb47dd0e0e31);
}

/* ---- ICMP ------------------------------------------------------------------------------------ */

static void test_icmp_while_opening(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "# not about a number that is out\n"
         "icmp port 1\n"
         "icmp port -5\n"
         "state SYN_SENT\n"
         "# soft\n"
         "icmp unreachable 0\n"
         "state SYN_SENT\n"
         "icmp port 0\n"
         "state CLOSED\n"
         "error ECONNREFUSED\n");
}

static void test_soft_error_explains_a_timeout(void)
{
    talk("set timeout 3000\n"
         "connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "icmp unreachable 0\n"
         "+1000\n> S 0:0 mss=1460 ws=7 sack ts\n"
         "+2000\n> S 0:0 mss=1460 ws=7 sack ts\n"
         "+4000\n"
         "state CLOSED\n"
         "error EHOSTUNREACH\n");
}

static void test_icmp_on_a_connection(void)
{
    talk(CONNECT "send 10\n"
                 "> A 1:10\n"
                 "icmp port 1\n"
                 "icmp unreachable 1\n"
                 "state ESTABLISHED\n"
                 "< A 1:0 ack=11\n");
}

static void test_forged_too_big(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT "send 1000\n"
                         "> A 1:1000\n"
                         "< A 1:0 ack=1001\n"
                         "# RFC 5927 4.1: nothing with this number is out\n"
                         "icmp toobig 1 600\n"
                         "icmp toobig 5000000 600\n");
    CHECK(talk_tcb(&t)->mss == 1000 && t.host.stack.tcp->counters.icmp_ignored == 2);
    talk_end(&t);
}

int main(void)
{
    static const struct test tests[] = {
        {"data offset below 5 or past the segment", test_data_offset},
        {"truncated header", test_truncated},
        {"option length 0, 1, overrun", test_option_lengths},
        {"inverted blocks are not read", test_inverted_blocks_are_not_read},
        {"bad checksum", test_bad_checksum},
        {"MSS 0", test_mss_zero},
        {"MSS 1", test_mss_tiny},
        {"SYN+FIN, null, Christmas tree", test_odd_flags},
        {"urgent pointer past the data", test_urgent_past_the_data},
        {"blind RST", test_blind_reset},
        {"blind SYN", test_blind_syn},
        {"blind data, ACK beyond SND.NXT", test_blind_data},
        {"challenges are limited", test_challenges_are_limited},
        {"ACK storm", test_ack_storm},
        {"optimistic ACKs", test_optimistic_acks},
        {"split ACKs", test_split_acks},
        {"duplicate ACK flood", test_duplicate_ack_flood},
        {"SACK blocks inverted or outside", test_sack_blocks_inverted_or_outside},
        {"data beyond the window", test_data_beyond_the_window},
        {"out-of-order memory exhaustion", test_out_of_order_exhaustion},
        {"no packets left", test_no_packets_left},
        {"woken when there are packets", test_woken_when_there_are_packets},
        {"SYN flood", test_syn_flood},
        {"bystander of a flood", test_bystander_of_a_flood},
        {"cookie", test_cookie},
        {"old cookie", test_old_cookie},
        {"ISNs", test_isn},
        {"SipHash", test_siphash},
        {"ICMP while opening", test_icmp_while_opening},
        {"soft error explains a timeout", test_soft_error_explains_a_timeout},
        {"ICMP on a connection", test_icmp_on_a_connection},
        {"forged too big", test_forged_too_big},
    };
    return RUN_TESTS(tests);
}
