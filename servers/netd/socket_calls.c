/* Connect, accept, send and receive. Each is an attempt that is made when the request comes and,
 * as long as it cannot be done, each time the stack has notified; how far it got is in the call. */
#include "netd/socket_calls.h"

#include "netd/client_memory.h"
#include "netd/convert.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define CORE_FLAGS (NET_PEEK | NET_TRUNCATE | NET_MORE)

/* ---- Attempts ----------------------------------------------------------------------------- */

static int pending_error(struct socket *socket)
{
    int error = 0;
    size_t size = sizeof error;
    socket_get_option(socket, LEVEL_SOCKET, OPTION_ERROR, &error, &size);
    return -error;
}

static int64_t attempt_connect(struct call *call)
{
    struct socket *socket = call->session->socket;
    if (!call->started) {
        call->started = true;
        int error = socket_connect(socket, &call->peer);
        if (error != -EINPROGRESS && error != -EALREADY)
            return error;
        call->began_before = error == -EALREADY;
    }
    unsigned ready = socket_ready(socket);
    if (ready & (SOCKET_ERROR | SOCKET_HANGUP)) {
        int error = pending_error(socket);
        return error ? error : -ECONNABORTED;
    }
    return ready & SOCKET_WRITABLE ? 0 : CALL_WAITS;
}

static int64_t attempt_accept(struct call *call, struct message *reply)
{
    struct socket *connection;
    struct session *session;
    struct net_address_reply *r = (struct net_address_reply *)reply->data;
    struct endpoint peer;
    int error = socket_accept(call->session->socket, &connection);
    if (error)
        return error == -EAGAIN ? CALL_WAITS : error;
    if (socket_peer(connection, &peer) != 0)
        peer = (struct endpoint){0};
    error = session_make(connection, call->client, &session, &reply->handles[0]);
    if (error)
        return error;
    session->nonblocking = call->flags & NET_NONBLOCK;
    r->address = endpoint_to(&peer);
    reply->len = sizeof *r;
    reply->handle_count = 1;
    return 0;
}

/* A stream takes what fits; all of it, unless the caller does not want to wait. */
static int64_t attempt_send(struct call *call)
{
    struct socket *socket = call->session->socket;
    struct client_memory from = {.transfer.copy = client_copy,
                                 .token = call->token,
                                 .length = call->length,
                                 .inline_data = call->windowed ? NULL : call->data};
    for (;;) {
        struct socket_message message = {.peer = call->peer,
                                         .flags = call->flags & CORE_FLAGS,
                                         .hop_limit = call->hop_limit,
                                         .traffic_class = call->traffic_class};
        client_memory_begin(&from, call->done);
        int64_t sent = socket_send(socket, &from.transfer, call->length - call->done, &message);
        if (sent == -EAGAIN)
            return CALL_WAITS;
        if (sent < 0)
            return call->done ? (int64_t)call->done : sent;
        call->done += (uint64_t)sent;
        if (call->done == call->length || socket->type != SOCKET_STREAM)
            return (int64_t)call->done;
    }
}

static uint32_t wants(const struct socket *socket)
{
    return (socket->wants_local ? NET_WANTS_LOCAL : 0) |
           (socket->wants_hop_limit ? NET_WANTS_HOP_LIMIT : 0) |
           (socket->wants_class ? NET_WANTS_CLASS : 0);
}

static void receive_reply(struct message *reply, const struct socket *socket,
                          const struct socket_message *message, uint64_t inline_length)
{
    struct net_recv_reply *r = (struct net_recv_reply *)reply->data;
    struct endpoint local = {.address = message->local, .interface = message->interface};
    bool datagram = socket->type != SOCKET_STREAM;
    r->flags = datagram ? (message->flags & SOCKET_TRUNCATE) | wants(socket) : 0;
    r->hop_limit = message->hop_limit;
    r->traffic_class = message->traffic_class;
    r->pad = 0;
    r->from = datagram ? endpoint_to(&message->peer) : (struct net_address){0};
    r->local = endpoint_to(&local);
    reply->len = (uint16_t)(offsetof(struct net_recv_reply, data) + inline_length);
}

static int discard(struct transfer *transfer, size_t offset, void *data, size_t length)
{
    (void)transfer, (void)offset, (void)data, (void)length;
    return 0;
}

