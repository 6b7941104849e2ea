/* null: the file that is always empty and takes everything (libc's /dev/null). */
#pragma once

#include "cairn/server.h"

/* null_start: registers the name; every handle to it has this badge. 0 or -errno. */
int null_start(handle_t service, uint64_t badge);

/* null_request: a request that came in on that badge. */
int64_t null_request(struct request *request);
