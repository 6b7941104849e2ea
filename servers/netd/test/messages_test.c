/* Sends netd messages, good and malformed, on net: and on sockets of every kind: each gets its
 * answer, nobody gets more than his share, and nothing is left behind. */
#include "rows.h"
#include "serve.h"

#include "netd/capture.h"
#include "netd/clients.h"
#include "netd/stack/address.h"
#include "netd/watches.h"
#include "proto/fs.h"
#include "proto/net.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ull

static struct host_process *client;
static int root, gift;

static const struct row root_rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"an operation from outside", -ENOSYS, .type = 401, .len = 48},
    {"a socket of no family", -EINVAL, NET_SOCKET_CREATE, 4},
    {"a socket of a strange family", -EAFNOSUPPORT, NET_SOCKET_CREATE, 8, {77 | 1ul << 16}},
    {"a socket of a strange type", -ESOCKTNOSUPPORT, NET_SOCKET_CREATE, 8, {NET_INET | 9ul << 16}},
    {"a stream of UDP",
     -EPROTONOSUPPORT,
     NET_SOCKET_CREATE,
     8,
     {NET_INET | 1ul << 16 | 17ul << 32}},
    {"a raw socket of nothing", -EPROTONOSUPPORT, NET_SOCKET_CREATE, 8, {NET_INET | 3ul << 16}},
    {"a file that is not there", -ENOENT, FS_OPEN, 25, PATH_WORDS(FS_O_READ, 0, 1), "x", 24},
    {"a path that did not come", -EINVAL, FS_OPEN, 24, PATH_WORDS(FS_O_READ, 0, 1)},
    {"the folder of captures", 0, FS_OPEN, 32, PATH_WORDS(FS_O_READ, 0, 8), "capture:", 24},
    {"a capture of no interface", -ENODEV, FS_OPEN, 35, PATH_WORDS(FS_O_READ, 0, 11), "capture:xyz",
     24},
    {"a name without its end", -ENAMETOOLONG, NET_DNS_RESOLVE, 20, {0, 0}, "name", 16},
    {"a name in no family", -EAFNOSUPPORT, NET_DNS_RESOLVE, 21, {0, 7}, "name", 16, 5},
    {"the name of no address", -EAFNOSUPPORT, NET_DNS_NAME, 32},
    {"the name of an address cut", -EINVAL, NET_DNS_NAME, 31},
    {"an echo cut", -EINVAL, NET_PING, 39},
    {"an echo to nowhere", -EAFNOSUPPORT, NET_PING, 40},
    {"an echo too long", -EMSGSIZE, NET_PING, 40, {NET_INET, 0x0100007f, 0, 0, NET_PING_MAX + 1}},
    {"facts", 0, NET_STATS, 8},
    {"facts of no interface", -ENOENT, NET_INFO, 8, {99}},
    {"facts of a wrapping interface", -ENOENT, NET_INFO, 8, {1ul << 32 | 1}},
    {"interface 0", -ENOENT, NET_INFO, 8, {0}},
    {"events without a channel", -EINVAL, NET_SUBSCRIBE_EVENTS, 16, {1, 1}},
    {"change nothing", -EINVAL, NET_CHANGE, 64, {0}},
    {"change something strange", -EINVAL, NET_CHANGE, 64, {99}},
    {"change cut", -EINVAL, NET_CHANGE, 63, {NET_ADDRESS_ADD}},
    {"an address for no interface", -ENODEV, NET_CHANGE, 64, {NET_ADDRESS_ADD | 9ul << 32}},
    {"no address", -EINVAL, NET_CHANGE, 64, {NET_ADDRESS_ADD | 1ul << 32}},
    {"write a directory", -ENOSYS, FS_WRITE, 16},
};

