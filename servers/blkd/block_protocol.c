/* The block protocol (proto/blk.h) on sessions opened with BLK_CHANNEL. */
#include "blkd.h"

#include "abi/errno.h"
#include "abi/memory.h"
#include "cairn/syscall.h"
#include <string.h>

static int64_t transfer(struct request *request, struct session *session, enum disk_command command)
{
    struct disk *disk = &disks[session->disk]->disk;
    bool write = command == DISK_WRITE;
    struct transfer t;
    if (request->message->len < sizeof(struct blk_request))
        return -EINVAL;
    int error = transfer_of_blocks((const struct blk_request *)request->message->data,
                                   disk->sectors, session->object_size,
                                   window_size(request, write ? WINDOW_READ : WINDOW_WRITE), &t);
    if (error)
        return error;
    if (write && disk->read_only)
        return -EROFS;
    if (!write && !t.window && !session->object_writable)
        return -EACCES;
    struct io *io = io_new(request, session, command);
    if (!io)
        return -EAGAIN;
    io->direct = !t.window;
    io->physical = session->object_physical + t.offset;
    io->position = t.position;
    io->remaining = t.length;
    io->offset = t.offset;
    disk_start(disk, io);
    return SERVER_DEFERRED;
}

static int64_t info(struct request *request, struct session *session)
{
    const struct virtio_blk *blk = disks[session->disk];
    struct blk_info_reply *reply = (struct blk_info_reply *)request->reply->data;
    *reply = (struct blk_info_reply){.sectors = blk->disk.sectors,
                                     .sector_size = BLK_SECTOR_SIZE,
                                     .max_sectors = BLK_SECTORS_MAX,
                                     .read_only = blk->disk.read_only,
                                     .has_flush = blk->disk.has_flush};
    memcpy(reply->serial, blk->serial, sizeof reply->serial);
    request->reply->len = sizeof *reply;
    return 0;
}

/* Where a contiguous object is in physical memory: its first page is mapped for a moment, as far as
 * the handle allows. *writable tells whether a device may write to it for the client. */
static int64_t object_address(handle_t device, handle_t object, bool *writable)
{
    *writable = true;
    int64_t at = memory_map(0, object, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE);
    if (at == -EACCES) {
        *writable = false;
        at = memory_map(0, object, 0, 0, PAGE_SIZE, PROT_READ);
    }
    if (at < 0)
        return at;
    int64_t physical = virt_to_phys(device, (uint64_t)at);
    memory_unmap(0, (uint64_t)at, PAGE_SIZE);
    return physical;
}

static int64_t attach(struct request *request, struct session *session)
{
    struct message *m = request->message;
    struct handle_info kind;
    struct memory_info memory;
    bool writable;
    if (m->handle_count != 1 || handle_info(m->handles[0], &kind) < 0 ||
        kind.type != OBJECT_MEMORY || memory_info(m->handles[0], &memory) < 0 ||
        !(memory.flags & MEMORY_CONTIGUOUS) || memory.size == 0)
        return -EINVAL;
    if (session->in_flight > 0)
        return -EBUSY;
    int64_t physical =
        object_address(disks[session->disk]->device.handle, m->handles[0], &writable);
    if (physical < 0)
        return physical;
    int error = session_take_object(session, m->handles[0], memory.size, (uint64_t)physical,
                                    writable);
    if (!error)
        m->handle_count = 0; /* ours now */
    return error;
}

int64_t block_request(struct request *request, struct session *session)
{
    switch (request->message->type) {
    case BLK_READ:
        return transfer(request, session, DISK_READ);
    case BLK_WRITE:
        return transfer(request, session, DISK_WRITE);
    case BLK_FLUSH:
        return io_flush(request, session);
    case BLK_INFO:
        return info(request, session);
    case BLK_ATTACH:
        return attach(request, session);
    }
    return -ENOSYS;
}
