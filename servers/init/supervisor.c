/* Notices that services died or hang, and starts them again. Nothing here waits for a service. */

#include "supervisor.h"
#include "cairn/server.h"
#include "keeper.h"
#include "proto/process.h"
#include "services.h"
#include "shutdown.h"
#include <stdio.h>

#define MILLISECOND     1000000ul
#define BACKOFF_DEFAULT 100 /* ms */
#define BACKOFF_MAX     10000
#define POISONED        3 /* deaths in a row after which a service begins anew */
#define STEADY                                                                                     \
    (10000 * MILLISECOND) /* having run so long, a service's earlier deaths are forgotten */

/* ---- Ends ---- */

const char *status_describe(const struct process_status *status, char *buffer, size_t size)
{
    switch (status->reason) {
    case EXIT_NORMAL:
        snprintf(buffer, size, "exited with status %lld", (long long)status->value);
        break;
    case EXIT_KILLED:
        snprintf(buffer, size, "was killed by signal %lld", (long long)status->value);
        break;
    case EXIT_FAULT:
        snprintf(buffer, size, "died of fault %lld at pc 0x%llx, address 0x%llx",
                 (long long)status->value, (unsigned long long)status->pc,
                 (unsigned long long)status->address);
        break;
    default:
        snprintf(buffer, size, "ended for reason %u", (unsigned)status->reason);
    }
    return buffer;
}

/* The exit status of the machine when the shell ends: the shell's, in the shell's own convention.
 */
static uint32_t machine_status(const struct process_status *status)
{
    if (status->reason == EXIT_NORMAL)
        return (uint32_t)status->value & 0xff;
    return status->reason == EXIT_KILLED ? 128 + ((uint32_t)status->value & 0x3f) : 139;
}

/* ---- Restarts ---- */

/* Without a server for good: callers get EPEER instead of waiting for ever. */
static void give_up(struct service *service, const char *why)
{
    init_log("%s is not started again: %s", service->section->name, why);
    keeper_forget(service);
    if (service->channel > 0)
        handle_close(service->channel);
    service->channel = 0;
}

static void plan_restart(struct service *service, bool ordered)
{
    const struct config_section *section = service->section;
    uint64_t now = (uint64_t)clock_now();

    if (!section->restart) {
        give_up(service, "its restart policy is never");
        return;
    }
    if (now - service->started_at > STEADY)
        service->deaths = 0;
    service->deaths += !ordered;
    if (section->restart_limit != 0 && service->deaths > section->restart_limit) {
        give_up(service, "it died too often");
        return;
    }
    /* What kills one process after the other is perhaps what the first has left behind. */
    if (!ordered && service->deaths % POISONED == 0 && section->keep != 0) {
        init_log("%s begins anew: it died %d times in a row with what it had kept", section->name,
                 POISONED);
        keeper_forget(service);
    }
    uint64_t backoff = section->restart_backoff ? section->restart_backoff : BACKOFF_DEFAULT;
    for (uint32_t i = 1; i < service->deaths && backoff < BACKOFF_MAX; i++)
        backoff *= 2;
    service->restart_at = service->started_at + backoff * MILLISECOND;
    if (ordered || service->restart_at < now)
        service->restart_at = now;
    init_tick_at(service->restart_at);
}

/* Whoever waits for a service that is away cannot answer in time. */
static void excuse_all(uint64_t now)
{
    for (size_t i = 0; i < services_count(); i++)
        if (services_get(i)->asked_at != 0)
            services_get(i)->asked_at = now;
}

void service_ended(const struct process *process, const struct process_status *status)
{
    char how[120];
    struct service *service = service_find(process->pid);

    if (service == NULL)
        return;
    if (service->hung)
        snprintf(how, sizeof how, "was killed: it did not answer for %u ms",
                 (unsigned)service->section->heartbeat);
    else
        status_describe(status, how, sizeof how);
    init_log("%s (pid %u) %s", service->section->name, (unsigned)process->pid, how);
    snprintf(service->last_end, sizeof service->last_end, "%s", how);
    bool ordered = status->reason == EXIT_KILLED && !service->hung;
    service->pid = 0;
    service->asked_at = 0;
    service->hung = false;
    if (shutdown_running())
        return;
    if (service->section->shell) {
        shutdown_begin(false, machine_status(status));
        return;
    }
    service->down_since = (uint64_t)clock_now();
    excuse_all(service->down_since);
    plan_restart(service, ordered);
}

static void restart(struct service *service)
{
    service->restart_at = 0;
    if (service_start(service) < 0) {
        plan_restart(service, false);
        return;
    }
    service->restarts++;
    excuse_all((uint64_t)clock_now());
}

/* ---- Heartbeat ---- */

void heartbeat_ask(struct service *service)
{
    if (service->section->heartbeat == 0)
        return;
    service->asked_at = (uint64_t)clock_now();
    pulse(service->channel, 1ul << SERVER_PULSE_ALIVE);
    init_tick_at(service->asked_at + service->section->heartbeat * MILLISECOND);
}

int64_t heartbeat_request(struct request *request, struct process *caller)
{
    struct service *service = service_find(caller->pid);
    uint64_t now = (uint64_t)clock_now();

    (void)request;
    if (service == NULL)
        return -EPERM;
    if (service->down_since != 0) {
        service->away = now - service->down_since;
        init_log("%s (pid %u) serves again after %llu us", service->section->name,
                 (unsigned)service->pid, (unsigned long long)service->away / 1000);
    }
    service->down_since = 0;
    service->asked_at = 0;
    service->ask_at = now + service->section->heartbeat * MILLISECOND / 2;
    init_tick_at(service->ask_at);
    return 0;
}

/* When service is to be looked at again. */
static uint64_t heartbeat_check(struct service *service, uint64_t now)
{
    uint64_t limit = service->section->heartbeat * MILLISECOND;

    if (service->asked_at == 0 && now >= service->ask_at)
        heartbeat_ask(service);
    if (service->asked_at == 0)
        return service->ask_at;
    if (service->asked_at + limit > now)
        return service->asked_at + limit;
    service->hung = true;
    excuse_all(now);
    process_kill(process_find(&init.table, service->pid)->process, SIGNAL_KILL);
    return now + limit;
}

uint64_t services_tick(uint64_t now)
{
    uint64_t next = 0;

    /* In the order of the file: a service waits only for those before it. So of several that do
     * not answer, the first is to blame, and the others get their time again. */
    for (size_t i = 0; i < services_count(); i++) {
        struct service *service = services_get(i);
        uint64_t at = 0;
        if (service->restart_at != 0 && service->restart_at <= now)
            restart(service);
        if (service->restart_at != 0)
            at = service->restart_at;
        else if (service->pid != 0 && service->section->heartbeat != 0)
            at = heartbeat_check(service, now);
        if (at != 0 && (next == 0 || at < next))
            next = at;
    }
    return next;
}
