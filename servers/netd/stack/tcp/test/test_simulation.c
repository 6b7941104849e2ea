/* Two stacks over wires of every quality: thousands of conversations, each repeatable by its seed
 * (test_simulation SEED [COUNT]). After every event the books of both sides are checked. */
#include "../../test/check.h"
#include "books.h"
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
                    .no_scaling = random_chance(random, 300),
                    .offloads = random_chance(random, 500)},
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

/* ---- One seed ------------------------------------------------------------------------------- */

/* A bad wire may lose every segment or its answer until TCP rightly gives up (R2). When a program
 * has waited so long, it is a good one again, and the next retransmission must do it. */
#define STORM    (120 * NS_PER_S)
#define PATIENCE (STORM + TCP_RTO_MAX + 20 * NS_PER_S)

static bool waits_long(const struct conversation *conversation, const struct program *program)
{
    return !program->end_seen && conversation->wire.now - program->read_at >= STORM;
}

static void change_weather(struct conversation *conversation)
{
    struct wire_quality *quality = &conversation->wire.quality;
    const bool calm = waits_long(conversation, &conversation->client) ||
                      waits_long(conversation, &conversation->server);
    quality->loss = calm ? 0 : choice.quality.loss;
    quality->corruption = calm ? 0 : choice.quality.corruption;
}

static void check_books(struct conversation *conversation)
{
    static unsigned turn;
    if (turn++ % 16 == 0) {
        books_check(&conversation->wire.host[0]);
        books_check(&conversation->wire.host[1]);
    }
}

static void after_event(struct conversation *conversation)
{
    change_weather(conversation);
    check_books(conversation);
}

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
    const bool done = conversation_run(&c, PATIENCE, after_event);
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
