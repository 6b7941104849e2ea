/* Fuzz target: a stream of operations on the name table, checked against the naive model. */
#include "name_model.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t steps = 0;
    if (!name_model_run(data, size, &steps))
        abort();
    return 0;
}
