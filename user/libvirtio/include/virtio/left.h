/* What a queue says that a driver left behind which died: for its successor, once the device is
 * reset. Only for queues whose requests are one segment each, and whose device finishes them in
 * order. memory: the queue's, of size descriptors. */
#pragma once

#include <stdint.h>

struct virtqueue_left {
    uint64_t physical;
    uint32_t length; /* bytes */
};

/* virtqueue_left_finished: what the device finished behind the first `taken` (modulo 2^16), with the
 * bytes that it wrote. virtqueue_left_waiting: what it was given and has not finished. How many, at
 * most `most`. */
unsigned virtqueue_left_finished(const void *memory, uint16_t size, uint16_t taken,
                                 struct virtqueue_left *left, unsigned most);
unsigned virtqueue_left_waiting(const void *memory, uint16_t size, struct virtqueue_left *left,
                                unsigned most);