static const struct row socket_rows[] = {
    {"no operation", -ENOSYS, .type = 0},
    {"create on a socket", -ENOSYS, NET_SOCKET_CREATE, 8, {NET_INET | 1ul << 16}},
    {"an operation from outside", -ENOSYS, .type = 401, .len = 48},
    {"bind cut", -EINVAL, NET_SOCKET_BIND, 23},
    {"bind to no family", -EAFNOSUPPORT, NET_SOCKET_BIND, 24, {77}},
    {"bind to somebody else's", -EADDRNOTAVAIL, NET_SOCKET_BIND, 24, {NET_INET, 0x04030201}},
    {"connect cut", -EINVAL, NET_SOCKET_CONNECT, 31},
    {"connect to a strange family", -EAFNOSUPPORT, NET_SOCKET_CONNECT, 32, {77}},
    {"listen cut", -EINVAL, NET_SOCKET_LISTEN, 7},
    {"accept cut", -EINVAL, NET_SOCKET_ACCEPT, 15},
    {"send cut", -EINVAL, NET_SOCKET_SEND, 47},
    {"send more than came", -EINVAL, NET_SOCKET_SEND, 48, {0, 1}},
    {"send a wrapping length", -EINVAL, NET_SOCKET_SEND, 248, {0, UINT64_MAX - 10}},
    {"send more than the window has",
     -EINVAL,
     NET_SOCKET_SEND,
     48,
     {0, 513},
     .windows = 1,
     .window = {{512, WINDOW_READ, 512}}},
    {"send from a window for writing",
     -EINVAL,
     NET_SOCKET_SEND,
     48,
     {0, 512},
     .windows = 1,
     .window = {{512, WINDOW_WRITE, 512}}},
    {"send to a strange family", -EAFNOSUPPORT, NET_SOCKET_SEND, 48, {0, 0, 0, 77}},
    {"receive cut", -EINVAL, NET_SOCKET_RECV, 23},
    {"receive more than fits", -EINVAL, NET_SOCKET_RECV, 24, {0, NET_RECV_INLINE + 1}},
    {"receive into a window for reading",
     -EINVAL,
     NET_SOCKET_RECV,
     24,
     {0, 512},
     .windows = 1,
     .window = {{512, WINDOW_READ, 512}}},
    {"shut nothing down", -EINVAL, NET_SOCKET_SHUTDOWN, 8, {3}},
    {"an option cut", -EINVAL, NET_SOCKET_GET_OPTION, 15},
    {"an option that is not there", -ENOPROTOOPT, NET_SOCKET_GET_OPTION, 16, {1 | 999ul << 32, 4}},
    {"an option that did not come", -EINVAL, NET_SOCKET_SET_OPTION, 16, {1 | 2ul << 32, 4}},
    {"an option too long", -EINVAL, NET_SOCKET_SET_OPTION, 216, {1 | 2ul << 32, 201}},
    {"a timeout cut", -EINVAL, NET_SOCKET_SET_OPTION, 20, {1 | 20ul << 32, 4}},
    {"a timeout of too many us",
     -EDOM,
     NET_SOCKET_SET_OPTION,
     32,
     {1 | 20ul << 32, 16, 0, 1000000}},
    {"the peer of nobody", -ENOTCONN, NET_SOCKET_PEER, 8},
    {"flags that are none", -EINVAL, FS_SET_FLAGS, 8, {FS_O_CREATE}},
    {"poll cut", -EINVAL, FS_POLL, 7},
    {"events without a channel", 0, NET_SUBSCRIBE_EVENTS, 8, {1}},
};

/* ---- Requests ----------------------------------------------------------------------------- */

static int64_t make(unsigned family, unsigned type, unsigned protocol)
{
    struct message m = {.type = NET_SOCKET_CREATE, .len = 8};
    m.words[0] = family | (uint64_t)type << 16 | (uint64_t)protocol << 32;
    int64_t result = host_result(client, root, &m, NULL);
    return result < 0 ? result : m.handles[0];
}

static int64_t words(int handle, uint32_t type, unsigned len, uint64_t w0, uint64_t w1)
{
    struct message m = {.type = type, .len = (uint16_t)len, .words = {w0, w1}};
    return host_result(client, handle, &m, NULL);
}

static struct net_address loopback(uint16_t port)
{
    return (struct net_address){.family = NET_INET, .port = port, .bytes = {127, 0, 0, 1}};
}

static int64_t at_address(int handle, uint32_t type, uint16_t port)
{
    struct message m = {.type = type, .len = sizeof(struct net_address_request)};
    *(struct net_address_request *)m.data = (struct net_address_request){.address = loopback(port)};
    return host_result(client, handle, &m, NULL);
}

static uint16_t port_of(int handle)
{
    struct message m = {.type = NET_SOCKET_LOCAL, .len = 8};
    CHECK_IS(host_result(client, handle, &m, NULL), 0);
    return ((struct net_address_reply *)m.data)->address.port;
}

static struct host_call *receive_later(int handle, uint64_t deadline)
{
    struct message m = {.type = NET_SOCKET_RECV, .len = sizeof(struct net_recv_request)};
    *(struct net_recv_request *)m.data =
        (struct net_recv_request){.length = 100, .deadline = deadline};
    return host_send(client, handle, &m, NULL);
}

