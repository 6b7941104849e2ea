/* uptime: how long the system has been up, and how busy it is. */
#include "common/kernel_call.h"

#include "cairn/syscall.h"
#include <time.h>

static const char usage[] =
    "usage: uptime\n"
    "Print the time of day, how long the system has been up, the number of\n"
    "processes and harts, how much of its time it was idle, and how many\n"
    "threads want to run now.\n";

int main(int argc, char **argv)
{
    struct message m = {.type = KFACT_SCHEDULER};
    struct process_facts process;
    struct scheduler_facts facts;
    char clock[16] = "";
    unsigned processes = 0;
    time_t now = time(NULL);

    utility_start(usage, 1);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    if (optind < argc)
        utility_misuse("no arguments are expected");
    must_call("sys:facts", &m);
    memcpy(&facts, &m.words[1], sizeof(facts));
    for (uint32_t pid = 0; next_process(pid, &process); pid = process.pid + 1)
        processes++;
    uint64_t up = (uint64_t)clock_now(), total = up * (facts.harts > 0 ? facts.harts : 1);
    uint64_t seconds = up / 1000000000, days = seconds / 86400;
    const struct tm *parts = localtime(&now);
    if (parts != NULL)
        strftime(clock, sizeof(clock), "%H:%M:%S ", parts);
    output_format(" %sup ", clock);
    if (days > 0)
        output_format("%llu day%s, ", (unsigned long long)days, days > 1 ? "s" : "");
    output_format("%llu:%02llu:%02llu, %u processes, %u hart%s, %llu%% idle, %u runnable\n",
                  (unsigned long long)(seconds / 3600 % 24),
                  (unsigned long long)(seconds / 60 % 60), (unsigned long long)(seconds % 60),
                  processes, (unsigned)facts.harts, facts.harts == 1 ? "" : "s",
                  (unsigned long long)(total > 0 ? facts.idle_time / (total / 100 + 1) : 0),
                  (unsigned)facts.runnable);
    return 0;
}
