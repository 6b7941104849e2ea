/* Conversations about the calls of a program: closing and aborting (RFC 9293 3.10.4, 3.10.5),
 * TIME-WAIT, keepalive, backlog, ports, options, limits. */
#include "../../test/check.h"
#include "talk.h"
#include "talk_openings.h"
#include <errno.h>
#include <string.h>

/* ---- Closing --------------------------------------------------------------------------------- */

static void test_close_sends_the_rest(void)
{
    talk(CONNECT_WINDOW(1000) "send 1500\n"
                              "> A 1:1000\n"
                              "close\n"
                              "nothing\n"
                              "< A 1:0 ack=1001 win=1000\n"
                              "> FA 1001:500\n"
                              "< A 1:0 ack=1502\n"
                              "< FA 1:0 ack=1502\n"
                              "> A 1502:0 ack=2\n");
}

static void test_close_with_unread_text_resets(void)
{
    talk(CONNECT "< A 1:100 ack=1\n"
                 "close\n"
                 "> RA 1:0 ack=101\n"
                 "< A 101:0 ack=1\n"
                 "> R 1:0\n");
}

static void test_text_after_close_resets(void)
{
    talk(CONNECT "close\n"
                 "> FA 1:0 ack=1\n"
                 "< A 1:0 ack=2\n"
                 "# nobody will read this\n"
                 "< A 1:100 ack=2\n"
                 "> RA 2:0\n");
}

static void test_linger_zero_resets(void)
{
    talk(CONNECT "set linger 0\n"
                 "send 100\n"
                 "> A 1:100\n"
                 "close\n"
                 "> RA 101:0\n"
                 "+10000\n");
}

static void test_linger_ends(void)
{
    talk(CONNECT "set linger 3\n"
                 "send 100\n"
                 "> A 1:100\n"
                 "close\n"
                 "> FA 101:0\n"
                 "+1000\n> FA 1:100\n"
                 "+1999\n"
                 "nothing\n"
                 "+1\n"
                 "> FA 1:100\n"
                 "> RA 102:0\n");
}

static void test_fin_wait_2_does_not_last(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT "close\n"
                         "> FA 1:0\n"
                         "< A 1:0 ack=2\n"
                         "+59999\n");
    CHECK(t.host.stack.tcp->connections == 1);
    talk_say(&t, "+1\n");
    CHECK(t.host.stack.tcp->connections == 0);
    talk_end(&t);
}

static void test_close_while_opening(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "close\n"
         "< SA 0:0 ack=1\n"
         "> R 1:0\n");
}

static void test_close_in_syn_received(void)
{
    talk("connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "< S 0:0 mss=1460\n"
         "> SA 0:0 ack=1 mss=1460\n"
         "close\n"
         "< A 1:0 ack=1\n"
         "> FA 1:0 ack=1\n"
         "< A 1:0 ack=2\n"
         "< FA 1:0 ack=2\n"
         "> A 2:0 ack=2\n");
}

static void test_reset_in_each_state(void)
{
    talk(CONNECT "< A 1:10 ack=1\n"
                 "< R 11:0\n"
                 "state CLOSED\n"
                 "# what came before can still be read\n"
                 "recv 100\n"
                 "result 10\n"
                 "recv 100\n"
                 "result ECONNRESET\n"
                 "recv 100\n"
                 "result 0\n"
                 "send 1\n"
                 "result EPIPE\n");
    talk(ACCEPT "< FA 1:0 ack=1\n"
                "> A 1:0 ack=2\n"
                "< R 2:0\n"
                "state CLOSED\n"
                "error EPIPE\n");
    talk("listen 5\n"
         "< S 0:0\n"
         "> SA 0:0 ack=1 mss=1460\n"
         "< R 1:0\n"
         "< S 0:0\n"
         "> SA 0:0 ack=1 mss=1460\n");
}

static void test_wrong_states(void)
{
    talk("send 1\n"
         "result ENOTCONN\n"
         "recv 1\n"
         "result ENOTCONN\n"
         "shutdown w\n"
         "result ENOTCONN\n"
         "connect\n"
         "> S 0:0 mss=1460 ws=7 sack ts\n"
         "connect\n"
         "result EALREADY\n"
         "send 1\n"
         "result EAGAIN\n"
         "recv 1\n"
         "result EAGAIN\n"
         "< SA 0:0 ack=1\n"
         "> A 1:0\n"
         "connect\n"
         "result EISCONN\n"
         "shutdown w\n"
         "> FA 1:0\n"
         "send 1\n"
         "result EPIPE\n");
}

