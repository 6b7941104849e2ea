/* The loopback interface: what is sent on it arrives at the next stack_poll, so that no layer is
 * entered from within itself. */
#pragma once

#include <stdbool.h>

struct stack;

int loopback_create(struct stack *stack); /* ENOMEM */
void loopback_destroy(struct stack *stack);

/* loopback_deliver: what waits now is received; what that causes to be sent waits. */
void loopback_deliver(struct stack *stack);
bool loopback_waiting(const struct stack *stack);
