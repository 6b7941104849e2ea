/* Bulk transfers over a lossy, reordering wire: every octet arrives, and how fast (in virtual time)
 * is shown beside the same run without SACK, and with Reno. */
#include "../../test/check.h"
#include "program.h"
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static const char *algorithm;

static void prepare(struct conversation *conversation, struct socket *socket)
{
    const int buffer = 1 << 20;
    (void)conversation;
    socket_set_option(socket, LEVEL_SOCKET, OPTION_RCVBUF, &buffer, sizeof buffer);
    socket_set_option(socket, LEVEL_SOCKET, OPTION_SNDBUF, &buffer, sizeof buffer);
    CHECK(socket_set_option(socket, LEVEL_TCP, OPTION_TCP_CONGESTION, algorithm,
                            strlen(algorithm)) == 0);
}

/* transfer: returns KiB/s. */
static double transfer(uint64_t size, const struct wire_quality *quality, const char *congestion)
{
    static struct conversation c;
    memset(&c, 0, sizeof c);
    algorithm = congestion;
    c.client.to_send = size;
    conversation_start(&c, quality, size, NULL, prepare);
    CHECK(conversation_run(&c, 200 * NS_PER_S, NULL), "stalled: %d", c.client.error);
    CHECK(c.server.received == size, "%llu", (unsigned long long)c.server.received);
    const struct tcp_counters *counters = &c.wire.host[0].stack.tcp->counters;
    const double seconds = (double)(c.wire.now - c.begun) / 1e9;
    const double rate = (double)size / 1024 / seconds;
    printf("%5llu MiB, loss %.1f %%, %5.1f ms, %-5s %-7s: %8.2f s, %8.0f KiB/s, %llu sent again, "
           "%llu timeouts\n",
           (unsigned long long)(size / MIB), quality->loss / 10.0, (double)quality->delay / 1e6,
           congestion, quality->no_sack ? "no SACK" : "SACK", seconds, rate,
           (unsigned long long)counters->retrans_segs, (unsigned long long)counters->timeouts);
    conversation_stop(&c);
    return rate;
}

static struct wire_quality lossy(uint32_t loss, bool no_sack)
{
    return (struct wire_quality){
        .loss = loss,
        .reordering = loss,
        .duplication = 2,
        .delay = 5 * NS_PER_MS,
        .bytes_per_s = 12500000,
        .queue = 200,
        .no_sack = no_sack,
    };
}

static void test_sizes(void)
{
    static const uint64_t sizes[] = {1, 10, 100};
    for (int i = 0; i < 3; i++) {
        const struct wire_quality with = lossy(20, false), without = lossy(20, true);
        const double fast = transfer(sizes[i] * MIB, &with, "cubic");
        const double slow = transfer(sizes[i] * MIB, &without, "cubic");
        CHECK(fast > slow, "SACK is of no use");
    }
}

static void test_algorithms(void)
{
    const struct wire_quality clean = lossy(0, false), bad = lossy(2, false);
    const double full = transfer(20 * MIB, &clean, "cubic");
    transfer(20 * MIB, &clean, "reno");
    transfer(20 * MIB, &bad, "cubic");
    transfer(20 * MIB, &bad, "reno");
    CHECK(full > 0.8 * 12500000 / 1024, "the wire is not filled");
}

int main(void)
{
    static const struct test tests[] = {
        {"1 to 100 MiB over a lossy, reordering wire", test_sizes},
        {"congestion control", test_algorithms},
    };
    return RUN_TESTS(tests);
}
