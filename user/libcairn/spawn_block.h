/* Building the block that a new process finds at its a0 (proto/process.h): pure, so that it is
 * tested on the host. */
#pragma once

#include "cairn/spawn.h"

/* spawn_block_size: the bytes that these options take, or -E2BIG. */
int64_t spawn_block_size(const struct spawn_options *options);

/* spawn_block_build: fills size bytes, as spawn_block_size gave them. */
void spawn_block_build(struct spawn_block *block, size_t size, const struct spawn_options *options);
