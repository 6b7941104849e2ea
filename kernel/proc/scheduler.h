/* Who runs: 32 priorities, round robin within one, one set of ready queues for all harts. */
#pragma once

#include "arch/hart.h"
#include "proc/thread.h"

/* thread_make_ready: at the end of its priority's queue; wakes a hart for it if that helps. */
void thread_make_ready(struct thread *thread);

/* thread_set_priority: the effective one, wherever the thread is. */
void thread_set_priority(struct thread *thread, unsigned priority);

/* switch_to: makes thread the current one of this hart: address space, FP state, accounting.
 * It must not be in a queue. */
void switch_to(struct thread *thread);

/* scheduler_exit: the last thing in the kernel: makes sure that the right thread is current,
 * waiting in idle (with the lock dropped) if there is none. */
void scheduler_exit(void);

/* scheduler_ready_above: a ready thread has a higher priority than this. */
extern uint32_t ready_mask; /* bit n: a thread of priority n is ready */
static inline bool scheduler_ready_above(unsigned priority) { return ready_mask >> priority > 1; }
unsigned scheduler_ready_count(void);
void fp_release(struct thread *thread); /* the thread is going: nobody's FP registers */
bool fp_enable(struct thread *thread);  /* first FP use since it was switched to; false: no memory */

/* scheduler_forget: out of the ready queue; scheduler_leave: charges its time. Both for thread_end. */
void scheduler_forget(struct thread *thread);
void scheduler_leave(struct thread *thread);

extern uint64_t scheduler_switches;
