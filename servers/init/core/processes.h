/* The process table: who is whose parent, which job and account a process belongs to, who waits
 * for whom, what a signal does. A pure data structure: handles, tokens and pids are numbers to it,
 * and every effect (a reply, a pulse, a kill) is its caller's. Nothing is allocated. */
#pragma once

#include "abi/handle.h"
#include "abi/process.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHILDREN_MAX   64 /* of one process, ended but not waited for included */
#define ACCOUNT_MAX    96 /* of one account */
#define SLOTS_RESERVED 32 /* for services; half of them also for the console shell */
#define WAITERS_MAX    128
#define WAITERS_OF_ONE 4
#define SIGNALS        64 /* numbers 1..63 */

enum process_stage {
    SLOT_FREE = 0,
    SLOT_PREPARED, /* made, not yet started: nobody can see it */
    SLOT_RUNNING,
    SLOT_ENDED, /* its parent has not waited yet */
};

enum process_kind {
    KIND_ORDINARY,
    KIND_SHELL,   /* the console's: its descendants are administrators */
    KIND_SERVICE, /* started by init itself from the boot archive */
};

struct process {
    enum process_stage stage;
    enum process_kind kind;
    bool administrator; /* may signal every process and shut down */
    uint32_t pid;
    uint32_t parent;  /* pid; init's for services, detached processes and orphans */
    uint32_t job;     /* pid of its leader, which may have ended */
    uint32_t account; /* pid of the first ancestor below a service or the shell: a fork bomb stays
                         in its account, whatever jobs it makes */
    uint32_t priority;
    struct process_quota quota;   /* as asked for, within its creator's; 0 = no limit known */
    uint64_t handled, ignored;    /* signals, bit n = signal n */
    struct process_status status; /* SLOT_ENDED */
    uint64_t children_time;       /* processor time of the children that it has waited for, ns */
    handle_t process, channel;    /* 0 = none */
    char name[PROCESS_NAME_MAX];
};

struct waiter {
    uint64_t token; /* 0 = free */
    uint32_t pid;   /* who waits */
    int64_t target; /* as in PROC_WAIT */
    uint64_t order; /* of arrival */
};

struct process_table {
    uint32_t init;
    size_t used;
    uint64_t arrivals;
    struct process slots[PROCESSES_MAX];
    struct waiter waiters[WAITERS_MAX];
};

void process_table_init(struct process_table *table, uint32_t init_pid);

/* process_find: the running or ended process with this pid, or NULL. */
struct process *process_find(struct process_table *table, uint32_t pid);

/* process_admit: a slot for a child of creator (NULL: init itself), or NULL when the creator, its
 * account or the system has too many. The slot is SLOT_PREPARED and belongs to the caller until
 * process_started or process_release. */
struct process *process_admit(struct process_table *table, const struct process *creator,
                              enum process_kind kind, bool detached);

/* process_started: the slot now is a running process with this pid, in its creator's job. */
void process_started(struct process_table *table, struct process *process, uint32_t pid);

/* process_release: empties a slot. Its handles must be closed. */
void process_release(struct process_table *table, struct process *process);

/* process_ended: the process has ended thus. To its processor time that of its children is added.
 * Its children become init's; those of them that had ended already are released. True if its parent
 * may wait for it, false if the caller is to release it now. */
bool process_ended(struct process_table *table, struct process *process,
                   const struct process_status *status);

/* process_collected: its parent has waited for it; its time becomes part of its parent's. */
void process_collected(struct process_table *table, struct process *process);

/* process_wait_check: what a PROC_WAIT of this process for target finds: 1 and *ended, 0 if there
 * are only running children that match, -ECHILD, -EINVAL. Targets: -1 any child, > 0 that child,
 * 0 those of the waiter's own job, < -1 those of job -target. */
int process_wait_check(struct process_table *table, const struct process *process, int64_t target,
                       struct process **ended);

/* waiter_add: remembers that the process waits for target. A token that it displaced (one process
 * has at most WAITERS_OF_ONE) or could not keep, to be answered with -EAGAIN; 0 = none. */
uint64_t waiter_add(struct process_table *table, const struct process *process, int64_t target,
                    uint64_t token);

/* waiter_take: the token that has waited longest for this ended child, and forgets it; 0 = none. */
uint64_t waiter_take(struct process_table *table, const struct process *child);

/* waiter_drop: forgets what a process that ended has waited for. waiter_hopeless: takes a token of
 * process that waits for a child that no longer exists, to be answered with -ECHILD; 0 = none. */
void waiter_drop(struct process_table *table, uint32_t pid);
uint64_t waiter_hopeless(struct process_table *table, const struct process *process);

/* process_descends: process is ancestor itself or one of its descendants. */
bool process_descends(struct process_table *table, const struct process *process,
                      const struct process *ancestor);
bool process_may_signal(struct process_table *table, const struct process *caller,
                        const struct process *target);

enum signal_effect { SIGNAL_NOTHING, SIGNAL_PULSES, SIGNAL_KILLS };

/* signal_effect: what a signal (1..63) does to a process. */
enum signal_effect signal_effect(const struct process *process, unsigned signal);

/* job_next: the next running process of a job behind previous (NULL: the first), or NULL. */
struct process *job_next(struct process_table *table, uint32_t job, const struct process *previous);

/* job_join: puts child into the job of leader (a pid; 0 or its own = a new job). The caller must be
 * child or its parent; and the job must be the caller's own or that of a child of the caller. 0,
 * -ESRCH, -EPERM. */
int job_join(struct process_table *table, const struct process *caller, struct process *child,
             uint32_t leader);
