/* Conversations about what is sent, and when: RFC 9293 3.7 and 3.8, 6298, 5681, 6582, 3042. */
#include "../../test/check.h"
#include "talk.h"
#include "talk_openings.h"

/* ---- RFC 6298 -------------------------------------------------------------------------------- */

static void test_syn_backs_off(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "+999\n"
         "nothing\n"
         "+1\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "+1999\n"
         "nothing\n"
         "+1\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "# 5.7: the RTO is 3 s when the SYN had to be repeated, and one segment may go\n"
         "< SA 0:0 ack=1 mss=1000\n"
         "> A 1:0 ack=1\n"
         "cwnd 1000\n"
         "send 1000\n"
         "> A 1:1000\n"
         "+2999\n"
         "nothing\n"
         "+1\n"
         "> A 1:1000\n");
}

static void test_retransmission_backs_off(void)
{
    talk(CONNECT "send 100\n"
                 "> A 1:100\n"
                 "+999\n"
                 "nothing\n"
                 "+1\n"
                 "> A 1:100\n"
                 "+1999\n"
                 "nothing\n"
                 "+1\n"
                 "> A 1:100\n"
                 "+4000\n"
                 "> A 1:100\n"
                 "+8000\n"
                 "> A 1:100\n"
                 "+16000\n"
                 "> A 1:100\n"
                 "+32000\n"
                 "> A 1:100\n"
                 "# 2.5: at most 60 s\n"
                 "+60000\n"
                 "> A 1:100\n"
                 "< A 1:0 ack=101\n"
                 "+100000\n");
}

static void test_gives_up_after_r2(void)
{
    talk(CONNECT "set timeout 5000\n"
                 "send 100\n"
                 "> A 1:100\n"
                 "+1000\n"
                 "> A 1:100\n"
                 "+2000\n"
                 "> A 1:100\n"
                 "+4000\n"
                 "> RA 101:0\n"
                 "state CLOSED\n"
                 "error ETIMEDOUT\n"
                 "recv 10\n"
                 "result ETIMEDOUT\n");
}

static void test_timer_runs_for_the_oldest(void)
{
    /* 5.3: an ACK restarts it; 5.2: when all is acknowledged, it stops. */
    talk(CONNECT "send 2000\n"
                 "> A 1:1000\n"
                 "> A 1001:1000\n"
                 "+900\n"
                 "< A 1:0 ack=1001\n"
                 "+1012\n"
                 "nothing\n"
                 "+1\n"
                 "> A 1001:1000\n"
                 "< A 1:0 ack=2001\n"
                 "+100000\n");
}

static void test_rtt_sets_rto(void)
{
    /* R = 800 ms: RTO = 800 + 4 * 400 = 2400 */
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "+800\n"
         "< SA 0:0 ack=1 mss=1000\n"
         "> A 1:0 ack=1\n"
         "send 10\n"
         "> A 1:10\n"
         "+2399\n"
         "nothing\n"
         "+1\n"
         "> A 1:10\n");
}

static void test_karn(void)
{
    /* The ACK of what was sent twice measures nothing; the RTO stays backed off (5.5). */
    talk(CONNECT "send 100\n"
                 "> A 1:100\n"
                 "+1000\n"
                 "> A 1:100\n"
                 "+100\n"
                 "< A 1:0 ack=101\n"
                 "send 100\n"
                 "> A 101:100\n"
                 "+1999\n"
                 "nothing\n"
                 "+1\n"
                 "> A 101:100\n");
}

static void test_echo_of_an_earlier_sending(void)
{
    /* The first sending arrived, and its ACK was lost: what the peer echoes is that timestamp, but
     * the time since then is our own timeouts. */
    struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT_TIMESTAMPS "send 100\n"
                                    "> A 1:100\n");
    const uint32_t first = t.ts_last;
    talk_say(&t, "+1000\n> A 1:100\n"
                 "+2000\n> A 1:100\n"
                 "+4000\n> A 1:100\n");
    t.ts_last = first;
    talk_say(&t, "+10\n"
                 "< A 1:0 ack=101 ts\n"
                 "send 100\n"
                 "> A 101:100\n"
                 "+10\n"
                 "< A 1:0 ack=201 ts\n"
                 "send 100\n"
                 "> A 201:100\n"
                 "# the path is fast\n"
                 "+1000\n"
                 "> A 201:100\n"
                 "# and of this one the echo is a sample: it was the last sending that arrived\n"
                 "+10\n"
                 "< A 1:0 ack=301 ts\n"
                 "send 100\n"
                 "> A 301:100\n"
                 "+1000\n"
                 "> A 301:100\n");
    talk_end(&t);
}

