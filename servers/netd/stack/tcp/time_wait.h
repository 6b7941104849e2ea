/* The TIME-WAIT state. */
#pragma once

#include "input.h"

int time_wait_create(struct tcp_layer *layer, uint32_t capacity);
void time_wait_destroy(struct tcp_layer *layer);
/* time_wait_enter: the connection has ended; a small entry answers for it for 2 MSL. */
void time_wait_enter(struct tcb *tcb);
struct time_wait *time_wait_find(struct tcp_layer *layer, const struct ip_address *local,
                                 uint16_t local_port, const struct ip_address *peer,
                                 uint16_t peer_port);
void time_wait_remove(struct tcp_layer *layer, struct time_wait *wait);
void time_wait_input(struct stack *stack, struct time_wait *wait, struct arrival *arrival);
