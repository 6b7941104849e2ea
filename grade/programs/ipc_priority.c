/* Priorities: who is received first, what a server inherits from its callers and when it loses
 * it again, and that equals share the harts. All of it holds on any number of harts: what is
 * looked at are states in which nobody runs, or counters that must all move. */
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/facts.h"
#include "lib/puppet.h"
#include <stdio.h>

#define RIGHTS_CLIENT (RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER)
#define RIGHTS_SERVER (RIGHT_SEND | RIGHT_RECV | RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER)

static handle_t new_channel(void) { return (handle_t)channel_create(0); }

/* A puppet that calls channel with this word, started and waiting. */
static bool queue_caller(struct puppet *puppet, handle_t channel, unsigned priority, uint64_t word)
{
    if (!puppet_new(puppet, "caller", NULL))
        return false;
    unsigned call = puppet_call(puppet, puppet_give(puppet, channel, RIGHTS_CLIENT), 1, word);
    return puppet_start(puppet, priority) && puppet_blocked(puppet, call);
}

/* Receives one call and answers it; its word, or 0. */
static uint64_t serve_one(handle_t channel)
{
    struct message m, reply = {.len = 8};
    int64_t token = channel_recv(channel, &m, test_deadline(1000));
    if (token > 0)
        channel_reply((uint64_t)token, &reply);
    return token > 0 ? m.words[0] : 0;
}

static void test_queue_order(void)
{
    static const unsigned priorities[] = {5, 20, 1, 10, 20, 31, 10};
    static const uint64_t expected[] = {6, 2, 5, 4, 7, 1, 3};
    enum { N = 7 };
    struct puppet callers[N];
    handle_t channel = new_channel();
    bool queued = true;
    for (uint64_t i = 0; i < N; i++)
        queued = queue_caller(&callers[i], channel, priorities[i], i + 1) && queued;
    uint64_t order = 0, wanted = 0;
    for (unsigned i = 0; i < N; i++) {
        order = order * 10 + serve_one(channel);
        wanted = wanted * 10 + expected[i];
    }
    test_case("queue-order", queued && order == wanted, "%lu instead of %lu", (unsigned long)order,
              (unsigned long)wanted);
    for (unsigned i = 0; i < N; i++)
        puppet_end(&callers[i]);
    handle_close(channel);
}

/* A server of low priority that has received once, so that the kernel knows it, and then waits
 * on another channel, where nobody answers. */
struct busy_server {
    struct puppet puppet;
    handle_t channel, elsewhere;
    unsigned waits; /* the step in which it waits */
};
static bool busy_server(struct busy_server *server, unsigned priority)
{
    server->channel = new_channel();
    server->elsewhere = new_channel();
    puppet_new(&server->puppet, "busy", NULL);
    handle_t own = puppet_give(&server->puppet, server->channel, RIGHTS_SERVER);
    handle_t other = puppet_give(&server->puppet, server->elsewhere, RIGHTS_CLIENT);
    unsigned recv = puppet_recv(&server->puppet, own);
    server->puppet.steps[1 + recv].t0 = test_deadline(1); /* nobody calls yet */
    server->waits = puppet_call(&server->puppet, other, 1, 0);
    puppet_recv(&server->puppet, own);
    puppet_reply(&server->puppet, 1);
    return puppet_start(&server->puppet, priority) && puppet_blocked(&server->puppet, server->waits);
}
static void busy_server_end(struct busy_server *server)
{
    puppet_end(&server->puppet);
    handle_close(server->channel);
    handle_close(server->elsewhere);
}

