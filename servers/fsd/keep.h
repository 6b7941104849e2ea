/* What one fsd leaves to the next, so that its death goes unnoticed: the open files, and what was
 * done for requests that were perhaps not answered. The mounted file system itself is in the disk's
 * memory (disk_reserve), at the same address for all. */
#pragma once

#include "cairn/server.h"
#include "session.h"

struct ext2;

/* keep_open: takes the state over, or begins with an empty one. 0 or -ENOMEM. */
int keep_open(void);
/* keep_volume: what the predecessor had mounted, or NULL. keep_set_volume: from now on this one is
 * to be adopted; NULL: none. keep_forget: the open files are lost. */
struct ext2 *keep_volume(void);
void keep_set_volume(struct ext2 *mounted);
void keep_forget(void);

/* keep_begun: the request being served is about to change something: if it comes again, it is not
 * to be done again. The core calls it right before it makes changes final. */
void keep_begun(void);

/* keep_serve: what every request goes through (operations.c): does it, unless it is one that a
 * predecessor has done. Then the answer is the same as before, or EPEER if that is not known. */
int64_t keep_serve(struct request *request);
