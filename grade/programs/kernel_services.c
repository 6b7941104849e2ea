/* The kernel's own servers: facts, statistics and trace, the wall clock, the console. What they
 * say is compared with what the test itself did. */
#include "abi/kernel_services.h"
#include "abi/memory.h"
#include "abi/syscall_numbers.h"
#include "lib/child.h"
#include "lib/facts.h"
#include "lib/puppet.h"
#include <stdio.h>
#include <string.h>

static handle_t facts, stats, clock_channel, console;

static handle_t new_channel(void) { return (handle_t)channel_create(0); }

/* A request of len bytes (words); the result, or the call's error. *m is the reply. */
static int64_t ask(handle_t channel, struct message *m, uint32_t type, uint64_t word)
{
    *m = (struct message){.type = type, .len = 8, .words = {word}};
    int error = channel_call(channel, m);
    return error ? error : (int64_t)m->words[0];
}

static struct ipc_stats stats_of(handle_t channel)
{
    struct ipc_stats result = {0};
    struct handle_info info;
    struct message m;
    if (handle_info(channel, &info) == 0 && ask(stats, &m, KSTAT_CHANNEL, info.id) == 0)
        memcpy(&result, &m.words[1], sizeof(result));
    if (result.id != info.id)
        return (struct ipc_stats){0};
    return result;
}

/* ---- Facts ---- */

static void work(volatile struct child_page *p)
{
    while (!p->words[0])
        process_self();
    for (unsigned i = 0; i < 100; i++)
        process_self();
    handle_t memory = (handle_t)memory_create(10 * PAGE_SIZE, 0);
    int64_t at = memory_map(0, memory, 0, 0, 10 * PAGE_SIZE, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 6; i++)
        *(volatile char *)(at + i * (int64_t)PAGE_SIZE) = 1;
    struct message m = {.type = 1};
    for (unsigned i = 0; i < 5; i++)
        channel_call(-1, &m); /* refused: no calls */
    channel_create(0);
    p->words[1] = 1;
    call_words(p->handles[0], 1, 0, 0, 0);
}

static void test_process_facts(void)
{
    struct child child;
    struct message m;
    struct handle_info info;
    struct process_quota quota = {.pages = 500, .handles = 20, .threads = 3, .channels = 7};
    handle_t channel = new_channel();
    child_new(&child, "subject", &quota);
    handle_info(child.process, &info);
    struct process_facts f = facts_of(child.process);
    test_case("facts-before-the-start",
              f.pid == info.id && f.state == PROCESS_NEW && f.threads == 0 && f.handles == 0 &&
                  f.creator == (uint32_t)process_self() && strcmp(f.name, "subject") == 0 &&
                  f.pages_quota == 500 && f.calls == 0 && f.syscalls == 0,
              "state %u, threads %u, handles %u, creator %u, name %.24s", f.state, f.threads,
              f.handles, f.creator, f.name);
    child.page->handles[0] = child_give(&child, channel, RIGHT_SEND);
    child_start(&child, work, 9);
    sleep_until(test_deadline(20));
    struct process_facts before = facts_of(child.process);
    child.page->words[0] = 1;
    int64_t token = channel_recv(channel, &m, test_deadline(2000));
    f = facts_of(child.process);
    test_case("facts-while-it-waits",
              token > 0 && f.state == PROCESS_WAITING && f.waits_for == (uint32_t)process_self() &&
                  f.threads == 1 && f.handles == 3 && f.channels == 1 && f.calls == 1 &&
                  f.priority == 9,
              "state %u, waits for %u, handles %u, channels %u, calls %lu, priority %u", f.state,
              f.waits_for, f.handles, f.channels, (unsigned long)f.calls, f.priority);
    test_case("facts-of-memory", f.mapped == before.mapped + 10 * PAGE_SIZE &&
                                     f.resident >= before.resident + 6 * PAGE_SIZE &&
                                     f.resident < before.resident + 12 * PAGE_SIZE &&
                                     f.pages >= before.pages + 7 && f.pages < before.pages + 20 &&
                                     f.faults >= 6,
              "mapped %lx, resident %lx, pages %u after %u", (unsigned long)f.mapped,
              (unsigned long)f.resident, f.pages, before.pages);
    test_case("facts-of-time", before.cpu_time > 1000000 && before.state <= PROCESS_RUNNING &&
                                   f.cpu_time >= before.cpu_time && f.syscalls > 100 &&
                                   before.syscalls > 1000,
              "%lu ns, %lu calls", (unsigned long)before.cpu_time, (unsigned long)before.syscalls);
    child_end(&child);
    int64_t result = ask(facts, &m, KFACT_PROCESS, info.id);
    test_case("facts-of-the-dead", result == -ESRCH || (result == 0 && (uint32_t)m.words[1] != info.id),
              "%ld", (long)result);
    test_case("facts-behind-the-last", ask(facts, &m, KFACT_PROCESS, UINT32_MAX) == -ESRCH, "%ld",
              (long)m.words[0]);
    uint64_t pid = 0, n = 0, wrong = 0;
    while (ask(facts, &m, KFACT_PROCESS, pid) == 0) { /* in order, each once */
        wrong += (uint32_t)m.words[1] < pid || m.len != 8 + sizeof(struct process_facts);
        pid = (uint32_t)m.words[1] + 1;
        n++;
    }
    test_case("facts-of-all", n > 3 && wrong == 0 && m.len == 8, "%lu processes, %lu out of order",
              (unsigned long)n, (unsigned long)wrong);
    handle_close(channel);
}

