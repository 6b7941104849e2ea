/* Fuzz target: reads, writes and closes on a pipe, with every promise checked after each. */
#include "pipe_stream.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!pipe_stream_run(data, size))
        abort();
    return 0;
}
