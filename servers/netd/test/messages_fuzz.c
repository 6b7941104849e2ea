/* Fuzzes netd with messages on net: and on sockets, over a loopback that works and a wire on which
 * the input's own frames arrive. */
#include "fuzz.h"
#include "netd/stack/stack.h"
#include "proto/fs.h"
#include "proto/net.h"
#include "serve.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECOND 1000000000ull

static const uint32_t types[] = {
    NET_SOCKET_CREATE,
    NET_SOCKET_CONNECT,
    NET_SOCKET_BIND,
    NET_SOCKET_LISTEN,
    NET_SOCKET_ACCEPT,
    NET_SOCKET_SEND,
    NET_SOCKET_RECV,
    NET_SOCKET_CLOSE,
    NET_SOCKET_SHUTDOWN,
    NET_SOCKET_STATUS,
    NET_SOCKET_GET_OPTION,
    NET_SOCKET_SET_OPTION,
    NET_SOCKET_LOCAL,
    NET_SOCKET_PEER,
    NET_DNS_RESOLVE,
    NET_DNS_NAME,
    NET_PING,
    NET_STATS,
    NET_INFO,
    NET_SUBSCRIBE_EVENTS,
    NET_CHANGE,
    FS_POLL,
    FS_SET_FLAGS,
    NET_SOCKET_CREATE,
    NET_SOCKET_CREATE,
    NET_SOCKET_SEND,
    NET_SOCKET_RECV,
    NET_SOCKET_CONNECT,
    NET_SOCKET_BIND,
};
static const char *const names[] = {"status", "sockets", "capture:eth0", "localhost", "a.b", "x"};

/* Few ports, so that sockets meet; mostly addresses of this host. */
static struct net_address address(struct fuzz_input *in)
{
    static const uint8_t hosts[][16] = {{127, 0, 0, 1},      {0},        {10, 0, 2, 15},
                                        {10, 0, 2, 2},       {[15] = 1}, {224, 0, 0, 1},
                                        {255, 255, 255, 255}};
    uint8_t kind = fuzz_byte(in);
    struct net_address a = {.family = kind & 8 ? NET_INET6 : NET_INET, .port = 1000u + kind / 64u};
    memcpy(a.bytes, hosts[(kind & 7) % 7], 16);
    if (a.family == NET_INET)
        memset(a.bytes + 4, 0, 12);
    else if (kind & 1)
        memcpy(a.bytes, hosts[4], 16);
    if ((kind & 0x30) == 0x30)
        a.family = fuzz_byte(in);
    a.interface = (kind & 0x30) == 0x20 ? fuzz_byte(in) % 4 : 0;
    return a;
}

static void make(struct fuzz_input *in, struct message *m)
{
    static const uint8_t protocols[] = {0, 0, 1, 6, 17, 58, 255, 0};
    struct net_create_request *r = (void *)m->data;
    uint8_t kind = fuzz_byte(in);
    *r = (struct net_create_request){.family = kind & 1 ? NET_INET6 : NET_INET,
                                     .type = (uint16_t)(1 + kind / 2 % 3 | (kind & 8) << 8)};
    r->protocol = r->type % 8 == NET_RAW ? protocols[kind >> 5] : 0;
    m->len = sizeof *r;
}

static void transfer(struct fuzz_input *in, struct message *m)
{
    static const uint32_t flags[] = {0,           NET_PEEK, NET_TRUNCATE,           NET_DONTWAIT,
                                     NET_WAITALL, NET_MORE, NET_PEEK | NET_WAITALL, 0};
    uint8_t kind = fuzz_byte(in);
    uint64_t length = kind & 128 ? fuzz_number(in) : fuzz_byte(in);
    if (m->type == NET_SOCKET_SEND) {
        struct net_send_request *r = (void *)m->data;
        *r = (struct net_send_request){.length = length, .flags = flags[kind & 7]};
        r->to = kind & 8 ? address(in) : (struct net_address){0};
        m->len = (uint16_t)(offsetof(struct net_send_request, data) +
                            (length < NET_SEND_INLINE ? length : 0));
    } else {
        struct net_recv_request *r = (void *)m->data;
        *r = (struct net_recv_request){.length = length, .flags = flags[kind & 7]};
        r->deadline = kind & 16 ? host_time() + SECOND : 0;
        m->len = sizeof *r;
    }
}

