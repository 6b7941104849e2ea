/* IPC at every state: each way in which a call can end has a defined result at both ends. */
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/puppet.h"
#include <string.h>

#define RIGHTS_CLIENT (RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER)
#define RIGHTS_SERVER (RIGHT_SEND | RIGHT_RECV | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER)

static handle_t new_channel(void) { return (handle_t)channel_create(0); }

/* A client that calls and a server that receives and answers. */
static void test_round_trip(void)
{
    struct puppet client, server;
    handle_t channel = new_channel();
    bool made = puppet_new(&client, "client", NULL) && puppet_new(&server, "server", NULL);
    handle_t at_client = puppet_give(&client, channel, RIGHTS_CLIENT);
    handle_t at_server = puppet_give(&server, channel, RIGHTS_SERVER);
    unsigned call = puppet_call(&client, at_client, 7, 41);
    unsigned recv = puppet_recv(&server, at_server);
    puppet_reply(&server, 42);
    puppet_start(&client, 10);
    puppet_start(&server, 10);
    bool done = made && puppet_wait(&client, call) && puppet_wait(&server, recv);
    volatile struct step *received = &server.steps[1 + recv], *called = &client.steps[1 + call];
    test_case("round-trip", done && puppet_result(&client, call) == 0 && called->result[2] == 42,
              "result %ld, word %lu", (long)puppet_result(&client, call),
              (unsigned long)called->result[2]);
    test_case("request-arrives",
              done && TAG_TYPE(received->result[1]) == 7 && TAG_LEN(received->result[1]) == 8 &&
                  received->result[2] == 41,
              "tag %lx, word %lu", (unsigned long)received->result[1],
              (unsigned long)received->result[2]);
    test_case("sender-is-the-client", done && received->result[7] != 0 && received->result_t0 == 0,
              "pid %lu, badge %lu", (unsigned long)received->result[7],
              (unsigned long)received->result_t0);
    puppet_end(&client);
    puppet_end(&server);
    handle_close(channel);
}

/* The caller dies while it is queued: a server that comes later sees nothing. */
static void test_caller_killed_queued(void)
{
    struct puppet client;
    struct message m;
    handle_t channel = new_channel();
    puppet_new(&client, "client", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channel, RIGHTS_CLIENT), 1, 0);
    puppet_start(&client, 10);
    bool blocked = puppet_blocked(&client, call);
    puppet_end(&client);
    int64_t got = channel_recv(channel, &m, test_deadline(20));
    test_case("caller-killed-while-queued", blocked && got == -ETIMEDOUT, "recv gave %ld",
              (long)got);
    handle_close(channel);
}

/* The caller dies while it is served, with a lent window: the token and the window go stale. */
static void test_caller_killed_served(void)
{
    struct puppet client;
    struct message m;
    char byte = 0;
    handle_t channel = new_channel();
    puppet_new(&client, "client", NULL);
    handle_t at_client = puppet_give(&client, channel, RIGHTS_CLIENT);
    puppet_call(&client, at_client, 1, 0);
    puppet_start(&client, 10);
    int64_t token = channel_recv(channel, &m, test_deadline(1000));
    puppet_end(&client);
    int64_t copied = copy_in((uint64_t)token, 0, 0, &byte, 1);
    struct message reply = {.len = 8};
    int replied = channel_reply((uint64_t)token, &reply);
    test_case("caller-killed-while-served", token > 0 && replied == -ESTALE && copied == -ESTALE,
              "token %ld, reply %d, copy_in %ld", (long)token, replied, (long)copied);
    handle_close(channel);
}

/* The server dies before it receives: EPEER if nobody else can receive, else still queued. */
static void test_server_killed(void)
{
    struct puppet client, server;
    handle_t channel = new_channel();
    puppet_new(&client, "client", NULL);
    puppet_new(&server, "server", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channel, RIGHTS_CLIENT), 1, 0);
    puppet_give(&server, channel, RIGHTS_SERVER);
    handle_close(channel);
    puppet_start(&client, 10);
    bool blocked = puppet_blocked(&client, call);
    puppet_end(&server);
    bool ended = puppet_wait(&client, call);
    test_case("server-gone-before-receiving",
              blocked && ended && puppet_result(&client, call) == -EPEER, "call gave %ld",
              (long)puppet_result(&client, call));
    puppet_end(&client);
}

