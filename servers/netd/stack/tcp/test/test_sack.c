/* Conversations about what SACK blocks say to a sender: RFC 6675, 2883. */
#include "../../test/check.h"
#include "talk.h"
#include "talk_openings.h"

static void test_sack_recovery(void)
{
    talk(CONNECT_SACK "send 10000\n" TEN_SEGMENTS "# 1 and 4001 are lost\n"
                      "< A 1:0 ack=1 sk=1001-2001\n"
                      "< A 1:0 ack=1 sk=1001-3001\n"
                      "nothing\n"
                      "< A 1:0 ack=1 sk=1001-4001\n"
                      "> A 1:1000\n"
                      "# NextSeg (3): nothing is lost or new; but there is a gap\n"
                      "< A 1:0 ack=1 sk=5001-6001,1001-4001\n"
                      "> A 4001:1000\n"
                      "# (4): once, the last that is out\n"
                      "< A 1:0 ack=1 sk=5001-7001,1001-4001\n"
                      "> A 9001:1000\n"
                      "< A 1:0 ack=1 sk=5001-8001,1001-4001\n"
                      "nothing\n"
                      "< A 1:0 ack=4001 sk=5001-8001\n"
                      "< A 1:0 ack=10001\n"
                      "nothing\n"
                      "+20000\n");
}

/* RFC 2883: the first block may report what has come twice. That says nothing about a loss. */
static void test_sack_of_duplicates_below(void)
{
    talk(CONNECT_SACK "send 5000\n"
                      "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n> A 3001:1000\n> A 4001:1000\n"
                      "< A 1:0 ack=2001\n"
                      "< A 1:0 ack=2001 sk=1-1001\n"
                      "< A 1:0 ack=2001 sk=1001-2001\n"
                      "< A 1:0 ack=2001 sk=1-1001\n"
                      "< A 1:0 ack=2001 sk=1501-2501\n"
                      "nothing\n"
                      "# nor does it take 2001 for received\n"
                      "< A 1:0 ack=2001 sk=1-1001,3001-4001\n"
                      "< A 1:0 ack=2001 sk=1-1001,3001-5001\n"
                      "nothing\n"
                      "+1010\n"
                      "> A 2001:1000\n"
                      "< A 1:0 ack=5001 sk=2001-3001\n"
                      "send 1000\n"
                      "> A 5001:1000\n");
}

static void test_sack_of_duplicates_inside(void)
{
    talk(CONNECT_SACK "send 5000\n"
                      "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n> A 3001:1000\n> A 4001:1000\n"
                      "< A 1:0 ack=1 sk=1001-3001\n"
                      "# 1001 has come twice more, 2001 once more\n"
                      "< A 1:0 ack=1 sk=1001-2001,1001-3001\n"
                      "< A 1:0 ack=1 sk=1001-2001,1001-3001\n"
                      "< A 1:0 ack=1 sk=2001-3001,1001-3001\n"
                      "nothing\n"
                      "# these are news\n"
                      "< A 1:0 ack=1 sk=1001-2001,1001-4001\n"
                      "> A 1:1000\n"
                      "# NextSeg (4)\n"
                      "> A 4001:1000\n"
                      "< A 1:0 ack=4001 sk=1-1001\n"
                      "< A 1:0 ack=5001\n"
                      "nothing\n"
                      "+20000\n");
}

static void test_sack_loss_by_octets(void)
{
    /* 5 (2): one ACK may be enough, if it says that so much has arrived. */
    talk(CONNECT_SACK "send 5000\n"
                      "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n> A 3001:1000\n> A 4001:1000\n"
                      "< A 1:0 ack=1 sk=1001-4001\n"
                      "> A 1:1000\n"
                      "# NextSeg (4)\n"
                      "> A 4001:1000\n");
}

static void test_sack_loss_by_runs(void)
{
    talk(CONNECT_SACK "set nodelay 1\n"
                      "send 10\n> A 1:10\nsend 10\n> A 11:10\nsend 10\n> A 21:10\n"
                      "send 10\n> A 31:10\nsend 10\n> A 41:10\nsend 10\n> A 51:10\n"
                      "# DupThresh runs above 1, though few octets\n"
                      "< A 1:0 ack=1 sk=11-21,31-41,51-61\n"
                      "> A 1:10\n"
                      "> A 21:10\n"
                      "> A 41:10\n"
                      "< A 1:0 ack=61\n");
}

static void test_sack_new_data_in_recovery(void)
{
    talk(CONNECT_SACK "set sndbuf 60000\n"
                      "send 20000\n" TEN_SEGMENTS "< A 1:0 ack=1 sk=1001-2001\n"
                      "> A 10001:1000\n"
                      "< A 1:0 ack=1 sk=1001-3001\n"
                      "> A 11001:1000\n"
                      "< A 1:0 ack=1 sk=1001-4001\n"
                      "> A 1:1000\n"
                      "# NextSeg (2): nothing is lost, so new text, below cwnd - pipe\n"
                      "< A 1:0 ack=1 sk=1001-5001\n"
                      "nothing\n"
                      "< A 1:0 ack=1 sk=1001-6001\n"
                      "> A 12001:1000\n"
                      "< A 1:0 ack=1 sk=1001-7001\n"
                      "> A 13001:1000\n");
}

static void test_sack_forgotten_at_timeout(void)
{
    talk(CONNECT_SACK "send 3000\n"
                      "> A 1:1000\n> A 1001:1000\n> A 2001:1000\n"
                      "< A 1:0 ack=1 sk=1001-2001\n"
                      "+1000\n"
                      "> A 1:1000\n"
                      "# the peer has dropped 1001 again\n"
                      "< A 1:0 ack=1001\n"
                      "> A 1001:1000\n"
                      "> A 2001:1000\n"
                      "< A 1:0 ack=3001\n");
}

int main(void)
{
    static const struct test tests[] = {
        {"SACK recovery", test_sack_recovery},
        {"SACK of duplicates below", test_sack_of_duplicates_below},
        {"SACK of duplicates inside", test_sack_of_duplicates_inside},
        {"SACK loss by octets", test_sack_loss_by_octets},
        {"SACK loss by runs", test_sack_loss_by_runs},
        {"SACK new data in recovery", test_sack_new_data_in_recovery},
        {"SACK forgotten at timeout", test_sack_forgotten_at_timeout},
    };
    return RUN_TESTS(tests);
}