static void test_memory_facts(void)
{
    struct memory_facts before = memory_facts();
    handle_t memory = (handle_t)memory_create(400 * PAGE_SIZE, MEMORY_CONTIGUOUS);
    struct memory_facts with = memory_facts();
    handle_close(memory);
    uint64_t deadline = test_deadline(1000);
    struct memory_facts after = memory_facts();
    while (after.free < before.free && (uint64_t)clock_now() < deadline)
        after = memory_facts();
    test_case("memory-facts", before.total >= before.free && before.largest <= before.free &&
                                  before.largest > 0 && before.kernel > 0 &&
                                  before.free - with.free >= 400 * PAGE_SIZE &&
                                  before.free - with.free < 440 * PAGE_SIZE,
              "free %lx, then %lx", (unsigned long)before.free, (unsigned long)with.free);
    test_case("memory-comes-back", after.free + 8 * PAGE_SIZE > before.free, "free %lx, then %lx",
              (unsigned long)before.free, (unsigned long)after.free);
}

static void test_other_facts(void)
{
    struct message m;
    struct scheduler_facts a = scheduler_facts();
    for (unsigned i = 0; i < 50; i++)
        process_self();
    sleep_until(test_deadline(10));
    struct scheduler_facts b = scheduler_facts();
    test_case("scheduler-facts", a.harts >= 1 && a.harts <= 8 && b.harts == a.harts &&
                                     b.switches > a.switches && b.syscalls >= a.syscalls + 50 &&
                                     b.interrupts > a.interrupts && b.idle_time > a.idle_time,
              "%u harts, %lu switches, %lu calls, %lu interrupts, %lu ns idle", b.harts,
              (unsigned long)(b.switches - a.switches), (unsigned long)(b.syscalls - a.syscalls),
              (unsigned long)(b.interrupts - a.interrupts), (unsigned long)(b.idle_time - a.idle_time));
    test_case("interrupt-facts", ask(facts, &m, KFACT_INTERRUPT, 1) >= 0 &&
                                     ask(facts, &m, KFACT_INTERRUPT, 100000) == -EINVAL &&
                                     ask(facts, &m, KFACT_INTERRUPT, UINT32_MAX) == -EINVAL,
              "%ld", (long)m.words[0]);
    static const uint32_t unknown[] = {0, 5, 77, UINT32_MAX};
    bool refused = true;
    for (unsigned i = 0; i < 4; i++)
        refused = refused && ask(facts, &m, unknown[i], 0) == -EINVAL && m.len == 8 &&
                  ask(stats, &m, unknown[i], 0) == -EINVAL &&
                  ask(clock_channel, &m, unknown[i], 0) == -EINVAL &&
                  ask(console, &m, unknown[i], 0) == -EINVAL;
    test_case("unknown-requests", refused, "one was answered");
}