static void test_still_in_the_device(void)
{
    talk(CONNECT "hold on\n"
                 "send 1000\n"
                 "> A 1:1000\n"
                 "+1000\n"
                 "# it has not even left\n"
                 "nothing\n"
                 "< A 1:0 ack=1\n"
                 "< A 1:0 ack=1\n"
                 "< A 1:0 ack=1\n"
                 "nothing\n"
                 "hold off\n"
                 "+1000\n"
                 "> A 1:1000\n");
}

/* ---- RFC 5681 -------------------------------------------------------------------------------- */

static void test_slow_start(void)
{
    talk(CONNECT "set sndbuf 100000\n"
                 "send 30000\n" TEN_SEGMENTS "nothing\n"
                 "cwnd 10000\n"
                 "< A 1:0 ack=2001\n"
                 "cwnd 11000\n"
                 "> A 10001:1000\n"
                 "> A 11001:1000\n"
                 "> A 12001:1000\n");
}

static void test_timeout_shrinks_to_one_segment(void)
{
    talk(CONNECT "send 10000\n" TEN_SEGMENTS "+1000\n"
                 "> A 1:1000\n"
                 "nothing\n"
                 "cwnd 1000\n"
                 "# CUBIC: 0.7 of the flight\n"
                 "ssthresh 7000\n"
                 "< A 1:0 ack=1001\n"
                 "cwnd 2000\n"
                 "> A 1001:1000\n"
                 "> A 2001:1000\n"
                 "nothing\n"
                 "< A 1:0 ack=10001\n"
                 "+50000\n");
}

static void test_ssthresh_of_each_segment(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT "send 10000\n" TEN_SEGMENTS "+1000\n"
                         "> A 1:1000\n"
                         "ssthresh 7000\n"
                         "# the same once more: it stays\n"
                         "+2000\n"
                         "> A 1:1000\n"
                         "ssthresh 7000\n");
    CHECK(talk_tcb(&t)->congestion.cubic.w_max == 10000);
    talk_say(&t, "# another one: 0.7 of the 9000 that are out\n"
                 "< A 1:0 ack=1001\n"
                 "> A 1001:1000\n> A 2001:1000\n"
                 "+4000\n"
                 "> A 1001:1000\n"
                 "ssthresh 6300\n"
                 "cwnd 1000\n");
    talk_end(&t);
}

static void test_unused_window_does_not_grow(void)
{
    talk(CONNECT "send 1000\n"
                 "> A 1:1000\n"
                 "< A 1:0 ack=1001\n"
                 "send 1000\n"
                 "> A 1001:1000\n"
                 "< A 1:0 ack=2001\n"
                 "cwnd 10000\n");
}

static void test_idle_restart(void)
{
    talk(CONNECT "send 10000\n" TEN_SEGMENTS "< A 1:0 ack=2001\n"
                 "< A 1:0 ack=4001\n"
                 "< A 1:0 ack=6001\n"
                 "< A 1:0 ack=8001\n"
                 "< A 1:0 ack=10001\n"
                 "cwnd 12000\n"
                 "+2000\n"
                 "send 100\n"
                 "> A 10001:100\n"
                 "cwnd 10000\n");
}

static void test_fast_retransmit(void)
{
    talk(CONNECT "send 12000\n" TEN_SEGMENTS "# the first is lost; limited transmit (RFC 3042)\n"
                 "< A 1:0 ack=1\n"
                 "> A 10001:1000\n"
                 "< A 1:0 ack=1\n"
                 "> A 11001:1000\n"
                 "< A 1:0 ack=1\n"
                 "> A 1:1000\n"
                 "nothing\n"
                 "ssthresh 8400\n"
                 "cwnd 11400\n"
                 "< A 1:0 ack=12001\n"
                 "cwnd 2000\n");
}

