/* Checks a spawn block that a client sent (proto/process.h). Pure. */
#pragma once

#include "proto/process.h"
#include <stddef.h>

/* spawn_block_check: 0 if every offset leads to a NUL-terminated string inside the block, the
 * counts are within their limits, and each entry is one that init can fill; -EINVAL, -E2BIG. */
int spawn_block_check(const struct spawn_block *block, size_t len);
