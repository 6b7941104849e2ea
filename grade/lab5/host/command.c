/* Plays a virtio-blk device to the driver of one disk, and the scheduler above it.
 *
 *     open SIZE SERIAL           a device whose queue has SIZE descriptors
 *     submit ID KIND SECTOR COUNT PHYSICAL    gives the driver a command; the device looks at it
 *     done PLACE STATUS          the device ends one of its commands (modulo); 255: it leaves the
 *                                status as it is
 *     interrupt                  the driver takes what is done */
#include "blkd/virtio_blk.h"

#include "abi/errno.h"
#include "cairn/syscall.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFERS  2
#define PHYSICAL 0x90000000ul
#define IOS      4096
#define GET_ID   8
#define LEFT     255
#define SEGMENTS 8

static struct virtio_blk blk;
static struct io ios[IOS];
static unsigned queue_size;
static char serial[20];
static uint8_t *ring, *buffers[BUFFERS];
static size_t buffer_sizes[BUFFERS];
static unsigned buffer_count;
static uint16_t seen;

struct chain {
    uint16_t head;
    unsigned count;
    struct {
        uint64_t physical;
        uint32_t length;
        bool in;
    } segments[SEGMENTS];
};
static struct chain pending[VIRTQUEUE_SIZE_MAX];
static unsigned pending_count;

/* ---- Memory, clock and device calls, as the driver sees them ---- */

int64_t clock_now(void)
{
    static int64_t now;
    return now += 1000000;
}

void sleep_until(uint64_t deadline)
{
    (void)deadline;
}

int64_t dma_alloc(handle_t device, uint64_t size, struct dma_buffer *buffer)
{
    (void)device;
    if (buffer_count == BUFFERS)
        return -ENOMEM;
    buffers[buffer_count] = calloc(size, 1);
    buffer_sizes[buffer_count] = size;
    *buffer = (struct dma_buffer){.address = (uint64_t)buffers[buffer_count],
                                  .physical = PHYSICAL * (buffer_count + 1),
                                  .size = size,
                                  .memory = 1};
    buffer_count++;
    return 0;
}

int64_t dma_free(handle_t device, handle_t memory)
{
    return device + memory - device - memory;
}

int64_t copy_in(uint64_t t, uint64_t w, uint64_t o, void *b, size_t l)
{
    return t + w + o == 0 && b == NULL && l == 0 ? 0 : -EFAULT;
}

int64_t copy_out(uint64_t t, uint64_t w, uint64_t o, const void *b, size_t l)
{
    return t + w + o == 0 && b == NULL && l == 0 ? 0 : -EFAULT;
}

static uint8_t *memory_at(uint64_t physical, size_t length)
{
    for (unsigned i = 0; i < buffer_count; i++) {
        uint64_t base = PHYSICAL * (i + 1);
        if (physical >= base && physical - base + length <= buffer_sizes[i])
            return buffers[i] + (physical - base);
    }
    return NULL;
}

int virtio_open(struct virtio_device *device, handle_t handle, uint32_t id)
{
    device->handle = handle;
    return id == VIRTIO_ID_BLOCK ? 0 : -ENODEV;
}

int virtio_start_features(struct virtio_device *device, uint64_t wanted)
{
    device->transport.features = wanted | VIRTIO_F_VERSION_1;
    return 0;
}

int virtio_config_read(struct virtio_transport *t, unsigned offset, void *buffer, size_t length)
{
    (void)t;
    (void)offset;
    memset(buffer, 0x11, length);
    return 0;
}

static uint16_t *available(void)
{
    return (uint16_t *)(ring + 16 * queue_size);
}
static uint16_t *used(void)
{
    return (uint16_t *)(ring + ((18 * queue_size + 9) & ~3u));
}

/* ---- The device ---- */

static bool look(struct chain *chain)
{
    if (seen == available()[1])
        return false;
    *chain = (struct chain){.head = available()[2 + (seen++ & (queue_size - 1))]};
    for (unsigned at = chain->head; at < queue_size && chain->count < SEGMENTS;) {
        struct virtqueue_descriptor d;
        memcpy(&d, ring + 16 * at, sizeof d);
        chain->segments[chain->count].physical = d.address;
        chain->segments[chain->count].length = d.length;
        chain->segments[chain->count++].in = d.flags & VIRTQUEUE_WRITE;
        if (!(d.flags & VIRTQUEUE_NEXT))
            return true;
        at = d.next;
    }
    printf("a chain without an end\n");
    return false;
}

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

/* The first 16 bytes that the device reads; *used of the first segments are gone then. */
static bool read_header(const struct chain *chain, struct header *header, unsigned *segment,
                        uint32_t *skip)
{
    size_t have = 0;
    *segment = *skip = 0;
    while (have < sizeof *header && *segment < chain->count && !chain->segments[*segment].in) {
        size_t take = chain->segments[*segment].length;
        if (take > sizeof *header - have)
            take = sizeof *header - have;
        uint8_t *bytes = memory_at(chain->segments[*segment].physical, take);
        if (!bytes)
            return false;
        memcpy((uint8_t *)header + have, bytes, take);
        have += take;
        *skip = (uint32_t)take;
        if (take == chain->segments[*segment].length) {
            ++*segment;
            *skip = 0;
        }
    }
    return have == sizeof *header;
}