/* ---- TIME-WAIT ------------------------------------------------------------------------------- */

#define TO_TIME_WAIT                                                                               \
    "close\n"                                                                                      \
    "> FA 1:0\n"                                                                                   \
    "< FA 1:0 ack=2\n"                                                                             \
    "> A 2:0 ack=2\n"

static void test_time_wait(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, CONNECT TO_TIME_WAIT);
    CHECK(t.host.stack.tcp->connections == 0 && t.host.stack.tcp->time_wait.count == 1);
    talk_say(&t, "# RFC 1337: a reset does not end it\n"
                 "< R 2:0\n"
                 "< R 100:0\n"
                 "nothing\n"
                 "# the FIN once more restarts 2 MSL\n"
                 "+59000\n"
                 "< FA 1:0 ack=2\n"
                 "> A 2:0 ack=2\n"
                 "+59999\n");
    CHECK(t.host.stack.tcp->time_wait.count == 1);
    talk_say(&t, "+1\n");
    CHECK(t.host.stack.tcp->time_wait.count == 0);
    talk_end(&t);
}

static void test_time_wait_reopened_by_sequence(void)
{
    talk(ACCEPT TO_TIME_WAIT "# not beyond the old numbers: a duplicate\n"
                             "< S 1:0\n"
                             "> A 2:0 ack=2\n"
                             "+1000\n"
                             "< S 3:0\n"
                             "> SA 0:0 ack=4 mss=1460\n");
}

static void test_time_wait_reopened_by_timestamp(void)
{
    talk("listen 5\n"
         "< S 0:0 mss=1000 tsval=5000\n"
         "> SA 0:0 ack=1 mss=1460 ts\n"
         "< A 1:0 ack=1 tsval=5000\n"
         "accept\n"
         "close\n"
         "> FA 1:0\n"
         "< FA 1:0 ack=2 tsval=5001\n"
         "> A 2:0 ack=2 ts\n"
         "< S -5000:0 tsval=4999\n"
         "> A 2:0 ack=2 ts\n"
         "+1000\n"
         "< S -5000:0 tsval=6000\n"
         "> SA 0:0 ack=-4999 mss=1460 ts\n");
}

static void test_time_wait_is_bounded(void)
{
    static struct talk t;
    static const struct host_limits limits = {.sockets = 4};
    talk_start_limited(&t, &limits);
    talk_say(&t, "listen 5\n");
    for (int i = 0; i < 10; i++) {
        char lines[256];
        snprintf(
            lines, sizeof lines,
            "< S 0:0 port=%d\n> SA 0:0 mss=1460 port=%d\n< A 1:0 ack=1 port=%d\naccept\nclose\n"
            "> FA 1:0 port=%d\n< FA 1:0 ack=2 port=%d\n> A 2:0 port=%d\n",
            3000 + i, 3000 + i, 3000 + i, 3000 + i, 3000 + i, 3000 + i);
        talk_say(&t, lines);
    }
    CHECK(t.host.stack.tcp->time_wait.count == 4);
    CHECK(t.host.stack.tcp->counters.time_wait_evicted == 6);
    talk_end(&t);
}

static void connect_from_port_4000(struct talk *t)
{
    const struct endpoint local = {ip_v4(10, 0, 0, 1), 4000, 0};
    const int yes = 1;
    if (!t->socket)
        CHECK(socket_create(&t->host.stack, IP_V4, SOCKET_STREAM, 0, &t->socket) == 0);
    socket_set_option(t->socket, LEVEL_SOCKET, OPTION_REUSEADDR, &yes, sizeof yes);
    CHECK(socket_bind(t->socket, &local) == 0);
    talk_say(t, "connect\n");
}

/* Our own end may use the pair again, where the peer would believe it (RFC 6191). */
static void test_reconnecting(void)
{
    static struct talk t;
    talk_start(&t);
    connect_from_port_4000(&t);
    talk_say(&t, "> S 0:0 mss=1460 ws=7 sack ts\n"
                 "< SA 0:0 ack=1\n"
                 "> A 1:0 ack=1\n" TO_TIME_WAIT "+5000\n");
    connect_from_port_4000(&t);
    talk_say(&t, "result EADDRNOTAVAIL\n");
    talk_end(&t);
}

