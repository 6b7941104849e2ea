/* blkd: the server of the disks block:virtio:0, 1, ... in the order in which init gave the devices.
 *
 * One thread: requests arrive, start, and are answered when the device's interrupt pulses. The type
 * of a message means different things on different handles, so the badge decides first. */
#include "blkd.h"

#include "abi/errno.h"
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "proto/fs.h"

#define NAME "block:virtio"

struct virtio_blk *disks[DISKS_MAX];
unsigned disk_count;

static struct virtio_blk disk_table[DISKS_MAX];

static int64_t any_request(struct request *request)
{
    uint64_t badge = request->message->badge;
    struct session *session = badge ? session_find(badge) : NULL;
    if (badge && !session)
        return -ESTALE; /* of a blkd that is gone */
    if (session && session->kind != SESSION_BLOCK)
        session_begin(session, request);
    switch (session ? session->kind : SESSION_DIRECTORY) {
    case SESSION_BLOCK:
        return block_request(request, session);
    case SESSION_FILE:
        return file_request(request, session);
    case SESSION_DIRECTORY:
        return directory_request(request, session);
    }
    return -EBADF;
}

#define OPERATION(number)                                     \
    {                                                         \
        .type = (number), .min_len = 0, .handle = any_request \
    }
static const struct server_operation operations[] = {
    OPERATION(FS_READ),  OPERATION(FS_WRITE),   OPERATION(FS_OPEN),      OPERATION(FS_CLOSE),
    OPERATION(FS_SEEK),  OPERATION(FS_STAT),    OPERATION(FS_FSTAT),     OPERATION(FS_FSYNC),
    OPERATION(FS_RMDIR), OPERATION(FS_READDIR), OPERATION(FS_FTRUNCATE), OPERATION(FS_MKDIR),
    OPERATION(FS_POLL),  OPERATION(FS_UNLINK),  OPERATION(FS_RENAME),    OPERATION(BLK_CHANNEL),
};

static void on_closed(struct server *server, uint64_t badge)
{
    (void)server;
    session_close(badge);
}

static void on_pulse(struct server *server, uint64_t bits)
{
    for (unsigned i = 0; i < disk_count; i++)
        if (bits & 1ul << disks[i]->number)
            virtio_blk_interrupt(disks[i], server->channel);
}

static void open_disks(handle_t channel)
{
    for (unsigned n = 0; disk_count < DISKS_MAX; n++) {
        handle_t device = start_handle(SPAWN_DEVICE, n);
        if (device < 0)
            break;
        struct virtio_blk *blk = &disk_table[disk_count];
        *blk = (struct virtio_blk){.disk.sectors = 0};
        int error = virtio_blk_open(blk, device, channel, disk_count, io_finish);
        if (error) {
            driver_log("blkd: device %u is no usable disk (error %d)", n, -error);
            continue;
        }
        driver_log("blkd: " NAME ":%u: %llu MiB%s%s", disk_count,
                   (unsigned long long)(blk->disk.sectors >> 11),
                   blk->disk.read_only ? ", read-only" : "", blk->disk.has_flush ? ", flush" : "");
        disks[disk_count++] = blk;
    }
}

int main(void)
{
    struct server server = {.channel = start_handle(SPAWN_SERVICE, 0),
                            .operations = operations,
                            .operation_count = sizeof operations / sizeof operations[0],
                            .closed = on_closed,
                            .pulse = on_pulse};
    if (server.channel < 0)
        return 1;
    if (!sessions_init((uint64_t)clock_now()))
        return 1;
    open_disks(server.channel);
    handle_t face = (handle_t)handle_dup(server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    int error = face < 0 ? face : name_register(NAME, face);
    if (error) {
        driver_log("blkd: cannot register " NAME " (error %d)", -error);
        return 1;
    }
    return server_run(&server) < 0;
}
