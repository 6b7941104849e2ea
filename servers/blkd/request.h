/* What clients ask of a disk, checked: pure functions from a message's numbers to a transfer that
 * lies within the disk and within the client's memory. All arithmetic here is free of overflow for
 * any input; nothing behind it checks again. */
#pragma once

#include "proto/blk.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_BYTES_MAX (BLK_SECTORS_MAX * BLK_SECTOR_SIZE) /* one device command */

/* A byte range of the disk and where its data is with the client. */
struct transfer {
    uint64_t position; /* on the disk, bytes */
    uint64_t length;   /* bytes, not 0 */
    uint64_t offset;   /* in the attached object or the window, bytes */
    bool window;
};

/* transfer_of_blocks: takes a struct blk_request of a disk with this many sectors apart. size is
 * that of the attached object (0 = none) or of the lent window, each as the kernel says.
 * 0 or -EINVAL. */
int transfer_of_blocks(const struct blk_request *request, uint64_t sectors, uint64_t object_size,
                       uint64_t window_size, struct transfer *transfer);

/* transfer_of_bytes: a read or write of the file protocol, cut to what the disk has. 1, or 0 if
 * nothing is to be moved (length 0, or a read behind the end), or -ENOSPC (a write there) or
 * -EINVAL (the window is shorter than length). */
int transfer_of_bytes(uint64_t position, uint64_t length, bool write, uint64_t sectors,
                      uint64_t window_size, struct transfer *transfer);

/* seek_position: where a seek leads; -EINVAL below 0 or beyond INT64_MAX. */
int64_t seek_position(uint64_t now, uint64_t size, int64_t offset, uint32_t whence);

/* The next device command of a byte range. */
struct chunk {
    uint64_t sector;
    uint32_t count; /* sectors, at most BLK_SECTORS_MAX */
    uint32_t skip;  /* bytes of the first sector that do not belong to it */
    uint32_t bytes; /* that do */
};

/* chunk_next: a write's chunk is whole sectors, or (see chunk_partial) a part of one sector. */
struct chunk chunk_next(uint64_t position, uint64_t remaining, bool write);

static inline bool chunk_partial(const struct chunk *chunk)
{
    return chunk->bytes != chunk->count * (uint32_t)BLK_SECTOR_SIZE;
}

/* disk_number: "0", "1", ... below count; -ENOENT for any other text. */
int disk_number(const char *path, unsigned count);
