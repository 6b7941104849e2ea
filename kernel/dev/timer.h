/* Time: the monotonic clock, the deadlines of waiting threads, time slices. */
#pragma once

#include "arch/hart.h"
#include <stdint.h>

struct thread;

uint64_t time_now(void); /* ns since boot */
uint64_t ticks_to_ns(uint64_t ticks);

/* timer_wait: receive_timed_out(thread) is called when deadline (ns) has passed. timer_cancel:
 * harmless if the thread has no deadline. */
void timer_wait(struct thread *thread, uint64_t deadline);
void timer_cancel_waiting(struct thread *thread);
#define timer_cancel(thread) ((thread)->deadline ? timer_cancel_waiting(thread) : (void)0)

/* timer_interrupt: handles what is due. timer_program: sets this hart's timer to the earliest of
 * the end of its slice and the first deadline; cheap if that has not changed. */
void timer_interrupt(void);
void timer_program(struct hart *hart);
