/* Makes sockets and answers what can be answered at once; socket_calls.c does the rest. */
#include "netd/socket_requests.h"

#include "netd/convert.h"
#include "netd/sessions.h"
#include "netd/socket_calls.h"
#include "proto/fs.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Options of ours, because waiting is: Linux's SO_RCVTIMEO, SO_SNDTIMEO (struct timeval). */
enum { OPTION_RCVTIMEO = 20, OPTION_SNDTIMEO = 21 };
struct timeout_value {
    int64_t seconds, microseconds;
};
#define SECOND      1000000000ull
#define TIMEOUT_MAX (UINT64_MAX / SECOND / 4) /* s */

int64_t socket_create_request(struct request *request)
{
    const struct net_create_request *r = (const void *)request->message->data;
    struct socket *socket;
    struct session *session;
    int error = socket_create(netd.stack, (enum ip_family)r->family,
                              (enum socket_type)(r->type & ~NET_NONBLOCK), r->protocol, &socket);
    if (!error)
        error =
            session_make(socket, request->message->sender, &session, &request->reply->handles[0]);
    if (error)
        return error;
    session->nonblocking = r->type & NET_NONBLOCK;
    request->reply->handle_count = 1;
    return 0;
}

/* ---- Addresses ---------------------------------------------------------------------------- */

static int64_t bind_request(struct request *request, struct session *session)
{
    const struct net_address_request *r = (const void *)request->message->data;
    struct endpoint local;
    if (!endpoint_from(&r->address, &local))
        return -EAFNOSUPPORT;
    return socket_bind(session->socket, &local);
}

static int64_t listen_request(struct request *request, struct session *session)
{
    int64_t backlog = (int64_t)request->message->words[0];
    return socket_listen(session->socket, (int)(backlog < 0           ? 0
                                                : backlog > INT32_MAX ? INT32_MAX
                                                                      : backlog));
}

static int64_t address_reply(struct request *request, const struct endpoint *endpoint)
{
    struct net_address_reply *reply = (void *)request->reply->data;
    reply->address = endpoint_to(endpoint);
    request->reply->len = sizeof *reply;
    return 0;
}

static int64_t local_request(struct request *request, struct session *session)
{
    struct endpoint local;
    socket_local(session->socket, &local);
    return address_reply(request, &local);
}

static int64_t peer_request(struct request *request, struct session *session)
{
    struct endpoint peer;
    int error = socket_peer(session->socket, &peer);
    return error ? error : address_reply(request, &peer);
}

static int64_t shutdown_request(struct request *request, struct session *session)
{
    uint64_t how = request->message->words[0]; /* SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2 */
    if (how > 2)
        return -EINVAL;
    return socket_shutdown(session->socket, how != 1, how != 0);
}

/* ---- Options ------------------------------------------------------------------------------ */

static bool is_timeout(const struct net_option_request *r, unsigned *line)
{
    *line = r->name == OPTION_RCVTIMEO ? LINE_RECEIVE : LINE_SEND;
    return r->level == LEVEL_SOCKET && (r->name == OPTION_RCVTIMEO || r->name == OPTION_SNDTIMEO);
}

static int64_t set_timeout(struct session *session, unsigned line,
                           const struct net_option_request *r)
{
    struct timeout_value value;
    if (r->size < sizeof value)
        return -EINVAL;
    memcpy(&value, r->value, sizeof value);
    if (value.microseconds < 0 || value.microseconds >= 1000000)
        return -EDOM;
    uint64_t seconds = value.seconds < 0 ? 0 : (uint64_t)value.seconds;
    if (seconds > TIMEOUT_MAX)
        seconds = 0; /* for ever */
    session->timeout[line] = seconds * SECOND + (uint64_t)value.microseconds * 1000;
    return 0;
}

static int64_t set_option_request(struct request *request, struct session *session)
{
    const struct net_option_request *r = (const void *)request->message->data;
    unsigned line;
    if (r->size > NET_OPTION_MAX ||
        request->message->len < offsetof(struct net_option_request, value) + r->size)
        return -EINVAL;
    if (is_timeout(r, &line))
        return set_timeout(session, line, r);
    return socket_set_option(session->socket, r->level, r->name, r->value, r->size);
}

static int64_t get_option_request(struct request *request, struct session *session)
{
    const struct net_option_request *r = (const void *)request->message->data;
    struct net_option_reply *reply = (void *)request->reply->data;
    size_t size = r->size < NET_OPTION_MAX ? r->size : NET_OPTION_MAX;
    unsigned line;
    if (is_timeout(r, &line)) {
        uint64_t timeout = session->timeout[line];
        struct timeout_value value = {(int64_t)(timeout / SECOND),
                                      (int64_t)(timeout % SECOND / 1000)};
        size = size < sizeof value ? size : sizeof value;
        memcpy(reply->value, &value, size);
    } else {
        int error = socket_get_option(session->socket, r->level, r->name, reply->value, &size);
        if (error)
            return error;
    }
    reply->size = (uint32_t)size;
    reply->pad = 0;
    request->reply->len = (uint16_t)(offsetof(struct net_option_reply, value) + size);
    return 0;
}

