/* Block devices for the ext2 core. The cache lies in one contiguous object that blkd can DMA
 * into; transfers to other memory go through a lent window. */
#include "disk.h"
#include "abi/memory.h"
#include "cairn/ipc.h"
#include "cairn/kept.h"
#include "cairn/names.h"
#include "cairn/syscall.h"
#include "proto/blk.h"
#include "proto/fs.h"
#include "proto/ns.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRANSFER_MAX (BLK_SECTORS_MAX * BLK_SECTOR_SIZE)
#define POOL_ADDRESS 0x2000000000ul /* in every fsd, as there are pointers in the pool; above
                                       what the kernel chooses from 0x1000000000 on */
enum { POOL_PLACE, SESSION_PLACE, RAM_PLACE }; /* among the handles that init keeps; jobs.h: more */
#define BUSY_MICROSECONDS 200
#define RECONNECT_TRIES 5
#define RECONNECT_PATIENCE 5000000000ul /* ns */

static struct {
    handle_t memory;
    char *start;
    size_t size, used;
} pool;

struct block_disk {
    struct block_device device;
    const char *uri;
    handle_t session;
};

struct ram_disk {
    struct block_device device;
    char *bytes;
};

/* Memory that the process before has left, or new memory that the next one will find. At an address
 * (0: any), or -errno; *memory is the object. */
static int64_t keep_memory(unsigned place, size_t bytes, uint32_t flags, uint64_t address,
                           handle_t *memory, bool *inherited)
{
    *memory = kept_get(place);
    *inherited = *memory > 0;
    if (!*inherited)
        *memory = (handle_t)memory_create(bytes, flags);
    if (*memory < 0)
        return *memory;
    int64_t at = memory_map(0, *memory, address, 0, bytes, PROT_READ | PROT_WRITE);
    if (at < 0)
        handle_close(*memory);
    else if (!*inherited)
        kept_put(place, *memory); /* if not, the next one begins anew */
    return at;
}

int disk_reserve(size_t bytes, bool contiguous, bool *inherited)
{
    handle_t memory;
    int64_t address = keep_memory(POOL_PLACE, bytes, contiguous ? MEMORY_CONTIGUOUS : 0,
                                  POOL_ADDRESS, &memory, inherited);
    if (address < 0)
        return (int)address;
    pool.memory = memory;
    pool.start = (char *)address;
    pool.size = bytes;
    return 0;
}

void *disk_memory(size_t bytes)
{
    if (bytes > pool.size - pool.used)
        return NULL;
    pool.used += bytes;
    return pool.start + pool.used - bytes;
}

/* A session on the disk that rest names. */
static handle_t open_session(handle_t blkd, const char *rest)
{
    struct message m = {.type = BLK_CHANNEL, .len = sizeof(struct fs_path_request)};
    struct fs_path_request *request = (struct fs_path_request *)m.data;
    size_t len = strnlen(rest, sizeof(request->path));
    request->path_len = (uint32_t)len;
    memcpy(request->path, rest, len);
    int error = channel_call(blkd, &m);
    if (error)
        return error;
    if ((int64_t)m.words[0] < 0)
        return (handle_t)m.words[0];
    return m.handle_count == 1 ? m.handles[0] : -EIO;
}

static int64_t attach(handle_t session)
{
    struct message m = {.type = BLK_ATTACH, .handle_count = 1, .handles = {pool.memory}};
    int error = channel_call(session, &m);
    return error ? error : (int64_t)m.words[0];
}

/* The process before may have died while the disk was writing into the pool: nothing there may be
 * used for something else until that is over. blkd attaches no memory to a session that has
 * requests under way. */
static void wait_for_transfers(void)
{
    handle_t session = kept_get(SESSION_PLACE);
    if (session <= 0)
        return;
    while (attach(session) == -EBUSY)
        usleep(BUSY_MICROSECONDS);
    handle_close(session);
}

/* Opens the disk's session anew, also after blkd was restarted; info: what the disk is. */
static int connect(struct block_disk *disk, uint64_t deadline, struct blk_info_reply *info)
{
    char rest[NS_URI_MAX];
    handle_t blkd = name_wait(disk->uri, rest, deadline);
    if (blkd < 0)
        return blkd;
    handle_t session = open_session(blkd, rest);
    if (session < 0)
        return session;
    struct message m = {.type = BLK_INFO, .len = 0};
    int error = channel_call(session, &m);
    if (!error && (int64_t)m.words[0] < 0)
        error = (int)m.words[0];
    memcpy(info, m.data, sizeof(*info));
    if (!error && pool.memory > 0)
        error = (int)attach(session);
    if (!error)
        kept_put(SESSION_PLACE, session);
    if (error) {
        handle_close(session);
        return error;
    }
    if (disk->session > 0)
        handle_close(disk->session);
    disk->session = session;
    return 0;
}

