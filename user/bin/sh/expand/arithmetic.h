/* $((...)): the integer expressions of C on 64 bits (POSIX.1-2017, XCU 2.6.4), with assignments. */
#pragma once

#include "../run/variables.h"
#include <stdint.h>

/* arithmetic_evaluate: NULL and *result, or what is wrong. Variables count as 0 when unset. */
const char *arithmetic_evaluate(struct variables *variables, const char *text, int64_t *result);