/* What a kernel-served channel is not for. */
static void test_refusals(void)
{
    struct message m = {.type = KFACT_MEMORY, .handle_count = 1, .handles = {new_channel()}};
    struct handle_info info;
    handle_t gift = m.handles[0];
    int error = channel_call(facts, &m);
    test_case("handles-stay", error == 0 && m.handle_count == 0 && handle_info(gift, &info) == 0, "%d",
              error);
    handle_close(gift);
    test_case("served-by-nobody-else",
              channel_recv(facts, &m, test_deadline(5)) == -EACCES && pulse(facts, 1) == -EACCES &&
                  handle_mint(facts, 1, 1) == -EACCES,
              "it was allowed");
    m = (struct message){.type = KFACT_MEMORY, .len = MESSAGE_DATA_MAX};
    test_case("long-request", channel_call(facts, &m) == 0 && m.words[0] == 0, "refused");
    m = (struct message){.type = KFACT_MEMORY};
    test_case("empty-request", channel_call(facts, &m) == 0 && m.words[0] == 0, "refused");
    test_case("passed-deadline", channel_call_deadline(facts, &m, 1) == 0, "refused");
}

/* ---- Statistics ---- */

/* The client's side: calls answered, one that fails, several at once. */
static void test_statistics(void)
{
    enum { CALLERS = 5 };
    struct puppet callers[CALLERS];
    struct message m, reply = {.type = 0x81, .len = 8};
    struct handle_info info;
    handle_t channel = new_channel();
    struct ipc_stats s = stats_of(channel);
    handle_info(channel, &info);
    test_case("stats-of-a-new-channel", s.id == info.id && s.owner == (uint32_t)process_self() &&
                                            s.server == 0 && s.calls == 0 && s.queue == 0 &&
                                            s.queue_peak == 0 && s.pulses == 0,
              "calls %lu, queue %u, server %u", (unsigned long)s.calls, s.queue, s.server);
    struct message total_message;
    struct ipc_stats before = {0}, total = {0};
    ask(stats, &total_message, KSTAT_TOTAL, 0);
    memcpy(&before, &total_message.words[1], sizeof(before));
    for (unsigned i = 0; i < CALLERS; i++) {
        puppet_new(&callers[i], "caller", NULL);
        unsigned call = puppet_call(&callers[i], puppet_give(&callers[i], channel, RIGHT_SEND), 1, i);
        puppet_start(&callers[i], 10);
        puppet_blocked(&callers[i], call);
    }
    s = stats_of(channel);
    test_case("stats-of-a-queue", s.queue == CALLERS && s.queue_peak == CALLERS && s.replies == 0 &&
                                      s.calls == CALLERS,
              "calls %lu, queue %u, peak %u", (unsigned long)s.calls, s.queue, s.queue_peak);
    puppet_end(&callers[4]); /* gone without an answer */
    for (unsigned i = 0; i < 3; i++) {
        int64_t token = channel_recv(channel, &m, test_deadline(1000));
        channel_reply((uint64_t)token, &reply);
    }
    m = (struct message){.type = 2};
    s = stats_of(channel);
    test_case("stats-of-answers", s.queue == 1 && s.queue_peak == CALLERS && s.replies == 3 &&
                                      s.calls == CALLERS && s.server == (uint32_t)process_self() &&
                                      s.latency_max > 10000000 && s.latency_max < 20000000000 &&
                                      s.latency_total >= s.latency_max,
              "calls %lu, replies %lu, queue %u, latency %lu", (unsigned long)s.calls,
              (unsigned long)s.replies, s.queue, (unsigned long)s.latency_max);
    for (unsigned i = 0; i < 7; i++)
        pulse(channel, 1);
    test_case("stats-of-pulses", stats_of(channel).pulses == 7, "%lu",
              (unsigned long)stats_of(channel).pulses);
    channel_recv(channel, &m, test_deadline(10)); /* the pulses */
    struct puppet hasty;
    puppet_new(&hasty, "hasty", NULL);
    unsigned call = puppet_call(&hasty, puppet_give(&hasty, channel, RIGHT_SEND), 1, 0);
    hasty.steps[1 + call].t0 = test_deadline(5);
    puppet_start(&hasty, 10);
    puppet_wait(&hasty, call);
    s = stats_of(channel);
    test_case("stats-of-errors", puppet_result(&hasty, call) == -ETIMEDOUT && s.errors == 1, "%lu",
              (unsigned long)s.errors);
    puppet_end(&hasty);
    uint64_t id = s.id;
    handle_close(channel);
    for (unsigned i = 0; i < 4; i++)
        puppet_end(&callers[i]);
    int64_t result = ask(stats, &m, KSTAT_CHANNEL, id);
    test_case("stats-of-the-dead", result == -ENOENT || (result == 0 && m.words[1] != id), "%ld",
              (long)result);
    test_case("stats-behind-the-last", ask(stats, &m, KSTAT_CHANNEL, UINT32_MAX) == -ENOENT, "%ld",
              (long)m.words[0]);
    ask(stats, &total_message, KSTAT_TOTAL, 0);
    memcpy(&total, &total_message.words[1], sizeof(total));
    test_case("stats-of-all-outlive-channels", total.calls >= before.calls + CALLERS + 1 &&
                                                   total.replies >= before.replies + 3 &&
                                                   total.pulses >= before.pulses + 7,
              "calls %lu after %lu", (unsigned long)total.calls, (unsigned long)before.calls);
}

