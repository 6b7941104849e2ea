/* A blkd that dies behind any of its stores: sessions, their offsets and attached memory are what
 * they were, and no frame that the disk is told of is nobody's. */
#include "../../../user/libcairn/test/mortal_server.h"
#include "abi/errno.h"
#include "abi/memory.h"
#include "blkd/blkd.h"
#include "cairn/log.h"
#include "cairn/names.h"
#include "proto/fs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY 2 /* the objects that are attached; their numbers are even */
#define OTHER  4

/* ---- Stand-ins: a device that is done at once -------------------------------------------------
 */

int virtio_blk_open(struct virtio_blk *blk, handle_t device, handle_t channel, unsigned number,
                    void (*finish)(struct disk *disk, struct io *io, int64_t result))
{
    (void)device, (void)channel, (void)number, (void)finish;
    blk->disk.sectors = MORTAL_DISK / BLK_SECTOR_SIZE;
    return 0;
}

void virtio_blk_interrupt(struct virtio_blk *blk, handle_t channel) { (void)blk, (void)channel; }

/* DMA fills memory with nothing: what counts is whose it is. Window and disk are real. */
void disk_start(struct disk *disk, struct io *io)
{
    uint64_t length = io->remaining;
    uint8_t *bytes = mortal_disk() + io->position, *window = mortal_window() + io->offset;
    if (io->direct && !mortal_kept((uint32_t)(io->physical / PAGE_SIZE))) {
        fprintf(stderr, "DMA to memory that nobody keeps\n");
        abort();
    }
    if (!io->direct && io->command == DISK_READ)
        memcpy(window, bytes, length);
    else if (!io->direct)
        memcpy(bytes, io->inline_length ? io->inline_data : window, length);
    io->position += length;
    io_finish(disk, io, (int64_t)length);
}

int name_register(const char *prefix, handle_t channel)
{
    (void)prefix, (void)channel;
    return 0;
}

void driver_log(const char *format, ...) { (void)format; }

/* ---- The calls --------------------------------------------------------------------------------
 */

static struct mortal_call calls[MORTAL_CALLS];
static unsigned count;

static int call(int through, uint32_t type, const void *data, size_t len)
{
    calls[count].through = through;
    calls[count].m.type = type;
    calls[count].m.len = (uint16_t)len;
    memcpy(calls[count].m.data, data, len);
    return (int)count++;
}

static int open_disk(uint32_t type, uint32_t flags)
{
    struct fs_path_request r = {.flags = flags, .path_len = 1, .path = "0"};
    return call(-1, type, &r, sizeof r);
}

static void lend(int number, uint64_t length, uint64_t access, const char *bytes)
{
    calls[number].m.window_count = 1;
    calls[number].m.windows[0] = (struct window){.length = length, .access = access};
    calls[number].lends = bytes;
}

static int move(int file, const char *text, uint64_t length)
{
    struct fs_io_request r = {.offset = FS_OFFSET_CURRENT, .length = length};
    int number = call(file, text ? FS_WRITE : FS_READ, &r, offsetof(struct fs_io_request, data));
    lend(number, length, text ? WINDOW_READ : WINDOW_WRITE, text);
    return number;
}

static void seek(int file, int64_t offset, uint32_t whence)
{
    struct fs_seek_request r = {.offset = offset, .whence = whence};
    call(file, FS_SEEK, &r, sizeof r);
}

static void attach(int channel, handle_t object)
{
    int number = call(channel, BLK_ATTACH, "", 0);
    calls[number].m.handle_count = 1;
    calls[number].m.handles[0] = object;
}

static void direct(int channel)
{
    struct blk_request r = {.sector = 3, .count = 1};
    call(channel, BLK_READ, &r, sizeof r);
}

static int first_read, last_read;
static unsigned mortal;

static void script(void)
{
    int file = open_disk(FS_OPEN, FS_O_READ | FS_O_WRITE);
    move(file, "once", 4);
    move(file, "upon", 4);
    seek(file, 2, FS_SEEK_CUR);
    move(file, "a time", 6);
    int channel = open_disk(BLK_CHANNEL, 0);
    attach(channel, MEMORY);
    direct(channel);
    int second = open_disk(FS_OPEN, FS_O_READ);
    move(second, NULL, 3);
    move(second, NULL, 5);
    attach(channel, OTHER);
    direct(channel);
    seek(file, -4, FS_SEEK_CUR);
    call(second, FS_CLOSE, "", 0);
    int third = open_disk(BLK_CHANNEL, 0);
    attach(third, MEMORY);
    call(third, MORTAL_CLOSE, "", 0);
    mortal = count;
    calls[count].probes = true;
    direct(channel);
    move(second, NULL, 3);
    first_read = move(file, NULL, 4);
    seek(file, 0, FS_SEEK_SET);
    last_read = move(file, NULL, 16);
    for (int i = 0; i < 64; i++) /* until it has its share: no session was forgotten */
        open_disk(FS_OPEN, FS_O_READ);
}

/* That the script is what it is meant to be. */
static bool check(const struct mortal_answer *answers)
{
    for (unsigned i = 0; i < count; i++) {
        int64_t result = (int64_t)answers[i].reply.words[0];
        bool closed = (int)i == first_read - 1, refused = count - i <= 3;
        if (closed ? result != -EBADF : refused ? result != -EMFILE : result < 0)
            return false;
    }
    return memcmp(answers[first_read].window, "time", 4) == 0 &&
           memcmp(answers[last_read].window, "onceupon\0\0a time", 16) == 0;
}

int main(void)
{
    script();
    return mortal_serve(calls, count, mortal, 0, check);
}
