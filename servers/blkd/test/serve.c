/* The disks behind a blkd under test. A command that leaves the disk is blkd's fault. */
#include "serve.h"
#include "proto/process.h"
#include "virtio.h"
#include "virtio/transport.h"
#include <string.h>

enum { COMMAND_IN = 0, COMMAND_OUT = 1, COMMAND_FLUSH = 4, COMMAND_ID = 8 };
#define FEATURE_READ_ONLY (1ul << 5)
#define FEATURE_FLUSH     (1ul << 9)

int server_main(void);

bool serve_at_once = true;
uint8_t serve_bytes[SERVE_SECTORS * 512];
static uint8_t small_bytes[512];

static void notify(struct host_virtio *device, unsigned queue);
static struct host_virtio disks[2] = {
    {.id = VIRTIO_ID_BLOCK, .features = FEATURE_FLUSH, .queue_count = 1, .notify = notify},
    {.id = VIRTIO_ID_BLOCK, .features = FEATURE_READ_ONLY, .queue_count = 1, .notify = notify},
};

static bool is_data_command(uint32_t type)
{
    return type == COMMAND_IN || type == COMMAND_OUT;
}

/* Moves the data of a read or write. */
static void move(struct host_virtio *device, uint32_t type, uint64_t sector,
                 const struct host_chain *chain)
{
    uint8_t *bytes = device == disks ? serve_bytes : small_bytes;
    const uint64_t sectors = device == disks ? SERVE_SECTORS : 1;
    const uint32_t length = chain->segments[1].length;
    if (chain->count != 3 || chain->out != (type == COMMAND_OUT ? 2 : 1) || length == 0 ||
        length % 512 || sector >= sectors || length / 512 > sectors - sector)
        host_bug("a command for %u bytes at sector %lu", length, (unsigned long)sector);
    if (type == COMMAND_OUT && device != disks)
        host_bug("a write to a disk that is read-only");
    if (type == COMMAND_OUT)
        memcpy(bytes + sector * 512, chain->segments[1].bytes, length);
    else
        memcpy(chain->segments[1].bytes, bytes + sector * 512, length);
}

static bool step(struct host_virtio *device, bool ok)
{
    struct host_chain chain;
    uint32_t type;
    uint64_t sector;
    if (!host_virtio_take(device, 0, &chain))
        return false;
    memcpy(&type, chain.segments[0].bytes, sizeof type);
    memcpy(&sector, chain.segments[0].bytes + 8, sizeof sector);
    if (is_data_command(type) && ok)
        move(device, type, sector, &chain);
    else if (type == COMMAND_ID)
        memcpy(chain.segments[1].bytes, "disk of the test\0\0\0", 20);
    *chain.segments[chain.count - 1].bytes = ok ? 0 : 1;
    host_virtio_give(device, 0, &chain, chain.segments[chain.count - 1].length);
    return true;
}

bool serve_step(bool ok)
{
    return step(&disks[0], ok) || step(&disks[1], ok);
}

static void notify(struct host_virtio *device, unsigned queue)
{
    (void)queue;
    while (serve_at_once && step(device, true))
        ;
}

void serve_prepare(void)
{
    host_give_service();
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t sectors = i == 0 ? SERVE_SECTORS : 1;
        memcpy(disks[i].config, &sectors, sizeof sectors);
        struct host_object *device = host_virtio_object(&disks[i]);
        host_give(SPAWN_DEVICE, device, RIGHTS_ALL, NULL);
        host_release(device);
    }
}

void serve_blkd(void)
{
    server_main();
}
