/* The part of the queue that writes descriptors, for virtqueue_add and for tests. */
#pragma once

#include "virtio/queue.h"

/* virtqueue_write_chain: makes one chain of count segments: fills the free descriptors from
 * free_head on, in the order in which next[] links them. The device reads the first out segments
 * and writes the others. There are enough free descriptors; the free list and the rings stay as
 * they are. Returns the last descriptor of the chain. */
uint16_t virtqueue_write_chain(struct virtqueue *queue, const struct virtqueue_segment *segments,
                               unsigned out, unsigned count);
