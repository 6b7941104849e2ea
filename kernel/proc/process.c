/* Processes: making, ending and freeing them. Invariant: a process in the table holds one
 * reference on itself, given up when the last step of its destruction is done. */
#include "proc/process.h"
#include "abi/errno.h"
#include "arch/csr.h"
#include "dev/power.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "arch/hart.h"
#include "mm/reaper.h"
#include "proc/hooks.h"
#include "proc/thread.h"

struct process *process_table[PROCESSES_MAX];
static uint32_t next_pid = 1;
static uint64_t retired_syscalls; /* of processes that are no more */

static uint32_t limit(uint32_t wanted, uint32_t most) { return wanted && wanted < most ? wanted : most; }

static struct process_quota quota_within(const struct process_quota *wanted,
                                         const struct process *creator)
{
    struct process_quota most = creator ? creator->account->limit
                                        : (struct process_quota){UINT32_MAX, HANDLES_MAX,
                                                                 PROCESS_THREADS_MAX, UINT32_MAX};
    return (struct process_quota){
        limit(wanted ? wanted->pages : 0, most.pages),
        limit(wanted ? wanted->handles : 0, most.handles),
        limit(wanted ? wanted->threads : 0, most.threads),
        limit(wanted ? wanted->channels : 0, most.channels),
    };
}

struct process *process_new(const char *name, const struct process *creator,
                            const struct process_quota *quota)
{
    uint32_t slot = 0;
    while (slot < PROCESSES_MAX && process_table[slot])
        slot++;
    struct process *process = slot < PROCESSES_MAX ? kalloc(sizeof(*process)) : NULL;
    if (!process)
        return NULL;
    process->account = account_new(next_pid, quota_within(quota, creator));
    if (!process->account || !address_space_init(&process->space, process->account, slot + 1)) {
        if (process->account)
            account_release(process->account);
        kfree(process);
        return NULL;
    }
    object_init(&process->object, &process_class);
    process->slot = slot;
    process->pid = process->status.pid = next_pid++;
    process->creator = creator ? creator->pid : 0;
    process->account->pages = 1; /* the root table */
    process->handles.limit = process->account->limit.handles;
    process->handles.hint = HANDLE_FIRST_FREE;
    process->default_priority = PRIORITY_DEFAULT;
    list_init(&process->threads);
    list_init(&process->serving);
    string_copy(process->name, name, sizeof(process->name));
    process_table[slot] = process;
    return process;
}

struct process *process_find(uint32_t pid_at_least)
{
    struct process *found = NULL;
    for (uint32_t slot = 0; slot < PROCESSES_MAX; slot++) {
        struct process *process = process_table[slot];
        if (process && process->pid >= pid_at_least && (!found || process->pid < found->pid))
            found = process;
    }
    return found;
}

uint64_t syscalls_total(void)
{
    uint64_t sum = retired_syscalls;
    for (uint32_t slot = 0; slot < PROCESSES_MAX; slot++)
        sum += process_table[slot] ? process_table[slot]->syscalls : 0;
    return sum;
}

static void log_fault(const struct process *process)
{
    static const char *const names[] = {
        [CAUSE_FETCH_MISALIGNED] = "misaligned jump", [CAUSE_FETCH_ACCESS] = "fetch access fault",
        [CAUSE_ILLEGAL_INSTRUCTION] = "illegal instruction",
        [CAUSE_BREAKPOINT] = "breakpoint (failed check or division by zero)",
        [CAUSE_LOAD_MISALIGNED] = "misaligned load", [CAUSE_LOAD_ACCESS] = "load access fault",
        [CAUSE_STORE_MISALIGNED] = "misaligned store", [CAUSE_STORE_ACCESS] = "store access fault",
        [CAUSE_FETCH_PAGE] = "instruction page fault", [CAUSE_LOAD_PAGE] = "load page fault",
        [CAUSE_STORE_PAGE] = "store page fault"};
    uint64_t cause = (uint64_t)process->status.value;
    const char *name = cause < sizeof(names) / sizeof(names[0]) ? names[cause] : NULL;
    kprintf("process %u (%s) killed: %s, address 0x%lx, pc 0x%lx\n", process->pid, process->name,
            name ? name : "unknown fault", process->status.address, process->status.pc);
}

/* A killed thread goes on in user mode on another hart until the IPI reaches it; until then
 * nothing may be freed. */
static bool still_runs(const struct process *process)
{
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        if (harts[i].current && harts[i].current->process == process)
            return true;
    }
    return false;
}

static enum reap_result destroy_step(struct reapable *self)
{
    struct process *process = container_of(self, struct process, reap);
    if (still_runs(process))
        return REAP_WAIT;
    if (!handles_destroy_step(process))
        return REAP_MORE;
    serving_process_ended(process);
    if (!address_space_destroy_step(&process->space, 64))
        return REAP_MORE;
    watcher_notify(process);
    retired_syscalls += process->syscalls;
    process_table[process->slot] = NULL;
    object_release(&process->object);
    return REAP_DONE;
}

void process_end(struct process *process, enum exit_reason reason, int64_t value)
{
    if (process->dead)
        return;
    process->dead = true;
    process->status.reason = reason;
    process->status.value = value;
    if (reason == EXIT_FAULT)
        log_fault(process);
    if (process->pid == 1 && reason == EXIT_NORMAL)
        power_off((uint32_t)value);
    if (process->pid == 1)
        panic("init ended: reason %d, value %ld", reason, value);
    while (!list_empty(&process->threads))
        thread_end(container_of(process->threads.next, struct thread, process_link));
    device_process_ended(process);
    for (uint32_t slot = 0; slot < PROCESSES_MAX; slot++) { /* what it made and never started */
        struct process *made = process_table[slot];
        if (made && !made->started && made->creator == process->pid)
            process_end(made, EXIT_KILLED, 0);
    }
    if (process->personality) {
        object_release(process->personality);
        process->personality = NULL;
    }
    process->space.closing = true;
    reaper_add(&process->reap, destroy_step);
}

/* Only the table refers to it: a process that was never started is ended. */
static void abandoned(struct object *object)
{
    struct process *process = container_of(object, struct process, object);
    if (!process->started && process_table[process->slot] == process)
        process_end(process, EXIT_KILLED, 0);
}

static void destroy(struct object *object)
{
    struct process *process = container_of(object, struct process, object);
    account_release(process->account);
    kfree(process);
}

static uint32_t id_of(const struct object *object)
{
    return container_of(object, struct process, object)->pid;
}

const struct object_class process_class = {
    .type = OBJECT_PROCESS, .destroy = destroy, .last_but_one = abandoned, .id = id_of};

struct process *process_of(const struct thread *caller, uint64_t handle, uint32_t rights,
                           int64_t *error)
{
    struct object *object =
        handle_object(caller->process, (handle_t)handle, OBJECT_PROCESS, rights, error);
    return object ? container_of(object, struct process, object) : NULL;
}