static int64_t send_to(int handle, uint16_t port, const char *text)
{
    struct message m = {.type = NET_SOCKET_SEND};
    struct net_send_request *r = (void *)m.data;
    size_t length = strlen(text);
    *r = (struct net_send_request){.length = length, .to = loopback(port)};
    memcpy(r->data, text, length);
    m.len = (uint16_t)(offsetof(struct net_send_request, data) + length);
    return host_result(client, handle, &m, NULL);
}

static void drop(int handle)
{
    host_close(client, handle);
    host_idle();
}

static struct host_call *connect_later(int handle)
{
    struct message m = {.type = NET_SOCKET_CONNECT, .len = sizeof(struct net_address_request)};
    *(struct net_address_request *)m.data = (struct net_address_request){
        .address = {.family = NET_INET, .port = 80, .bytes = {192, 0, 2, 1}}};
    return host_send(client, handle, &m, NULL);
}

/* ---- Tests -------------------------------------------------------------------------------- */

static void test_tables(void)
{
    static const uint32_t more[] = {401, NET_CHANGE + 1};
    struct host_count before = host_count();
    ROWS_RUN(client, root, gift, root_rows);
    int stream = (int)make(NET_INET, NET_STREAM, 0),
        datagram = (int)make(NET_INET, NET_DATAGRAM, 0);
    ROWS_RUN(client, stream, gift, socket_rows);
    ROWS_RUN(client, datagram, gift, socket_rows);
    rows_sweep(client, stream, gift, NET_CHANGE, more, 2, NULL);
    rows_sweep(client, datagram, gift, NET_CHANGE, more, 2, NULL);
    drop(stream);
    drop(datagram);
    check_kept(&before, "malformed messages");
}

static void test_datagrams(void)
{
    struct host_count before = host_count();
    int a = (int)make(NET_INET, NET_DATAGRAM, 0), b = (int)make(NET_INET, NET_DATAGRAM, 0);
    CHECK_IS(at_address(a, NET_SOCKET_BIND, 0), 0);
    struct host_call *first = receive_later(a, 0), *second = receive_later(a, 0);
    CHECK(first->state == HOST_WAITING && second->state == HOST_WAITING);
    CHECK_IS(send_to(b, port_of(a), "one"), 3);
    CHECK(first->state == HOST_ANSWERED && second->state == HOST_WAITING);
    const struct net_recv_reply *reply = (void *)first->reply.data;
    CHECK_IS(reply->result, 3);
    CHECK(memcmp(reply->data, "one", 3) == 0 && reply->from.port == port_of(b));
    host_done(first);
    host_cancel(second); /* a caller that gave up takes no datagram along */
    CHECK_IS(send_to(b, port_of(a), "two"), 3);
    host_done(second);
    struct host_call *third = receive_later(a, 0);
    CHECK(third->state == HOST_ANSWERED);
    CHECK_IS(((struct net_recv_reply *)third->reply.data)->result, 3);
    host_done(third);
    drop(a);
    drop(b);
    check_kept(&before, "datagrams");
}

static void test_deadlines(void)
{
    int a = (int)make(NET_INET, NET_DATAGRAM, 0);
    CHECK_IS(at_address(a, NET_SOCKET_BIND, 0), 0);
    struct host_call *call = receive_later(a, host_time() + SECOND);
    host_advance(SECOND / 2);
    CHECK(call->state == HOST_WAITING);
    host_advance(SECOND);
    CHECK(call->state == HOST_ANSWERED);
    CHECK_IS((int64_t)call->reply.words[0], -EAGAIN);
    host_done(call);
    CHECK_IS(words(a, FS_SET_FLAGS, 8, FS_O_NONBLOCK, 0), 0);
    call = receive_later(a, 0);
    CHECK_IS((int64_t)call->reply.words[0], -EAGAIN);
    host_done(call);
    drop(a);
}

static void test_connections(void)
{
    struct host_count before = host_count();
    int server = (int)make(NET_INET, NET_STREAM, 0), c = (int)make(NET_INET, NET_STREAM, 0);
    CHECK_IS(at_address(server, NET_SOCKET_BIND, 0), 0);
    CHECK_IS(words(server, NET_SOCKET_LISTEN, 8, 5, 0), 0);
    struct message m = {.type = NET_SOCKET_ACCEPT, .len = 16};
    struct host_call *accept = host_send(client, server, &m, NULL);
    CHECK(accept->state == HOST_WAITING);
    CHECK_IS(at_address(c, NET_SOCKET_CONNECT, port_of(server)), 0);
    CHECK(accept->state == HOST_ANSWERED && accept->reply.handle_count == 1);
    int connection = accept->reply.handles[0];
    host_done(accept);
    struct host_call *call = receive_later(connection, 0);
    CHECK_IS(send_to(c, 0, "hello"), 5);
    CHECK_IS((int64_t)call->reply.words[0], 5);
    host_done(call);
    call = receive_later(connection, 0);
    drop(c); /* the peer's end */
    CHECK_IS((int64_t)call->reply.words[0], 0);
    host_done(call);
    call = receive_later(server, 0); /* nonsense, but no reason to fall */
    if (call)
        host_cancel(call), host_done(call);
    drop(connection);
    drop(server);
    host_advance(200 * SECOND);
    check_kept(&before, "connections");
}

