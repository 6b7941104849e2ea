/* What a file that was compiled with -fsanitize=thread does to the memory of a queue, step by step:
 * trace.c stands in for the sanitizer's library. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* trace_start: from now on accesses to bytes of this memory are told to seen, and every fence (with
 * address NULL). trace_stop: no more. */
typedef void trace_seen(const void *address, size_t size, bool write);
void trace_start(const void *memory, size_t bytes, trace_seen *seen);
void trace_stop(void);
