/* netd: the server of net:. One thread: requests, interrupts and deadlines are turns of the same
 * loop (netd.h). */
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "netd/capture.h"
#include "netd/change.h"
#include "netd/configure.h"
#include "netd/early.h"
#include "netd/info.h"
#include "netd/ping.h"
#include "netd/resolve.h"
#include "netd/sessions.h"
#include "netd/socket_requests.h"
#include "netd/watches.h"
#include "proto/fs.h"
#include "proto/net.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PACKETS       4096
#define ROUNDS_MAX    16 /* of work that makes work, in one turn */
#define OPERATION_MAX NET_CHANGE

struct netd netd;
static struct text_server text;

/* ---- Turns -------------------------------------------------------------------------------- */

static uint64_t sooner(uint64_t a, uint64_t b) { return a && (a < b || !b) ? a : b; }

void netd_begin(void)
{
    netd.now = (uint64_t)clock_now();
    for (unsigned i = 0; i < netd.net_count; i++)
        virtio_net_collect(&netd.nets[i]);
    stack_poll(netd.stack, netd.now);
}

/* Frames that an earlier turn has left to be fair. */
static bool receive_more(void)
{
    unsigned left = netd.more_frames;
    netd.more_frames = 0;
    for (unsigned i = 0; i < netd.net_count; i++)
        if (left & 1u << i && virtio_net_receive(&netd.nets[i], netd.now))
            netd.more_frames |= 1u << i;
    return left != 0;
}

static int64_t serve(struct request *request);

/* Work makes work (what is sent over the loopback arrives), but not for ever: what is left after
 * some rounds is for the next turn, which then comes at once. */
void netd_end(void)
{
    bool busy = true;
    for (unsigned round = 0; busy && round < ROUNDS_MAX; round++) {
        configure_poll();
        early_work(serve);
        busy = sessions_work();
        busy |= ping_work();
        uint64_t due = stack_deadline(netd.stack);
        if (due && due <= netd.now) {
            stack_poll(netd.stack, netd.now);
            busy = true;
        }
    }
    capture_work();
    for (unsigned i = 0; i < netd.net_count; i++)
        virtio_net_flush(&netd.nets[i]);
    uint64_t deadline = sooner(stack_deadline(netd.stack), calls_deadline());
    deadline = sooner(deadline, configure_deadline());
    netd.server.deadline = busy || netd.more_frames ? netd.now : deadline;
}

static uint64_t tick(struct server *server)
{
    netd_begin();
    receive_more();
    calls_expire(netd.now);
    netd_end();
    return server->deadline;
}

static void on_pulse(struct server *server, uint64_t bits)
{
    (void)server;
    netd_begin();
    for (unsigned i = 0; i < netd.net_count; i++)
        if (bits & 1ul << i && virtio_net_interrupt(&netd.nets[i], netd.now))
            netd.more_frames |= 1u << i;
    netd_end();
}

/* ---- Requests ----------------------------------------------------------------------------- */

static int64_t file_request(struct request *request)
{
    char path[TEXT_NAME_MAX];
    const struct message *m = request->message;
    if (m->type == FS_OPEN && m->badge == 0 && request_path(request, path, sizeof path) > 0) {
        int64_t result = capture_open(request, path);
        if (result != -ENOENT)
            return result;
    }
    return text_server_request(&text, request);
}

static const struct {
    uint32_t type;
    uint16_t min_len;
    int64_t (*handle)(struct request *request);
} root_operations[] = {
    {NET_DNS_RESOLVE, offsetof(struct net_resolve_request, name) + 1, resolve_request},
    {NET_DNS_CANONICAL, offsetof(struct net_resolve_request, name) + 1, canonical_request},
    {NET_DNS_NAME, sizeof(struct net_address_request), name_request},
    {NET_PING, sizeof(struct net_ping_request), ping_request},
    {NET_STATS, 0, stats_request},
    {NET_INFO, sizeof(uint64_t), info_request},
    {NET_SUBSCRIBE_EVENTS, sizeof(uint64_t), watch_request},
    {NET_CHANGE, sizeof(struct net_change_request), change_request},
};

/* NET_SOCKET_CREATE is FS_OPEN without a path. */
static int64_t root_request(struct request *request)
{
    const struct message *m = request->message;
    if (m->type == NET_SOCKET_CREATE && m->len < offsetof(struct fs_path_request, path))
        return m->len < sizeof(struct net_create_request) ? -EINVAL
                                                          : socket_create_request(request);
    for (size_t i = 0; i < sizeof root_operations / sizeof root_operations[0]; i++)
        if (root_operations[i].type == m->type)
            return m->len < root_operations[i].min_len ? -EINVAL
                                                       : root_operations[i].handle(request);
    return file_request(request);
}

