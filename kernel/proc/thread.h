/* Threads: registers, priority, and what a thread waits for. */
#pragma once

#include "abi/message.h"
#include "abi/process.h"
#include "lib/list.h"
#include "arch/hart.h"
#include "mm/object.h"
#include <stdbool.h>
#include <stdint.h>

enum { /* indices into thread.regs; 0 holds the pc */
    REG_PC = 0,
    REG_SP = 2,
    REG_TP = 4,
    REG_T0 = 5,
    REG_A0 = 10,
    REG_A1,
    REG_A2,
    REG_A3,
    REG_A4,
    REG_A5,
    REG_A6,
    REG_A7,
};

enum thread_state {
    THREAD_READY,     /* in a ready queue */
    THREAD_RUNNING,   /* current on a hart */
    THREAD_CALLING,   /* queued on a channel */
    THREAD_SERVED,    /* received by a server that has not answered */
    THREAD_RECEIVING, /* waiting on a channel, or (channel NULL) for a deadline */
    THREAD_IRQ,       /* in irq_wait */
    THREAD_DEAD,      /* killed; freed when its hart has let go of it */
};

enum call_kind { CALL_PLAIN, CALL_DELEGATED, CALL_PERSONALITY, CALL_FAULT };

struct fp_state {
    uint64_t f[32];
    uint64_t fcsr;
};

struct thread {
    uint64_t regs[32];   /* offset 0: trap/entry.S; [0] is the pc */
    struct hart *hart;   /* offset 256: where it runs or ran last */
    struct process *process;
    struct ipc_page *ipc; /* the kernel's view */
    union { /* together, so that the fast path sets and checks them at once */
        struct {
            uint8_t state;        /* enum thread_state */
            uint8_t call_kind;    /* enum call_kind */
            uint8_t resent;       /* the current call was received before, by a server that died */
            uint8_t window_count; /* lent by the current call */
        };
        uint32_t call_word;
    };
    uint8_t priority;    /* effective: own or donated */
    uint8_t base_priority;
    uint32_t slot;       /* index in the thread table */
    uint64_t token;      /* of the current call: generation << TOKEN_SLOT_BITS | slot; no other
                            call, of any thread, ever has the same */

    struct list link;    /* ready queue, callers, receivers, or serving list */
    struct list process_link;
    struct list deadline_link;
    uint64_t deadline;   /* ns; 0 = none */
    uint64_t slice_left; /* ns, of a slice that a more urgent thread cut short; 0 = a new one */

    struct channel *channel;        /* CALLING, SERVED, RECEIVING: which */
    struct list bound;              /* the channels that this thread serves alone */
    uint64_t badge;                 /* of the current call */
    struct session *told;           /* whose CLOSED was received last; until the next receive */
    struct process *server_process; /* SERVED: who holds the token */
    struct thread *server_thread;   /* SERVED: who received, NULL once it is gone */
    struct window windows[MESSAGE_WINDOWS_MAX]; /* lent by the current call */
    uint64_t call_time;             /* ticks */

    struct fp_state *fp;            /* made on first use */
    struct hart *fp_hart;           /* where the registers were last loaded */
    struct object *restart;         /* half-made object of a restarted system call */
    uint64_t restart_key;           /* what it is made from: another call must not go on with it */
    struct memory *ipc_memory;      /* the object behind the IPC page, referenced */
    uint64_t ipc_address;           /* its user address */
    uint64_t fault_cause, fault_address, fault_result; /* CALL_FAULT */
};

#define TOKEN_SLOT_BITS 10
_Static_assert(THREADS_MAX == 1 << TOKEN_SLOT_BITS, "a token's slot covers the table");

/* thread_new: a thread of process that is not yet ready. NULL: no memory, or over a limit. */
struct thread *thread_new(struct process *process, uint32_t priority);

/* thread_start: sets the first registers and makes it ready. */
void thread_start(struct thread *thread, uint64_t entry, uint64_t stack, uint64_t argument);

/* thread_end: takes the thread out of whatever it does, wherever it is, and frees it. */
void thread_end(struct thread *thread);

/* thread_reap: a hart found that its current thread is dead: frees it. */
void thread_reap(struct thread *thread);

static inline void token_renew(struct thread *thread) { thread->token += THREADS_MAX; }

/* thread_from_token: the caller that a reply token names, if this process may answer it. */
extern struct thread *thread_table[THREADS_MAX];
static inline struct thread *thread_from_token(uint64_t token, const struct process *process)
{
    struct thread *thread = thread_table[token % THREADS_MAX];
    return thread && thread->state == THREAD_SERVED && thread->token == token &&
                   thread->server_process == process
               ? thread
               : NULL;
}