/* A call on the disk's session; one that belonged to a blkd that has died is opened again, and
 * the request is repeated: reads, writes and flushes may be. Word 0 of the reply, or -errno. */
static int64_t disk_call(struct block_disk *disk, struct message *m)
{
    for (int tries = 0;; tries++) {
        struct message attempt = *m;
        int64_t result = channel_call(disk->session, &attempt);
        if (result == 0)
            result = (int64_t)attempt.words[0];
        if ((result != -ESTALE && result != -EPEER) || tries == RECONNECT_TRIES)
            return result;
        struct blk_info_reply info;
        int error = connect(disk, (uint64_t)clock_now() + RECONNECT_PATIENCE, &info);
        if (error && error != -ESTALE && error != -EPEER)
            return error;
    }
}

/* One transfer of at most TRANSFER_MAX bytes. */
static int transfer(struct block_disk *disk, uint32_t type, uint64_t offset, char *buffer,
                    uint32_t length)
{
    struct message m = {.type = type, .len = sizeof(struct blk_request)};
    struct blk_request *request = (struct blk_request *)m.data;
    *request = (struct blk_request){.sector = offset / BLK_SECTOR_SIZE,
                                    .count = length / BLK_SECTOR_SIZE};
    if (buffer >= pool.start && buffer + length <= pool.start + pool.size) {
        request->offset = (uint64_t)(buffer - pool.start);
    } else {
        request->flags = BLK_WINDOW;
        m.window_count = 1;
        m.windows[0] = (struct window){(uint64_t)buffer, length,
                                       type == BLK_READ ? WINDOW_WRITE : WINDOW_READ};
    }
    int64_t done = disk_call(disk, &m);
    return done < 0 ? (int)done : done == length ? 0 : -EIO;
}

static int block_move(struct block_device *device, uint32_t type, uint64_t offset, char *buffer,
                      uint32_t length)
{
    struct block_disk *disk = (struct block_disk *)device;
    while (length) {
        uint32_t n = length < TRANSFER_MAX ? length : TRANSFER_MAX;
        int error = transfer(disk, type, offset, buffer, n);
        if (error)
            return error;
        offset += n;
        buffer += n;
        length -= n;
    }
    return 0;
}

static int block_read(struct block_device *device, uint64_t offset, void *buffer, uint32_t length)
{
    return block_move(device, BLK_READ, offset, buffer, length);
}

static int block_write(struct block_device *device, uint64_t offset, const void *buffer,
                       uint32_t length)
{
    return block_move(device, BLK_WRITE, offset, (char *)(uintptr_t)buffer, length);
}

static int block_flush(struct block_device *device)
{
    struct message m = {.type = BLK_FLUSH, .len = 8};
    int64_t result = disk_call((struct block_disk *)device, &m);
    return result < 0 ? (int)result : 0;
}

int disk_open_block(struct block_device **out, const char *uri, uint64_t deadline)
{
    struct blk_info_reply info;
    struct block_disk *disk = calloc(1, sizeof(*disk));
    if (!disk)
        return -ENOMEM;
    disk->uri = uri;
    wait_for_transfers();
    int error = connect(disk, deadline, &info);
    if (error) {
        free(disk);
        return error;
    }
    disk->device = (struct block_device){info.sectors * BLK_SECTOR_SIZE, (int)info.read_only,
                                         block_read, block_write, block_flush};
    *out = &disk->device;
    return 0;
}

static int ram_read(struct block_device *device, uint64_t offset, void *buffer, uint32_t length)
{
    memcpy(buffer, ((struct ram_disk *)device)->bytes + offset, length);
    return 0;
}

static int ram_write(struct block_device *device, uint64_t offset, const void *buffer,
                     uint32_t length)
{
    memcpy(((struct ram_disk *)device)->bytes + offset, buffer, length);
    return 0;
}

static int ram_flush(struct block_device *device)
{
    (void)device;
    return 0;
}

int disk_open_ram(struct block_device **out, size_t size)
{
    handle_t memory;
    bool inherited;
    struct ram_disk *disk = malloc(sizeof(*disk));
    int64_t address = disk ? keep_memory(RAM_PLACE, size, 0, 0, &memory, &inherited) : -ENOMEM;
    if (address < 0) {
        free(disk);
        return (int)address;
    }
    disk->bytes = (char *)address;
    disk->device = (struct block_device){size, 0, ram_read, ram_write, ram_flush};
    *out = &disk->device;
    return 0;
}
