/* The operations that may wait: connect, accept, send, receive. */
#pragma once

#include "netd/sessions.h"

/* What a handler returns (cairn/server.h): the result, or SERVER_DEFERRED. */
int64_t socket_connect_request(struct request *request, struct session *session);
int64_t socket_accept_request(struct request *request, struct session *session);
int64_t socket_send_request(struct request *request, struct session *session);
int64_t socket_receive_request(struct request *request, struct session *session);
