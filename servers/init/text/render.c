/* The texts behind the names of facts.c: each is written anew from what the kernel and init know.
 */

#include "facts.h"
#include "init/devices.h"
#include "init/services.h"
#include "init/supervisor.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX    24576 /* a line for each of 256 processes */
#define NANOSECONDS 1000000000ul

static char text[TEXT_MAX];
static size_t used;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text + used, sizeof text - used, format, arguments);
    va_end(arguments);
    if (len > 0)
        used = (size_t)len < sizeof text - used ? used + (size_t)len : sizeof text - 1;
}

static const char *state_name(uint32_t state)
{
    static const char *const names[] = {
        [PROCESS_NEW] = "new",         [PROCESS_READY] = "ready", [PROCESS_RUNNING] = "running",
        [PROCESS_WAITING] = "waiting", [PROCESS_DEAD] = "dead",
    };
    return state < sizeof names / sizeof names[0] ? names[state] : "?";
}

/* The process with the smallest pid >= pid that the kernel knows. */
static bool kernel_facts(uint32_t pid, struct process_facts *facts)
{
    struct message m = {.type = KFACT_PROCESS, .len = 8};
    m.words[0] = pid;
    if (channel_call(init.info->facts, &m) < 0 || m.words[0] != 0)
        return false;
    memcpy(facts, &m.words[1], sizeof *facts);
    facts->name[sizeof facts->name - 1] = '\0';
    return true;
}

static void add_process_line(const struct process_facts *facts)
{
    const struct process *process = process_find(&init.table, facts->pid);

    add("%5u %5u %5u %-8s %3u %3u %7lluk %8llu.%03llu  %s\n", (unsigned)facts->pid,
        process ? (unsigned)process->parent : (unsigned)facts->creator,
        process ? (unsigned)process->job : 0u, state_name(facts->state), (unsigned)facts->priority,
        (unsigned)facts->threads, (unsigned long long)facts->resident / 1024,
        (unsigned long long)(facts->cpu_time / NANOSECONDS),
        (unsigned long long)(facts->cpu_time / 1000000 % 1000), facts->name);
}

static void render_process_list(void)
{
    struct process_facts facts = {0};

    add("  PID  PPID   JOB STATE    PRI THR   MEMORY      CPU (s)  NAME\n");
    for (uint32_t pid = 0; kernel_facts(pid, &facts); pid = facts.pid + 1)
        add_process_line(&facts);
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        const struct process *process = &init.table.slots[i];
        if (process->stage == SLOT_ENDED)
            add("%5u %5u %5u %-8s %3u %3u %7uk %8u.000  %s\n", (unsigned)process->pid,
                (unsigned)process->parent, (unsigned)process->job, "ended", 0u, 0u, 0u, 0u,
                process->name);
    }
}

static void render_process_state(uint32_t pid)
{
    const struct process *process = process_find(&init.table, pid);
    struct process_facts facts, server;
    char how[120];

    if (process != NULL)
        add("name: %s\npid: %u\nparent: %u\njob: %u\n", process->name, (unsigned)pid,
            (unsigned)process->parent, (unsigned)process->job);
    if (process != NULL && process->stage == SLOT_ENDED) {
        add("state: %s\n", status_describe(&process->status, how, sizeof how));
        return;
    }
    if (!kernel_facts(pid, &facts) || facts.pid != pid)
        return;
    if (process == NULL)
        add("name: %s\npid: %u\nparent: %u\n", facts.name, (unsigned)pid, (unsigned)facts.creator);
    add("state: %s\n", state_name(facts.state));
    if (facts.waits_for != 0 && kernel_facts(facts.waits_for, &server) &&
        server.pid == facts.waits_for)
        add("waits for: %s (pid %u)\n", server.name, (unsigned)server.pid);
    add("priority: %u\nthreads: %u\nhandles: %u\nchannels: %u\n", (unsigned)facts.priority,
        (unsigned)facts.threads, (unsigned)facts.handles, (unsigned)facts.channels);
    add("cpu: %llu us\nsystem calls: %llu\nmessages: %llu\npage faults: %llu\n",
        (unsigned long long)facts.cpu_time / 1000, (unsigned long long)facts.syscalls,
        (unsigned long long)facts.calls, (unsigned long long)facts.faults);
    if (process != NULL)
        add("signals handled: %llx\nsignals ignored: %llx\n", (unsigned long long)process->handled,
            (unsigned long long)process->ignored);
}

static void render_process_memory(uint32_t pid)
{
    struct process_facts facts;

    if (!kernel_facts(pid, &facts) || facts.pid != pid)
        return;
    add("mapped: %llu kB\nresident: %llu kB\npages charged: %u\n",
        (unsigned long long)facts.mapped / 1024, (unsigned long long)facts.resident / 1024,
        (unsigned)facts.pages);
    if (facts.pages_quota == UINT32_MAX)
        add("page quota: none\n");
    else
        add("page quota: %u\n", (unsigned)facts.pages_quota);
}

