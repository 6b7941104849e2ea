/* The serial device: control messages as a device sends them, and bytes. */
#include "serve.h"
#include "proto/process.h"
#include "virtio.h"
#include "virtio/transport.h"
#include <string.h>

#define FEATURE_MULTIPORT (1ul << 1)
#define TAKEN_MAX 65536
enum { CONTROL_RECEIVE = 2, CONTROL_TRANSMIT = 3 };
enum { READY = 0, ADD = 1, CONSOLE = 4, OPEN = 6, NAME = 7 };

int server_main(void);

bool serve_stopped;
static char taken[TAKEN_MAX];
static size_t taken_len;

static void notify(struct host_virtio *device, unsigned queue);
static struct host_virtio serial = {
    .id = VIRTIO_ID_CONSOLE, .features = FEATURE_MULTIPORT, .queue_count = 6, .notify = notify};

static void control(uint32_t port, uint16_t event, uint16_t value, const char *name)
{
    struct host_chain chain;
    if (!host_virtio_take(&serial, CONTROL_RECEIVE, &chain))
        host_bug("consoled has no buffer for a control message");
    uint8_t *to = chain.segments[0].bytes;
    memcpy(to, &port, 4);
    memcpy(to + 4, &event, 2);
    memcpy(to + 6, &value, 2);
    memcpy(to + 8, name, strlen(name));
    host_virtio_give(&serial, CONTROL_RECEIVE, &chain, 8 + (uint32_t)strlen(name));
}

static void answer_control(void)
{
    struct host_chain chain;
    uint16_t event;
    while (host_virtio_take(&serial, CONTROL_TRANSMIT, &chain)) {
        memcpy(&event, chain.segments[0].bytes + 4, 2);
        host_virtio_give(&serial, CONTROL_TRANSMIT, &chain, 0);
        if (event != READY)
            continue;
        control(0, ADD, 1, "");
        control(0, CONSOLE, 1, "");
        control(1, ADD, 1, "");
        control(1, NAME, 1, "line");
        control(1, OPEN, 1, "");
    }
}

/* Takes what the driver wants to send on a port. */
static void take(unsigned queue)
{
    struct host_chain chain;
    while (!serve_stopped && host_virtio_take(&serial, queue, &chain)) {
        size_t n = chain.segments[0].length;
        if (chain.count != 1 || chain.out != 1 || n == 0)
            host_bug("consoled sends %u segments", chain.count);
        n = n < TAKEN_MAX - taken_len ? n : TAKEN_MAX - taken_len;
        memcpy(taken + taken_len, chain.segments[0].bytes, n);
        taken_len += n;
        host_virtio_give(&serial, queue, &chain, 0);
    }
}

static void notify(struct host_virtio *device, unsigned queue)
{
    (void)device;
    if (queue == CONTROL_TRANSMIT)
        answer_control();
    else if (queue == 1 || queue == 5)
        take(queue);
}

size_t serve_drain(char *out, size_t size)
{
    size_t before;
    do {
        before = taken_len;
        take(1);
        take(5);
        host_idle();
    } while (!serve_stopped && taken_len != before);
    size_t n = taken_len < size ? taken_len : size;
    memcpy(out, taken, n);
    taken_len = 0;
    return n;
}

size_t serve_type(unsigned port, const void *bytes, size_t count)
{
    const unsigned queue = port == 0 ? 0 : 4;
    struct host_chain chain;
    size_t done = 0;
    while (done < count && host_virtio_take(&serial, queue, &chain)) {
        size_t n = count - done < chain.segments[0].length ? count - done
                                                           : chain.segments[0].length;
        memcpy(chain.segments[0].bytes, (const char *)bytes + done, n);
        host_virtio_give(&serial, queue, &chain, (uint32_t)n);
        done += n;
    }
    host_idle();
    return done;
}

void serve_open(bool open)
{
    control(1, OPEN, open, "");
    host_idle();
}

void serve_prepare(void)
{
    struct host_object *device = host_virtio_object(&serial);
    host_give_service();
    host_give(SPAWN_DEVICE, device, RIGHTS_ALL, NULL);
    host_release(device);
}

void serve_consoled(void)
{
    server_main();
}
