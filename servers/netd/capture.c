/* Captures: each has a ring of records between the tap and its reader. A reader that is too slow
 * misses whole frames, never a part of one. */
#include "netd/capture.h"

#include "cairn/syscall.h"
#include "netd/netd.h"
#include "proto/fs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING_SIZE     (512u << 10) /* bytes */
#define SNAP_LENGTH   65535u
#define LINK_ETHERNET 1u
#define MAGIC_NS      0xa1b23c4du /* times in ns, in the byte order of who wrote it */
#define SECOND        1000000000ull

struct pcap_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy;
    uint32_t snap_length, link_type;
};
struct pcap_record {
    uint32_t seconds, nanoseconds;
    uint32_t captured, length; /* bytes */
};

static struct capture {
    bool used, nonblocking;
    uint64_t badge;
    uint32_t client;
    struct netif *netif;
    uint8_t *ring;
    uint32_t read, used_bytes;
    uint64_t reader; /* token of a read that waits, 0 = none */
    uint64_t wanted; /* bytes that it can take */
} captures[CAPTURES_MAX];

static uint64_t next_badge;
static uint64_t clock_offset; /* from ns since boot to ns since 1970 */

/* ---- The ring ----------------------------------------------------------------------------- */

static void put(struct capture *capture, const void *data, uint32_t length)
{
    uint32_t at = (capture->read + capture->used_bytes) % RING_SIZE;
    uint32_t first = length < RING_SIZE - at ? length : RING_SIZE - at;
    memcpy(capture->ring + at, data, first);
    memcpy(capture->ring, (const uint8_t *)data + first, length - first);
    capture->used_bytes += length;
}

static void record(struct capture *capture, const struct packet *frame)
{
    uint64_t time = netd.now + clock_offset;
    uint32_t length = packet_total(frame);
    uint32_t captured = length < SNAP_LENGTH ? length : SNAP_LENGTH, left = captured;
    const struct pcap_record header = {.seconds = (uint32_t)(time / SECOND),
                                       .nanoseconds = (uint32_t)(time % SECOND),
                                       .captured = captured,
                                       .length = length};
    if (sizeof header + captured > RING_SIZE - capture->used_bytes)
        return;
    put(capture, &header, sizeof header);
    for (; frame && left > 0; frame = frame->fragment) {
        uint32_t piece = packet_length(frame) < left ? packet_length(frame) : left;
        put(capture, frame->data + frame->start, piece);
        left -= piece;
    }
}

static void tap(struct netif *netif, const struct packet *frame, bool sent)
{
    (void)sent;
    for (unsigned i = 0; i < CAPTURES_MAX; i++)
        if (captures[i].used && captures[i].netif == netif)
            record(&captures[i], frame);
}

/* ---- Reading ------------------------------------------------------------------------------ */

/* Gives the caller behind token up to length bytes; how many, or -errno. */
static int64_t give(struct capture *capture, uint64_t token, uint64_t length)
{
    uint64_t done = 0;
    while (done < length && capture->used_bytes > 0) {
        uint64_t piece = RING_SIZE - capture->read;
        piece = piece < capture->used_bytes ? piece : capture->used_bytes;
        piece = piece < length - done ? piece : length - done;
        int64_t moved = copy_out(token, 0, done, capture->ring + capture->read, piece);
        if (moved <= 0)
            return done ? (int64_t)done : moved < 0 ? moved : -EFAULT;
        capture->read = (capture->read + (uint32_t)moved) % RING_SIZE;
        capture->used_bytes -= (uint32_t)moved;
        done += (uint64_t)moved;
    }
    return (int64_t)done;
}

void capture_work(void)
{
    for (unsigned i = 0; i < CAPTURES_MAX; i++) {
        struct capture *capture = &captures[i];
        if (!capture->used || !capture->reader || capture->used_bytes == 0)
            continue;
        server_reply(capture->reader, give(capture, capture->reader, capture->wanted), NULL, 0);
        capture->reader = 0;
    }
}