/* ---- Trace ---- */

/* Reads the trace from *sequence on; calls back per entry. Entries read. */
static uint64_t read_trace(uint64_t *sequence, void (*each)(const struct ipc_trace *))
{
    uint64_t n = 0;
    for (unsigned i = 0; i < 2000; i++) {
        struct message m;
        int64_t got = ask(stats, &m, KSTAT_TRACE_READ, *sequence);
        if (got <= 0 || got > 5 || m.len != 16 + (uint64_t)got * sizeof(struct ipc_trace))
            return n;
        for (int64_t j = 0; j < got; j++) {
            struct ipc_trace entry;
            memcpy(&entry, &m.data[16 + (size_t)j * sizeof(entry)], sizeof(entry));
            each(&entry);
        }
        n += (uint64_t)got;
        *sequence = m.words[1];
    }
    return n;
}

static uint64_t traced_id, events[8], last_time, disorder;
static uint32_t traced_type;
static void count_event(const struct ipc_trace *entry)
{
    disorder += entry->time < last_time || entry->event < TRACE_CALL || entry->event > TRACE_ERROR;
    last_time = entry->time;
    if (entry->channel != traced_id)
        return;
    events[entry->event % 8]++;
    if (entry->event == TRACE_CALL)
        traced_type = entry->type;
}

/* A server of a child's calls, so that the trace has something to tell. */
static void call_often(volatile struct child_page *p)
{
    for (; p->words[0] < p->words[1]; p->words[0]++)
        call_words(p->handles[0], 0x4711, 0, 0, 0);
}

static void serve(handle_t channel, uint64_t n)
{
    struct message m, reply = {.type = 0x80, .len = 8};
    for (uint64_t i = 0; i < n; i++) {
        int64_t token = channel_recv(channel, &m, test_deadline(3000));
        channel_reply((uint64_t)token, &reply);
    }
}

static void run_calls(handle_t channel, uint64_t n)
{
    struct child child;
    child_new(&child, "traced", NULL);
    child.page->words[1] = n;
    child.page->handles[0] = child_give(&child, channel, RIGHT_SEND);
    child_start(&child, call_often, 10);
    serve(channel, n);
    child_wait(&child, 2000, NULL);
    child_end(&child);
}

static void test_trace(void)
{
    struct message m;
    struct handle_info info;
    handle_t channel = new_channel();
    handle_info(channel, &info);
    traced_id = info.id;
    int64_t on = ask(stats, &m, KSTAT_TRACE_ON, 1);
    run_calls(channel, 10);
    pulse(channel, 1);
    channel_recv(channel, &m, test_deadline(10));
    int64_t off = ask(stats, &m, KSTAT_TRACE_ON, 0);
    uint64_t sequence = 0;
    read_trace(&sequence, count_event);
    test_case("trace", on == 0 && off == 0 && events[TRACE_CALL] == 10 &&
                           events[TRACE_RECV] == 10 && events[TRACE_REPLY] == 10 &&
                           traced_type == 0x4711 && disorder == 0,
              "calls %lu, receipts %lu, replies %lu, type %x, disorder %lu",
              (unsigned long)events[TRACE_CALL], (unsigned long)events[TRACE_RECV],
              (unsigned long)events[TRACE_REPLY], traced_type, (unsigned long)disorder);
    memset(events, 0, sizeof(events));
    run_calls(channel, 5);
    uint64_t more = read_trace(&sequence, count_event);
    test_case("trace-is-off", more == 0 && events[TRACE_CALL] == 0, "%lu entries",
              (unsigned long)more);
    ask(stats, &m, KSTAT_TRACE_ON, 1);
    sequence = 0;
    memset(events, 0, sizeof(events));
    run_calls(channel, 700); /* more than fit: the ring keeps the latest */
    ask(stats, &m, KSTAT_TRACE_ON, 0);
    last_time = 0;
    disorder = 0;
    uint64_t kept = read_trace(&sequence, count_event);
    test_case("trace-is-bounded", kept >= 100 && kept < 2100 && sequence >= 2100 && disorder == 0 &&
                                      events[TRACE_CALL] < 700 && events[TRACE_REPLY] > 30,
              "%lu entries up to %lu, disorder %lu", (unsigned long)kept, (unsigned long)sequence,
              (unsigned long)disorder);
    int64_t future = ask(stats, &m, KSTAT_TRACE_READ, UINT64_MAX);
    test_case("trace-of-the-future", future == 0 && m.len == 16, "%ld", (long)future);
    handle_close(channel);
}