/* The server dies after receiving. We keep a receive handle, so the call comes to us, marked. */
static void test_resent(void)
{
    struct puppet client, server;
    struct message m;
    handle_t channel = new_channel();
    puppet_new(&client, "client", NULL);
    puppet_new(&server, "server", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channel, RIGHTS_CLIENT), 9, 5);
    unsigned recv = puppet_recv(&server, puppet_give(&server, channel, RIGHTS_SERVER));
    puppet_start(&server, 10);
    puppet_blocked(&server, recv);
    puppet_start(&client, 10);
    bool received = puppet_wait(&server, recv);
    puppet_end(&server);
    int64_t token = channel_recv(channel, &m, test_deadline(1000));
    test_case("unanswered-call-is-resent",
              received && token > 0 && m.flags & MESSAGE_RESENT && m.type == 9 && m.words[0] == 5,
              "token %ld, flags %u", (long)token, m.flags);
    struct message reply = {.len = 8, .words = {77}};
    channel_reply((uint64_t)token, &reply);
    test_case("resent-call-is-answered",
              puppet_wait(&client, call) && client.steps[1 + call].result[2] == 77,
              "the client got %lu", (unsigned long)client.steps[1 + call].result[2]);
    puppet_end(&client);
    handle_close(channel);
}

/* The same with a channel that wants EPEER instead. */
static void test_no_resend(void)
{
    struct puppet client, server;
    handle_t channel = (handle_t)channel_create(CHANNEL_NO_RESEND);
    puppet_new(&client, "client", NULL);
    puppet_new(&server, "server", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channel, RIGHTS_CLIENT), 9, 5);
    unsigned recv = puppet_recv(&server, puppet_give(&server, channel, RIGHTS_SERVER));
    puppet_start(&server, 10);
    puppet_blocked(&server, recv);
    puppet_start(&client, 10);
    bool received = puppet_wait(&server, recv);
    puppet_end(&server);
    test_case("no-resend-gives-epeer",
              received && puppet_wait(&client, call) && puppet_result(&client, call) == -EPEER,
              "call gave %ld", (long)puppet_result(&client, call));
    puppet_end(&client);
    handle_close(channel);
}

/* A token answers once, and only in the process that received it. */
static void test_tokens(void)
{
    struct puppet client, thief;
    struct message m, reply = {.len = 8, .words = {1}};
    handle_t channel = new_channel();
    puppet_new(&client, "client", NULL);
    puppet_new(&thief, "thief", NULL);
    puppet_call(&client, puppet_give(&client, channel, RIGHTS_CLIENT), 1, 0);
    puppet_start(&client, 10);
    int64_t token = channel_recv(channel, &m, test_deadline(1000));
    unsigned steal =
        puppet_step(&thief, SYS_reply, (uint64_t)token, TAG(0x80, 8, 0, 0, 0), 666, 0, 0, 0);
    puppet_start(&thief, 10);
    puppet_wait(&thief, steal);
    test_case("foreign-token", puppet_result(&thief, steal) == -ESTALE, "reply gave %ld",
              (long)puppet_result(&thief, steal));
    int first = channel_reply((uint64_t)token, &reply);
    int second = channel_reply((uint64_t)token, &reply);
    test_case("reply-twice", first == 0 && second == -ESTALE, "%d, then %d", first, second);
    test_case("wild-tokens",
              channel_reply(0, &reply) == -ESTALE && channel_reply(UINT64_MAX, &reply) == -ESTALE &&
                  channel_reply((uint64_t)token ^ 1, &reply) == -ESTALE,
              "a made-up token was taken");
    puppet_end(&client);
    puppet_end(&thief);
    handle_close(channel);
}

/* A deadline ends a call; the server's answer then finds nobody. */
static void test_deadlines(void)
{
    struct message m = {.type = 1};
    handle_t channel = new_channel();
    uint64_t before = (uint64_t)clock_now();
    int result = channel_call_deadline(channel, &m, before + 30000000);
    uint64_t took = (uint64_t)clock_now() - before;
    test_case("call-deadline", result == -ETIMEDOUT && took >= 30000000, "%d after %lu ns", result,
              (unsigned long)took);
    int64_t got = channel_recv(channel, &m, test_deadline(10));
    test_case("timed-out-call-is-gone", got == -ETIMEDOUT, "recv gave %ld", (long)got);
    handle_close(channel);
}