static void test_window_update_is_no_duplicate(void)
{
    talk(CONNECT "send 3000\n"
                 "> A 1:1000\n"
                 "> A 1001:1000\n"
                 "> A 2001:1000\n"
                 "< A 1:0 ack=1 win=10000\n"
                 "< A 1:0 ack=1 win=11000\n"
                 "< A 1:0 ack=1 win=12000\n"
                 "< A 1:0 ack=1 win=13000\n"
                 "nothing\n");
}

/* ---- RFC 6582 -------------------------------------------------------------------------------- */

static void test_newreno_partial_ack(void)
{
    talk(CONNECT "send 10000\n" TEN_SEGMENTS "# 1 and 3001 are lost\n"
                 "< A 1:0 ack=1\n"
                 "< A 1:0 ack=1\n"
                 "< A 1:0 ack=1\n"
                 "> A 1:1000\n"
                 "< A 1:0 ack=1\n"
                 "< A 1:0 ack=3001\n"
                 "> A 3001:1000\n"
                 "nothing\n"
                 "< A 1:0 ack=10001\n"
                 "nothing\n"
                 "+20000\n");
}

static void test_no_second_fast_retransmit_after_timeout(void)
{
    talk(CONNECT "send 5000\n"
                 "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n> A 3001:1000\n> A 4001:1000\n"
                 "+1000\n"
                 "> A 1:1000\n"
                 "< A 1:0 ack=1\n"
                 "< A 1:0 ack=1\n"
                 "< A 1:0 ack=1\n"
                 "< A 1:0 ack=1\n"
                 "nothing\n");
}

static void test_duplicates_of_an_old_recovery(void)
{
    /* RFC 6582 4.1: these ACKs may be echoes of what was sent again. */
    talk(CONNECT "send 2000\n"
                 "> A 1:1000\n> A 1001:1000\n"
                 "+1000\n"
                 "> A 1:1000\n"
                 "< A 1:0 ack=2001\n"
                 "send 1000\n"
                 "> A 2001:1000\n"
                 "< A 1:0 ack=2001\n"
                 "< A 1:0 ack=2001\n"
                 "< A 1:0 ack=2001\n"
                 "nothing\n");
}

/* ---- RFC 9293 3.7.4, 3.8.6 --------------------------------------------------------------------
 */

static void test_nagle(void)
{
    talk(CONNECT "send 100\n"
                 "> A 1:100\n"
                 "send 100\n"
                 "send 100\n"
                 "nothing\n"
                 "< A 1:0 ack=101\n"
                 "> A 101:200\n"
                 "send 900\n"
                 "send 200\n"
                 "> A 301:1000\n"
                 "< A 1:0 ack=301\n"
                 "nothing\n"
                 "< A 1:0 ack=1301\n"
                 "> A 1301:100\n");
}

static void test_nodelay(void)
{
    talk(CONNECT "set nodelay 1\n"
                 "send 100\n"
                 "> A 1:100\n"
                 "send 100\n"
                 "> A 101:100\n");
}

static void test_cork(void)
{
    talk(CONNECT "set cork 1\n"
                 "send 100\n"
                 "send 100\n"
                 "nothing\n"
                 "send 900\n"
                 "> A 1:1000\n"
                 "set cork 0\n"
                 "nothing\n"
                 "< A 1:0 ack=1001\n"
                 "> A 1001:100\n"
                 "< A 1:0 ack=1101\n"
                 "# but not for ever\n"
                 "set cork 1\n"
                 "send 100\n"
                 "+199\n"
                 "nothing\n"
                 "+1\n"
                 "> A 1101:100\n");
}

static void test_more(void)
{
    talk(CONNECT "more 100\n"
                 "nothing\n"
                 "send 100\n"
                 "> A 1:200\n");
}