/* ---- Clock and console ---- */

static void test_clock(void)
{
    struct message m;
    int64_t result = ask(clock_channel, &m, KTIME_GET, 0);
    uint64_t wall = m.words[1], here = (uint64_t)clock_now();
    test_case("wall-clock", result == 0 && m.len == 16 && wall > 1600000000ul * 1000000000, "%lu",
              (unsigned long)wall);
    result = ask(clock_channel, &m, KTIME_SET, 1234567890ul * 1000000000);
    ask(clock_channel, &m, KTIME_GET, 0);
    uint64_t set = m.words[1] - 1234567890ul * 1000000000;
    uint64_t later = (uint64_t)clock_now();
    ask(clock_channel, &m, KTIME_SET, wall + (later - here));
    test_case("wall-clock-is-set", result == 0 && set < 5000000000ul, "%lu ns off",
              (unsigned long)set);
    test_case("monotonic-clock-goes-on", later > here && later - here < 5000000000ul, "%lu",
              (unsigned long)(later - here));
    ask(clock_channel, &m, KTIME_GET, 0);
    test_case("wall-clock-is-back", m.words[1] - wall < 5000000000ul, "%lu",
              (unsigned long)(m.words[1] - wall));
}

static void test_console(void)
{
    static const char word[] = "kernel_services: 5f1d2e3c\n";
    struct message m;
    int64_t written = debug_write(word, sizeof(word) - 1);
    uint64_t offset = 0;
    bool found = false;
    unsigned reads = 0;
    char tail[64 + 240] = "";
    size_t tail_len = 0;
    for (; reads < 2000; reads++) {
        int64_t n = ask(console, &m, KCON_LOG, offset);
        if (n == -ENODATA && m.words[1] > offset) {
            offset = m.words[1];
            continue;
        }
        if (n <= 0 || n > 240 || m.len != 8 + (uint64_t)n)
            break;
        offset += (uint64_t)n;
        memcpy(tail + tail_len, &m.data[8], (size_t)n);
        tail_len += (size_t)n;
        found = found || memmem(tail, tail_len, word, sizeof(word) - 1);
        size_t keep = tail_len < 32 ? tail_len : 32;
        memmove(tail, tail + tail_len - keep, keep);
        tail_len = keep;
    }
    test_case("log-has-what-was-written", written == sizeof(word) - 1 && found && reads < 2000,
              "%ld written, %u reads", (long)written, reads);
    int64_t end = ask(console, &m, KCON_LOG, offset);
    int64_t behind = ask(console, &m, KCON_LOG, UINT64_MAX);
    test_case("log-ends", end >= 0 && behind <= 0, "%ld, %ld", (long)end, (long)behind);
    int64_t n = ask(console, &m, KCON_READ, 0);
    test_case("console-has-no-input", n == 0, "%ld", (long)n);
    static const char text[] = "kernel_services: written to the UART\n";
    m = (struct message){.type = KCON_WRITE, .len = sizeof(text) - 1};
    memcpy(m.data, text, sizeof(text) - 1);
    int error = channel_call(console, &m);
    test_case("console-writes", error == 0 && m.words[0] == sizeof(text) - 1, "%d, %ld", error,
              (long)m.words[0]);
}

int main(void)
{
    facts = kernel_channel("sys:facts");
    stats = kernel_channel("sys:stats");
    clock_channel = kernel_channel("sys:clock");
    console = kernel_channel("sys:console");
    test_process_facts();
    test_memory_facts();
    test_other_facts();
    test_refusals();
    test_statistics();
    test_trace();
    test_clock();
    test_console();
    return test_done();
}
