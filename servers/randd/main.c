/* randd: the server of random:. A virtio-rng device seeds the generator, again and again; nobody
 * gets a byte before the first seed is complete. Without the device every read is ENXIO. */
#include "abi/errno.h"
#include "abi/memory.h"
#include "cairn/names.h"
#include "cairn/server.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "generator.h"
#include "proto/fs.h"
#include "proto/rand.h"
#include "virtio/device.h"
#include <string.h>

#define NAME               "random:"
#define WAITERS_MAX        128
#define CLIENT_WAITERS_MAX 16              /* of one client */
#define READ_MAX           65536ul         /* bytes that one read gives at most */
#define GET_MAX            240             /* of RAND_GET */
#define RESEED_TIME        60000000000ul   /* ns */
#define RESEED_BYTES       (1024 * 1024ul) /* given out */
#define DEVICE_REQUEST     GENERATOR_SEED  /* bytes asked of the device at a time */
#define INTERRUPT_BIT      0

/* A request that came before the seed; or its answer is being made. */
struct waiter {
    uint64_t token;
    uint64_t length;
    uint32_t client; /* pid */
    bool window;     /* FS_READ: into window 0; RAND_GET: into the reply */
};

static struct {
    struct server server;
    handle_t face; /* what clients get: a send handle, for all the same */
    struct generator generator;
    struct virtio_device device;
    struct virtio_queue queue;
    struct dma_buffer buffer;
    bool present; /* the device is there and works */
    bool asked;   /* it has our buffer */
    struct waiter waiters[WAITERS_MAX];
    unsigned waiting;
} randd;

/* ---- The device --------------------------------------------------------------------------- */

static void ask_device(void)
{
    struct virtqueue_segment segment = {randd.buffer.physical, DEVICE_REQUEST};
    if (!randd.present || randd.asked)
        return;
    if (virtqueue_add(&randd.queue.ring, &segment, 0, 1, &randd.buffer) == 0) {
        randd.asked = true;
        virtqueue_kick(&randd.queue.ring);
    }
}

static int open_device(handle_t handle)
{
    int error = virtio_open(&randd.device, handle, VIRTIO_ID_ENTROPY);
    if (!error)
        error = virtio_start_features(&randd.device, 0);
    if (!error)
        error = virtio_add_queue(&randd.device, &randd.queue, 0, 8);
    if (!error)
        error = (int)dma_alloc(handle, PAGE_SIZE, &randd.buffer);
    if (!error)
        error = virtio_run(&randd.device, randd.server.channel, INTERRUPT_BIT);
    return error;
}

static void find_device(void)
{
    for (unsigned n = 0;; n++) {
        handle_t handle = start_handle(SPAWN_DEVICE, n);
        if (handle < 0)
            break;
        int error = open_device(handle);
        if (error) {
            driver_log("randd: device %u is no usable virtio-rng (error %d)", n, -error);
            continue;
        }
        randd.present = true;
        ask_device();
        return;
    }
    driver_log("randd: no virtio-rng device, so there is no random: (every read is ENXIO)");
}

/* ---- Answers ------------------------------------------------------------------------------ */

static int64_t fill_window(uint64_t token, uint64_t length)
{
    uint8_t part[1024];
    uint64_t done = 0;
    while (done < length) {
        size_t n = length - done < sizeof part ? length - done : sizeof part;
        generator_fill(&randd.generator, part, n);
        int64_t moved = copy_out(token, 0, done, part, n);
        memset(part, 0, sizeof part);
        if (moved <= 0)
            return done > 0 ? (int64_t)done : moved < 0 ? moved : -EFAULT;
        done += (uint64_t)moved;
    }
    return (int64_t)done;
}

static void answer(const struct waiter *waiter)
{
    union {
        int64_t result;
        uint8_t bytes[sizeof(int64_t) + GET_MAX];
    } reply;
    if (waiter->window) {
        server_reply(waiter->token, fill_window(waiter->token, waiter->length), NULL, 0);
    } else {
        generator_fill(&randd.generator, reply.bytes + sizeof reply.result, waiter->length);
        server_reply(waiter->token, (int64_t)waiter->length, &reply,
                     sizeof reply.result + waiter->length);
        memset(&reply, 0, sizeof reply);
    }
    if (randd.generator.generated >= RESEED_BYTES)
        ask_device();
}

/* Answers all that wait: with bytes, or with an error once there is no hope of any. */
static void answer_waiters(void)
{
    for (unsigned i = 0; i < randd.waiting; i++) {
        if (generator_seeded(&randd.generator))
            answer(&randd.waiters[i]);
        else
            server_reply(randd.waiters[i].token, -EIO, NULL, 0);
    }
    randd.waiting = 0;
}

/* A caller that was killed or whose deadline passed left a stale token. */
static void forget_stale(void)
{
    char nothing = 0;
    unsigned kept = 0;
    for (unsigned i = 0; i < randd.waiting; i++)
        if (copy_out(randd.waiters[i].token, 0, 0, &nothing, 0) != -ESTALE)
            randd.waiters[kept++] = randd.waiters[i];
    randd.waiting = kept;
}

static bool may_wait(uint32_t client)
{
    unsigned own = 0;
    for (unsigned i = 0; i < randd.waiting; i++)
        own += randd.waiters[i].client == client;
    return randd.waiting < WAITERS_MAX && own < CLIENT_WAITERS_MAX;
}

static int64_t answer_or_wait(struct waiter waiter)
{
    if (generator_seeded(&randd.generator)) {
        answer(&waiter);
        return SERVER_DEFERRED;
    }
    if (!randd.present)
        return -ENXIO;
    if (!may_wait(waiter.client))
        forget_stale();
    if (!may_wait(waiter.client))
        return -EAGAIN;
    randd.waiters[randd.waiting++] = waiter;
    return SERVER_DEFERRED;
}