/* The same numbers mean different things on different handles, so the badge decides first. */
static int64_t serve(struct request *request)
{
    switch (request->message->badge & BADGE_KIND) {
    case BADGE_SOCKET:
        return socket_request(request);
    case BADGE_CAPTURE:
        return capture_request(request);
    case BADGE_WATCH:
        return -ENOSYS;
    case BADGE_TEXT:
        return text_server_request(&text, request);
    default:
        return root_request(request);
    }
}

static int64_t dispatch(struct request *request)
{
    netd_begin();
    int64_t result = serve(request);
    if (result == -ENETUNREACH && early_keep(request))
        result = SERVER_DEFERRED;
    netd_end();
    return result;
}

static void on_closed(struct server *server, uint64_t badge)
{
    (void)server;
    netd_begin();
    switch (badge & BADGE_KIND) {
    case BADGE_SOCKET:
        session_closed(badge);
        break;
    case BADGE_CAPTURE:
        capture_closed(badge);
        break;
    case BADGE_WATCH:
        watch_closed(badge);
        break;
    case BADGE_TEXT:
        text_server_closed(&text, badge);
        break;
    }
    netd_end();
}

/* ---- Start -------------------------------------------------------------------------------- */

/* The stack's pools are made once, large, and mostly not in use: memory straight from the heap's
 * end is zero without being touched. It stays as long as netd does. */
static void *allocate(size_t size)
{
    void *memory = sbrk((ptrdiff_t)((size + 15) & ~15ul));
    return memory == (void *)-1 ? NULL : memory;
}

static void release(void *memory) { (void)memory; }

/* Numbers that others must not guess come from randd. On a machine without it they come from the
 * clock, and the log has said so. */
static void random_bytes(void *to, size_t length)
{
    static uint8_t store[240];
    static size_t left;
    static bool warned;
    uint8_t *at = to;
    for (; length > 0; length--) {
        if (left == 0) {
            if (getentropy(store, sizeof store) != 0) {
                for (size_t i = 0; i < sizeof store; i++)
                    store[i] ^= (uint8_t)((uint64_t)clock_now() >> (i % 3 * 4));
                if (!warned)
                    driver_log("netd: there is no random: so its numbers can be guessed");
                warned = true;
            }
            left = sizeof store;
        }
        *at++ = store[--left];
    }
}

static void open_interfaces(void)
{
    for (unsigned n = 0; netd.net_count < INTERFACES_MAX; n++) {
        handle_t device = start_handle(SPAWN_DEVICE, n);
        if (device < 0)
            break;
        struct virtio_net *net = &netd.nets[netd.net_count];
        *net = (struct virtio_net){.link_changed = configure_link_changed};
        int error = virtio_net_open(net, device, netd.net_count, &netd.packets);
        if (error) {
            driver_log("netd: device %u is no usable virtio-net (error %d)", n, -error);
            continue;
        }
        net->netif.device = net;
        netif_add(netd.stack, &net->netif);
        error = virtio_net_start(net, netd.server.channel);
        if (error)
            driver_log("netd: %s does not start (error %d)", net->netif.name, -error);
        const uint8_t *m = net->netif.mac;
        driver_log("netd: %s: %02x:%02x:%02x:%02x:%02x:%02x%s%s", net->netif.name, m[0], m[1], m[2],
                   m[3], m[4], m[5], net->netif.link ? "" : ", no link",
                   net->netif.offloads ? ", offloads" : "");
        netd.net_count++;
    }
}

static int start_stack(void)
{
    handle_t device = start_handle(SPAWN_DEVICE, 0);
    int error = packet_memory_create(&netd.packets, device, PACKETS);
    if (error)
        return error;
    const struct stack_config config = {.allocate = allocate,
                                        .release = release,
                                        .random = random_bytes,
                                        .pool = &netd.packets.pool,
                                        .now = netd.now};
    netd.stack = stack_create(&config);
    return netd.stack ? 0 : -ENOMEM;
}

static int register_name(void)
{
    int64_t face = handle_dup(netd.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
    return face < 0 ? (int)face : name_register("net:", (handle_t)face);
}

int main(void)
{
    static struct server_operation operations[OPERATION_MAX];
    for (uint32_t i = 0; i < OPERATION_MAX; i++)
        operations[i] = (struct server_operation){.type = i + 1, .handle = dispatch};
    netd.now = (uint64_t)clock_now();
    netd.server = (struct server){.channel = start_handle(SPAWN_SERVICE, 0),
                                  .operations = operations,
                                  .operation_count = OPERATION_MAX,
                                  .closed = on_closed,
                                  .pulse = on_pulse,
                                  .tick = tick};
    text = (struct text_server){.trees = &info_tree,
                                .tree_count = 1,
                                .channel = netd.server.channel,
                                .badge_base = BADGE_TEXT};
    calls_init();
    sessions_init(netd.now);
    int error = start_stack();
    if (!error)
        error = register_name();
    if (error) {
        driver_log("netd: cannot start (error %d)", -error);
        return 1;
    }
    open_interfaces();
    configure_start();
    return server_run(&netd.server) < 0;
}
