/* Two stacks over wires of every quality: thousands of conversations, each repeatable by its seed
 * (test_simulation SEED [COUNT]). After every event the books of both sides are checked. */
#include "../../test/check.h"
#include "program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SEEDS
#define SEEDS 3000
#endif

/* What a seed has chosen. */
struct choice {
    struct wire_quality quality;
    uint32_t receive_buffer, send_buffer;
    bool reno;
};

static struct choice choice;
static uint64_t conversations, moved, failures;

static uint32_t pick(uint64_t *random, const uint32_t *values, uint32_t count)
{
    return values[random_below(random, count)];
}

static struct choice choose(uint64_t *random)
{
    static const uint32_t rates[] = {0, 0, 10, 30, 100}, rare[] = {0, 0, 5, 50};
    static const uint32_t delays_us[] = {50, 1000, 20000, 100000};
    static const uint32_t speeds[] = {0, 100000, 1000000, 100000000};
    static const uint32_t queues[] = {0, 8, 64};
    static const uint32_t buffers[] = {2048, 8192, 65536, 262144};
    return (struct choice){
        .quality = {.loss = pick(random, rates, 5),
                    .duplication = pick(random, rare, 4),
                    .corruption = pick(random, rare, 4),
                    .reordering = pick(random, rates, 5),
                    .delay = pick(random, delays_us, 4) * NS_PER_US,
                    .jitter = random_chance(random, 300) ? 2 * NS_PER_MS : 0,
                    .bytes_per_s = pick(random, speeds, 4),
                    .queue = pick(random, queues, 3),
                    .no_sack = random_chance(random, 300),
                    .no_timestamps = random_chance(random, 300),
                    .no_scaling = random_chance(random, 300)},
        .receive_buffer = pick(random, buffers, 4),
        .send_buffer = pick(random, buffers, 4),
        .reno = random_chance(random, 300),
    };
}

static void prepare(struct conversation *conversation, struct socket *socket)
{
    (void)conversation;
    const int receive_buffer = (int)choice.receive_buffer, send_buffer = (int)choice.send_buffer;
    socket_set_option(socket, LEVEL_SOCKET, OPTION_RCVBUF, &receive_buffer, sizeof receive_buffer);
    socket_set_option(socket, LEVEL_SOCKET, OPTION_SNDBUF, &send_buffer, sizeof send_buffer);
    if (choice.reno)
        socket_set_option(socket, LEVEL_TCP, OPTION_TCP_CONGESTION, "reno", 5);
}

/* ---- The books ------------------------------------------------------------------------------- */

static void check_send_queue(const struct tcb *tcb)
{
    uint32_t seq = seq_max(tcb->snd.una, tcb->snd.iss + 1), packets = 0;
    bool unsent = false;
    for (const struct packet *p = tcb->send.first; p; p = p->kept) {
        unsent |= p == tcb->send.unsent;
        CHECK(p->word[SENT_SEQ] == seq, "a gap in the send queue");
        CHECK(unsent == seq_le(tcb->snd.nxt, seq), "sent or not?");
        CHECK(!unsent || !(p->word[SENT_MARKS] & SENT_SACKED), "SACKed, but never sent");
        seq = sent_end(p);
        packets++;
    }
    CHECK(packets == tcb->send.packets);
    CHECK(seq_le(tcb->snd.end, seq) && seq_le(tcb->snd.una, tcb->snd.nxt));
    CHECK(seq_le(tcb->snd.nxt, tcb->snd.end + 1));
    CHECK(send_queued(tcb) <= tcb->socket.send_buffer);
}

static void check_receive_queues(const struct tcb *tcb)
{
    uint32_t packets = 0, bytes = 0, right = tcb->rcv.nxt;
    for (const struct packet *p = tcb->receive.first; p; p = p->next) {
        packets++;
        bytes += packet_length(p);
    }
    CHECK(packets == tcb->receive.packets && bytes == tcb->receive.bytes);
    CHECK(bytes <= tcb->socket.receive_buffer, "%u octets are held", bytes);
    CHECK(packets <= 2 * bytes / 1400 + 2, "%u packets for %u octets", packets, bytes);
    for (const struct packet *p = tcb->ahead.first; p; p = p->next) {
        CHECK(seq_lt(right, p->word[RECEIVED_SEQ]) ||
                  (p != tcb->ahead.first && right == p->word[RECEIVED_SEQ]),
              "overlap in the list of what came early");
        right = p->word[RECEIVED_SEQ] + packet_length(p);
    }
    CHECK(seq_le(right, tcb->rcv.nxt + tcb->rcv.wnd), "beyond the window");
}