static void test_donation(void)
{
    struct busy_server server;
    struct puppet high, middle;
    bool made = busy_server(&server, 5);
    handle_t process = server.puppet.process;
    test_case("own-priority", made && priority_becomes(process, 5), "it is %u",
              facts_of(process).priority);
    made = queue_caller(&middle, server.channel, 12, 1);
    test_case("queued-caller-donates", made && priority_becomes(process, 12), "it is %u",
              facts_of(process).priority);
    made = queue_caller(&high, server.channel, 20, 1);
    test_case("the-highest-counts", made && priority_becomes(process, 20), "it is %u",
              facts_of(process).priority);
    puppet_end(&high);
    test_case("restored-when-the-caller-dies", priority_becomes(process, 12), "it is %u",
              facts_of(process).priority);
    struct puppet hasty;
    puppet_new(&hasty, "hasty", NULL);
    unsigned call = puppet_call(&hasty, puppet_give(&hasty, server.channel, RIGHTS_CLIENT), 1, 1);
    hasty.steps[1 + call].t0 = test_deadline(300);
    puppet_start(&hasty, 25);
    bool raised = priority_becomes(process, 25);
    puppet_wait(&hasty, call);
    test_case("restored-at-the-deadline",
              raised && puppet_result(&hasty, call) == -ETIMEDOUT && priority_becomes(process, 12),
              "raised: %d, it is %u", raised, facts_of(process).priority);
    puppet_end(&hasty);
    /* Now it receives the middle one's call and holds it for an instant, then answers. */
    serve_one(server.elsewhere);
    test_case("restored-after-the-reply",
              puppet_wait(&server.puppet, server.waits + 2) && priority_becomes(process, 5),
              "it is %u", facts_of(process).priority);
    puppet_end(&middle);
    busy_server_end(&server);
}

/* client 20 -> a 6 -> b 7 -> c 8, who keeps it. */
static void test_chain(void)
{
    struct puppet client, stage[3];
    handle_t channels[3];
    for (int i = 0; i < 3; i++)
        channels[i] = new_channel();
    for (int i = 0; i < 3; i++) {
        puppet_new(&stage[i], "stage", NULL);
        handle_t own = puppet_give(&stage[i], channels[i], RIGHTS_SERVER);
        puppet_recv(&stage[i], own);
        if (i < 2)
            puppet_call(&stage[i], puppet_give(&stage[i], channels[i + 1], RIGHTS_CLIENT), 1, 0);
        puppet_start(&stage[i], 6 + (unsigned)i);
    }
    for (int i = 2; i >= 0; i--) /* all of them wait before the first call comes */
        puppet_blocked(&stage[i], 0);
    puppet_new(&client, "client", NULL);
    unsigned call = puppet_call(&client, puppet_give(&client, channels[0], RIGHTS_CLIENT), 1, 0);
    client.steps[1 + call].t0 = test_deadline(500);
    puppet_start(&client, 20);
    bool all = true;
    for (int i = 0; i < 3; i++)
        all = priority_becomes(stage[i].process, 20) && all;
    test_case("donated-along-a-chain", all, "%u %u %u", facts_of(stage[0].process).priority,
              facts_of(stage[1].process).priority, facts_of(stage[2].process).priority);
    puppet_wait(&client, call);
    all = puppet_result(&client, call) == -ETIMEDOUT;
    for (int i = 0; i < 3; i++)
        all = priority_becomes(stage[i].process, 6 + (unsigned)i) && all;
    test_case("restored-along-a-chain", all, "%u %u %u", facts_of(stage[0].process).priority,
              facts_of(stage[1].process).priority, facts_of(stage[2].process).priority);
    puppet_end(&client);
    for (int i = 0; i < 3; i++) {
        puppet_end(&stage[i]);
        handle_close(channels[i]);
    }
}

/* A server that waits in a queue itself moves forward when somebody urgent waits for it. */
static void test_moves_in_queue(void)
{
    struct busy_server server;
    struct puppet first, urgent;
    struct message m, reply = {.len = 8};
    bool made = busy_server(&server, 5); /* waits in the queue of server.elsewhere */
    made = queue_caller(&first, server.elsewhere, 10, 77) && made;
    made = queue_caller(&urgent, server.channel, 20, 1) && made;
    made = priority_becomes(server.puppet.process, 20) && made;
    int64_t token = channel_recv(server.elsewhere, &m, test_deadline(1000));
    test_case("donation-moves-it-forward", made && token > 0 && m.words[0] == 0, "first was %lu",
              (unsigned long)m.words[0]);
    channel_reply((uint64_t)token, &reply);
    puppet_end(&first);
    puppet_end(&urgent);
    busy_server_end(&server);
}

