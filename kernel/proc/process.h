/* Processes: an address space, a handle table, threads, limits. */
#pragma once

#include "abi/process.h"
#include "lib/list.h"
#include "mm/address_space.h"
#include "proc/handle.h"
#include "mm/account.h"
#include "mm/object.h"
#include "mm/reaper.h"

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
    struct reapable reap;

    struct account *account;  /* referenced */
    uint32_t threads_used;

    struct process_status status;
    struct channel *watcher;  /* referenced */
    uint32_t watcher_bit;
    struct object *personality; /* channel or session, referenced */
    uint64_t ipc_slots[THREADS_MAX / 64 / 4]; /* which IPC page addresses are taken */

    uint64_t cpu_ticks, calls, syscalls, faults;
};
#define PROCESS_THREADS_MAX (THREADS_MAX / 4)

extern const struct object_class process_class;
extern struct process *process_table[PROCESSES_MAX];

/* process_new: an empty process charged against nobody yet; NULL: no memory, or no slot. */
struct process *process_new(const char *name, const struct process *creator,
                            const struct process_quota *quota);

/* process_end: ends a process for this reason; its threads stop at once, its memory and handles
 * are freed step by step (mm/reaper.h). Harmless on one that has ended. */
void process_end(struct process *process, enum exit_reason reason, int64_t value);

/* syscalls_total: made by all processes that are and were. */
uint64_t syscalls_total(void);

struct process *process_find(uint32_t pid_at_least);

/* process_of: the process behind a caller's handle with these rights, or NULL and *error. */
struct process *process_of(const struct thread *caller, uint64_t handle, uint32_t rights,
                           int64_t *error);
