/* Fuzz target: a conversation made of the input: segments with numbers near those that matter,
 * calls of the program, and time. The books must be right after each step, and at the end nothing
 * remains. */
#include "../../checksum.h"
#include "../../test/check.h"
#include "../../wire/cursor.h"
#include "books.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct host host;
static struct socket *listener, *sockets[4];
static uint32_t our_iss[4], peer_next[4]; /* of the flows from ports 2000 to 2003 */
static uint64_t sent_bytes[4];

static const struct ip_address *peer_address(void)
{
    static struct ip_address address;
    address = ip_v4(10, 0, 0, 2);
    return &address;
}

static void sent(struct host *from, const struct ip_send *send, struct packet *packet)
{
    struct segment segment;
    const uint8_t *header = packet_bytes(packet);
    (void)send;
    segment_parse(&segment, header, segment_header_size(header), 0);
    if (segment.flags & TCP_SYN)
        our_iss[segment.destination & 3] = segment.seq;
    packet_release(from->stack.pool, packet);
}

static void notify(struct socket *socket, unsigned events)
{
    (void)socket;
    (void)events;
}

/* A number near one that matters: the base, shifted by a small or large amount. */
static uint32_t near(uint32_t base, int8_t by)
{
    return base + (uint32_t)(by < -64 || by > 64 ? by * 1000 : by);
}

static void deliver(struct cursor *input)
{
    const uint8_t flow = cursor_u8(input) & 3, flags = cursor_u8(input) & 0x3f;
    const int8_t seq = (int8_t)cursor_u8(input), ack = (int8_t)cursor_u8(input);
    const uint16_t window = cursor_u16(input), length = cursor_u8(input) * 6u;
    const uint8_t options = (cursor_u8(input) & 15) * 4 % 44;
    const struct tcb *tcb = sockets[flow] ? tcb_of(sockets[flow]) : NULL;
    const uint16_t port = tcb && tcb->socket.local.port ? tcb->socket.local.port : 80;
    struct packet *packet = packet_alloc(host.stack.pool, 0);
    if (!packet)
        return;
    uint8_t *start = packet_append(packet, (uint16_t)(TCP_HEADER + options + length)), *at = start;
    at = put_u16(put_u16(at, (uint16_t)(2000 + flow)), port);
    at = put_u32(at, near(tcb ? tcb->rcv.nxt : peer_next[flow], seq));
    at = put_u32(at, near(tcb ? tcb->snd.una : our_iss[flow] + 1, ack));
    at = put_u8(put_u8(at, (uint8_t)((TCP_HEADER + options) / 4 << 4)), flags);
    at = put_u16(put_u32(at, (uint32_t)window << 16), cursor_u8(input));
    cursor_bytes(input, at, options);
    memset(at + options, 'x', length);
    uint16_t sum =
        checksum_pseudo(peer_address(), &host.address, PROTOCOL_TCP, packet_length(packet));
    sum = checksum_finish(checksum_add(sum, start, packet_length(packet)));
    put_bytes(start + TCP_CHECKSUM_FIELD, &sum, sizeof sum);
    if (flags & TCP_SYN)
        peer_next[flow]++;
    host_deliver(&host, peer_address(), packet);
}

static void open_flow(uint8_t flow, bool active)
{
    const struct endpoint peer = {*peer_address(), (uint16_t)(2000 + flow), 0};
    if (sockets[flow])
        return;
    if (!active) {
        if (socket_accept(listener, &sockets[flow]) < 0)
            sockets[flow] = NULL;
    } else if (socket_create(&host.stack, IP_V4, SOCKET_STREAM, 0, &sockets[flow]) == 0) {
        socket_connect(sockets[flow], &peer);
    } else {
        sockets[flow] = NULL;
    }
    if (sockets[flow])
        sockets[flow]->notify = notify;
    sent_bytes[flow] = 0;
}

static void call(struct cursor *input)
{
    const uint8_t what = cursor_u8(input), flow = what & 3, size = cursor_u8(input);
    struct socket *socket = sockets[flow];
    struct socket_message message = {.flags = size & 1 ? SOCKET_MORE : 0};
    struct stream source = stream_source(sent_bytes[flow]), sink = stream_sink(0);
    const int value = size & 3, linger[2] = {size & 1, size & 2};
    if (!socket || what >> 2 == 0) {
        open_flow(flow, size & 1);
        return;
    }
    switch (what >> 2 & 7) {
    case 1:
        socket_send(socket, &source.transfer, size * 50u, &message);
        break;
    case 2:
        socket_receive(socket, &sink.transfer, size * 50u, &message);
        break;
    case 3:
        socket_shutdown(socket, size & 1, size & 2);
        break;
    case 4:
        socket_close(socket);
        sockets[flow] = NULL;
        break;
    case 5:
        socket_set_option(socket, LEVEL_SOCKET, OPTION_LINGER, linger, sizeof linger);
        break;
    case 6:
        socket_set_option(socket, LEVEL_TCP, size >> 2 & 31, &value, sizeof value);
        break;
    default:
        host.full = size & 1;
    }
}

static void step(struct cursor *input)
{
    const uint8_t what = cursor_u8(input);
    if (what < 160)
        deliver(input);
    else if (what < 220)
        call(input);
    else
        host_run(&host, host.stack.now + (UINT64_C(1) << (what & 15)) * NS_PER_MS);
}

static void start(void)
{
    static const struct host_limits limits = {.packets = 128, .sockets = 12};
    const struct endpoint local = {.address = ip_any(IP_V4), .port = 80};
    host_start(&host, 1, &limits);
    host.sent = sent;
    if (socket_create(&host.stack, IP_V4, SOCKET_STREAM, 0, &listener) < 0 ||
        socket_bind(listener, &local) < 0 || socket_listen(listener, 2) < 0)
        abort();
}

static void stop(void)
{
    for (int i = 0; i < 4; i++) {
        if (sockets[i])
            socket_close(sockets[i]);
        sockets[i] = NULL;
    }
    socket_close(listener);
    host.full = false;
    host_run(&host, host.stack.now + 1000 * NS_PER_S);
    if (host.stack.tcp->connections || host.stack.tcp->time_wait.count || host.stack.socket_count)
        abort();
    host_stop(&host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor input = cursor_over(data, size);
    start();
    while (cursor_left(&input) > 0 && cursor_ok(&input)) {
        step(&input);
        books_check(&host);
    }
    stop();
    if (check_failed) {
        fflush(stdout);
        abort();
    }
    return 0;
}
