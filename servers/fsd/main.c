/* fsd: the file system server. `fsd PREFIX DEVICE` serves the ext2 on DEVICE (block:virtio:N, or
 * ram:SIZE, which it makes first) under PREFIX. Data is written back every second, a transaction
 * is committed every five; SIGTERM unmounts. */
#include "abi/kernel_services.h"
#include "cairn/kept.h"
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "disk.h"
#include "ext2/make.h"
#include "fsd.h"
#include "jobs.h"
#include "keep.h"
#include "proto/ns.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ul
#define CACHE_BYTES (8ul << 20)
#define RAM_CACHE_BYTES (2ul << 20) /* what a transaction needs */
#define BLOCK_BYTES 4096
#define POOL_REST (1ul << 20) /* in the pool besides the blocks: all else that is to be adopted */
#define PIECE_ALIGN 4096ul
#define WRITE_BACK_BLOCKS 256 /* a second */
#define COMMIT_SECONDS 5      /* what is older than that is on the disk */
#define PULSE_TERMINATE 0     /* bit on our own channel */
#define DEVICE_PATIENCE (10 * SECOND)

struct ext2 *volume;

static handle_t service;
static int64_t clock_offset; /* wall clock minus monotonic clock, ns */

uint64_t wall_clock(void) { return (uint64_t)(clock_now() + clock_offset); }

static void clock_set(void)
{
    char rest[NS_URI_MAX];
    struct message m = {.type = KTIME_GET, .len = 0};
    handle_t clock = name_wait("sys:clock", rest, (uint64_t)clock_now() + SECOND);
    if (clock > 0 && channel_call(clock, &m) == 0 && m.words[0] == 0)
        clock_offset = (int64_t)m.words[1] - clock_now();
}

/* All that a mount takes is where the disk can reach it, and where the next fsd finds it. */
static void *allocate(size_t bytes)
{
    void *memory = disk_memory((bytes + PIECE_ALIGN - 1) & ~(PIECE_ALIGN - 1));
    return memory ? memory : malloc(bytes);
}

static void release(void *memory) { (void)memory; /* fsd ends after unmounting */ }

static size_t parse_size(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    return *end == 'k' ? n << 10 : *end == 'm' ? n << 20 : n;
}

static bool is_ram(const char *name) { return strncmp(name, "ram:", 4) == 0; }

static int open_device(const char *name, struct block_device **device)
{
    return is_ram(name) ? disk_open_ram(device, parse_size(name + 4))
                        : disk_open_block(device, name, (uint64_t)clock_now() + DEVICE_PATIENCE);
}

static void on_terminate(int signal)
{
    (void)signal;
    pulse(service, 1ul << PULSE_TERMINATE);
}

static void on_closed(struct server *server, uint64_t badge)
{
    (void)server;
    struct session *session = session_find(badge);
    if (!session)
        return;
    const bool holds = !session->dead;
    session_close(session);
    kept_barrier();
    if (holds)
        ext2_drop(volume, session->inode);
}

static void on_pulse(struct server *server, uint64_t bits)
{
    if (bits & 1ul << PULSE_TERMINATE)
        server->stop = 1;
}

static uint64_t on_tick(struct server *server)
{
    (void)server;
    static uint64_t next, next_commit;
    uint64_t now = (uint64_t)clock_now();
    if (job_step())
        return now + 1; /* requests first, then the next piece */
    if (now >= next) {
        ext2_sync_some(volume, WRITE_BACK_BLOCKS);
        next = now + SECOND;
    }
    if (now >= next_commit) {
        ext2_sync(volume);
        next_commit = now + COMMIT_SECONDS * SECOND;
    }
    return next;
}

static const char *why_not(int error)
{
    switch (error) {
    case -EINVAL:
        return "no ext2 there";
    case -EOPNOTSUPP:
        return "it has features that fsd does not know";
    case -EIO:
        return "it is damaged, or cannot be read: e2fsck may help";
    case -EROFS:
        return "its journal must be replayed first, and the disk is read-only";
    default:
        return strerror(-error);
    }
}

/* Goes on where a process that has died stopped. */
static int adopt(struct block_device *device, const struct ext2_options *options)
{
    static uint32_t held[SESSIONS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        const struct session *session = session_at(i);
        if (session->used && !session->dead)
            held[count++] = session->inode;
    }
    volume = keep_volume();
    return volume ? ext2_adopt(volume, device, options, held, count) : -ENOENT;
}

static int mount(const char *prefix, const char *device_name)
{
    struct block_device *device;
    bool inherited = false;
    const bool ram = is_ram(device_name);
    const size_t cache = ram ? RAM_CACHE_BYTES : CACHE_BYTES;
    int error = disk_reserve(cache + POOL_REST, !ram, &inherited);
    if (error)
        fprintf(stderr, "fsd: no memory of its own for the cache: %s\n", strerror(-error));
    error = open_device(device_name, &device);
    if (error) {
        fprintf(stderr, "fsd: %s: %s: %s\n", prefix, device_name, strerror(-error));
        return error;
    }
    struct ext2_options options = {.read_only = device->read_only,
                                   .cache_blocks = cache / BLOCK_BYTES,
                                   .allocate = allocate,
                                   .release = release,
                                   .now = wall_clock(),
                                   .adoptable = true,
                                   .committing = keep_begun};
    if (inherited && adopt(device, &options) == 0) {
        fprintf(stderr, "fsd: %s took over\n", prefix);
        return 0;
    }
    keep_forget();
    error = ext2_mount(&volume, device, &options);
    if (error == -EINVAL && ram) {
        error = ext2_make(device, (uint32_t)(options.now / SECOND));
        if (!error)
            error = ext2_mount(&volume, device, &options);
    }
    if (!error)
        keep_set_volume(volume);
    if (error)
        fprintf(stderr, "fsd: %s: %s: cannot mount: %s\n", prefix, device_name, why_not(error));
    return error;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: fsd PREFIX DEVICE\n");
        return 2;
    }
    service = start_handle(SPAWN_SERVICE, 0);
    if (service < 0) {
        fprintf(stderr, "fsd: started without a service channel\n");
        return 2;
    }
    if (keep_open())
        return 1;
    operations_prepare();
    clock_set();
    if (mount(argv[1], argv[2]))
        return 1;
    struct ext2_info info;
    ext2_info(volume, &info);
    fprintf(stderr, "fsd: %s on %s: %u blocks of %u, %u free%s%s\n", argv[1], argv[2], info.blocks,
            info.block_size, info.blocks_free, info.journal_blocks ? ", journal" : "",
            info.read_only ? ", read-only" : "");
    int error = name_register(argv[1], service);
    if (error) {
        fprintf(stderr, "fsd: cannot register %s: %s\n", argv[1], strerror(-error));
        return 1;
    }
    signal(SIGTERM, on_terminate);
    struct server server = {.channel = service,
                            .operations = operations,
                            .operation_count = operation_count,
                            .closed = on_closed,
                            .pulse = on_pulse,
                            .tick = on_tick};
    error = server_run(&server);
    keep_set_volume(NULL);
    int unmounted = ext2_unmount(volume);
    if (unmounted)
        fprintf(stderr, "fsd: %s: unmount: %s\n", argv[1], strerror(-unmounted));
    return error || unmounted;
}