/* Calls that could never be answered. */
static void test_circles(void)
{
    struct puppet a, b;
    handle_t one = new_channel(), two = new_channel();
    puppet_new(&a, "a", NULL);
    puppet_new(&b, "b", NULL);
    handle_t one_a = puppet_give(&a, one, RIGHTS_SERVER),
             two_a = puppet_give(&a, two, RIGHTS_CLIENT);
    handle_t one_b = puppet_give(&b, one, RIGHTS_CLIENT),
             two_b = puppet_give(&b, two, RIGHTS_SERVER);
    unsigned self = puppet_step(&a, SYS_recv, 0, 0, 0, 0, 0, 0); /* binds a to channel one */
    a.steps[1 + self].a[6] = (uint64_t)one_a;
    a.steps[1 + self].t0 = test_deadline(20);
    unsigned self_call = puppet_call(&a, one_a, 1, 0);
    unsigned ask_b = puppet_call(&a, two_a, 1, 0);
    unsigned recv_b = puppet_recv(&b, two_b);
    unsigned ask_a = puppet_call(&b, one_b, 1, 0);
    puppet_start(&a, 10);
    puppet_wait(&a, self_call);
    test_case("self-call", puppet_result(&a, self_call) == -EDEADLK, "call gave %ld",
              (long)puppet_result(&a, self_call));
    puppet_blocked(&a, ask_b);
    puppet_start(&b, 10);
    bool done = puppet_wait(&b, recv_b) && puppet_wait(&b, ask_a);
    test_case("circular-call", done && puppet_result(&b, ask_a) == -EDEADLK, "call gave %ld",
              (long)puppet_result(&b, ask_a));
    puppet_end(&a);
    puppet_end(&b);
    handle_close(one);
    handle_close(two);
}

/* Closing the last receive handle wakes whoever waits. */
static void test_channel_closed(void)
{
    struct puppet client;
    handle_t channel = new_channel();
    puppet_new(&client, "client", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channel, RIGHTS_CLIENT), 1, 0);
    unsigned again = puppet_call(&client, HANDLE_FIRST_FREE, 1, 0);
    puppet_start(&client, 10);
    puppet_blocked(&client, call);
    handle_close(channel);
    test_case("channel-closed",
              puppet_wait(&client, again) && puppet_result(&client, call) == -EPEER &&
                  puppet_result(&client, again) == -EPEER,
              "%ld, then %ld", (long)puppet_result(&client, call),
              (long)puppet_result(&client, again));
    puppet_end(&client);
}

/* A badge arrives, cannot be forged, and its end is told once the last copy is gone. */
static void test_badges(void)
{
    struct puppet client;
    struct message m, reply = {.len = 8};
    handle_t channel = new_channel();
    handle_t minted = (handle_t)handle_mint(channel, RIGHTS_CLIENT, 0x1234567890abcdeful);
    puppet_new(&client, "client", NULL);
    handle_t at_client = puppet_give(&client, minted, RIGHTS_CLIENT);
    unsigned again =
        puppet_step(&client, SYS_handle_mint, (uint64_t)at_client, RIGHTS_CLIENT, 1, 0, 0, 0);
    puppet_call(&client, at_client, 3, 0);
    handle_close(minted);
    puppet_start(&client, 10);
    int64_t token = channel_recv(channel, &m, test_deadline(1000));
    test_case("badge-arrives", token > 0 && m.badge == 0x1234567890abcdeful, "badge %lx",
              (unsigned long)m.badge);
    test_case("badge-cannot-be-changed", puppet_result(&client, again) < 0, "mint gave %ld",
              (long)puppet_result(&client, again));
    channel_reply((uint64_t)token, &reply);
    puppet_end(&client);
    token = channel_recv(channel, &m, test_deadline(1000));
    test_case("closed-is-told",
              token == 0 && m.type == MESSAGE_CLOSED && m.badge == 0x1234567890abcdeful,
              "token %ld, type %x, badge %lx", (long)token, m.type, (unsigned long)m.badge);
    handle_close(channel);
}

