/* Conversations about what arrives: RFC 9293 3.8.6.2.2 and 3.8.6.3, 2018, 7323. */
#include "../../test/check.h"
#include "talk.h"
#include "talk_openings.h"

/* ---- Acknowledging --------------------------------------------------------------------------- */

static void test_delayed_ack(void)
{
    talk(CONNECT "< A 1:1000 ack=1\n"
                 "nothing\n"
                 "+39\n"
                 "nothing\n"
                 "+1\n"
                 "> A 1:0 ack=1001\n"
                 "# every second full segment at once\n"
                 "< A 1001:1000 ack=1\n"
                 "nothing\n"
                 "< A 2001:1000 ack=1\n"
                 "> A 1:0 ack=3001\n");
}

static void test_ack_rides_on_text(void)
{
    talk(CONNECT "< A 1:10 ack=1\n"
                 "recv 10\n"
                 "send 20\n"
                 "> A 1:20 ack=11\n"
                 "< A 11:0 ack=21\n"
                 "+100\n"
                 "nothing\n");
}

static void test_old_text_is_acknowledged_at_once(void)
{
    talk(CONNECT "< A 1:1000 ack=1\n"
                 "< A 1:1000 ack=1\n"
                 "> A 1:0 ack=1001\n"
                 "# partly old\n"
                 "< A 501:1000 ack=1\n"
                 "+40\n"
                 "> A 1:0 ack=1501\n"
                 "recv 2000\n"
                 "result 1500\n");
}

/* ---- Out of order ---------------------------------------------------------------------------- */

static void test_gap_is_filled(void)
{
    talk(CONNECT "< A 1001:1000 ack=1\n"
                 "> A 1:0 ack=1\n"
                 "recv 10\n"
                 "result EAGAIN\n"
                 "< A 2001:500 ack=1\n"
                 "> A 1:0 ack=1\n"
                 "< A 1:1000 ack=1\n"
                 "> A 1:0 ack=2501\n"
                 "recv 5000\n"
                 "result 2500\n");
}

static void test_overlaps(void)
{
    talk(CONNECT_SACK "< A 1001:1000 ack=1\n"
                      "> A 1:0 ack=1 sk=1001-2001\n"
                      "# covers it and more on both sides\n"
                      "< A 501:1800 ack=1\n"
                      "> A 1:0 ack=1 sk=501-2301\n"
                      "# inside\n"
                      "< A 601:100 ack=1\n"
                      "> A 1:0 ack=1 sk=501-2301\n"
                      "# overlaps the end, and the beginning\n"
                      "< A 2001:1000 ack=1\n"
                      "> A 1:0 ack=1 sk=501-3001\n"
                      "< A 301:400 ack=1\n"
                      "> A 1:0 ack=1 sk=301-3001\n"
                      "< A 1:1000 ack=1\n"
                      "> A 1:0 ack=3001\n"
                      "recv 5000\n"
                      "result 3000\n");
}

static void test_fin_ahead_of_a_gap(void)
{
    talk(CONNECT "< FA 501:500 ack=1\n"
                 "> A 1:0 ack=1\n"
                 "state ESTABLISHED\n"
                 "< A 1:500 ack=1\n"
                 "> A 1:0 ack=1002\n"
                 "state CLOSE_WAIT\n"
                 "recv 2000\n"
                 "result 1000\n"
                 "recv 10\n"
                 "result 0\n");
}

static void test_chains(void)
{
    /* Long frames, as a device with receive offload delivers them; odd pieces for the checksum. */
    talk(CONNECT_SACK "< A 1:5000 ack=1 piece=701\n"
                      "> A 1:0 ack=5001\n"
                      "# partly old, then ahead of a gap\n"
                      "< A 3001:4000 ack=1 piece=999\n"
                      "> A 1:0 ack=7001\n"
                      "< A 8001:3000 ack=1 piece=1000\n"
                      "> A 1:0 ack=7001 sk=8001-11001\n"
                      "< A 7001:2000 ack=1 piece=1024\n"
                      "> A 1:0 ack=11001\n"
                      "# even the header may be in pieces\n"
                      "< A 11001:10 ack=1 piece=7\n"
                      "< A 11011:10 ack=1 piece=1500 bad\n"
                      "recv 20000\n"
                      "result 11010\n"
                      "+40\n"
                      "> A 1:0 ack=11011\n");
}

static void test_chain_beyond_the_window(void)
{
    talk("set rcvbuf 4000\n" CONNECT "< A 1:9000 ack=1 piece=1024\n"
         "> A 1:0 ack=4001 win=0\n"
         "recv 20000\n"
         "result 4000\n"
         "> A 1:0 ack=4001 win=4000\n");
}

