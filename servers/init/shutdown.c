/* Ends the machine: TERM to everything that is not a service, a short grace, KILL, then the file
 * servers write out what they hold, and the power goes. Up to the last step init goes on serving;
 * there it waits, with deadlines, for servers that nobody else needs any more. */

#include "shutdown.h"
#include "init.h"
#include "process_service.h"
#include "proto/fs.h"
#include "proto/process.h"
#include "services.h"

#define MILLISECOND   1000000ul
#define GRACE         (500 * MILLISECOND)
#define KILL_PATIENCE (1000 * MILLISECOND)
#define SYNC_PATIENCE (5000 * MILLISECOND)
#define EXIT_PATIENCE (2000 * MILLISECOND)

enum phase { PHASE_RUNNING, PHASE_TERM, PHASE_KILL };

static enum phase phase;
static uint64_t deadline;
static bool rebooting;
static uint32_t exit_status;

bool shutdown_running(void)
{
    return phase != PHASE_RUNNING;
}

/* Sends a signal to all processes but the services; how many there are. */
static size_t signal_all(unsigned signal)
{
    size_t count = 0;
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *process = &init.table.slots[i];
        if (process->stage != SLOT_RUNNING || process->kind == KIND_SERVICE)
            continue;
        count++;
        if (signal != 0)
            signal_send(process, signal);
    }
    return count;
}

void shutdown_begin(bool reboot, uint32_t status)
{
    if (shutdown_running())
        return;
    rebooting = reboot;
    exit_status = status;
    phase = PHASE_TERM;
    init_log("%s: ending %zu processes", reboot ? "rebooting" : "powering off",
             signal_all(SIGNAL_TERM));
    signal_all(SIGNAL_HUP); /* what an interactive shell listens to */
    deadline = (uint64_t)clock_now() + GRACE;
    init_tick_at(deadline);
    shutdown_process_ended();
}

void shutdown_process_ended(void)
{
    if (shutdown_running() && signal_all(0) == 0)
        init_tick_at(1); /* at once, but not from inside a handler */
}

/* Waits until a process has ended, turning away all requests; false at the deadline. */
static bool wait_for_end(handle_t process, uint64_t until)
{
    struct process_status status;
    struct message m;

    for (;;) {
        if (process_status(process, &status) < 0 || status.reason != EXIT_RUNNING)
            return true;
        int64_t token = channel_recv(init.server.channel, &m, until);
        if (token < 0)
            return false;
        for (unsigned i = 0; token > 0 && i < m.handle_count; i++)
            handle_close(m.handles[i]);
        if (token > 0)
            server_reply((uint64_t)token, -ESHUTDOWN, NULL, 0);
    }
}

static void sync_files(const struct service *service, handle_t process)
{
    struct message m;
    uint64_t until = (uint64_t)clock_now() + SYNC_PATIENCE;
    int error;

    do { /* -EDEADLK: at this moment the service calls init, perhaps to show that it lives */
        wait_for_end(process, 1);
        m = (struct message){.type = FS_SYNC, .len = 8};
        error = channel_call_deadline(service->channel, &m, until);
    } while (error == -EDEADLK && (uint64_t)clock_now() < until);
    if (error == 0)
        error = (int)m.words[0];
    if (error < 0)
        init_log("%s could not write out its files: error %d", service->section->name, -error);
}

/* Lets a file server end by itself, so that it can mark its file system clean. */
static void stop_service(const struct service *service)
{
    struct process *process = process_find(&init.table, service->pid);

    if (process == NULL || process->stage != SLOT_RUNNING)
        return;
    sync_files(service, process->process);
    if (signal_effect(process, SIGNAL_TERM) != SIGNAL_PULSES)
        return;
    signal_send(process, SIGNAL_TERM);
    if (!wait_for_end(process->process, (uint64_t)clock_now() + EXIT_PATIENCE))
        init_log("%s does not end", service->section->name);
}

static void stop_machine(void)
{
    for (size_t i = services_count(); i-- > 0;)
        if (services_get(i)->section->sync && services_get(i)->pid != 0)
            stop_service(services_get(i));
    init_log("%s", rebooting ? "reboot" : "power off");
    call_words(init.info->power, rebooting ? KPOWER_REBOOT : KPOWER_OFF, exit_status, 0, 0);
    init_fail("the machine cannot be switched off");
}

uint64_t shutdown_tick(uint64_t now)
{
    if (!shutdown_running())
        return 0;
    size_t left = signal_all(0);
    if (left == 0 || (phase == PHASE_KILL && now >= deadline))
        stop_machine();
    if (phase == PHASE_TERM && now >= deadline) {
        init_log("%zu processes did not end: killing them", left);
        signal_all(SIGNAL_KILL);
        phase = PHASE_KILL;
        deadline = now + KILL_PATIENCE;
    }
    return deadline;
}