static void test_reconnecting_with_timestamps(void)
{
    static struct talk t;
    talk_start(&t);
    connect_from_port_4000(&t);
    talk_say(&t, "> S 0:0 mss=1460 ws=7 sack ts\n"
                 "< SA 0:0 ack=1 ts\n"
                 "> A 1:0 ack=1\n"
                 "close\n"
                 "> FA 1:0\n"
                 "< FA 1:0 ack=2 ts\n"
                 "> A 2:0 ack=2\n");
    connect_from_port_4000(&t);
    talk_say(&t, "result EADDRNOTAVAIL\n"
                 "close\n"
                 "+1000\n");
    connect_from_port_4000(&t);
    talk_say(&t, "> S 0:0 mss=1460 ws=7 sack ts\n");
    CHECK(t.host.stack.tcp->counters.time_wait_reused == 1);
    talk_end(&t);
}

/* ---- Keepalive ------------------------------------------------------------------------------- */

#define KEEPALIVE "set keepidle 10\nset keepintvl 5\nset keepcnt 2\nset keepalive 1\n"

static void test_keepalive(void)
{
    talk(CONNECT KEEPALIVE "+9999\n"
                           "nothing\n"
                           "+1\n"
                           "> A 0:0 ack=1\n"
                           "< A 1:0 ack=1\n"
                           "+9999\n"
                           "nothing\n"
                           "+1\n"
                           "> A 0:0 ack=1\n"
                           "+5000\n"
                           "> A 0:0 ack=1\n"
                           "+5000\n"
                           "> RA 1:0\n"
                           "state CLOSED\n"
                           "error ETIMEDOUT\n");
}

static void test_keepalive_answered(void)
{
    talk(CONNECT "< A 0:0 ack=1\n"
                 "> A 1:0 ack=1\n"
                 "< A 0:1 ack=1\n"
                 "> A 1:0 ack=1\n");
}

/* ---- Listening ------------------------------------------------------------------------------- */

static void test_backlog(void)
{
    talk("listen 1\n"
         "< S 0:0 port=3001\n> SA 0:0 mss=1460 port=3001\n"
         "< A 1:0 ack=1 port=3001\n"
         "# full: the SYN is not answered; it will come again\n"
         "< S 0:0 port=3002\n"
         "nothing\n"
         "accept\n"
         "result 0\n"
         "< S 0:0 port=3002\n> SA 0:0 mss=1460 port=3002\n");
}

static void test_last_ack_of_a_full_queue(void)
{
    talk("listen 1\n"
         "< S 0:0 port=3001\n> SA 0:0 mss=1460 port=3001\n"
         "< S 0:0 port=3002\n> SA 0:0 mss=1460 port=3002\n"
         "< A 1:0 ack=1 port=3002\n"
         "< A 1:0 ack=1 port=3001\n"
         "nothing\n"
         "accept\n"
         "# our SYN again, and this time there is room\n"
         "+1000\n"
         "> SA 0:0 mss=1460 port=3001\n"
         "< A 1:0 ack=1 port=3001\n"
         "close\n"
         "> FA 1:0 port=3002\n"
         "accept\n"
         "result 0\n");
}

static void test_closing_a_listener(void)
{
    talk("listen 5\n"
         "< S 0:0 port=3001\n> SA 0:0 mss=1460 port=3001\n"
         "< S 0:0 port=3002\n> SA 0:0 mss=1460 port=3002\n"
         "< A 1:0 ack=1 port=3002\n"
         "close\n"
         "> RA 1:0 port=3001\n"
         "> RA 1:0 port=3002\n"
         "< S 0:0\n"
         "> RA 0:0\n");
}

static void test_half_open_gives_up(void)
{
    static struct talk t;
    talk_start(&t);
    talk_say(&t, "listen 5\n< S 0:0\n> SA 0:0 mss=1460\n");
    for (int i = 0; i < 400; i++) {
        talk_say(&t, "+1000\n");
        t.count = 0;
    }
    CHECK(t.host.stack.tcp->connections == 1);
    CHECK(t.host.stack.tcp->counters.attempt_fails == 1);
    talk_end(&t);
}

/* ---- Ports ----------------------------------------------------------------------------------- */

static int bind_to(struct talk *t, uint8_t last, uint16_t port, bool reuse, struct socket **socket)
{
    const struct endpoint local = {last ? ip_v4(10, 0, 0, last) : ip_any(IP_V4), port, 0};
    const int yes = reuse;
    CHECK(socket_create(&t->host.stack, IP_V4, SOCKET_STREAM, 0, socket) == 0);
    socket_set_option(*socket, LEVEL_SOCKET, OPTION_REUSEADDR, &yes, sizeof yes);
    return socket_bind(*socket, &local);
}

