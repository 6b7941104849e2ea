/* NET_CHANGE: addresses, routes and links as somebody wants them. */
#pragma once

#include "cairn/server.h"

int64_t change_request(struct request *request);
