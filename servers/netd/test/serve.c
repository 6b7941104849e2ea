/* The device behind a netd under test: frames that it sends are kept, those that the test has are
 * received. Random numbers are always the same, so that an input of the fuzzer is one run. */
#include "serve.h"
#include "proto/process.h"
#include "virtio.h"
#include "virtio/transport.h"
#include <string.h>
#include <unistd.h>

#define FEATURES         (1ul << 5 | 1ul << 15 | 1ul << 16) /* MAC, MRG_RXBUF, STATUS */
#define HEADER           12
#define BUFFERS          10 /* in the header: how many the frame takes */
#define FRAME_MAX        2048
#define INTERRUPT_CONFIG 2

int server_main(void);

static uint8_t last[FRAME_MAX];
static uint32_t last_length;
static unsigned sent;

static void notify(struct host_virtio *device, unsigned queue);
static struct host_virtio net = {.id = VIRTIO_ID_NET,
                                 .features = FEATURES,
                                 .queue_count = 2,
                                 .config = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 1},
                                 .notify = notify};

int getentropy(void *buffer, size_t length)
{
    static uint64_t state = 1;
    uint8_t *at = buffer;
    for (size_t i = 0; i < length; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        at[i] = (uint8_t)(state >> 56);
    }
    return 0;
}

static void notify(struct host_virtio *device, unsigned queue)
{
    struct host_chain chain;
    if (queue != 1)
        return;
    while (host_virtio_take(device, 1, &chain)) {
        uint32_t length = 0;
        if (chain.out != chain.count || chain.segments[0].length < HEADER + 14)
            host_bug("a frame of %u pieces to write that is no frame", chain.count - chain.out);
        for (unsigned i = 0; i < chain.count; i++) {
            uint32_t skip = i == 0 ? HEADER : 0, bytes = chain.segments[i].length - skip;
            if (length + bytes > FRAME_MAX)
                host_bug("a frame that is too long");
            memcpy(last + length, chain.segments[i].bytes + skip, bytes);
            length += bytes;
        }
        last_length = length;
        sent++;
        host_virtio_give(device, 1, &chain, 0);
    }
}

bool serve_frame(const uint8_t *frame, uint32_t length)
{
    struct host_chain chain;
    if (!host_virtio_take(&net, 0, &chain))
        return false;
    uint32_t room = chain.segments[0].length - HEADER;
    length = length < room ? length : room;
    memset(chain.segments[0].bytes, 0, HEADER);
    chain.segments[0].bytes[BUFFERS] = 1;
    memcpy(chain.segments[0].bytes + HEADER, frame, length);
    host_virtio_give(&net, 0, &chain, HEADER + length);
    return true;
}

unsigned serve_sent(uint8_t *frame, uint32_t *length)
{
    memcpy(frame, last, last_length);
    *length = last_length;
    return sent;
}

void serve_link(bool up)
{
    net.config[6] = up;
    net.status |= INTERRUPT_CONFIG;
    host_pulse(1);
}

void serve_prepare(void)
{
    host_give_service();
    struct host_object *device = host_virtio_object(&net);
    host_give(SPAWN_DEVICE, device, RIGHTS_ALL, NULL);
    host_release(device);
}

void serve_netd(void) { server_main(); }
