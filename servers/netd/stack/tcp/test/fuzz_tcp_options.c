/* Fuzz target: a TCP header with its options. What was understood is written and read again. */
#include "../segment.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct tcp_options *options)
{
    uint8_t header[TCP_HEADER + TCP_OPTIONS_MAX] = {0};
    struct segment again;
    const size_t length = options_emit(header + TCP_HEADER, options);
    if (length > TCP_OPTIONS_MAX || length % 4)
        abort();
    segment_parse(&again, header, TCP_HEADER + length, 0);
    if (again.options.mss != options->mss || again.options.timestamps != options->timestamps ||
        again.options.sack_permitted != options->sack_permitted ||
        again.options.sack_count > options->sack_count ||
        (options->window_scaling && again.options.window_scale != options->window_scale))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < TCP_HEADER || size > TCP_HEADER + TCP_OPTIONS_MAX)
        return 0;
    uint8_t *copy = malloc(size); /* ends where the header does */
    struct segment segment;
    memcpy(copy, data, size);
    const size_t said = segment_header_size(copy);
    if (said > TCP_HEADER + TCP_OPTIONS_MAX || (said && said < TCP_HEADER))
        abort();
    segment_parse(&segment, copy, size, 0);
    free(copy);
    if (segment.options.window_scale > TCP_WINDOW_SCALE_MAX ||
        segment.options.sack_count > TCP_SACK_BLOCKS)
        abort();
    for (uint8_t i = 0; i < segment.options.sack_count; i++)
        if (!seq_lt(segment.options.sack[i].left, segment.options.sack[i].right))
            abort();
    if (segment.options.sack_count <= 1)
        write_and_read(&segment.options);
    return 0;
}
