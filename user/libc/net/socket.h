/* Descriptors that are sockets, for the other files here. */
#pragma once

#include "../file/fd.h"
#include <stdint.h>

/* socket_get: the descriptor; 0, -EBADF or -ENOTSOCK. socket_handle: only its handle. */
int socket_get(int fd, struct descriptor *descriptor);
handle_t socket_handle(int fd);
