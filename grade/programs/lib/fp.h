/* The floating-point registers as a test sees them. The C code between two of these calls must
 * not compute with floating point. */
#pragma once

#include <stdint.h>

/* fp_fill: f0..f31 = seed, seed + 1, ...; the rounding mode = seed % 5. fp_check: how many of
 * these 33 are not so any more. fp_read: all 32. */
void fp_fill(uint64_t seed);
uint64_t fp_check(uint64_t seed);
void fp_read(uint64_t values[32]);
