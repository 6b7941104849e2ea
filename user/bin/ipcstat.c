/* ipcstat: what the kernel counts about messages, in all and per channel. */
#include "common/kernel_call.h"

static const char usage[] =
    "usage: ipcstat [-a] [-s]\n"
    "Print calls, replies, errors, pulses, waiting callers and latencies of\n"
    "each channel that was used, and of the whole system.\n"
    "  -a  also channels that nobody has used\n"
    "  -s  only the sum\n";

static void row(const char *name, const char *server, const struct ipc_stats *stats)
{
    uint64_t average = stats->replies > 0 ? stats->latency_total / stats->replies : 0;
    output_format("%7s %-14.14s %9llu %9llu %7llu %8llu %3u/%-4u %8llu.%llu %9llu\n", name, server,
                  (unsigned long long)stats->calls, (unsigned long long)stats->replies,
                  (unsigned long long)stats->errors, (unsigned long long)stats->pulses,
                  (unsigned)stats->queue, (unsigned)stats->queue_peak,
                  (unsigned long long)(average / 1000), (unsigned long long)(average / 100 % 10),
                  (unsigned long long)(stats->latency_max / 1000));
}

int main(int argc, char **argv)
{
    struct message total = {.type = KSTAT_TOTAL};
    struct process_facts facts;
    bool all = false, sum = false;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "as")) != -1) {
        all = all || option == 'a';
        sum = sum || option == 's';
    }
    if (optind < argc)
        utility_misuse("no arguments are expected");
    must_call("sys:stats", &total); /* before the questions below add to it */
    output_text("CHANNEL SERVER             CALLS   REPLIES  ERRORS   PULSES QUEUE/MAX AVG (us) "
                "MAX (us)\n");
    for (uint64_t id = 0; !sum; id++) {
        struct message m = {.type = KSTAT_CHANNEL, .len = 8};
        const struct ipc_stats *stats = (const struct ipc_stats *)&m.words[1];
        char name[24];
        m.words[0] = id;
        int64_t result = kernel_call("sys:stats", &m);
        if (result == -ENOENT)
            break;
        if (result < 0)
            errx(1, "sys:stats: %s", strerror((int)-result));
        struct ipc_stats copy = *stats;
        id = copy.id;
        snprintf(name, sizeof(name), "%llu", (unsigned long long)id);
        if (all || copy.calls > 0 || copy.pulses > 0)
            row(name, process_name(copy.server != 0 ? copy.server : copy.owner, &facts), &copy);
    }
    row("total", "", (const struct ipc_stats *)&total.words[1]);
    return 0;
}
