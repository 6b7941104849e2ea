/* null: the file that is always empty and takes everything (libc's /dev/null), and zero:, which
 * takes everything, too, and gives zeros without end (/dev/zero). */
#pragma once

#include "cairn/server.h"
#include <stdbool.h>

/* null_start: registers both names; their handles have this badge and the next. 0 or -errno. */
int null_start(handle_t service, uint64_t badge);

/* null_badge: it is one of the two. */
bool null_badge(uint64_t badge);

/* null_request: a request that came in on one of them. */
int64_t null_request(struct request *request);
