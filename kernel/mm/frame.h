/* Page frames: a buddy allocator over the RAM that the device tree names, and one small record
 * per frame. A frame is named by its physical address. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FRAME_ORDERS 13 /* blocks of 2^0 .. 2^12 pages: 4 KiB to 16 MiB */

struct frame {
    uint32_t references; /* users of an allocated frame: copy-on-write shares it */
    uint8_t order;       /* of the free block that starts here */
    uint8_t free;        /* a free block starts here */
    uint16_t pad;
};

struct range {
    uint64_t start, end; /* physical, end exclusive */
};

/* frame_init: manages ram, of which everything below first_free and the n reserved ranges is in
 * use already. The records are placed at first_free. */
void frame_init(struct range ram, uint64_t first_free, const struct range *reserved, size_t n);

/* frame_alloc: a block of 2^order frames, contents undefined, one reference; 0 = none left. */
uint64_t frame_alloc(unsigned order);
uint64_t frame_alloc_zeroed(void);

/* frame_free: gives a block back, whatever its references. */
void frame_free(uint64_t physical, unsigned order);

/* frame_share, frame_release: one more and one fewer user of a single frame; the last frees it. */
void frame_share(uint64_t physical);
void frame_release(uint64_t physical);
uint32_t frame_references(uint64_t physical);

size_t frames_total(void);
size_t frames_free(void);
size_t frames_largest(void); /* frames in the largest free block */