/* A server of two channels inherits from the callers of both. */
static void test_two_channels(void)
{
    struct puppet server, one, two;
    handle_t a = new_channel(), b = new_channel(), elsewhere = new_channel();
    puppet_new(&server, "two", NULL);
    unsigned recv_a = puppet_recv(&server, puppet_give(&server, a, RIGHTS_SERVER));
    unsigned recv_b = puppet_recv(&server, puppet_give(&server, b, RIGHTS_SERVER));
    server.steps[1 + recv_a].t0 = server.steps[1 + recv_b].t0 = test_deadline(1);
    unsigned waits = puppet_call(&server, puppet_give(&server, elsewhere, RIGHTS_CLIENT), 1, 0);
    puppet_start(&server, 5);
    bool made = puppet_blocked(&server, waits);
    made = queue_caller(&one, a, 12, 1) && queue_caller(&two, b, 20, 1) && made;
    made = priority_becomes(server.process, 20) && made;
    puppet_end(&two);
    test_case("donation-over-two-channels", made && priority_becomes(server.process, 12),
              "it is %u", facts_of(server.process).priority);
    puppet_end(&one);
    test_case("restored-over-two-channels", priority_becomes(server.process, 5), "it is %u",
              facts_of(server.process).priority);
    /* When it is gone, nobody inherits: above all not who has its place in memory. */
    puppet_end(&server);
    struct puppet heirs[3];
    for (int i = 0; i < 3; i++) {
        puppet_new(&heirs[i], "heir", NULL);
        puppet_start(&heirs[i], 6);
    }
    made = queue_caller(&one, a, 21, 1) && queue_caller(&two, b, 22, 1);
    uint32_t highest = 0;
    for (int i = 0; i < 3; i++) {
        uint32_t priority = facts_of(heirs[i].process).priority;
        highest = priority > highest ? priority : highest;
        puppet_end(&heirs[i]);
    }
    test_case("the-dead-have-no-heirs", made && highest == 6, "a bystander has %u", highest);
    puppet_end(&one);
    puppet_end(&two);
    handle_close(a);
    handle_close(b);
    handle_close(elsewhere);
}

static void test_set_priority(void)
{
    struct puppet low, high;
    handle_t channel = new_channel();
    bool made = queue_caller(&low, channel, 5, 1) && queue_caller(&high, channel, 10, 2);
    test_case("set-priority-arguments", process_set_priority(low.process, 32) == -EINVAL &&
                                            process_set_priority(low.process, UINT32_MAX) == -EINVAL,
              "one was taken");
    int64_t result = process_set_priority(low.process, 15);
    bool set = priority_becomes(low.process, 15);
    uint64_t first = serve_one(channel);
    test_case("set-priority-reorders", made && result == 0 && set && first == 1, "%ld, first was %lu",
              (long)result, (unsigned long)first);
    puppet_end(&low);
    puppet_end(&high);
    handle_close(channel);
    struct busy_server server;
    struct puppet client;
    made = busy_server(&server, 5) && queue_caller(&client, server.channel, 8, 1) &&
           priority_becomes(server.puppet.process, 8);
    process_set_priority(client.process, 21);
    test_case("set-priority-donates", made && priority_becomes(server.puppet.process, 21),
              "it is %u", facts_of(server.puppet.process).priority);
    process_set_priority(client.process, 6);
    test_case("set-priority-takes-back", made && priority_becomes(server.puppet.process, 6),
              "it is %u", facts_of(server.puppet.process).priority);
    puppet_end(&client);
    busy_server_end(&server);
}

/* ---- Running ---- */

static void spin(volatile struct child_page *page)
{
    for (;;)
        page->words[0]++;
}

