/* The entropy device: its bytes are a counter's. */
#include "serve.h"
#include "proto/process.h"
#include "virtio.h"
#include "virtio/transport.h"

int server_main(void);

static void notify(struct host_virtio *device, unsigned queue)
{
    (void)device, (void)queue; /* it takes its time: see serve_entropy */
}

static struct host_virtio rng = {.id = VIRTIO_ID_ENTROPY, .queue_count = 1, .notify = notify};

bool serve_entropy(uint32_t bytes)
{
    static uint8_t next;
    struct host_chain chain;
    if (!host_virtio_take(&rng, 0, &chain))
        return false;
    if (chain.count != 1 || chain.out != 0)
        host_bug("a request to the entropy device with %u segments", chain.count);
    bytes = bytes < chain.segments[0].length ? bytes : chain.segments[0].length;
    for (uint32_t i = 0; i < bytes; i++)
        chain.segments[0].bytes[i] = next++;
    host_virtio_give(&rng, 0, &chain, bytes);
    host_idle();
    return true;
}

void serve_prepare(void)
{
    struct host_object *device = host_virtio_object(&rng);
    host_give_service();
    host_give(SPAWN_DEVICE, device, RIGHTS_ALL, NULL);
    host_release(device);
}

void serve_randd(void)
{
    server_main();
}
