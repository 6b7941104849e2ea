/* Drives a pipe with operations read from bytes, and checks the stream that comes out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* pipe_stream_run: false, and a line on stderr, if the pipe broke a promise. */
bool pipe_stream_run(const uint8_t *bytes, size_t count);