/* A handle that does not fit into the receiver's table fails the call, not the server. */
static void test_transfer_fails(void)
{
    struct puppet server;
    struct process_quota tight = {.handles = 1};
    handle_t channel = new_channel(), gift = new_channel();
    puppet_new(&server, "server", &tight);
    unsigned recv = puppet_recv(&server, puppet_give(&server, channel, RIGHTS_SERVER));
    puppet_start(&server, 10);
    puppet_blocked(&server, recv);
    struct message m = {.type = 1, .handle_count = 1, .handles = {gift}};
    int result = channel_call_deadline(channel, &m, test_deadline(1000));
    test_case("transfer-fails", result == -EMFILE && !server.steps[1 + recv].done,
              "call gave %d, the server %s", result,
              server.steps[1 + recv].done ? "received it" : "waits");
    struct handle_info info;
    test_case("handle-stays-with-the-caller", handle_info(gift, &info) == 0, "it is gone");
    puppet_end(&server);
    handle_close(channel);
    handle_close(gift);
}

/* A closed channel's handle in a reply, and pulses that arrive before anyone waits. */
static void test_pulses(void)
{
    struct message m;
    handle_t channel = new_channel();
    pulse(channel, 1);
    pulse(channel, 1ul << 63);
    int64_t token = channel_recv(channel, &m, test_deadline(100));
    test_case("pulses-are-kept",
              token == 0 && m.type == MESSAGE_PULSE && m.words[0] == (1 | 1ul << 63),
              "token %ld, bits %lx", (long)token, (unsigned long)m.words[0]);
    token = channel_recv(channel, &m, test_deadline(10));
    test_case("pulses-come-once", token == -ETIMEDOUT, "recv gave %ld", (long)token);
    handle_close(channel);
}

/* A server thread that was called while it waited, and what its sleep in between gave. */
static struct {
    handle_t channel;
    uint64_t sleep; /* ns */
    int64_t token, slept;
} sleepers[2];

static void sleep_while_serving(uint64_t which)
{
    struct registers recv = {.a = {[6] = (uint64_t)sleepers[which].channel, [7] = SYS_recv}};
    raw_call(&recv);
    sleepers[which].token = (int64_t)recv.a[0];
    struct registers sleep = {.a = {[7] = SYS_recv},
                              .t0 = (uint64_t)clock_now() + sleepers[which].sleep};
    raw_call(&sleep);
    sleepers[which].slept = (int64_t)sleep.a[0];
    raw(SYS_reply, (uint64_t)sleepers[which].token, TAG(0, 0, 0, 0, 0), 0, 0, 0, 0);
}

/* Two threads receive on one channel. The one that is called first sleeps; when it wakes up, the
 * other one, which was called meanwhile, must not be taken for one that waits. */
static void test_sleep_while_serving(void)
{
    struct puppet clients[3];
    unsigned calls[3];
    handle_t channel = new_channel();
    for (unsigned i = 0; i < 3; i++) {
        puppet_new(&clients[i], "client", NULL);
        calls[i] = puppet_call(&clients[i], puppet_give(&clients[i], channel, RIGHTS_CLIENT), 1, 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        sleepers[i].channel = channel;
        sleepers[i].sleep = i == 1 ? 30000000 : 200000000; /* the second one is called first */
        child_thread(sleep_while_serving, i);
        sleep_until(test_deadline(5));
    }
    puppet_start(&clients[0], 10);
    sleep_until(test_deadline(5));
    puppet_start(&clients[1], 10);
    sleep_until(test_deadline(60)); /* the first sleep is over, the second is not */
    puppet_start(&clients[2], 10);
    bool blocked = puppet_blocked(&clients[2], calls[2]);
    sleep_until(test_deadline(200));
    test_case("sleep-while-serving",
              blocked && sleepers[0].slept == -ETIMEDOUT && sleepers[1].slept == -ETIMEDOUT &&
                  puppet_wait(&clients[0], calls[0]) && puppet_wait(&clients[1], calls[1]),
              "third caller %s, sleeps gave %ld and %ld", blocked ? "waits" : "does not wait",
              (long)sleepers[0].slept, (long)sleepers[1].slept);
    for (unsigned i = 0; i < 3; i++)
        puppet_end(&clients[i]);
    handle_close(channel);
}

int main(void)
{
    test_sleep_while_serving();
    test_round_trip();
    test_caller_killed_queued();
    test_caller_killed_served();
    test_server_killed();
    test_resent();
    test_no_resend();
    test_tokens();
    test_deadlines();
    test_circles();
    test_channel_closed();
    test_badges();
    test_transfer_fails();
    test_pulses();
    return test_done();
}