static void render_time(void)
{
    struct message m = {.type = KTIME_GET, .len = 0};
    struct tm date;

    if (channel_call(init.info->clock, &m) < 0 || m.words[0] != 0)
        return;
    uint64_t now = m.words[1];
    time_t seconds = (time_t)(now / NANOSECONDS);
    if (gmtime_r(&seconds, &date) == NULL)
        return;
    add("%04d-%02d-%02dT%02d:%02d:%02d.%09lluZ\n%llu\n", date.tm_year + 1900, date.tm_mon + 1,
        date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec,
        (unsigned long long)(now % NANOSECONDS), (unsigned long long)now);
}

static void render_memory(void)
{
    struct message m = {.type = KFACT_MEMORY, .len = 0};
    const struct memory_facts *facts = (const struct memory_facts *)&m.words[1];

    if (channel_call(init.info->facts, &m) < 0 || m.words[0] != 0)
        return;
    add("total: %llu kB\nfree: %llu kB\nkernel: %llu kB\nlargest block: %llu kB\n",
        (unsigned long long)facts->total / 1024, (unsigned long long)facts->free / 1024,
        (unsigned long long)facts->kernel / 1024, (unsigned long long)facts->largest / 1024);
}

static void render_scheduler(void)
{
    struct message m = {.type = KFACT_SCHEDULER, .len = 0};
    const struct scheduler_facts *facts = (const struct scheduler_facts *)&m.words[1];

    if (channel_call(init.info->facts, &m) < 0 || m.words[0] != 0)
        return;
    add("harts: %u\nrunnable: %u\nswitches: %llu\ninterrupts: %llu\nsystem calls: %llu\n"
        "faults: %llu\nidle: %llu us\n",
        (unsigned)facts->harts, (unsigned)facts->runnable, (unsigned long long)facts->switches,
        (unsigned long long)facts->interrupts, (unsigned long long)facts->syscalls,
        (unsigned long long)facts->faults, (unsigned long long)facts->idle_time / 1000);
}

static void render_ipc(void)
{
    struct message m = {.type = KSTAT_TOTAL, .len = 0};
    const struct ipc_stats *stats = (const struct ipc_stats *)&m.words[1];

    if (channel_call(init.info->stats, &m) < 0 || m.words[0] != 0)
        return;
    add("calls: %llu\nreplies: %llu\nerrors: %llu\npulses: %llu\nwaiting: %u\n"
        "waiting at most: %u\nlongest: %llu us\n",
        (unsigned long long)stats->calls, (unsigned long long)stats->replies,
        (unsigned long long)stats->errors, (unsigned long long)stats->pulses,
        (unsigned)stats->queue, (unsigned)stats->queue_peak,
        (unsigned long long)stats->latency_max / 1000);
}

static void render_devices(void)
{
    add("ADDRESS          SIZE  IRQ INTERRUPTS VIRTIO  COMPATIBLE\n");
    for (size_t i = 0; i < devices_count(); i++) {
        const struct device_info *device = devices_get(i);
        int64_t interrupts =
            device->irq != 0 ? call_words(init.info->facts, KFACT_INTERRUPT, device->irq, 0, 0) : 0;
        add("0x%08llx %10llu %4u %10lld %6u  %s\n", (unsigned long long)device->base,
            (unsigned long long)device->size, (unsigned)device->irq, (long long)interrupts,
            (unsigned)device->virtio_id, device->compatible);
    }
}

static void render_services(void)
{
    add("NAME         PID STATE    RESTARTS IN-A-ROW AWAY(us) LAST END\n");
    for (size_t i = 0; i < services_count(); i++) {
        const struct service *service = services_get(i);
        bool answers = service->down_since == 0 || service->section->heartbeat == 0;
        const char *state = service->pid != 0          ? answers ? "running" : "starting"
                            : service->restart_at != 0 ? "waiting"
                            : service->was_started     ? "ended"
                                                       : "absent";
        add("%-10s %5u %-8s %8u %8u %8llu %s\n", service->section->name, (unsigned)service->pid,
            state, (unsigned)service->restarts, (unsigned)service->deaths,
            (unsigned long long)service->away / 1000,
            service->last_end[0] ? service->last_end : "-");
    }
}

const char *fact_render(const struct fact *fact, size_t *len)
{
    used = 0;
    switch (fact->kind) {
    case FACT_PROCESS_LIST:
        render_process_list();
        break;
    case FACT_PROCESS_STATE:
        render_process_state(fact->pid);
        break;
    case FACT_PROCESS_MEMORY:
        render_process_memory(fact->pid);
        break;
    case FACT_TIME:
        render_time();
        break;
    case FACT_VERSION:
        add("Cairn, RISC-V (rv64gc, Sv39)\n");
        break;
    case FACT_MEMORY:
        render_memory();
        break;
    case FACT_SCHEDULER:
        render_scheduler();
        break;
    case FACT_IPC:
        render_ipc();
        break;
    case FACT_DEVICES:
        render_devices();
        break;
    case FACT_SERVICES:
        render_services();
        break;
    case FACT_COMMAND_LINE:
        add("%s\n", init.info->command_line);
        break;
    default:
        break;
    }
    *len = used;
    return text;
}
