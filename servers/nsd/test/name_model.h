/* A naive second implementation of the name table, and a driver that feeds the same operations
 * to both. The operations come from bytes: random ones in the test, the fuzzer's in the fuzzer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* name_model_run: false (and a line on stderr) if the two ever disagree; *steps counts the
 * operations. */
int name_model_run(const uint8_t *bytes, size_t count, size_t *steps);
