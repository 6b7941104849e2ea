/* The memory of a caller, as the other side of a socket's send or receive: a window that it lent,
 * or bytes that travel in a message.
 *
 * Windows are moved in large aligned pieces, through a buffer of ours: a packet's payload lies at
 * any address, and system calls that copy a packet each, byte by byte, cost more than a second
 * copy. */
#pragma once

#include "netd/stack/socket.h"

struct client_memory {
    struct transfer transfer; /* first */
    uint64_t token;
    uint64_t base;        /* where in the window this send or receive begins */
    uint64_t length;      /* of the window, or what is used of it */
    uint8_t *inline_data; /* NULL: window 0 */
    bool to_client;
    uint64_t held_from, held_to; /* the part of the window that the buffer has */
};

void client_memory_begin(struct client_memory *memory, uint64_t base);

/* client_memory_end: what was received is with the client; 0 or -errno (EFAULT, ESTALE). */
int client_memory_end(struct client_memory *memory);

int client_copy(struct transfer *transfer, size_t offset, void *data, size_t length);
