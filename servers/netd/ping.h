/* NET_PING: echo requests on raw sockets of netd's own (RFC 792, RFC 4443 4). */
#pragma once

#include "cairn/server.h"
#include <stdbool.h>

int64_t ping_request(struct request *request);

/* ping_work: takes the answers that have arrived; true if there were any. */
bool ping_work(void);