static void test_bind_conflicts(void)
{
    static struct talk t;
    struct socket *a, *b, *c, *d, *e;
    talk_start(&t);
    CHECK(bind_to(&t, 0, 80, false, &a) == 0);
    CHECK(bind_to(&t, 1, 80, false, &b) == -EADDRINUSE);
    CHECK(bind_to(&t, 1, 81, true, &c) == 0);
    CHECK(bind_to(&t, 0, 81, true, &d) == 0);
    CHECK(socket_listen(c, 1) == 0);
    CHECK(bind_to(&t, 0, 81, true, &e) == -EADDRINUSE);
    const struct endpoint elsewhere = {ip_v4(10, 9, 9, 9), 1, 0};
    CHECK(socket_bind(b, &elsewhere) == -EADDRNOTAVAIL);
    struct socket *all[] = {a, b, c, d, e};
    for (int i = 0; i < 5; i++)
        socket_close(all[i]);
    talk_end(&t);
}

static void test_port_in_time_wait(void)
{
    static struct talk t;
    struct socket *a, *b;
    talk_start(&t);
    talk_say(&t, ACCEPT TO_TIME_WAIT);
    socket_close(t.listener);
    CHECK(bind_to(&t, 0, 80, false, &a) == -EADDRINUSE);
    CHECK(bind_to(&t, 0, 80, true, &b) == 0);
    socket_close(a);
    socket_close(b);
    talk_end(&t);
}

/* ---- Options --------------------------------------------------------------------------------- */

static void test_options(void)
{
    static struct talk t;
    struct {
        int level, name, value;
    } numbers[] = {
        {LEVEL_TCP, OPTION_TCP_NODELAY, 1},    {LEVEL_TCP, OPTION_TCP_CORK, 1},
        {LEVEL_TCP, OPTION_TCP_KEEPIDLE, 77},  {LEVEL_TCP, OPTION_TCP_KEEPINTVL, 78},
        {LEVEL_TCP, OPTION_TCP_KEEPCNT, 12},   {LEVEL_TCP, OPTION_TCP_USER_TIMEOUT, 70000},
        {LEVEL_TCP, OPTION_TCP_MAXSEG, 1000},  {LEVEL_SOCKET, OPTION_KEEPALIVE, 1},
        {LEVEL_SOCKET, OPTION_RCVBUF, 100000}, {LEVEL_SOCKET, OPTION_SNDBUF, 50000}};
    talk_start(&t);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int value = 0;
        size_t size = sizeof value;
        CHECK(socket_set_option(t.socket, numbers[i].level, numbers[i].name, &numbers[i].value,
                                sizeof numbers[i].value) == 0);
        CHECK(socket_get_option(t.socket, numbers[i].level, numbers[i].name, &value, &size) == 0 &&
                  size == sizeof value && value == numbers[i].value,
              "option %d: %d", numbers[i].name, value);
    }
    const int zero = 0;
    CHECK(socket_set_option(t.socket, LEVEL_TCP, OPTION_TCP_MAXSEG, &zero, 4) == -EINVAL);
    CHECK(socket_set_option(t.socket, LEVEL_TCP, OPTION_TCP_KEEPCNT, &zero, 4) == -EINVAL);
    CHECK(socket_set_option(t.socket, LEVEL_TCP, OPTION_TCP_NODELAY, &zero, 3) == -EINVAL);
    CHECK(socket_set_option(t.socket, LEVEL_TCP, 999, &zero, 4) == -ENOPROTOOPT);
    char name[16];
    size_t size = sizeof name;
    CHECK(socket_set_option(t.socket, LEVEL_TCP, OPTION_TCP_CONGESTION, "reno", 4) == 0);
    CHECK(socket_get_option(t.socket, LEVEL_TCP, OPTION_TCP_CONGESTION, name, &size) == 0 &&
          strcmp(name, "reno") == 0);
    CHECK(socket_set_option(t.socket, LEVEL_TCP, OPTION_TCP_CONGESTION, "vegas", 5) == -ENOENT);
    talk_end(&t);
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void test_many_idle_connections(void)
{
    static struct talk t;
    static const struct host_limits limits = {.sockets = 5100, .packets = 64};
    static struct socket *held[5000];
    talk_start_limited(&t, &limits);
    talk_say(&t, "listen 5\n");
    for (int i = 0; i < 5000; i++) {
        char lines[160];
        snprintf(lines, sizeof lines,
                 "< S 0:0 port=%d\n> SA 0:0 mss=1460 port=%d\n< A 1:0 ack=1 port=%d\naccept\n",
                 1000 + i, 1000 + i, 1000 + i);
        talk_say(&t, lines);
        held[i] = t.socket;
    }
    CHECK(t.host.stack.tcp->connections == 5001);
    CHECK(t.host.stack.socket_count == 5001, "%u", t.host.stack.socket_count);
    CHECK(t.host.pool.in_use == 0);
    printf("an idle connection costs %zu octets, one in TIME-WAIT %zu\n",
           sizeof(struct tcb) + 2 * sizeof(void *), sizeof(struct time_wait) + sizeof(void *));
    /* any of them still works */
    talk_say(&t, "< A 1:10 ack=1 port=3456\n+40\n> A 1:0 ack=11 port=3456\n");
    for (int i = 0; i < 5000; i++) {
        socket_close(held[i]);
        t.count = 0;
    }
    talk_end(&t);
}

