/* The channels that the kernel serves: console, facts, statistics, clock, power. */
#include "abi/errno.h"
#include "abi/kernel_services.h"
#include "arch/csr.h"
#include "boot/fdt.h"
#include "boot/stages.h"
#include "dev/power.h"
#include "dev/timer.h"
#include "dev/uart.h"
#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/kalloc.h"
#include "proc/hooks.h"
#include "proc/process.h"
#include "proc/scheduler.h"
#include "trap/trap.h"

/* Puts a structure behind the result. */
static int64_t answer(struct kernel_message *reply, const void *data, size_t size)
{
    memcpy(&reply->words[1], data, size);
    reply->len = (uint32_t)(8 + size);
    return 0;
}

static int64_t service_console(const struct kernel_message *request, struct kernel_message *reply)
{
    switch (request->type) {
    case KCON_WRITE:
        for (uint32_t i = 0; i < request->len; i++)
            uart_put((char)request->data[i]);
        return request->len;
    case KCON_READ: {
        int64_t n = 0;
        for (int c; n < 64 && (c = uart_get()) >= 0; n++)
            reply->data[8 + n] = (uint8_t)c;
        reply->len = (uint32_t)(8 + n);
        return n;
    }
    case KCON_LOG: {
        /* Behind the result is the text, or the oldest offset there is. */
        int64_t n = log_read(request->words[0], (char *)&reply->words[1], 240, &reply->words[1]);
        reply->len = (uint32_t)(n > 0 ? 8 + n : 16);
        return n;
    }
    }
    return -EINVAL;
}

static uint32_t process_state(const struct process *process, struct process_facts *facts)
{
    if (process->dead)
        return PROCESS_DEAD;
    uint32_t state = process->started ? PROCESS_WAITING : PROCESS_NEW;
    list_for_each(link, &process->threads)
    {
        const struct thread *thread = container_of(link, struct thread, process_link);
        facts->threads++;
        if (thread->priority > facts->priority)
            facts->priority = thread->priority;
        if (thread->state == THREAD_SERVED && thread->server_process)
            facts->waits_for = thread->server_process->pid;
        else if (thread->state == THREAD_CALLING)
            facts->waits_for = thread->channel->stats.server;
        if (state != PROCESS_RUNNING && thread->state <= THREAD_RUNNING)
            state = thread->state == THREAD_RUNNING ? PROCESS_RUNNING : PROCESS_READY;
    }
    return state;
}

/* With the time since the last switch where it runs right now. */
static uint64_t cpu_ticks(const struct process *process)
{
    uint64_t ticks = process->cpu_ticks, now = time_read();
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        if (harts[i].charged && harts[i].charged->process == process)
            ticks += now - harts[i].switch_time;
    }
    return ticks;
}

static int64_t process_facts(uint32_t pid, struct kernel_message *reply)
{
    struct process *process = process_find(pid);
    if (!process)
        return -ESRCH;
    struct process_facts facts = {
        .pid = process->pid,
        .handles = process->handles.used,
        .channels = process->account->channels,
        .pages = process->account->pages,
        .pages_quota = process->account->limit.pages,
        .mapped = process->space.mapped,
        .resident = process->space.resident,
        .cpu_time = ticks_to_ns(cpu_ticks(process)),
        .calls = process->calls,
        .syscalls = process->syscalls,
        .faults = process->faults,
        .creator = process->creator,
    };
    facts.state = process_state(process, &facts);
    string_copy(facts.name, process->name, sizeof(facts.name));
    return answer(reply, &facts, sizeof(facts));
}

