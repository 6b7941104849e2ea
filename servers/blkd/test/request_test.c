/* Host test of blkd's request checks: the borders of every field, and splitting into commands. */
#include "request.h"

#include "abi/errno.h"
#include "check.h"
#include "proto/fs.h"
#include <stdlib.h>

#define DISK_SECTORS 1000ul
#define OBJECT       65536ul

static int blocks(uint64_t sector, uint32_t count, uint32_t flags, uint64_t offset)
{
    struct blk_request r = {.sector = sector, .count = count, .flags = flags, .offset = offset};
    struct transfer t = {0};
    int error = transfer_of_blocks(&r, DISK_SECTORS, OBJECT, 1024, &t);
    if (!error) {
        CHECK(t.position == sector * 512 && t.length == count * 512ul && t.offset == offset);
        CHECK(t.window == (flags == BLK_WINDOW));
    }
    return error;
}

static void test_blocks(void)
{
    static const struct {
        uint64_t sector;
        uint32_t count, flags;
        uint64_t offset;
        int result;
    } cases[] = {
        {0, 1, 0, 0, 0},
        {0, 128, 0, 0, 0},
        {872, 128, 0, 0, 0}, /* up to the last sector */
        {873, 128, 0, 0, -EINVAL},
        {999, 1, 0, 0, 0},
        {999, 2, 0, 0, -EINVAL},
        {1000, 1, 0, 0, -EINVAL},
        {0, 0, 0, 0, -EINVAL},
        {0, 129, 0, 0, -EINVAL},
        {0, 0xffffffff, 0, 0, -EINVAL},
        {UINT64_MAX, 1, 0, 0, -EINVAL}, /* sector + count wraps to 0 */
        {UINT64_MAX - 127, 128, 0, 0, -EINVAL},
        {1ul << 55, 1, 0, 0, -EINVAL}, /* times 512 wraps */
        {0, 1, 0, 65024, 0},           /* up to the end of the object */
        {0, 2, 0, 65024, -EINVAL},
        {0, 1, 0, 65536, -EINVAL},
        {0, 1, 0, 1, -EINVAL},
        {0, 1, 0, 511, -EINVAL},
        {0, 1, 0, UINT64_MAX - 511, -EINVAL}, /* offset + length wraps to 0 */
        {0, 2, BLK_WINDOW, 0, 0},             /* the window has room for 2 */
        {0, 3, BLK_WINDOW, 0, -EINVAL},
        {0, 1, BLK_WINDOW, 512, 0},
        {0, 2, BLK_WINDOW, 512, -EINVAL},
        {0, 1, 2, 0, -EINVAL},
        {0, 1, 0x80000001, 0, -EINVAL},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int result = blocks(cases[i].sector, cases[i].count, cases[i].flags, cases[i].offset);
        if (result != cases[i].result)
            printf("case %u: %d\n", i, result);
        CHECK(result == cases[i].result);
    }
    struct blk_request r = {.count = 1};
    struct transfer t;
    CHECK(transfer_of_blocks(&r, DISK_SECTORS, 0, 4096, &t) == -EINVAL); /* nothing attached */
    CHECK(transfer_of_blocks(&r, 0, 4096, 0, &t) == -EINVAL);            /* an empty disk */
}

static void test_bytes(void)
{
    struct transfer t;
    const uint64_t size = DISK_SECTORS * 512;
    CHECK(transfer_of_bytes(0, 10, false, DISK_SECTORS, 10, &t) == 1 && t.length == 10);
    CHECK(transfer_of_bytes(0, 11, false, DISK_SECTORS, 10, &t) == -EINVAL);
    CHECK(transfer_of_bytes(0, 0, false, DISK_SECTORS, 10, &t) == 0);
    CHECK(transfer_of_bytes(size, 0, true, DISK_SECTORS, 10, &t) == 0);
    CHECK(transfer_of_bytes(size - 1, 10, false, DISK_SECTORS, 10, &t) == 1 && t.length == 1);
    CHECK(transfer_of_bytes(size - 1, 10, true, DISK_SECTORS, 10, &t) == 1 && t.length == 1);
    CHECK(transfer_of_bytes(size, 10, false, DISK_SECTORS, 10, &t) == 0);
    CHECK(transfer_of_bytes(size, 10, true, DISK_SECTORS, 10, &t) == -ENOSPC);
    CHECK(transfer_of_bytes(UINT64_MAX, 10, false, DISK_SECTORS, 10, &t) == 0);
    CHECK(transfer_of_bytes(UINT64_MAX - 4, 10, true, DISK_SECTORS, 10, &t) == -ENOSPC);
    CHECK(transfer_of_bytes(1, UINT64_MAX, false, DISK_SECTORS, UINT64_MAX, &t) == 1);
    CHECK(t.position == 1 && t.length == size - 1 && t.offset == 0 && t.window);
}

