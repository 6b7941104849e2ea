/* Streams of octets that say where they are, as transfers. */
#pragma once

#include "../../socket.h"

/* A transfer between a program and the stack: octet n of a stream is pattern(n). */
struct stream {
    struct transfer transfer;
    uint64_t position;
    uint64_t wrong; /* octets that were not what they should be */
};
uint8_t pattern(uint64_t position);
struct stream stream_source(uint64_t position);
struct stream stream_sink(uint64_t position);
