/* Streams whose octets say where they are. */
#include "stream.h"

uint8_t pattern(uint64_t position)
{
    return (uint8_t)(position * 7 + (position >> 8) * 13 + (position >> 16) * 29);
}

static int source_copy(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    const struct stream *stream = (struct stream *)transfer;
    uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        bytes[i] = pattern(stream->position + offset + i);
    return 0;
}

static int sink_copy(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    struct stream *stream = (struct stream *)transfer;
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        stream->wrong += bytes[i] != pattern(stream->position + offset + i);
    return 0;
}

struct stream stream_source(uint64_t position)
{
    return (struct stream){.transfer.copy = source_copy, .position = position};
}

struct stream stream_sink(uint64_t position)
{
    return (struct stream){.transfer.copy = sink_copy, .position = position};
}