/* ---- Operations --------------------------------------------------------------------------- */

static int64_t random_get(struct request *request)
{
    uint64_t length = request->message->words[0];
    if (length > GET_MAX)
        return -EINVAL;
    return answer_or_wait((struct waiter){
        .token = request->token, .length = length, .client = request->message->sender});
}

static int64_t random_read(struct request *request)
{
    const struct message *m = request->message;
    uint64_t length = ((const struct fs_io_request *)m->data)->length;
    if (length == 0)
        return 0;
    if (m->window_count == 0 || !(m->windows[0].access & WINDOW_WRITE) ||
        length > m->windows[0].length)
        return -EINVAL;
    return answer_or_wait((struct waiter){.token = request->token,
                                          .length = length < READ_MAX ? length : READ_MAX,
                                          .client = m->sender,
                                          .window = true});
}

/* What is written is mixed in, but not trusted: it counts nothing towards the seed. */
static int64_t random_write(struct request *request)
{
    const struct message *m = request->message;
    const struct fs_io_request *r = (const struct fs_io_request *)m->data;
    uint8_t bytes[FS_INLINE_DATA];
    const size_t fixed = offsetof(struct fs_io_request, data);
    uint64_t length = r->length < sizeof bytes ? r->length : sizeof bytes;
    if (m->window_count > 0) {
        if (!(m->windows[0].access & WINDOW_READ) || r->length > m->windows[0].length)
            return -EINVAL;
        int error = request_copy_in(request, 0, 0, bytes, length);
        if (error)
            return error;
    } else if (r->length > sizeof bytes || m->len < fixed + length) {
        return -EINVAL;
    } else {
        memcpy(bytes, r->data, length);
    }
    generator_mix(&randd.generator, bytes, length, false);
    return (int64_t)r->length;
}

/* There is one file, the root itself. */
static int check_path(struct request *request)
{
    char path[8];
    int length = request_path(request, path, sizeof path);
    if (length == -ENAMETOOLONG || length > 0)
        return -ENOENT;
    return length;
}

static int64_t random_open(struct request *request)
{
    int error = check_path(request);
    if (error)
        return error;
    if (((const struct fs_path_request *)request->message->data)->flags & FS_O_DIRECTORY)
        return -ENOTDIR;
    int64_t handle = handle_dup(randd.face, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    if (handle < 0)
        return handle;
    request->reply->handles[0] = (handle_t)handle;
    request->reply->handle_count = 1;
    struct fs_open_reply *reply = (struct fs_open_reply *)request->reply->data;
    *reply = (struct fs_open_reply){.mode = FS_IFCHR | 0666u};
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t random_fstat(struct request *request)
{
    struct fs_stat_reply *reply = (struct fs_stat_reply *)request->reply->data;
    *reply = (struct fs_stat_reply){
        .stat = {.inode = 1, .mode = FS_IFCHR | 0666u, .links = 1, .block_size = READ_MAX}};
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t random_stat(struct request *request)
{
    int error = check_path(request);
    return error ? error : random_fstat(request);
}

static int64_t random_poll(struct request *request)
{
    (void)request;
    return FS_POLL_OUT | (generator_seeded(&randd.generator) ? FS_POLL_IN : 0);
}

static int64_t random_seek(struct request *request)
{
    (void)request;
    return -ESPIPE;
}

static int64_t random_close(struct request *request)
{
    (void)request;
    return 0;
}

static const struct server_operation operations[] = {
    {RAND_GET, sizeof(uint64_t), random_get},
    {FS_READ, offsetof(struct fs_io_request, data), random_read},
    {FS_WRITE, offsetof(struct fs_io_request, data), random_write},
    {FS_OPEN, offsetof(struct fs_path_request, path), random_open},
    {FS_STAT, offsetof(struct fs_path_request, path), random_stat},
    {FS_FSTAT, 0, random_fstat},
    {FS_POLL, 0, random_poll},
    {FS_SEEK, 0, random_seek},
    {FS_CLOSE, 0, random_close},
};

static void on_pulse(struct server *server, uint64_t bits)
{
    void *cookie;
    uint32_t length;
    int taken;
    (void)server;
    if (!(bits & 1ul << INTERRUPT_BIT) || !randd.present)
        return;
    virtio_interrupt_begin(&randd.device);
    while ((taken = virtqueue_take(&randd.queue.ring, &cookie, &length)) == 1) {
        randd.asked = false;
        generator_mix(&randd.generator, (void *)randd.buffer.address, length, true);
        memset((void *)randd.buffer.address, 0, DEVICE_REQUEST);
    }
    if (taken < 0) {
        driver_log("randd: the device misbehaves and is not used any more");
        virtio_stop(&randd.device);
        randd.present = false;
    }
    if (generator_seeded(&randd.generator) || !randd.present)
        answer_waiters();
    else
        ask_device();
}

static uint64_t on_tick(struct server *server)
{
    (void)server;
    ask_device();
    return (uint64_t)clock_now() + RESEED_TIME;
}

int main(void)
{
    randd.server = (struct server){.channel = start_handle(SPAWN_SERVICE, 0),
                                   .operations = operations,
                                   .operation_count = sizeof operations / sizeof operations[0],
                                   .pulse = on_pulse,
                                   .tick = on_tick};
    if (randd.server.channel < 0)
        return 1;
    generator_init(&randd.generator);
    find_device();
    randd.face =
        (handle_t)handle_dup(randd.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    int error = randd.face < 0 ? randd.face : name_register(NAME, randd.face);
    if (error) {
        driver_log("randd: cannot register " NAME " (error %d)", -error);
        return 1;
    }
    return server_run(&randd.server) < 0;
}