/* ---- RFC 2018 -------------------------------------------------------------------------------- */

static void test_sack_blocks(void)
{
    talk(CONNECT_SACK "< A 1001:1000 ack=1\n"
                      "> A 1:0 ack=1 sk=1001-2001\n"
                      "# the latest first\n"
                      "< A 3001:1000 ack=1\n"
                      "> A 1:0 ack=1 sk=3001-4001,1001-2001\n"
                      "< A 5001:1000 ack=1\n"
                      "> A 1:0 ack=1 sk=5001-6001,3001-4001,1001-2001\n"
                      "< A 7001:1000 ack=1\n"
                      "> A 1:0 ack=1 sk=7001-8001,5001-6001,3001-4001,1001-2001\n"
                      "# four at most\n"
                      "< A 9001:1000 ack=1\n"
                      "> A 1:0 ack=1 sk=9001-10001,7001-8001,5001-6001,3001-4001\n"
                      "# two become one\n"
                      "< A 4001:1000 ack=1\n"
                      "> A 1:0 ack=1 sk=3001-6001,9001-10001,7001-8001\n"
                      "< A 1:1000 ack=1\n"
                      "> A 1:0 ack=2001 sk=3001-6001,9001-10001,7001-8001\n"
                      "< A 2001:1000 ack=1\n"
                      "> A 1:0 ack=6001 sk=9001-10001,7001-8001\n");
}

static void test_sack_with_timestamps(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< SA 0:0 ack=1 mss=1000 sack ts\n"
         "> A 1:0 ack=1 ts\n"
         "< A 1001:100 ack=1 ts\n"
         "> A 1:0 ack=1 ts sk=1001-1101\n"
         "< A 2001:100 ack=1 ts\n"
         "> A 1:0 ack=1 ts sk=2001-2101,1001-1101\n"
         "< A 3001:100 ack=1 ts\n"
         "> A 1:0 ack=1 ts sk=3001-3101,2001-2101,1001-1101\n"
         "# there is room for three\n"
         "< A 4001:100 ack=1 ts\n"
         "> A 1:0 ack=1 ts sk=4001-4101,3001-3101,2001-2101\n");
}

static void test_no_sack_unless_agreed(void)
{
    talk(CONNECT_TIMESTAMPS "< A 1001:1000 ack=1 ts\n"
                            "> A 1:0 ack=1 ts\n");
}

/* ---- The window ------------------------------------------------------------------------------ */

static void test_window_closes_and_opens(void)
{
    talk("set rcvbuf 4000\n" CONNECT "< A 1:1000 ack=1\n"
         "< A 1001:1000 ack=1\n"
         "> A 1:0 ack=2001 win=2000\n"
         "< A 2001:1000 ack=1\n"
         "< A 3001:1000 ack=1\n"
         "> A 1:0 ack=4001 win=0\n"
         "# a probe\n"
         "< A 4001:1 ack=1\n"
         "> A 1:0 ack=4001 win=0\n"
         "# no silly steps: a segment or half of the buffer\n"
         "recv 500\n"
         "nothing\n"
         "recv 500\n"
         "> A 1:0 ack=4001 win=1000\n"
         "recv 2000\n"
         "> A 1:0 ack=4001 win=3000\n");
}

static void test_beyond_the_window(void)
{
    talk("set rcvbuf 4000\n" CONNECT "< A 3501:1000 ack=1\n"
         "> A 1:0 ack=1\n"
         "< A 4001:1000 ack=1\n"
         "> A 1:0 ack=1\n"
         "< A 1:1000 ack=1\n< A 1001:1000 ack=1\n"
         "> A 1:0 ack=1001\n"
         "> A 1:0 ack=2001\n"
         "< A 2001:1000 ack=1\n< A 3001:1000 ack=1\n"
         "> A 1:0 ack=3001 win=1000\n"
         "> A 1:0 ack=4001 win=0\n"
         "recv 9000\n"
         "result 4000\n"
         "> A 1:0 ack=4001 win=4000\n");
}

static void test_scaled_window(void)
{
    talk("set rcvbuf 1000000\n"
         "connect\n"
         "> S 0:0 win=65535 mss=1460 ws=7 sack ts\n"
         "< SA 0:0 ack=1 win=65535 mss=1000 ws=4\n"
         "> A 1:0 ack=1 win=7812\n"
         "# theirs: 10 * 16\n"
         "< A 1:0 ack=1 win=10\n"
         "send 500\n"
         "nothing\n"
         "+1000\n"
         "> A 1:160\n");
}