static void test_pollers(void)
{
    struct host_count before = host_count();
    struct host_object *channel = host_object(client, gift);
    int a = (int)make(NET_INET, NET_DATAGRAM, 0), b = (int)make(NET_INET, NET_DATAGRAM, 0);
    CHECK_IS(at_address(a, NET_SOCKET_BIND, 0), 0);
    struct host_count open = host_count();
    host_pulses(channel);
    for (unsigned i = 0; i < 20; i++) { /* of one channel all count, as one */
        struct message m = {.type = FS_POLL,
                            .len = 16,
                            .handle_count = 1,
                            .words = {FS_POLL_IN, 1ul << i},
                            .handles = {gift}};
        CHECK_IS(host_result(client, a, &m, NULL), 0);
        CHECK_IS(m.words[1], 1);
    }
    CHECK_IS(host_count().handles, open.handles + 1);
    CHECK_IS(send_to(b, port_of(a), "x"), 1);
    CHECK_IS(host_pulses(channel), (1ul << 20) - 1);
    CHECK_IS(host_count().handles, open.handles);
    struct message m = {.type = NET_SUBSCRIBE_EVENTS,
                        .len = 16,
                        .handle_count = 1,
                        .words = {NET_POLL_IN, 2},
                        .handles = {gift}};
    CHECK_IS(host_result(client, a, &m, NULL), 0);
    CHECK_IS(host_pulses(channel), 2); /* it is readable now */
    for (unsigned i = 0; i < 3; i++) {
        CHECK_IS(send_to(b, port_of(a), "x"), 1);
        CHECK_IS(host_pulses(channel), 2);
    }
    CHECK_IS(words(a, NET_SUBSCRIBE_EVENTS, 8, NET_POLL_IN, 0), 0);
    CHECK_IS(send_to(b, port_of(a), "x"), 1);
    CHECK_IS(host_pulses(channel), 0);
    drop(a);
    drop(b);
    check_kept(&before, "pollers");
}

static void test_shares(void)
{
    struct host_process *greedy = host_process("greedy"), *modest = host_process("modest");
    int own = host_root(greedy), other = host_root(modest);
    struct host_count before = host_count();
    static int handles[HOST_REFS_MAX];
    unsigned count = 0;
    struct message m;
    int64_t result = 0;
    while (count < HOST_REFS_MAX - 2 && result >= 0) {
        m = (struct message){.type = NET_SOCKET_CREATE,
                             .len = 8,
                             .words = {NET_INET | (uint64_t)NET_DATAGRAM << 16}};
        result = host_result(greedy, own, &m, NULL);
        if (result >= 0)
            handles[count++] = m.handles[0];
    }
    CHECK_IS(count, HOST_REFS_MAX - 2);
    m = (struct message){
        .type = NET_SOCKET_CREATE, .len = 8, .words = {NET_INET | (uint64_t)NET_DATAGRAM << 16}};
    CHECK_IS(host_result(modest, other, &m, NULL), 0);
    host_exit(greedy, 1, 0);
    host_exit(modest, 1, 0);
    host_idle();
    struct host_count after = host_count();
    CHECK(after.sessions == before.sessions && after.handles == before.handles);
    (void)handles;
    CHECK_IS(client_take_socket(1000), 0);
    for (unsigned i = 1; i < SOCKETS_A_CLIENT; i++)
        client_take_socket(1000);
    CHECK_IS(client_take_socket(1000), -EMFILE);
    CHECK_IS(client_take_socket(1001), 0);
    client_drop_socket(1001);
    for (unsigned i = 0; i < SOCKETS_A_CLIENT; i++)
        client_drop_socket(1000);
}

