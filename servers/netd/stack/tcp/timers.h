/* The timers of a connection. */
#pragma once

#include "tcp.h"

void timer_set(struct tcb *tcb, enum tcp_timer which, uint64_t when);
static inline void timer_set_after(struct tcb *tcb, enum tcp_timer which, uint64_t delay)
{
    timer_set(tcb, which, tcb_now(tcb) + delay);
}
static inline void timer_clear(struct tcb *tcb, enum tcp_timer which) { tcb->deadline[which] = 0; }
void timers_clear(struct tcb *tcb);
void tcb_timer_expired(struct timer *timer, uint64_t now);
/* keepalive_restart: something was heard. */
void keepalive_restart(struct tcb *tcb);
