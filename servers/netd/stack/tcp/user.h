/* The calls of a program. */
#pragma once

#include "tcp.h"

extern const struct socket_operations tcp_operations;
int tcp_get_option(struct socket *socket, int level, int name, void *value, size_t *size);
int tcp_set_option(struct socket *socket, int level, int name, const void *value, size_t size);
/* tcb_events: what the socket is ready for. */
unsigned tcb_events(struct socket *socket);
