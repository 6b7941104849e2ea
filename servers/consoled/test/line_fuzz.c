/* Fuzz target: keystrokes, reads and mode switches, checked against the naive model; and the same
 * bytes once more in one piece, in every mode, where the sanitizers watch. */
#include "consoled/line_discipline.h"
#include "line_model.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!line_model_run(data, size))
        abort();
    static struct line_discipline line;
    static char buffer[512];
    line_init(&line, size ? data[0] : 0);
    for (size_t at = 0; at < size;) {
        size_t taken = line_input(&line, (const char *)data + at, size - at);
        at += taken;
        if (taken == 0 && line_read(&line, buffer, sizeof buffer) < 0)
            abort(); /* neither takes nor gives: stuck for ever */
        if (at < size)
            line_set_mode(&line, data[at]);
        line.output_len = 0;
    }
    return 0;
}