/* Someone must be going to act: text or a FIN is out or waiting, so a timer runs. */
static void check_timers(const struct tcb *tcb)
{
    if (tcb->state == TCP_CLOSED || tcb->state == TCP_LISTEN || tcb->state == TCP_TIME_WAIT)
        return;
    if (tcb->snd.una != tcb->snd.nxt)
        CHECK(tcb->deadline[TIMER_RETRANSMIT], "outstanding, but no timer");
    else if (tcb->send.unsent && synchronized(tcb))
        CHECK(tcb->deadline[TIMER_RETRANSMIT] || tcb->deadline[TIMER_OUTPUT],
              "waiting, but no timer");
}

static void check_host(struct host *host)
{
    const struct tcp_layer *layer = host->stack.tcp;
    uint32_t packets = 0;
    for (uint32_t i = 0; i < layer->touched; i++) {
        const struct tcb *tcb = &layer->pool[i];
        if (!tcb->in_use)
            continue;
        check_send_queue(tcb);
        check_receive_queues(tcb);
        check_timers(tcb);
        packets += tcb->send.packets + tcb->receive.packets + tcb->ahead.packets;
    }
    CHECK(packets == host->stack.socket_packets, "%u, not %u", packets, host->stack.socket_packets);
    CHECK(packets <= host->stack.config.socket_packets + 2);
}

static void check_books(struct conversation *conversation)
{
    static unsigned turn;
    if (turn++ % 16 == 0) {
        check_host(&conversation->wire.host[0]);
        check_host(&conversation->wire.host[1]);
    }
}

/* ---- One seed -------------------------------------------------------------------------------- */

static void run(uint64_t seed)
{
    static struct conversation c;
    uint64_t random = seed * 6364136223846793005u + 1442695040888963407u;
    const unsigned failed = check_failed;
    memset(&c, 0, sizeof c);
    choice = choose(&random);
    struct program *programs[] = {&c.client, &c.server};
    for (int i = 0; i < 2; i++) {
        programs[i]->random = random + (uint64_t)i;
        programs[i]->to_send = random_below(&random, random_chance(&random, 200) ? 300000 : 20000);
        programs[i]->chunk = random_chance(&random, 500) ? 3000 : 0;
        programs[i]->pause = random_chance(&random, 300) ? NS_PER_S : 0;
    }
    const struct host_limits limits = {.packets = random_chance(&random, 200) ? 96 : 1024};
    conversation_start(&c, &choice.quality, seed, &limits, prepare);
    const bool done = conversation_run(&c, 400 * NS_PER_S, check_books);
    CHECK(done, "stalled or failed (%d, %d)", c.client.error, c.server.error);
    CHECK(c.client.received == c.server.to_send, "%llu of %llu",
          (unsigned long long)c.client.received, (unsigned long long)c.server.to_send);
    CHECK(c.server.received == c.client.to_send, "%llu of %llu",
          (unsigned long long)c.server.received, (unsigned long long)c.client.to_send);
    conversations++;
    moved += c.client.received + c.server.received;
    conversation_stop(&c);
    if (check_failed != failed && failures++ < 5)
        printf("    ... with seed %llu\n", (unsigned long long)seed);
}

int main(int argc, char **argv)
{
    const uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    const uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : argc > 1 ? 1 : SEEDS;
    for (uint64_t seed = first; seed < first + count; seed++)
        run(seed);
    printf("%llu conversations, %llu octets\n", (unsigned long long)conversations,
           (unsigned long long)moved);
    printf("%u passed, %u failed\n", check_passed, check_failed);
    return check_failed != 0;
}
