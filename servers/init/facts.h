/* The names that init serves as text: proc:, time:, boot:, sys:. */
#pragma once

#include "init.h"

/* text_request: the file protocol on a root or an open file; returns what a handler returns. */
int64_t text_request(struct request *request);

/* text_closed: the last handle of an open file is gone. */
void text_closed(uint64_t badge);
