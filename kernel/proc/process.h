/* Processes: an address space, a handle table, threads, limits. */
#pragma once

#include "abi/process.h"
#include "lib/list.h"
#include "mm/address_space.h"
#include "proc/handle.h"
#include "proc/object.h"

struct channel;
struct thread;

struct process {
    struct object object;
    uint32_t pid;
    uint32_t slot;            /* also its ASID */
    uint32_t creator;         /* pid */
    uint32_t default_priority;
    bool started, dead;
    char name[PROCESS_NAME_MAX];

    struct address_space space;
    struct handle_table handles;
    struct list threads;
    struct list serving;      /* callers that it has received and not answered */
    struct list reap_link;

    struct process_quota quota;
    uint32_t pages_used, threads_used, channels_used;

    struct process_status status;
    struct channel *watcher;  /* referenced */
    uint32_t watcher_bit;
    struct channel *personality; /* referenced */
    uint64_t personality_badge;
    uint64_t ipc_slots[THREADS_MAX / 64 / 4]; /* which IPC page addresses are taken */

    uint64_t cpu_ticks, calls, syscalls, faults;
};
#define PROCESS_THREADS_MAX (THREADS_MAX / 4)

extern struct process *process_table[PROCESSES_MAX];

/* process_new: an empty process charged against nobody yet; NULL: no memory, or no slot. */
struct process *process_new(const char *name, const struct process *creator,
                            const struct process_quota *quota);

/* process_end: ends a process for this reason; its threads stop at once, its memory and handles
 * are freed step by step (reaper.h). Harmless on one that has ended. */
void process_end(struct process *process, enum exit_reason reason, int64_t value);

/* process_abandoned: only the table refers to it: ends one that was never started. */
void process_abandoned(struct process *process);

/* process_still_runs: a killed thread goes on in user mode on another hart until an IPI reaches
 * it; a dead process is not taken apart before.
 * process_destroy_step: part of the work of freeing a dead process; true when it is done. */
bool process_still_runs(const struct process *process);
bool process_destroy_step(struct process *process);

/* process_charge: counts pages against the quota; false if they do not fit. */
bool process_charge(struct process *process, uint64_t pages);
void process_uncharge(struct process *process, uint64_t pages);

/* syscalls_total: made by all processes that are and were. */
uint64_t syscalls_total(void);

struct process *process_find(uint32_t pid_at_least);