static void test_no_control_blocks(void)
{
    static struct talk t;
    static const struct host_limits limits = {.sockets = 2};
    struct socket *second, *third;
    talk_start_limited(&t, &limits);
    CHECK(socket_create(&t.host.stack, IP_V4, SOCKET_STREAM, 0, &second) == 0);
    CHECK(socket_create(&t.host.stack, IP_V4, SOCKET_STREAM, 0, &third) == -ENFILE);
    socket_close(second);
    CHECK(socket_create(&t.host.stack, IP_V4, SOCKET_STREAM, 0, &third) == 0);
    talk_end(&t);
}

static void count_listed(void *context, const struct socket_facts *facts)
{
    *(unsigned *)context += facts->state[0] != '\0';
}

static void count_statistics(void *context, const char *name, uint64_t value)
{
    *(uint64_t *)context += strcmp(name, "tcp_passive_opens") == 0 ? value : 0;
}

static void test_lists(void)
{
    static struct talk t;
    unsigned listed = 0;
    uint64_t opened = 0;
    talk_start(&t);
    talk_say(&t, ACCEPT TO_TIME_WAIT);
    tcp_transport.visit(&t.host.stack, count_listed, &listed);
    tcp_transport.statistics(&t.host.stack, count_statistics, &opened);
    CHECK(listed == 2 && opened == 1, "%u, %llu", listed, (unsigned long long)opened);
    talk_end(&t);
}

int main(void)
{
    static const struct test tests[] = {
        {"close sends the rest", test_close_sends_the_rest},
        {"close with unread text resets", test_close_with_unread_text_resets},
        {"text after close resets", test_text_after_close_resets},
        {"SO_LINGER 0 resets", test_linger_zero_resets},
        {"SO_LINGER ends", test_linger_ends},
        {"FIN-WAIT-2 does not last", test_fin_wait_2_does_not_last},
        {"close while opening", test_close_while_opening},
        {"close in SYN-RECEIVED", test_close_in_syn_received},
        {"reset in each state", test_reset_in_each_state},
        {"calls in wrong states", test_wrong_states},
        {"TIME-WAIT", test_time_wait},
        {"TIME-WAIT reopened by sequence", test_time_wait_reopened_by_sequence},
        {"TIME-WAIT reopened by timestamp", test_time_wait_reopened_by_timestamp},
        {"TIME-WAIT is bounded", test_time_wait_is_bounded},
        {"reconnecting from TIME-WAIT", test_reconnecting},
        {"reconnecting with timestamps", test_reconnecting_with_timestamps},
        {"keepalive", test_keepalive},
        {"keepalive answered", test_keepalive_answered},
        {"backlog", test_backlog},
        {"last ACK of a full queue", test_last_ack_of_a_full_queue},
        {"closing a listener", test_closing_a_listener},
        {"half-open gives up", test_half_open_gives_up},
        {"bind conflicts", test_bind_conflicts},
        {"port in TIME-WAIT", test_port_in_time_wait},
        {"options", test_options},
        {"many idle connections", test_many_idle_connections},
        {"no control blocks", test_no_control_blocks},
        {"lists", test_lists},
    };
    return RUN_TESTS(tests);
}
