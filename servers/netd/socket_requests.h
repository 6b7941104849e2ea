/* Requests on sockets, and the one that makes them. */
#pragma once

#include "cairn/server.h"

int64_t socket_create_request(struct request *request);

/* socket_request: on a handle with BADGE_SOCKET. */
int64_t socket_request(struct request *request);