/* What the device makes of a command: header, data that it reads or writes, the status byte. */
static void print_command(const struct chain *chain)
{
    struct header h;
    unsigned segment;
    uint32_t skip;
    if (!read_header(chain, &h, &segment, &skip)) {
        printf(" no-header\n");
        return;
    }
    printf(" type %u reserved %u sector %lx data", h.type, h.reserved, (unsigned long)h.sector);
    for (; segment < chain->count; segment++, skip = 0) {
        uint32_t length = chain->segments[segment].length - skip;
        bool in = chain->segments[segment].in;
        length -= in && segment + 1 == chain->count; /* the last byte is the status */
        if (length > 0)
            printf(" %s:%lx:%x", in ? "in" : "out",
                   (unsigned long)chain->segments[segment].physical + skip, length);
    }
    bool status = chain->count > 0 && chain->segments[chain->count - 1].in;
    printf(" %s\n", status ? "status" : "no-status");
}

static void end_command(const struct chain *chain, unsigned status, uint32_t written)
{
    unsigned last = chain->count - 1;
    uint32_t length = chain->segments[last].length;
    uint8_t *byte = memory_at(chain->segments[last].physical + length - 1, 1);
    if (byte && chain->segments[last].in && status != LEFT)
        *byte = (uint8_t)status;
    uint32_t entry[2] = {chain->head, written};
    memcpy((uint8_t *)used() + 4 + 8 * (used()[1] & (queue_size - 1)), entry, sizeof entry);
    used()[1]++;
}

/* While the driver opens it, the device is asked for its serial number. */
static void rang(void *context)
{
    (void)context;
    struct chain chain;
    while (look(&chain)) {
        struct header h;
        unsigned segment;
        uint32_t skip;
        if (read_header(&chain, &h, &segment, &skip) && h.type == GET_ID) {
            uint8_t *to = memory_at(chain.segments[segment].physical, sizeof serial);
            if (to && chain.segments[segment].in && chain.segments[segment].length >= sizeof serial)
                memcpy(to, serial, sizeof serial);
            end_command(&chain, 0, sizeof serial + 1);
            continue;
        }
        pending[pending_count++] = chain;
        printf("device");
        print_command(&chain);
    }
}

int virtio_add_queue(struct virtio_device *device, struct virtio_queue *queue, unsigned index,
                     uint16_t size)
{
    size_t bytes = (virtqueue_bytes((uint16_t)queue_size) + 15) & ~15ul;
    ring = aligned_alloc(16, bytes);
    memset(ring, 0, bytes);
    queue->device = device;
    queue->index = index;
    return size < queue_size
               ? -EINVAL
               : virtqueue_init(&queue->ring, (uint16_t)queue_size, ring, false, rang, NULL);
}

int virtio_run(struct virtio_device *device, handle_t channel, unsigned bit)
{
    (void)device;
    (void)channel;
    (void)bit;
    return 0;
}

uint32_t virtio_interrupt_begin(struct virtio_device *device)
{
    (void)device;
    return VIRTIO_INTERRUPT_QUEUE;
}

bool virtio_needs_reset(struct virtio_transport *t)
{
    return t == NULL;
}
int virtio_stop(struct virtio_device *device)
{
    return device ? 0 : -EIO;
}
int virtio_restart(struct virtio_device *device, uint32_t id)
{
    return device && id ? -EIO : 0;
}
void driver_log(const char *format, ...)
{
    printf("log %s\n", format);
}

/* ---- The scheduler above ---- */

void disk_complete(struct disk *disk, struct io *io, bool ok)
{
    if (disk != &blk.disk || io < ios || io >= ios + IOS)
        printf("complete something else\n");
    else
        printf("complete %u %s\n", (unsigned)(io - ios), ok ? "ok" : "failed");
}

void disk_pump(struct disk *disk)
{
    (void)disk;
}
void disk_fail(struct disk *disk)
{
    (void)disk;
    printf("reset\n");
}

static void finish(struct disk *disk, struct io *io, int64_t result)
{
    (void)disk;
    (void)io;
    (void)result;
}

/* ---- Steps ---- */

static void step_open(void)
{
    if (scanf("%u %19s", &queue_size, serial) != 2)
        exit(2);
    memset(&blk, 0, sizeof blk);
    seen = 0;
    buffer_count = pending_count = 0;
    int error = virtio_blk_open(&blk, 1, 1, 0, finish);
    printf("open %d serial %.20s places %u\n", error, blk.serial, blk.places);
}

static void step_submit(void)
{
    unsigned id, kind, count;
    unsigned long sector, physical;
    if (scanf("%u %u %lx %u %lx", &id, &kind, &sector, &count, &physical) != 5 || id >= IOS)
        exit(2);
    int result = blk.disk.backend->submit(&blk.disk, &ios[id], (enum disk_command)kind, sector,
                                          count, physical);
    printf("submit %d\n", result);
    blk.disk.backend->kick(&blk.disk);
}

static void step_done(void)
{
    unsigned place, status;
    if (scanf("%u %u", &place, &status) != 2)
        exit(2);
    if (pending_count == 0)
        return;
    struct chain chain = pending[place %= pending_count];
    memmove(&pending[place], &pending[place + 1], (pending_count - place - 1) * sizeof chain);
    pending_count--;
    end_command(&chain, status, 0);
}

int main(void)
{
    char word[16];
    while (scanf("%15s", word) == 1) {
        if (strcmp(word, "open") == 0)
            step_open();
        else if (strcmp(word, "submit") == 0)
            step_submit();
        else if (strcmp(word, "done") == 0)
            step_done();
        else if (strcmp(word, "interrupt") == 0)
            virtio_blk_interrupt(&blk, 1);
        else
            return 2;
    }
    printf("end\n");
    return 0;
}
