/* The other side of a socket's send or receive when it is memory of the core's own. */
#pragma once

#include "socket.h"
#include <errno.h>
#include <string.h>

struct memory_transfer {
    struct transfer transfer; /* first: a pointer to it is one to the whole */
    uint8_t *memory;
    size_t size;
};

static inline int memory_give(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    struct memory_transfer *from = (struct memory_transfer *)transfer;
    if (offset > from->size || length > from->size - offset)
        return -EFAULT;
    memcpy(data, from->memory + offset, length);
    return 0;
}

static inline int memory_take(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    struct memory_transfer *to = (struct memory_transfer *)transfer;
    if (offset > to->size || length > to->size - offset)
        return -EFAULT;
    memcpy(to->memory + offset, data, length);
    return 0;
}

/* socket_send_memory, socket_receive_memory: as socket_send and socket_receive. */
static inline int64_t socket_send_memory(struct socket *socket, const void *data, size_t length,
                                         struct socket_message *message)
{
    struct memory_transfer from = {{memory_give}, (uint8_t *)data, length};
    return socket_send(socket, &from.transfer, length, message);
}

static inline int64_t socket_receive_memory(struct socket *socket, void *data, size_t size,
                                            struct socket_message *message)
{
    struct memory_transfer to = {{memory_take}, data, size};
    return socket_receive(socket, &to.transfer, size, message);
}
