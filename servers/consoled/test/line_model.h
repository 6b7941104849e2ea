/* A naive second line discipline, and the screen of a simple terminal; and a driver that types
 * the same bytes into the real one and compares what readers get and what the user sees. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* line_model_run: the bytes are an op stream (see the source); false, and a line on stderr, if
 * the two ever disagree. */
bool line_model_run(const uint8_t *bytes, size_t count);