/* More equals than harts, while something more urgent runs for moments all the time. */
static void test_equals_share(void)
{
    enum { N = 6 };
    struct child children[N];
    unsigned moved = 0;
    for (unsigned i = 0; i < N; i++) {
        child_new(&children[i], "equal", NULL);
        child_start(&children[i], spin, 5);
    }
    for (unsigned i = 0; i < N; i++) /* word_wait looks 5,000 times a second */
        moved += word_wait(&children[i].page->words[0], 1, 3000);
    test_case("equals-share", moved == N, "%u of %u ran", moved, N);
    for (unsigned i = 0; i < N; i++)
        child_end(&children[i]);
}

/* Passes time without entering the kernel. */
static void compute(uint64_t milliseconds)
{
    uint64_t first, now;
    asm volatile("rdtime %0" : "=r"(first));
    do
        asm volatile("rdtime %0" : "=r"(now));
    while (now - first < milliseconds * 10000); /* QEMU's clock has 10 MHz */
}

/* The same while this hart never enters the kernel: the others must see to it by themselves. */
static void test_equals_share_undisturbed(void)
{
    enum { N = 6 };
    struct child children[N];
    unsigned moved = 0;
    uint32_t harts = scheduler_facts().harts;
    for (unsigned i = 0; i < N; i++)
        child_new(&children[i], "equal", NULL);
    for (unsigned i = 0; i < N; i++) {
        child_start(&children[i], spin, 5);
        if (i + 2 == harts) /* each other hart has one, and nobody waits: no slice is counted */
            compute(50);
    }
    if (harts == 1)
        sleep_until(test_deadline(400));
    else
        compute(400);
    for (unsigned i = 0; i < N; i++)
        moved += children[i].page->words[0] != 0;
    test_case("equals-share-undisturbed", moved == N, "%u of %u ran", moved, N);
    for (unsigned i = 0; i < N; i++)
        child_end(&children[i]);
}

/* A slow server of low priority behind a wall of computing threads: an urgent caller gets its
 * answer although the server alone would never run. */
static void slow_server(volatile struct child_page *page)
{
    struct message m;
    channel_recv(page->handles[0], &m, test_deadline(1)); /* known to the kernel from here on */
    page->words[0] = 1;
    int64_t token = channel_recv(page->handles[0], &m, 0);
    for (volatile unsigned i = 0; i < 3000000; i++)
        ;
    m.len = 8;
    channel_reply((uint64_t)token, &m);
    page->words[0] = 2;
}
static void urgent_client(volatile struct child_page *page)
{
    page->words[1] = (uint64_t)call_words(page->handles[0], 1, 5, 0, 0);
    page->words[0] = 1;
}

static void test_inversion(void)
{
    enum { WALL = 6 };
    struct child server, client, wall[WALL];
    handle_t channel = new_channel();
    child_new(&server, "slow", NULL);
    child_new(&client, "urgent", NULL);
    server.page->handles[0] = child_give(&server, channel, RIGHTS_SERVER);
    client.page->handles[0] = child_give(&client, channel, RIGHTS_CLIENT);
    child_start(&server, slow_server, 2);
    bool ready = word_wait(&server.page->words[0], 1, 3000);
    for (unsigned i = 0; i < WALL; i++) {
        child_new(&wall[i], "wall", NULL);
        child_start(&wall[i], spin, 8);
    }
    child_start(&client, urgent_client, 12);
    bool answered = word_wait(&client.page->words[0], 1, 5000);
    test_case("no-priority-inversion", ready && answered && client.page->words[1] == 5,
              "ready: %d, answered: %d", ready, answered);
    for (unsigned i = 0; i < WALL; i++)
        child_end(&wall[i]);
    child_end(&client);
    child_end(&server);
    handle_close(channel);
}

int main(void)
{
    test_queue_order();
    test_donation();
    test_chain();
    test_moves_in_queue();
    test_two_channels();
    test_set_priority();
    test_equals_share();
    test_equals_share_undisturbed();
    test_inversion();
    return test_done();
}
