/* The loopback interface: what is sent on it arrives at the next stack_poll, so that no layer is
 * entered from within itself. */
#pragma once

#include "../packet.h"
#include <stdbool.h>

struct netif;
struct stack;

int loopback_create(struct stack *stack); /* ENOMEM */
void loopback_destroy(struct stack *stack);

/* loopback_send: an IP packet will arrive as if from netif, with PACKET_LOCAL: the copy of a
 * multicast that goes out there, for our own members of the group. Taken over; ENOBUFS. */
int loopback_send(struct netif *netif, struct packet *packet);

/* loopback_deliver: what waits now is received; what that causes to be sent waits. */
void loopback_deliver(struct stack *stack);
bool loopback_waiting(const struct stack *stack);
