/* A TCP connection with a limit to how long it may stand still. */
#pragma once

#include "http/url.h"
#include <sys/types.h>

/* stream_connect: to the first of the host's addresses that answers; a non-blocking descriptor, or
 * -errno. */
int stream_connect(const struct http_url *url, int timeout_ms);
/* stream_send: everything; 0 or -errno. stream_receive: what is there, 0 at the end, or -errno. */
int stream_send(int fd, const void *data, size_t length, int timeout_ms);
ssize_t stream_receive(int fd, void *buffer, size_t size, int timeout_ms);
