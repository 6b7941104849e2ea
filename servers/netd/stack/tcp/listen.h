/* The LISTEN state, its queues, and cookies. */
#pragma once

#include "input.h"

/* listen_input: false: nothing for this listener, to be treated as in CLOSED. */
bool listen_input(struct tcb *listener, struct arrival *arrival); /* 3.10.7.2 */

/* listen_child: a connection for the listener, in SYN-RECEIVED; NULL: no memory, no route. */
struct tcb *listen_child(struct tcb *listener, const struct arrival *arrival, uint32_t iss);
/* listen_enqueue: now to be accepted; false: the queue is full. listen_forget: it failed. */
bool listen_enqueue(struct tcb *child);
void listen_forget(struct tcb *child);
void listen_close(struct tcb *listener);

/* Cookies (RFC 4987 3.6). cookie_check: rebuilds what the SYN said from the ACK that came back. */
void cookie_answer(struct tcb *listener, const struct arrival *arrival);
bool cookie_check(const struct tcb *listener, const struct arrival *arrival,
                  struct tcp_options *options);
