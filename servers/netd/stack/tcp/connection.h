/* The life of a control block: from the pool, to a connection, and back. */
#pragma once

#include "tcp.h"

/* tcb_alloc: in CLOSED, with the defaults, counted as a socket; NULL: none left. */
struct tcb *tcb_alloc(struct stack *stack);
/* tcb_free: gives back everything that it holds. The socket is gone after that. */
void tcb_free(struct tcb *tcb);
/* tcb_clear: gives back timers, text, and the places in tables, but not the socket. */
void tcb_clear(struct tcb *tcb);
/* tcb_finish: the connection is CLOSED; with an owner, it is told (error: 0 or -errno, which a call
 * of its will return), without one the block is freed. */
void tcb_finish(struct tcb *tcb, int error);

const char *tcp_state_name(enum tcp_state state);

/* tcb_establish: SYN-SENT or SYN-RECEIVED to ESTABLISHED. False: its listener's queue is full. */
bool tcb_establish(struct tcb *tcb);
/* tcb_syn: takes over what the peer's SYN says: sequence number and options. */
void tcb_syn(struct tcb *tcb, const struct segment *segment);
/* tcb_route: finds the path to the peer, its MTU and offloads, and the source address if there is
 * none yet. */
int tcb_route(struct tcb *tcb);
/* tcb_set_mss: SMSS from path, peer and options (RFC 9293 3.7.1, RFC 6691). */
void tcb_set_mss(struct tcb *tcb);
/* tcb_receive_mss: what to announce for this interface (RFC 6691). */
uint16_t tcb_receive_mss(const struct tcb *tcb, const struct netif *netif, uint8_t family);
/* tcb_start: the sequence numbers before the first segment. */
void tcb_start(struct tcb *tcb, uint32_t iss);
