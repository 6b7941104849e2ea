/* Sockets without a stack below them. */
#include "fake_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fake_socket {
    struct socket socket; /* first */
    bool open, connecting, ended;
    unsigned head, count; /* of arrivals */
    struct fake_datagram arrivals[FAKE_ARRIVALS];
    uint8_t stream[70000];
    size_t stream_start, stream_end;
};

#define LOG 32

struct stack fake_stack;
struct netif fake_netif;
unsigned fake_sent;
int fake_create_error, fake_bind_error, fake_send_error;
size_t fake_stream_piece;

static struct fake_socket sockets[FAKE_SOCKETS];
static struct fake_socket *last_stream;
static struct fake_datagram sent_log[LOG];
static uint64_t random_state;

static void fake_random(void *to, size_t length)
{
    for (uint8_t *at = to; length > 0; length--) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        *at++ = (uint8_t)(random_state >> 32);
    }
}

static void *fake_allocate(size_t size) { return calloc(1, size); }

void fake_reset(void)
{
    for (unsigned i = 0; i < FAKE_SOCKETS; i++)
        sockets[i].open = false;
    memset(&fake_stack, 0, sizeof(fake_stack));
    fake_stack.config.random = fake_random;
    fake_stack.config.allocate = fake_allocate;
    fake_stack.config.release = free;
    fake_stack.now = 1000000000ull;
    fake_netif = (struct netif){.stack = &fake_stack,
                                .index = 1,
                                .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
                                .mtu = ETHERNET_MTU,
                                .up = true,
                                .link = true};
    fake_sent = 0;
    fake_create_error = fake_bind_error = fake_send_error = 0;
    fake_stream_piece = SIZE_MAX;
    random_state = 0x9e3779b97f4a7c15ull;
    last_stream = NULL;
}

unsigned fake_open_sockets(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < FAKE_SOCKETS; i++)
        count += sockets[i].open;
    return count;
}

const struct fake_datagram *fake_sent_data(unsigned back)
{
    return &sent_log[(fake_sent - 1 - back) % LOG];
}

/* --- the test's side --- */

bool fake_forge(struct endpoint from, struct endpoint to, const void *data, size_t length)
{
    for (struct fake_socket *s = sockets; s < sockets + FAKE_SOCKETS; s++) {
        if (!s->open || s->socket.type != SOCKET_DATAGRAM || s->socket.local.port != to.port ||
            s->count == FAKE_ARRIVALS || length > FAKE_BYTES)
            continue;
        struct fake_datagram *d = &s->arrivals[(s->head + s->count++) % FAKE_ARRIVALS];
        d->from = from;
        d->to = to;
        d->length = length;
        memcpy(d->bytes, data, length);
        socket_notify(&s->socket, SOCKET_READABLE);
        return true;
    }
    return false;
}

bool fake_deliver(struct endpoint from, struct endpoint to, const void *data, size_t length)
{
    for (struct fake_socket *s = sockets; s < sockets + FAKE_SOCKETS; s++)
        if (s->open && s->socket.local.port == to.port &&
            (s->socket.peer.address.family == IP_NONE ||
             (s->socket.peer.port == from.port &&
              memcmp(&s->socket.peer.address, &from.address, sizeof(from.address)) == 0)))
            return fake_forge(from, to, data, length);
    return false;
}

void fake_stream_open(int error)
{
    last_stream->connecting = false;
    last_stream->socket.error = error;
    socket_notify(&last_stream->socket, SOCKET_WRITABLE);
}

void fake_stream_data(const void *data, size_t length)
{
    memcpy(last_stream->stream + last_stream->stream_end, data, length);
    last_stream->stream_end += length;
    socket_notify(&last_stream->socket, SOCKET_READABLE);
}

void fake_stream_end(void)
{
    last_stream->ended = true;
    socket_notify(&last_stream->socket, SOCKET_READABLE | SOCKET_READ_HANGUP);
}

/* --- the program's side --- */

int socket_create(struct stack *stack, enum ip_family family, enum socket_type type,
                  unsigned protocol, struct socket **socket)
{
    if (fake_create_error != 0)
        return fake_create_error;
    for (struct fake_socket *s = sockets; s < sockets + FAKE_SOCKETS; s++) {
        if (s->open)
            continue;
        memset(&s->socket, 0, sizeof(s->socket));
        s->connecting = s->ended = false;
        s->head = s->count = 0;
        s->stream_start = s->stream_end = 0;
        s->open = true;
        s->socket.stack = stack;
        s->socket.family = (uint8_t)family;
        s->socket.type = (uint8_t)type;
        s->socket.protocol = (uint8_t)protocol;
        *socket = &s->socket;
        return 0;
    }
    return -ENFILE;
}

int socket_bind(struct socket *socket, const struct endpoint *local)
{
    if (fake_bind_error != 0)
        return fake_bind_error;
    for (struct fake_socket *s = sockets; s < sockets + FAKE_SOCKETS; s++)
        if (s->open && &s->socket != socket && s->socket.local.port == local->port)
            return -EADDRINUSE;
    socket->local = *local;
    return 0;
}

int socket_connect(struct socket *socket, const struct endpoint *peer)
{
    struct fake_socket *s = (struct fake_socket *)socket;
    socket->peer = *peer;
    if (socket->type != SOCKET_STREAM)
        return 0;
    s->connecting = true;
    last_stream = s;
    return -EINPROGRESS;
}

int64_t socket_send(struct socket *socket, struct transfer *from, size_t length,
                    struct socket_message *message)
{
    struct fake_socket *s = (struct fake_socket *)socket;
    struct fake_datagram *d = &sent_log[fake_sent % LOG];

    if (fake_send_error != 0)
        return fake_send_error;
    if (s->connecting)
        return -EAGAIN;
    if (socket->type == SOCKET_STREAM && length > fake_stream_piece)
        length = fake_stream_piece;
    memset(d, 0, sizeof(*d));
    if (length > FAKE_BYTES || from->copy(from, 0, d->bytes, length) != 0)
        return -EMSGSIZE;
    d->from = socket->local;
    d->to = message->peer.address.family == IP_NONE ? socket->peer : message->peer;
    d->type = socket->type;
    d->unspecified_source = socket->unspecified_source;
    d->length = length;
    fake_sent++;
    return (int64_t)length;
}

static int64_t receive_stream(struct fake_socket *s, struct transfer *to, size_t length)
{
    size_t have = s->stream_end - s->stream_start;
    if (s->connecting || (have == 0 && !s->ended && s->socket.error == 0))
        return -EAGAIN;
    if (s->socket.error != 0)
        return s->socket.error;
    if (length > have)
        length = have;
    if (length > fake_stream_piece)
        length = fake_stream_piece;
    to->copy(to, 0, s->stream + s->stream_start, length);
    s->stream_start += length;
    return (int64_t)length;
}

int64_t socket_receive(struct socket *socket, struct transfer *to, size_t length,
                       struct socket_message *message)
{
    struct fake_socket *s = (struct fake_socket *)socket;

    if (socket->type == SOCKET_STREAM)
        return receive_stream(s, to, length);
    if (s->socket.error != 0) {
        int error = s->socket.error;
        s->socket.error = 0;
        return error;
    }
    if (s->count == 0)
        return -EAGAIN;
    struct fake_datagram *d = &s->arrivals[s->head];
    s->head = (s->head + 1) % FAKE_ARRIVALS;
    s->count--;
    if (length > d->length)
        length = d->length;
    message->peer = d->from;
    to->copy(to, 0, d->bytes, length);
    return (int64_t)length;
}

void socket_close(struct socket *socket) { ((struct fake_socket *)socket)->open = false; }
