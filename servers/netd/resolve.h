/* Questions about names. */
#pragma once

#include "cairn/server.h"

int64_t resolve_request(struct request *request);   /* NET_DNS_RESOLVE */
int64_t name_request(struct request *request);      /* NET_DNS_NAME */
int64_t canonical_request(struct request *request); /* NET_DNS_CANONICAL */
