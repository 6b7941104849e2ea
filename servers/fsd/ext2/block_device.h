/* What a file system core needs of a disk. The server puts blkd or a RAM disk behind it, the
 * host tests an image file. Calls block; each returns 0 or -errno. */
#pragma once

#include <stdint.h>

struct block_device {
    uint64_t size; /* bytes */
    int read_only;
    int (*read)(struct block_device *device, uint64_t offset, void *buffer, uint32_t length);
    int (*write)(struct block_device *device, uint64_t offset, const void *buffer, uint32_t length);
    int (*flush)(struct block_device *device);
};
/* offset and length are multiples of 512; length is at most 64 KiB and does not cross the end. */
