/* The file protocol (proto/fs.h), read-only, on the names that init serves as text. */
#pragma once

#include "cairn/server.h"

/* text_request: on a root or an open file; returns what a handler returns (cairn/server.h). */
int64_t text_request(struct request *request);

/* text_closed: the last handle of the open file with this badge is gone. */
void text_closed(uint64_t badge);
