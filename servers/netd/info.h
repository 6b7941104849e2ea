/* Facts about the network, as messages and as text. */
#pragma once

#include "cairn/server.h"
#include "cairn/textfile.h"

int64_t stats_request(struct request *request); /* NET_STATS */
int64_t info_request(struct request *request);  /* NET_INFO */

/* net:status, net:routes, ... */
extern const struct text_tree info_tree;
