/* Conversations about the states of RFC 9293 3.3.2: opening, closing, resetting. */
#include "../../test/check.h"
#include "talk.h"
#include "talk_openings.h"

static void test_active_open(void)
{
    talk("connect\n"
         "result EINPROGRESS\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "state SYN_SENT\n"
         "< SA 0:0 ack=1 mss=1460 ws=3 sack ts\n"
         "> A 1:0 ack=1 ts\n"
         "state ESTABLISHED\n"
         "events 0x4\n");
}

static void test_passive_open(void)
{
    talk("listen 5\n"
         "< S 0:0 mss=1460 ws=3 sack ts\n"
         "> SA 0:0 ack=1 mss=1460 ws=7 sack ts\n"
         "accept\n"
         "result EAGAIN\n"
         "< A 1:0 ack=1 ts\n"
         "accept\n"
         "result 0\n"
         "state ESTABLISHED\n");
}

static void test_options_only_if_offered(void)
{
    talk("listen 5\n"
         "< S 0:0 mss=1460\n"
         "> SA 0:0 ack=1 mss=1460\n");
}

static void test_simultaneous_open(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< S 0:0 mss=1460\n"
         "> SA 0:0 ack=1 mss=1460\n"
         "state SYN_RECEIVED\n"
         "< SA 0:0 ack=1\n"
         "> A 1:0 ack=1\n"
         "< A 1:0 ack=1\n"
         "state ESTABLISHED\n");
}

static void test_data_both_ways(void)
{
    talk(CONNECT "send 500\n"
                 "result 500\n"
                 "> PA 1:500 ack=1\n"
                 "< PA 1:300 ack=501\n"
                 "+40\n"
                 "> A 501:0 ack=301\n"
                 "recv 1000\n"
                 "result 300\n"
                 "recv 1000\n"
                 "result EAGAIN\n"
                 "send 2500\n"
                 "> A 501:1000 ack=301\n"
                 "> A 1501:1000 ack=301\n"
                 "< A 301:0 ack=1501\n"
                 "< A 301:0 ack=2501\n"
                 "> PA 2501:500 ack=301\n"
                 "< A 301:0 ack=3001\n");
}

static void test_active_close(void)
{
    talk(CONNECT "shutdown w\n"
                 "> FA 1:0 ack=1\n"
                 "state FIN_WAIT_1\n"
                 "< A 1:0 ack=2\n"
                 "state FIN_WAIT_2\n"
                 "< PA 1:10 ack=2\n"
                 "recv 100\n"
                 "result 10\n"
                 "< FA 11:0 ack=2\n"
                 "> A 2:0 ack=12\n"
                 "state TIME_WAIT\n"
                 "recv 100\n"
                 "result 0\n"
                 "close\n"
                 "# the FIN again: our ACK was lost\n"
                 "+1000\n"
                 "< FA 11:0 ack=2\n"
                 "> A 2:0 ack=12\n");
}

static void test_fin_and_ack_together(void)
{
    talk(CONNECT "shutdown w\n"
                 "> FA 1:0 ack=1\n"
                 "< FA 1:0 ack=2\n"
                 "> A 2:0 ack=2\n"
                 "state TIME_WAIT\n");
}

static void test_simultaneous_close(void)
{
    talk(CONNECT "shutdown w\n"
                 "> FA 1:0 ack=1\n"
                 "< FA 1:0 ack=1\n"
                 "> A 2:0 ack=2\n"
                 "state CLOSING\n"
                 "< A 2:0 ack=2\n"
                 "state TIME_WAIT\n");
}

static void test_passive_close(void)
{
    talk(ACCEPT "< FA 1:0 ack=1\n"
                "> A 1:0 ack=2\n"
                "state CLOSE_WAIT\n"
                "events 0x2001\n"
                "recv 10\n"
                "result 0\n"
                "# half-closed: we may still send\n"
                "send 100\n"
                "> PA 1:100 ack=2\n"
                "< A 2:0 ack=101\n"
                "shutdown w\n"
                "> FA 101:0 ack=2\n"
                "state LAST_ACK\n"
                "< A 2:0 ack=102\n"
                "state CLOSED\n");
}

static void test_connection_refused(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< RA 0:0 ack=1\n"
         "state CLOSED\n"
         "error ECONNREFUSED\n"
         "# and it may try again\n"
         "connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n");
}

static void test_closed_port_answers_reset(void)
{
    talk("< S 0:0\n"
         "> RA 0:0 ack=1\n"
         "< A 5:10 ack=7\n"
         "> R 7:0\n"
         "< R 5:0\n");
}

static void test_strangers_in_syn_sent(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "# ACKs of what was not sent are reset, and change nothing\n"
         "< SA 0:0 ack=0\n"
         "> R 0:0\n"
         "< SA 0:0 ack=2\n"
         "> R 2:0\n"
         "< A 0:0 ack=5\n"
         "> R 5:0\n"
         "# a reset has to acknowledge the SYN\n"
         "< R 0:0\n"
         "< RA 0:0 ack=2\n"
         "# an ACK alone says nothing\n"
         "< A 0:0 ack=1\n"
         "nothing\n"
         "state SYN_SENT\n");
}

int main(void)
{
    static const struct test tests[] = {
        {"active open", test_active_open},
        {"passive open", test_passive_open},
        {"options only if offered", test_options_only_if_offered},
        {"simultaneous open", test_simultaneous_open},
        {"data both ways", test_data_both_ways},
        {"active close", test_active_close},
        {"FIN and ACK together", test_fin_and_ack_together},
        {"simultaneous close", test_simultaneous_close},
        {"passive close", test_passive_close},
        {"strangers in SYN-SENT", test_strangers_in_syn_sent},
        {"connection refused", test_connection_refused},
        {"closed port answers with RST", test_closed_port_answers_reset},
    };
    return RUN_TESTS(tests);
}