/* ---- Readiness ---------------------------------------------------------------------------- */

static int64_t status_request(struct request *request, struct session *session)
{
    struct net_status_reply *reply = (void *)request->reply->data;
    struct socket *socket = session->socket;
    reply->readable = socket->operations->readable ? socket->operations->readable(socket) : 0;
    reply->unsent = socket->operations->unsent ? socket->operations->unsent(socket) : 0;
    request->reply->len = sizeof *reply;
    return socket_ready(socket);
}

static int64_t poll_request(struct request *request, struct session *session)
{
    struct message *m = request->message;
    uint32_t events = (uint32_t)m->words[0] | NET_POLL_ERR | NET_POLL_HUP;
    uint32_t ready = socket_ready(session->socket) & events;
    if (ready || m->handle_count != 1 || m->len < 2 * sizeof(uint64_t))
        return ready;
    int error = poller_add(&session->pollers, m->handles[0], events, m->words[1], false);
    if (error)
        return error;
    m->handle_count = 0; /* kept */
    request->reply->words[1] = 1;
    request->reply->len = 2 * sizeof(uint64_t);
    return 0;
}

static int64_t subscribe_request(struct request *request, struct session *session)
{
    struct message *m = request->message;
    uint32_t events = (uint32_t)m->words[0];
    if (m->handle_count == 0) {
        pollers_unsubscribe(&session->pollers);
        return 0;
    }
    if (m->handle_count != 1 || m->len < 2 * sizeof(uint64_t))
        return -EINVAL;
    int error = poller_add(&session->pollers, m->handles[0], events, m->words[1], true);
    if (error)
        return error;
    m->handle_count = 0; /* kept */
    pollers_pulse(&session->pollers, socket_ready(session->socket), events);
    return 0;
}

static int64_t flags_request(struct request *request, struct session *session)
{
    uint64_t flags = request->message->words[0];
    if (flags & ~(uint64_t)(FS_O_NONBLOCK | FS_O_APPEND))
        return -EINVAL;
    session->nonblocking = flags & FS_O_NONBLOCK;
    return 0;
}

static int64_t close_request(struct request *request, struct session *session)
{
    (void)request;
    session_close_socket(session);
    return 0;
}

/* ---- Dispatch ----------------------------------------------------------------------------- */

static const struct {
    int64_t (*handle)(struct request *request, struct session *session);
    uint16_t min_len;
} operations[] = {
    [NET_SOCKET_CONNECT] = {socket_connect_request, sizeof(struct net_address_request)},
    [NET_SOCKET_BIND] = {bind_request, sizeof(struct net_address)},
    [NET_SOCKET_LISTEN] = {listen_request, sizeof(uint64_t)},
    [NET_SOCKET_ACCEPT] = {socket_accept_request, sizeof(struct net_accept_request)},
    [NET_SOCKET_SEND] = {socket_send_request, offsetof(struct net_send_request, data)},
    [NET_SOCKET_RECV] = {socket_receive_request, sizeof(struct net_recv_request)},
    [NET_SOCKET_CLOSE] = {close_request, 0},
    [NET_SOCKET_SHUTDOWN] = {shutdown_request, sizeof(uint64_t)},
    [NET_SOCKET_STATUS] = {status_request, 0},
    [NET_SOCKET_GET_OPTION] = {get_option_request, offsetof(struct net_option_request, value)},
    [NET_SOCKET_SET_OPTION] = {set_option_request, offsetof(struct net_option_request, value)},
    [NET_SOCKET_LOCAL] = {local_request, 0},
    [NET_SOCKET_PEER] = {peer_request, 0},
    [FS_POLL] = {poll_request, sizeof(uint64_t)},
    [FS_SET_FLAGS] = {flags_request, sizeof(uint64_t)},
    [NET_SUBSCRIBE_EVENTS] = {subscribe_request, sizeof(uint64_t)},
};

int64_t socket_request(struct request *request)
{
    const struct message *m = request->message;
    struct session *session = session_find(m->badge);
    if (!session)
        return -ECONNRESET; /* of a netd that is gone */
    if (!session->socket)
        return -EBADF;
    if (m->type >= sizeof operations / sizeof operations[0] || !operations[m->type].handle)
        return -ENOSYS;
    if (m->len < operations[m->type].min_len)
        return -EINVAL;
    return operations[m->type].handle(request, session);
}