static int64_t service_facts(const struct kernel_message *request, struct kernel_message *reply)
{
    switch (request->type) {
    case KFACT_PROCESS:
        return process_facts((uint32_t)request->words[0], reply);
    case KFACT_MEMORY: {
        struct memory_facts facts = {
            .total = frames_total() * PAGE_SIZE,
            .free = frames_free() * PAGE_SIZE,
            .kernel = kalloc_pages() * PAGE_SIZE,
            .largest = frames_largest() * PAGE_SIZE,
        };
        return answer(reply, &facts, sizeof(facts));
    }
    case KFACT_INTERRUPT:
        return irq_count((uint32_t)request->words[0]);
    case KFACT_SCHEDULER: {
        struct scheduler_facts facts = {
            .harts = (uint32_t)__builtin_popcountl(harts_online),
            .runnable = scheduler_ready_count(),
            .switches = scheduler_switches,
            .interrupts = trap_counts.interrupts,
            .syscalls = syscalls_total(),
            .faults = trap_counts.faults,
        };
        for (unsigned i = 0; i < HARTS_MAX; i++)
            facts.idle_time += ticks_to_ns(harts[i].idle_ticks);
        return answer(reply, &facts, sizeof(facts));
    }
    }
    return -EINVAL;
}

static int64_t answer_stats(struct ipc_stats stats, struct kernel_message *reply)
{
    stats.latency_total = ticks_to_ns(stats.latency_total);
    stats.latency_max = ticks_to_ns(stats.latency_max);
    return answer(reply, &stats, sizeof(stats));
}

static int64_t service_stats(const struct kernel_message *request, struct kernel_message *reply)
{
    switch (request->type) {
    case KSTAT_TOTAL:
        return answer_stats(channels_total(), reply);
    case KSTAT_CHANNEL: {
        struct channel *channel = channel_find((uint32_t)request->words[0]);
        return channel ? answer_stats(channel->stats, reply) : -ENOENT;
    }
    case KSTAT_TRACE_ON:
        trace_switch(request->words[0]);
        return 0;
    case KSTAT_TRACE_READ: {
        uint64_t sequence = request->words[0];
        struct ipc_trace *out = (struct ipc_trace *)&reply->words[2];
        size_t n = trace_read(&sequence, out, 5);
        reply->words[1] = sequence;
        reply->len = (uint32_t)(16 + n * sizeof(*out));
        return (int64_t)n;
    }
    }
    return -EINVAL;
}

static uint64_t boot_wall_time; /* ns since 1970 when the monotonic clock was 0 */

/* The goldfish RTC: reading the low word latches the high one. */
void clock_start(const struct fdt_info *machine)
{
    for (size_t i = 0; i < machine->device_count; i++) {
        if (!fdt_compatible(&machine->devices[i], "google,goldfish-rtc"))
            continue;
        volatile uint32_t *rtc = phys_to_virt(machine->devices[i].base);
        uint64_t low = rtc[0];
        boot_wall_time = ((uint64_t)rtc[1] << 32 | low) - time_now();
    }
}

static int64_t service_clock(const struct kernel_message *request, struct kernel_message *reply)
{
    switch (request->type) {
    case KTIME_GET:
        reply->words[1] = boot_wall_time + time_now();
        reply->len = 16;
        return 0;
    case KTIME_SET:
        boot_wall_time = request->words[0] - time_now();
        return 0;
    }
    return -EINVAL;
}

static int64_t service_power(const struct kernel_message *request, struct kernel_message *reply)
{
    (void)reply;
    if (request->type == KPOWER_REBOOT)
        power_reboot();
    if (request->type == KPOWER_OFF)
        power_off((uint32_t)request->words[0] & 0xffff);
    return -EINVAL;
}

static handle_t give(struct process *process, kernel_service *serve)
{
    struct channel *channel = channel_new(process->account, 0, serve);
    assert(channel);
    channel->receive_handles = 1; /* the kernel never stops receiving */
    return handle_insert(process, &channel->object, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
}

void services_give(struct process *process, struct first_process_info *info)
{
    info->console = give(process, service_console);
    info->facts = give(process, service_facts);
    info->stats = give(process, service_stats);
    info->clock = give(process, service_clock);
    info->power = give(process, service_power);
}