static void test_old_segments_do_not_set_the_window(void)
{
    talk(CONNECT "send 1000\n"
                 "> A 1:1000\n"
                 "< A 1:0 ack=1001 win=5000\n"
                 "# sent before that one, arrived later\n"
                 "< A 1:0 ack=1 win=10\n"
                 "send 5000\n"
                 "> A 1001:1000\n> A 2001:1000\n> A 3001:1000\n> A 4001:1000\n> A 5001:1000\n");
}

static void test_repeated_segments_set_the_window(void)
{
    talk(CONNECT_WINDOW(3000) "send 5000\n"
                              "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n"
                              "< A 1001:1000 ack=1 win=3000\n"
                              "> A 3001:0 ack=1\n"
                              "# its ACK is new, though its number is old: the edge stays at 3001\n"
                              "< A 1:1000 ack=1001 win=2000\n"
                              "> A 3001:0 ack=2001\n"
                              "nothing\n"
                              "< A 2001:0 ack=3001 win=2000\n"
                              "> A 3001:1000\n"
                              "> A 4001:1000\n");
}

static void test_window_limits(void)
{
    talk(CONNECT_WINDOW(2500) "send 4000\n"
                              "> A 1:1000\n"
                              "> A 1001:1000\n"
                              "# 500 are left: less than half of the largest window\n"
                              "nothing\n"
                              "< A 1:0 ack=2001 win=2500\n"
                              "> A 2001:1000\n"
                              "> A 3001:1000\n");
}

static void test_small_window_is_used(void)
{
    talk(CONNECT_WINDOW(600) "send 1000\n"
                             "> A 1:600\n"
                             "< A 1:0 ack=601 win=600\n"
                             "> A 601:400\n");
}

static void test_zero_window_probes(void)
{
    talk(CONNECT_WINDOW(1000) "send 3000\n"
                              "> A 1:1000\n"
                              "< A 1:0 ack=1001 win=0\n"
                              "nothing\n"
                              "+999\n"
                              "nothing\n"
                              "+1\n"
                              "> A 1001:1\n"
                              "< A 1:0 ack=1001 win=0\n"
                              "+2000\n"
                              "> A 1001:1\n"
                              "< A 1:0 ack=1001 win=0\n"
                              "+4000\n"
                              "> A 1001:1\n"
                              "# open: what was refused goes at once\n"
                              "< A 1:0 ack=1001 win=5000\n"
                              "> A 1001:1\n"
                              "< A 1:0 ack=1002 win=5000\n"
                              "> A 1002:999\n"
                              "> A 2001:1000\n");
}

static void test_zero_window_for_ever(void)
{
    talk(CONNECT_WINDOW(1000) "send 2000\n"
                              "> A 1:1000\n"
                              "< A 1:0 ack=1001 win=0\n"
                              "+1000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+2000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+4000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+8000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+16000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+32000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+60000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+60000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+60000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+60000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "+60000\n> A 1001:1\n< A 1:0 ack=1001 win=0\n"
                              "state ESTABLISHED\n"
                              "error 0\n");
}

static void test_one_octet_window(void)
{
    talk(CONNECT_WINDOW(1000) "send 1003\n"
                              "> A 1:1000\n"
                              "< A 1:0 ack=1001 win=1\n"
                              "nothing\n"
                              "+1000\n"
                              "> A 1001:1\n"
                              "< A 1:0 ack=1002 win=1\n"
                              "+1000\n"
                              "> A 1002:1\n");
}

static void test_shrinking_window(void)
{
    talk(CONNECT "send 3000\n"
                 "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n"
                 "# now it takes back what was offered\n"
                 "< A 1:0 ack=1001 win=500\n"
                 "nothing\n"
                 "+1000\n"
                 "# what is out is repeated all the same (3.8.6, SHLD-15, -16)\n"
                 "> A 1001:1000\n");
}

static void test_urgent(void)
{
    talk(CONNECT "oob 5\n"
                 "> UA 1:5 urg=5\n"
                 "< A 1:0 ack=6\n"
                 "send 5\n"
                 "> A 6:5\n");
}

