/* What each client has of ours, so that one cannot take it all. A client is the process that asked;
 * what it made stays on its account also when others use it, or it has ended. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SOCKETS_A_CLIENT 2048

/* Each client_take_* is followed by a client_drop_*. 0, -EMFILE (its limit), -ENFILE (too many
 * clients). client_take_call: false at its limit. */
int client_take_socket(uint32_t pid);
void client_drop_socket(uint32_t pid);
bool client_may_wait(uint32_t pid);
bool client_take_call(uint32_t pid);
void client_drop_call(uint32_t pid);