static void test_scale_above_14(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< SA 0:0 ack=1 mss=1000 ws=200\n"
         "> A 1:0 ack=1\n"
         "# as 14 (RFC 7323 2.3): one is 16384 octets\n"
         "< A 1:0 ack=1 win=1\n"
         "send 1000\n"
         "> A 1:1000\n");
}

/* ---- RFC 7323 -------------------------------------------------------------------------------- */

static void test_paws(void)
{
    talk(CONNECT_TIMESTAMPS "+100\n"
                            "< A 1:100 ack=1 tsval=1000200\n"
                            "+40\n"
                            "> A 1:0 ack=101 ts\n"
                            "# an old duplicate\n"
                            "< A 101:100 ack=1 tsval=1000199\n"
                            "> A 1:0 ack=101 ts\n"
                            "recv 1000\n"
                            "result 100\n"
                            "< A 101:100 ack=1 tsval=1000201\n"
                            "+40\n"
                            "> A 1:0 ack=201 ts\n");
}

static void test_paws_after_24_days(void)
{
    talk(CONNECT_TIMESTAMPS "+2160000000\n"
                            "# RFC 7323 5.5: what was remembered is too old to judge\n"
                            "< A 1:100 ack=1 tsval=5\n"
                            "+40\n"
                            "> A 1:0 ack=101 ts\n");
}

static void test_timestamp_echo(void)
{
    talk(CONNECT_TIMESTAMPS "< A 1:1000 ack=1 tsval=1000100\n"
                            "< A 1001:1000 ack=1 tsval=1000101\n"
                            "> A 1:0 ack=2001 ecr=1000100\n"
                            "# ahead of a gap: not yet (RFC 7323 4.3)\n"
                            "< A 3001:1000 ack=1 tsval=1000200\n"
                            "> A 1:0 ack=2001 ecr=1000100\n"
                            "< A 2001:1000 ack=1 tsval=1000150\n"
                            "> A 1:0 ack=4001 ecr=1000150\n");
}

static void test_fin_beyond_the_window(void)
{
    talk("set rcvbuf 4000\n" CONNECT "< FA 3501:1000 ack=1\n"
         "> A 1:0 ack=1\n"
         "< A 1:1750 ack=1\n"
         "> A 1:0 ack=1751\n"
         "< A 1751:1750 ack=1\n"
         "> A 1:0 ack=4001 win=0\n"
         "recv 9000\n"
         "result 4000\n"
         "> A 1:0 ack=4001 win=4000\n"
         "< A 4001:500 ack=1\n"
         "+40\n"
         "> A 1:0 ack=4501\n"
         "state ESTABLISHED\n");
}

static void test_ack_with_a_closed_window(void)
{
    talk("set rcvbuf 4000\n" CONNECT "< A 1:1000 ack=1\n< A 1001:1000 ack=1\n"
         "> A 1:0 ack=2001\n"
         "< A 2001:1000 ack=1\n< A 3001:1000 ack=1\n"
         "> A 1:0 ack=4001 win=0\n"
         "send 100\n"
         "> A 1:100\n"
         "# the text is refused, its ACK is not\n"
         "< A 4001:1000 ack=101\n"
         "> A 101:0 ack=4001 win=0\n"
         "+5000\n"
         "nothing\n");
}

static void test_ack_at_the_edge(void)
{
    talk("set rcvbuf 4000\n" CONNECT "send 100\n"
         "> A 1:100\n"
         "# all of the window is in use, and what was sent into it is lost\n"
         "< A 4001:0 ack=101\n"
         "nothing\n"
         "+5000\n"
         "nothing\n"
         "# beyond it is too far\n"
         "< A 4002:0 ack=101\n"
         "> A 101:0 ack=1\n");
}

static void test_blocks_before_text(void)
{
    talk(CONNECT_SACK "send 100\n"
                      "> A 1:100\n"
                      "send 50\n"
                      "nothing\n"
                      "# text has no room for blocks: they go first\n"
                      "< A 1001:1000 ack=101\n"
                      "> A 101:0 ack=1 sk=1001-2001\n"
                      "> A 101:50 ack=1\n");
}