/* What clients get of a kind, each its share, until there is no more. */
static void check_shares(const struct message *wanted, unsigned share, unsigned all)
{
    struct host_process *clients[5];
    struct host_object *channel = host_object(client, gift);
    struct host_count before = host_count();
    for (unsigned i = 0, got = 0; i <= all / share; i++) {
        clients[i] = host_process("greedy");
        int net = host_root(clients[i]);
        int given = host_hold(clients[i], channel, RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER);
        struct message m;
        int64_t result = 0;
        for (unsigned own = 0; result == 0; own++) {
            CHECK(own <= share);
            m = *wanted;
            m.handles[0] = given;
            result = host_result(clients[i], net, &m, NULL);
            got += result == 0;
        }
        CHECK_IS(result, i < all / share ? -EMFILE : -ENFILE);
        CHECK_IS(got, i < all / share ? (i + 1) * share : all);
    }
    for (unsigned i = 0; i <= all / share; i++)
        host_exit(clients[i], 1, 0);
    host_idle();
    CHECK(host_count().handles == before.handles && host_count().sessions == before.sessions);
}

static void test_tables_full(void)
{
    struct message watch = {
        .type = NET_SUBSCRIBE_EVENTS, .len = 16, .handle_count = 1, .words = {1, 1}};
    struct message open = {.type = FS_OPEN, .len = sizeof(struct fs_path_request)};
    struct fs_path_request path = {.flags = FS_O_READ, .path_len = 12, .path = "capture:eth0"};
    memcpy(open.data, &path, sizeof path);
    check_shares(&watch, WATCHES_A_CLIENT, WATCHES_MAX);
    check_shares(&open, CAPTURES_A_CLIENT, CAPTURES_MAX);
}

static void test_wire(void)
{
    uint8_t frame[2048];
    uint32_t length;
    unsigned sent = serve_sent(frame, &length);
    /* who has 10.0.2.15? The fallback is in force by now */
    static const uint8_t question[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0, 9, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        1,    2,    0,    0,    0,    0,    9, 10, 0, 2, 2, 0, 0, 0, 0, 0, 0, 10, 0, 2, 15};
    host_advance(70 * SECOND);
    CHECK(serve_sent(frame, &length) > sent); /* DHCP asks, at least every 64 s (RFC 2131 4.1) */
    sent = serve_sent(frame, &length);
    CHECK(serve_frame(question, sizeof question));
    host_idle();
    CHECK(serve_sent(frame, &length) == sent + 1 && frame[12] == 8 && frame[13] == 6);
    CHECK(frame[21] == 2 && memcmp(frame + 28, question + 38, 4) == 0);
    serve_link(false);
    host_idle();
    struct message m = {.type = NET_INFO, .len = 8, .words = {2}};
    CHECK(host_result(client, root, &m, NULL) >= 0);
    CHECK(!(((struct net_info_reply *)m.data)->flags & NET_INFO_LINK));
    serve_link(true);
    host_idle();
    host_advance(20 * SECOND);
}

/* While a lease may still come the network is not unreachable: who can wait does. */
static void test_early(void)
{
    int waits = (int)make(NET_INET, NET_STREAM, 0);
    int does_not = (int)make(NET_INET, NET_STREAM | NET_NONBLOCK, 0);
    struct message m = {.type = NET_PING, .len = sizeof(struct net_ping_request)};
    *(struct net_ping_request *)m.data =
        (struct net_ping_request){.to = {.family = NET_INET, .bytes = {192, 0, 2, 1}}};
    struct host_call *calls[] = {connect_later(waits), host_send(client, root, &m, NULL)};
    struct host_call *at_once = connect_later(does_not);
    CHECK(at_once->state == HOST_ANSWERED);
    CHECK_IS((int64_t)at_once->reply.words[0], -ENETUNREACH);
    host_done(at_once);
    CHECK_IS(at_address(waits, NET_SOCKET_BIND, 0), 0); /* others are served */
    for (int i = 0; i < 2; i++)
        CHECK(calls[i]->state == HOST_WAITING);
    host_advance(4 * SECOND); /* nobody has answered */
    for (int i = 0; i < 2; i++) {
        CHECK(calls[i]->state == HOST_ANSWERED);
        CHECK_IS((int64_t)calls[i]->reply.words[0], -ENETUNREACH);
        host_done(calls[i]);
    }
    drop(waits);
    drop(does_not);
}

static void test(void)
{
    client = host_process("client");
    root = host_root(client);
    struct host_object *channel = host_channel(NULL, NULL);
    gift = host_hold(client, channel, RIGHT_PULSE | RIGHT_DUP | RIGHT_TRANSFER);
    host_release(channel);
    test_early();
    host_advance(16 * SECOND);
    test_tables();
    test_datagrams();
    test_deadlines();
    test_connections();
    test_pollers();
    test_shares();
    test_tables_full();
    test_wire();
}

int main(void)
{
    serve_prepare();
    host_run(serve_netd, test);
    return check_end();
}