static void test_seek(void)
{
    CHECK(seek_position(5, 100, 7, FS_SEEK_SET) == 7);
    CHECK(seek_position(5, 100, 7, FS_SEEK_CUR) == 12);
    CHECK(seek_position(5, 100, -5, FS_SEEK_CUR) == 0);
    CHECK(seek_position(5, 100, -6, FS_SEEK_CUR) == -EINVAL);
    CHECK(seek_position(5, 100, -1, FS_SEEK_END) == 99);
    CHECK(seek_position(5, 100, 1, FS_SEEK_END) == 101);
    CHECK(seek_position(5, 100, -1, FS_SEEK_SET) == -EINVAL);
    CHECK(seek_position(5, 100, INT64_MAX, FS_SEEK_CUR) == -EINVAL);
    CHECK(seek_position(UINT64_MAX, 100, 1, FS_SEEK_CUR) == -EINVAL);
    CHECK(seek_position(5, 100, INT64_MIN, FS_SEEK_CUR) == -EINVAL);
    CHECK(seek_position(5, 100, 0, 3) == -EINVAL);
}

/* Any range is covered exactly once by its chunks, each a command that the device can do. */
static void check_range(uint64_t position, uint64_t length, bool write)
{
    uint64_t at = position, left = length;
    unsigned partial = 0;
    while (left > 0) {
        struct chunk c = chunk_next(at, left, write);
        CHECK(c.bytes > 0 && c.bytes <= left);
        CHECK(c.sector * 512 + c.skip == at);
        CHECK(c.count > 0 && c.count <= BLK_SECTORS_MAX && c.skip < 512);
        CHECK(c.skip + c.bytes <= c.count * 512);
        CHECK(c.skip + c.bytes > (c.count - 1) * 512);
        if (write && chunk_partial(&c)) {
            CHECK(c.count == 1);
            partial++;
        }
        if (c.bytes == 0 || c.bytes > left)
            return;
        at += c.bytes;
        left -= c.bytes;
    }
    CHECK(at == position + length);
    CHECK(partial <= 2);
}

static void test_chunks(void)
{
    check_range(0, 512, true);
    check_range(0, 65536, true);
    check_range(511, 2, true);
    check_range(1, 65536 * 3, true);
    check_range(1, 65536 * 3, false);
    srand(2);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t position = (uint64_t)rand() % 100000, length = 1 + (uint64_t)rand() % 200000;
        check_range(position, length, rand() & 1);
    }
    struct chunk c = chunk_next(0, 1ul << 40, false);
    CHECK(c.count == 128 && !chunk_partial(&c));
}

static void test_number(void)
{
    CHECK(disk_number("0", 1) == 0);
    CHECK(disk_number("1", 1) == -ENOENT);
    CHECK(disk_number("7", 8) == 7);
    CHECK(disk_number("12", 13) == 12);
    CHECK(disk_number("", 1) == -ENOENT);
    CHECK(disk_number("00", 1) == -ENOENT);
    CHECK(disk_number("01", 8) == -ENOENT);
    CHECK(disk_number("-1", 8) == -ENOENT);
    CHECK(disk_number("0/", 8) == -ENOENT);
    CHECK(disk_number("4294967296", 8) == -ENOENT); /* wraps to 0 in 32 bits */
    CHECK(disk_number("0", 0) == -ENOENT);
}

int main(void)
{
    test_blocks();
    test_bytes();
    test_seek();
    test_chunks();
    test_number();
    return check_summary();
}
