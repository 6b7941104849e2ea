/* Request checks and splitting. Every comparison is written so that it cannot overflow: a sum is
 * never formed before its parts are known to be in range. */
#include "request.h"

#include "abi/errno.h"
#include "proto/fs.h"

/* exercise 5.6 */
int transfer_of_blocks(const struct blk_request *request, uint64_t sectors, uint64_t object_size,
                       uint64_t window_size, struct transfer *transfer)
{
    bool window = request->flags & BLK_WINDOW;
    uint64_t size = window ? window_size : object_size;
    if (request->flags & ~(uint32_t)BLK_WINDOW)
        return -EINVAL;
    if (request->count == 0 || request->count > BLK_SECTORS_MAX)
        return -EINVAL;
    if (request->sector > sectors || request->count > sectors - request->sector)
        return -EINVAL;
    uint64_t length = (uint64_t)request->count * BLK_SECTOR_SIZE;
    if (request->offset % BLK_SECTOR_SIZE != 0 || request->offset > size ||
        length > size - request->offset)
        return -EINVAL;
    *transfer = (struct transfer){.position = request->sector * BLK_SECTOR_SIZE,
                                  .length = length,
                                  .offset = request->offset,
                                  .window = window};
    return 0;
}
/* end 5.6 */

int transfer_of_bytes(uint64_t position, uint64_t length, bool write, uint64_t sectors,
                      uint64_t window_size, struct transfer *transfer)
{
    uint64_t size = sectors * BLK_SECTOR_SIZE;
    if (length > window_size)
        return -EINVAL;
    if (length == 0)
        return 0;
    if (position >= size)
        return write ? -ENOSPC : 0;
    if (length > size - position)
        length = size - position;
    *transfer = (struct transfer){.position = position, .length = length, .window = true};
    return 1;
}

int64_t seek_position(uint64_t now, uint64_t size, int64_t offset, uint32_t whence)
{
    uint64_t base;
    int64_t result;
    if (whence == FS_SEEK_SET)
        base = 0;
    else if (whence == FS_SEEK_CUR)
        base = now;
    else if (whence == FS_SEEK_END)
        base = size;
    else
        return -EINVAL;
    if (base > INT64_MAX || __builtin_add_overflow((int64_t)base, offset, &result) || result < 0)
        return -EINVAL;
    return result;
}

/* A partly written sector has to be read first, so a write is cut where whole sectors begin and
 * end: only a single sector is ever read, changed and written back. */
struct chunk chunk_next(uint64_t position, uint64_t remaining, bool write)
{
    struct chunk chunk = {.sector = position / BLK_SECTOR_SIZE,
                          .skip = (uint32_t)(position % BLK_SECTOR_SIZE)};
    uint32_t most = CHUNK_BYTES_MAX - chunk.skip;
    if (write && (chunk.skip != 0 || remaining < BLK_SECTOR_SIZE))
        most = BLK_SECTOR_SIZE - chunk.skip;
    chunk.bytes = remaining < most ? (uint32_t)remaining : most;
    if (write && chunk.bytes > BLK_SECTOR_SIZE)
        chunk.bytes -= chunk.bytes % BLK_SECTOR_SIZE;
    chunk.count = (chunk.skip + chunk.bytes + BLK_SECTOR_SIZE - 1) / BLK_SECTOR_SIZE;
    return chunk;
}

int disk_number(const char *path, unsigned count)
{
    unsigned number = 0;
    if (path[0] == '\0' || (path[0] == '0' && path[1] != '\0'))
        return -ENOENT;
    for (const char *c = path; *c; c++) {
        if (*c < '0' || *c > '9' || number >= count)
            return -ENOENT;
        number = number * 10 + (unsigned)(*c - '0');
    }
    return number < count ? (int)number : -ENOENT;
}