/* A stream's receive is content with what there is, unless it is to wait for all. */
static int64_t attempt_receive(struct call *call, struct message *reply)
{
    struct socket *socket = call->session->socket;
    struct net_recv_reply *r = (struct net_recv_reply *)reply->data;
    bool stream = socket->type == SOCKET_STREAM, skips = stream && (call->flags & NET_TRUNCATE);
    struct client_memory to = {.transfer.copy = skips ? discard : client_copy,
                               .token = call->token,
                               .length = call->length,
                               .inline_data = call->windowed ? NULL : r->data,
                               .to_client = true};
    bool all = stream && (call->flags & NET_WAITALL) && call->windowed && !(call->flags & NET_PEEK);
    struct socket_message message;
    for (;;) {
        message = (struct socket_message){.flags = call->flags & CORE_FLAGS};
        client_memory_begin(&to, call->done);
        int64_t got = socket_receive(socket, &to.transfer, call->length - call->done, &message);
        int error = client_memory_end(&to);
        got = error ? error : got;
        if (got == -EAGAIN)
            return CALL_WAITS;
        if (got < 0 && call->done == 0)
            return got;
        uint64_t moved = got < 0 ? 0 : (uint64_t)got;
        call->done += moved;
        if (all && moved > 0 && call->done < call->length)
            continue;
        uint64_t present = call->done < call->length ? call->done : call->length;
        receive_reply(reply, socket, &message, call->windowed || skips ? 0 : present);
        return (int64_t)call->done;
    }
}

int64_t socket_attempt(struct call *call, struct message *reply)
{
    switch (call->type) {
    case NET_SOCKET_CONNECT:
        return attempt_connect(call);
    case NET_SOCKET_ACCEPT:
        return attempt_accept(call, reply);
    case NET_SOCKET_SEND:
        return attempt_send(call);
    default:
        return attempt_receive(call, reply);
    }
}

int64_t socket_give_up(struct call *call, struct message *reply)
{
    if (call->type == NET_SOCKET_CONNECT)
        return call->began_before ? -EALREADY : -EINPROGRESS;
    if (call->done == 0)
        return -EAGAIN;
    if (call->type == NET_SOCKET_RECV)
        receive_reply(reply, call->session->socket, &(struct socket_message){0}, 0);
    return (int64_t)call->done;
}

/* ---- Requests ----------------------------------------------------------------------------- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

/* Tries, and lets wait what may; behind those that wait already, so that bytes keep their order. */
static int64_t start(struct request *request, struct call *call, unsigned line)
{
    struct session *session = call->session;
    call->token = request->token;
    call->client = request->message->sender;
    call->type = request->message->type;
    int64_t result = session->first[line] ? CALL_WAITS : socket_attempt(call, request->reply);
    if (result != CALL_WAITS)
        return result;
    if (session->nonblocking || (call->flags & NET_DONTWAIT))
        return socket_give_up(call, request->reply);
    uint64_t own = session->timeout[line] ? netd.now + session->timeout[line] : 0;
    int error = session_wait(call, line, sooner(own, call->deadline));
    if (error)
        return call->done ? socket_give_up(call, request->reply) : error;
    return SERVER_DEFERRED;
}

int64_t socket_connect_request(struct request *request, struct session *session)
{
    const struct net_address_request *r = (const void *)request->message->data;
    struct call call = {.session = session, .deadline = r->deadline};
    if (!endpoint_from(&r->address, &call.peer) && r->address.family != 0)
        return -EAFNOSUPPORT;
    return start(request, &call, LINE_SEND);
}

int64_t socket_accept_request(struct request *request, struct session *session)
{
    const struct net_accept_request *r = (const void *)request->message->data;
    struct call call = {.session = session, .deadline = r->deadline, .flags = r->flags};
    return start(request, &call, LINE_RECEIVE);
}

int64_t socket_send_request(struct request *request, struct session *session)
{
    const struct message *m = request->message;
    const struct net_send_request *r = (const void *)m->data;
    struct call call = {.session = session, .deadline = r->deadline, .flags = r->flags};
    call.length = r->length;
    call.windowed = m->window_count > 0;
    call.hop_limit = r->hop_limit;
    call.traffic_class = r->traffic_class;
    if (r->to.family != 0 && !endpoint_from(&r->to, &call.peer))
        return -EAFNOSUPPORT;
    if (call.windowed) {
        if (!(m->windows[0].access & WINDOW_READ) || r->length > m->windows[0].length)
            return -EINVAL;
    } else {
        if (r->length > NET_SEND_INLINE ||
            m->len < offsetof(struct net_send_request, data) + r->length)
            return -EINVAL;
        memcpy(call.data, r->data, r->length);
    }
    return start(request, &call, LINE_SEND);
}

int64_t socket_receive_request(struct request *request, struct session *session)
{
    const struct message *m = request->message;
    const struct net_recv_request *r = (const void *)m->data;
    struct call call = {.session = session, .deadline = r->deadline, .flags = r->flags};
    call.length = r->length;
    call.windowed = m->window_count > 0;
    if (call.windowed) {
        if (!(m->windows[0].access & WINDOW_WRITE) || r->length > m->windows[0].length)
            return -EINVAL;
    } else if (r->length > NET_RECV_INLINE) {
        return -EINVAL;
    }
    return start(request, &call, LINE_RECEIVE);
}
