/* From the points in time of POSIX to those of the kernel. */
#pragma once

#include <stdint.h>
#include <time.h>

/* deadline_of: a point of this clock, in ns since boot; 1 (long ago) when it is past. */
uint64_t deadline_of(clockid_t clock, const struct timespec *until);