static void test_fin_rides_on_text(void)
{
    talk(CONNECT "send 100\n"
                 "> A 1:100\n"
                 "send 100\n"
                 "shutdown w\n"
                 "> FA 101:100\n"
                 "< A 1:0 ack=202\n"
                 "state FIN_WAIT_2\n");
}

static void test_fin_is_repeated(void)
{
    talk(CONNECT "shutdown w\n"
                 "> FA 1:0\n"
                 "+1000\n"
                 "> FA 1:0\n"
                 "+2000\n"
                 "> FA 1:0\n"
                 "< A 1:0 ack=2\n"
                 "+100000\n"
                 "state FIN_WAIT_2\n");
}

/* ---- The path -------------------------------------------------------------------------------- */

static void test_path_mtu(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< SA 0:0 ack=1 mss=1460\n"
         "> A 1:0 ack=1\n"
         "send 2920\n"
         "> A 1:1460\n"
         "> A 1461:1460\n"
         "icmp toobig 1 1000\n"
         "> A 1:960\n"
         "> A 961:500\n"
         "> A 1461:960\n"
         "> A 2421:500\n"
         "< A 1:0 ack=2921\n"
         "send 1920\n"
         "> A 2921:960\n"
         "> A 3881:960\n");
}

static void test_full_interface(void)
{
    talk(CONNECT "full on\n"
                 "send 1000\n"
                 "nothing\n"
                 "+1\n"
                 "full off\n"
                 "+1\n"
                 "> A 1:1000\n");
}

static void test_maxseg(void)
{
    talk("set maxseg 500\n"
         "connect\n"
         "> S 0:0 mss=500 ws=7 sack ts\n"
         "< SA 0:0 ack=1 mss=1460\n"
         "> A 1:0 ack=1\n"
         "send 1000\n"
         "> A 1:500\n"
         "> A 501:500\n");
}

static void test_default_mss(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< SA 0:0 ack=1\n"
         "> A 1:0 ack=1\n"
         "send 600\n"
         "> A 1:536\n");
}

int main(void)
{
    static const struct test tests[] = {
        {"SYN backs off", test_syn_backs_off},
        {"retransmission backs off", test_retransmission_backs_off},
        {"gives up after R2", test_gives_up_after_r2},
        {"timer runs for the oldest", test_timer_runs_for_the_oldest},
        {"RTT sets RTO", test_rtt_sets_rto},
        {"Karn", test_karn},
        {"echo of an earlier sending", test_echo_of_an_earlier_sending},
        {"still in the device", test_still_in_the_device},
        {"ssthresh of each segment", test_ssthresh_of_each_segment},
        {"unused window does not grow", test_unused_window_does_not_grow},
        {"duplicates of an old recovery", test_duplicates_of_an_old_recovery},
        {"old segments do not set the window", test_old_segments_do_not_set_the_window},
        {"repeated segments set the window", test_repeated_segments_set_the_window},
        {"slow start", test_slow_start},
        {"timeout shrinks to one segment", test_timeout_shrinks_to_one_segment},
        {"idle restart", test_idle_restart},
        {"fast retransmit", test_fast_retransmit},
        {"window update is no duplicate", test_window_update_is_no_duplicate},
        {"NewReno partial ACK", test_newreno_partial_ack},
        {"no fast retransmit after timeout", test_no_second_fast_retransmit_after_timeout},
        {"Nagle", test_nagle},
        {"TCP_NODELAY", test_nodelay},
        {"TCP_CORK", test_cork},
        {"MSG_MORE", test_more},
        {"window limits", test_window_limits},
        {"small window is used", test_small_window_is_used},
        {"zero-window probes", test_zero_window_probes},
        {"zero window for ever", test_zero_window_for_ever},
        {"one-octet window", test_one_octet_window},
        {"shrinking window", test_shrinking_window},
        {"urgent", test_urgent},
        {"FIN rides on text", test_fin_rides_on_text},
        {"FIN is repeated", test_fin_is_repeated},
        {"path MTU", test_path_mtu},
        {"full interface", test_full_interface},
        {"TCP_MAXSEG", test_maxseg},
        {"default MSS", test_default_mss},
    };
    return RUN_TESTS(tests);
}