static void test_memory_for_what_is_in_order(void)
{
    static const struct host_limits few = {.packets = 32, .socket_packets = 8};
    static struct talk t;
    talk_start_limited(&t, &few);
    talk_say(&t, CONNECT "< A 1:1400 ack=1\n");
    for (int i = 0; i < 10; i++) {
        char line[64];
        snprintf(line, sizeof line, "< A %d:1 ack=1\n", 3001 + 2 * i);
        talk_say(&t, line);
    }
    CHECK(t.host.stack.socket_packets == 8, "%u", t.host.stack.socket_packets);
    t.count = 0;
    talk_say(&t, "< A 1401:1400 ack=1\n"
                 "> A 1:0 ack=2801\n"
                 "recv 9000\n"
                 "result 2800\n");
    t.count = 0;
    talk_end(&t);
}

static void test_timestamp_missing(void)
{
    talk(CONNECT_TIMESTAMPS "< A 1:100 ack=1\n"
                            "nothing\n"
                            "recv 10\n"
                            "result EAGAIN\n"
                            "# but a reset needs none (5.2)\n"
                            "< R 1:0\n"
                            "state CLOSED\n");
}

static void test_sequence_wrap(void)
{
    /* The peer's ISN is 512 octets before the end of the numbers. */
    talk(CONNECT_SACK "< A 1:500 ack=1\n"
                      "< A 1501:1000 ack=1\n"
                      "> A 1:0 ack=501 sk=1501-2501\n"
                      "< A 501:1000 ack=1\n"
                      "> A 1:0 ack=2501\n"
                      "recv 9000\n"
                      "result 2500\n");
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void test_peek(void)
{
    talk(CONNECT "< A 1:100 ack=1\n"
                 "peek 60\n"
                 "result 60\n"
                 "recv 100\n"
                 "result 100\n"
                 "+40\n"
                 "> A 1:0 ack=101\n");
}

static void test_urgent_is_read_in_place(void)
{
    talk(CONNECT "< UA 1:100 ack=1 urg=50\n"
                 "# a pointer beyond the text\n"
                 "< UA 101:100 ack=1 urg=60000\n"
                 "< UA 201:0 ack=1 urg=0\n"
                 "recv 1000\n"
                 "result 200\n"
                 "+40\n"
                 "> A 1:0 ack=201\n");
}

static void test_shut_reading(void)
{
    talk(CONNECT "shutdown r\n"
                 "recv 10\n"
                 "result 0\n"
                 "< A 1:1000 ack=1\n"
                 "< A 1001:1000 ack=1\n"
                 "> A 1:0 ack=2001\n"
                 "recv 10\n"
                 "result 0\n");
}

/* Small segments share packets: the books say how many are held. */
static void test_small_segments_share_packets(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT);
    for (int i = 0; i < 1000; i++) {
        char line[64];
        snprintf(line, sizeof line, "< A %d:1 ack=1", 1 + i);
        talk_say(&t, line);
    }
    CHECK(talk_tcb(&t)->receive.packets == 1, "%u", talk_tcb(&t)->receive.packets);
    talk_say(&t, "+40\n> A 1:0 ack=1001\nrecv 2000\nresult 1000\n");
    talk_end(&t);
}

int main(void)
{
    static const struct test tests[] = {
        {"delayed ACK", test_delayed_ack},
        {"ACK rides on text", test_ack_rides_on_text},
        {"old text is acknowledged at once", test_old_text_is_acknowledged_at_once},
        {"gap is filled", test_gap_is_filled},
        {"overlaps", test_overlaps},
        {"FIN ahead of a gap", test_fin_ahead_of_a_gap},
        {"chains", test_chains},
        {"chain beyond the window", test_chain_beyond_the_window},
        {"SACK blocks", test_sack_blocks},
        {"SACK with timestamps", test_sack_with_timestamps},
        {"no SACK unless agreed", test_no_sack_unless_agreed},
        {"window closes and opens", test_window_closes_and_opens},
        {"data beyond the window", test_beyond_the_window},
        {"scaled window", test_scaled_window},
        {"window scale above 14", test_scale_above_14},
        {"PAWS", test_paws},
        {"PAWS after 24 days", test_paws_after_24_days},
        {"timestamp echo", test_timestamp_echo},
        {"FIN beyond the window", test_fin_beyond_the_window},
        {"ACK with a closed window", test_ack_with_a_closed_window},
        {"ACK at the edge", test_ack_at_the_edge},
        {"blocks before text", test_blocks_before_text},
        {"memory for what is in order", test_memory_for_what_is_in_order},
        {"timestamp missing", test_timestamp_missing},
        {"sequence wrap", test_sequence_wrap},
        {"peek", test_peek},
        {"urgent is read in place", test_urgent_is_read_in_place},
        {"shut reading", test_shut_reading},
        {"small segments share packets", test_small_segments_share_packets},
    };
    return RUN_TESTS(tests);
}
