/* The block protocol of blkd, on the names block:virtio:N. blkd answers the file protocol
 * (proto/fs.h) on them as well, with byte offsets. Numbers 1..4 are those of file operations of
 * other meaning, so the two are told apart by the handle: block operations go to a handle opened
 * with BLK_CHANNEL. Every reply starts with int64_t result. */
#pragma once

#include <stdint.h>

enum blk_operation {
    BLK_READ = 1,   /* struct blk_request; result: bytes read */
    BLK_WRITE = 2,  /* struct blk_request; result: bytes written (not yet flushed) */
    BLK_FLUSH = 3,  /* result 0: all writes answered before are on the medium */
    BLK_INFO = 4,   /* struct blk_info_reply */
    BLK_ATTACH = 5, /* handle 0: a contiguous memory object; later requests DMA into it */
    BLK_CHANNEL = 64, /* on the resolved root handle, path in fs_path_request ("0"); handle 0 of
                         the reply is a block session */
};

#define BLK_SECTOR_SIZE 512
#define BLK_SECTORS_MAX 128 /* per request */

struct blk_request {
    uint64_t sector;
    uint32_t count;  /* sectors, 1..BLK_SECTORS_MAX */
    uint32_t flags;  /* BLK_WINDOW: data through lent window 0 instead of the attached object */
    uint64_t offset; /* into the attached object or window, bytes, a multiple of 512 */
};
enum { BLK_WINDOW = 1 };

struct blk_info_reply {
    int64_t result;
    uint64_t sectors;
    uint32_t sector_size, max_sectors;
    uint32_t read_only, has_flush;
    char serial[20];
    char pad[4];
};