static void option(struct fuzz_input *in, struct message *m)
{
    static const int levels[] = {0, 1, 6, 41, 58};
    struct net_option_request *r = (void *)m->data;
    *r =
        (struct net_option_request){.level = levels[fuzz_byte(in) % 5], .name = fuzz_byte(in) % 80};
    r->size = fuzz_byte(in) % 40;
    for (unsigned i = 0; i < r->size; i++)
        r->value[i] = fuzz_byte(in);
    m->len = (uint16_t)(offsetof(struct net_option_request, value) + r->size);
}

static bool shape(struct fuzz_input *in, struct message *m)
{
    switch (m->type) {
    case NET_SOCKET_CREATE:
        if (fuzz_byte(in) % 8 == 0)
            return fuzz_file_message(in, m);
        make(in, m);
        return true;
    case NET_SOCKET_CONNECT:
    case NET_SOCKET_BIND:
    case NET_DNS_NAME:
        *(struct net_address_request *)m->data = (struct net_address_request){address(in), 0};
        m->len = sizeof(struct net_address_request);
        return true;
    case NET_SOCKET_SEND:
    case NET_SOCKET_RECV:
        transfer(in, m);
        return true;
    case NET_SOCKET_GET_OPTION:
    case NET_SOCKET_SET_OPTION:
        option(in, m);
        return true;
    case NET_DNS_CANONICAL:
    case NET_DNS_RESOLVE: {
        struct net_resolve_request *r = (void *)m->data;
        *r = (struct net_resolve_request){.family = fuzz_byte(in) % 3 * 8u};
        r->deadline = host_time() + SECOND;
        fuzz_text(in, r->name, sizeof r->name - 1);
        m->len = sizeof *r;
        return true;
    }
    case NET_PING: {
        struct net_ping_request *r = (void *)m->data;
        *r = (struct net_ping_request){.to = address(in), .size = fuzz_byte(in) * 20u};
        m->len = sizeof *r;
        return true;
    }
    case NET_CHANGE: {
        struct net_change_request *r = (void *)m->data;
        *r = (struct net_change_request){.what = fuzz_byte(in) % 10,
                                         .interface = fuzz_byte(in) % 4,
                                         .address = address(in),
                                         .gateway = address(in),
                                         .prefix = fuzz_byte(in)};
        m->len = sizeof *r;
        return true;
    }
    case FS_POLL:
    case NET_SUBSCRIBE_EVENTS:
        m->words[0] = fuzz_byte(in);
        m->words[1] = 1ul << fuzz_byte(in) % 64;
        m->len = 16;
        m->handle_count = 1;
        m->handles[0] = fuzz_byte(in) % 16;
        return true;
    default:
        m->words[0] = fuzz_byte(in) % 8;
        m->len = (uint16_t)(fuzz_byte(in) % 64);
        return true;
    }
}

static void welcome(struct host_process *process)
{
    host_hold(process, host_registered("net:"), RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER);
}

/* A frame to our address whose rest is the input's, time that passes, or a cable that is pulled. */
static void event(struct fuzz_input *in)
{
    static const uint8_t head[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 9, 8, 0, 0x45};
    uint8_t frame[256], kind = fuzz_byte(in);
    if (kind < 16) {
        serve_link(kind & 1);
    } else if (kind < 64) {
        host_advance(kind * (SECOND / 8));
    } else {
        size_t length = kind;
        for (size_t i = 0; i < length; i++)
            frame[i] = fuzz_byte(in);
        memcpy(frame, head, kind & 1 ? sizeof head : 12);
        serve_frame(frame, (uint32_t)length);
    }
    host_idle();
}

/* Connections that end by themselves do so within minutes. */
static void settle(void)
{
    serve_link(true);
    host_idle();
    for (unsigned i = 0; i < 8; i++)
        host_advance(60 * SECOND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    static const struct fuzz_server server = {
        .types = types,
        .type_count = sizeof types / sizeof types[0],
        .names = names,
        .name_count = sizeof names / sizeof names[0],
        .shape = shape,
        .welcome = welcome,
        .event = event,
        .settle = settle,
        .slack = 4,
    };
    if (!started) {
        started = true;
        serve_prepare();
        host_start(serve_netd);
    }
    fuzz_messages(&server, data, size);
    return 0;
}