static int64_t read_request(struct request *request, struct capture *capture)
{
    const struct message *m = request->message;
    const struct fs_io_request *r = (const void *)m->data;
    if (m->len < offsetof(struct fs_io_request, data) || m->window_count < 1 ||
        r->length > m->windows[0].length)
        return -EINVAL;
    if (r->offset != FS_OFFSET_CURRENT)
        return -ESPIPE;
    if (capture->used_bytes > 0 || r->length == 0)
        return give(capture, request->token, r->length);
    if (capture->nonblocking)
        return -EAGAIN;
    if (capture->reader) /* there is one reader: a second takes its place */
        server_reply(capture->reader, -EINTR, NULL, 0);
    capture->reader = request->token;
    capture->wanted = r->length;
    return SERVER_DEFERRED;
}

/* ---- Sessions ----------------------------------------------------------------------------- */

static struct capture *find(uint64_t badge)
{
    for (unsigned i = 0; i < CAPTURES_MAX; i++)
        if (captures[i].used && captures[i].badge == badge)
            return &captures[i];
    return NULL;
}

int64_t capture_request(struct request *request)
{
    struct capture *capture = find(request->message->badge);
    if (!capture)
        return -EBADF;
    switch (request->message->type) {
    case FS_READ:
        return read_request(request, capture);
    case FS_FSTAT: {
        struct fs_stat_reply *reply = (void *)request->reply->data;
        *reply = (struct fs_stat_reply){.stat = {.mode = FS_IFIFO | 0400, .links = 1}};
        request->reply->len = sizeof *reply;
        return 0;
    }
    case FS_POLL:
        return capture->used_bytes > 0 ? FS_POLL_IN : 0;
    case FS_SET_FLAGS:
        if (request->message->len < sizeof(uint64_t))
            return -EINVAL;
        capture->nonblocking = request->message->words[0] & FS_O_NONBLOCK;
        return 0;
    case FS_CLOSE:
        return 0;
    case FS_SEEK:
        return -ESPIPE;
    case FS_WRITE:
        return -EBADF;
    default:
        return -ENOSYS;
    }
}

static struct netif *interface_named(const char *path)
{
    if (strncmp(path, "capture", 7) != 0 || (path[7] != ':' && path[7] != '/'))
        return NULL;
    for (struct netif *netif = netd.stack->netifs; netif; netif = netif->next)
        if (strcmp(netif->name, path + 8) == 0)
            return netif;
    return NULL;
}

static void start(struct capture *capture)
{
    struct timespec time = {0};
    const struct pcap_header header = {.magic = MAGIC_NS,
                                       .major = 2,
                                       .minor = 4,
                                       .snap_length = SNAP_LENGTH,
                                       .link_type = LINK_ETHERNET};
    clock_gettime(CLOCK_REALTIME, &time);
    clock_offset = (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec - (uint64_t)clock_now();
    put(capture, &header, sizeof header);
    capture->netif->tap = tap;
}

int64_t capture_open(struct request *request, const char *path)
{
    struct netif *netif = interface_named(path);
    struct capture *capture = NULL;
    if (!netif)
        return -ENOENT;
    unsigned own = 0;
    for (unsigned i = 0; i < CAPTURES_MAX; i++) {
        if (!captures[i].used)
            capture = &captures[i];
        else
            own += captures[i].client == request->message->sender;
    }
    if (own >= CAPTURES_A_CLIENT)
        return -EMFILE;
    if (!capture)
        return -ENFILE;
    uint8_t *ring = malloc(RING_SIZE);
    if (!ring)
        return -ENOMEM;
    if (next_badge == 0)
        next_badge = (uint64_t)clock_now(); /* not those of an earlier netd */
    *capture = (struct capture){.used = true,
                                .badge = BADGE_CAPTURE | next_badge++,
                                .client = request->message->sender,
                                .netif = netif,
                                .ring = ring};
    int64_t handle =
        handle_mint(netd.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER, capture->badge);
    if (handle < 0) {
        capture->used = false;
        free(ring);
        return handle;
    }
    start(capture);
    struct fs_open_reply *reply = (void *)request->reply->data;
    *reply = (struct fs_open_reply){.mode = FS_IFIFO | 0400};
    request->reply->len = sizeof *reply;
    request->reply->handle_count = 1;
    request->reply->handles[0] = (handle_t)handle;
    return 0;
}

void capture_closed(uint64_t badge)
{
    struct capture *capture = find(badge);
    if (!capture)
        return;
    capture->used = false;
    free(capture->ring);
    for (unsigned i = 0; i < CAPTURES_MAX; i++)
        if (captures[i].used && captures[i].netif == capture->netif)
            return;
    capture->netif->tap = NULL;
}
