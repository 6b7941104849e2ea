/* The table of open sockets, and what waits at each. Invariant: a session in use has a badge that
 * was never used before, and its socket's owner is the session until the socket is closed. */
#include "netd/sessions.h"

#include "cairn/syscall.h"
#include "netd/clients.h"
#include <errno.h>
#include <string.h>

#define SLOT_BITS 13
_Static_assert(SESSIONS_MAX == 1 << SLOT_BITS, "the badge holds the slot");

static struct session sessions[SESSIONS_MAX];
static struct session *free_sessions, *dirty_sessions;
static unsigned ever_used; /* of the table: what is behind was never touched */
static uint64_t next_generation;

/* Never the same twice, also not in the netd that takes over after a crash: its clock is later, and
 * no socket is made within a microsecond. */
void sessions_init(uint64_t now) { next_generation = now / 1024 + 1; }

static struct session *session_take(void)
{
    struct session *session = free_sessions;
    if (session)
        free_sessions = session->next;
    else if (ever_used < SESSIONS_MAX)
        session = &sessions[ever_used++];
    return session;
}

static void notify(struct socket *socket, unsigned events)
{
    struct session *session = socket->owner;
    session->events |= events;
    if (session->dirty)
        return;
    session->dirty = true;
    session->next = dirty_sessions;
    dirty_sessions = session;
}

static void session_free(struct session *session)
{
    client_drop_socket(session->client);
    session->badge = 0;
    session->next = free_sessions;
    free_sessions = session;
}

int session_make(struct socket *socket, uint32_t client, struct session **made, handle_t *handle)
{
    int error = client_take_socket(client);
    if (error) {
        socket_close(socket);
        return error;
    }
    struct session *session = session_take();
    if (!session) {
        client_drop_socket(client);
        socket_close(socket);
        return -ENFILE;
    }
    *session = (struct session){
        .badge = BADGE_SOCKET | (next_generation++ << SLOT_BITS & ~BADGE_KIND) |
                 (uint64_t)(session - sessions),
        .socket = socket,
        .client = client,
    };
    int64_t minted =
        handle_mint(netd.server.channel, RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER, session->badge);
    if (minted < 0) {
        session_free(session);
        socket_close(socket);
        return (int)minted;
    }
    socket->owner = session;
    socket->notify = notify;
    *made = session;
    *handle = (handle_t)minted;
    return 0;
}

struct session *session_find(uint64_t badge)
{
    struct session *session = &sessions[badge & (SESSIONS_MAX - 1)];
    return session->badge == badge ? session : NULL;
}

/* ---- Waiting ------------------------------------------------------------------------------ */

static unsigned line_of(const struct call *call)
{
    return call->type == NET_SOCKET_RECV || call->type == NET_SOCKET_ACCEPT ? LINE_RECEIVE
                                                                            : LINE_SEND;
}

static void unlink_call(struct call *call)
{
    struct session *session = call->session;
    unsigned line = line_of(call);
    struct call *before = NULL;
    for (struct call *at = session->first[line]; at != call; at = at->next)
        before = at;
    *(before ? &before->next : &session->first[line]) = call->next;
    if (session->last[line] == call)
        session->last[line] = before;
}

/* Answers a call that has waited. The reply's handles are moved; a caller that is gone (ESTALE)
 * needs none. */
static void answer(struct call *call, int64_t result, struct message *reply)
{
    reply->words[0] = (uint64_t)result;
    if (reply->len < sizeof result)
        reply->len = sizeof result;
    reply->type = REPLY_TYPE(call->type);
    unlink_call(call);
    channel_reply(call->token, reply);
    call_release(call);
}

static void reply_clear(struct message *reply)
{
    memset(reply, 0, offsetof(struct message, data) + MESSAGE_REGISTER_BYTES);
}

static void expired(struct call *call)
{
    struct message reply;
    reply_clear(&reply);
    answer(call, socket_give_up(call, &reply), &reply);
}

int session_wait(const struct call *call, unsigned line, uint64_t deadline)
{
    struct call *kept = call_keep(call, deadline);
    if (!kept)
        return -ENOBUFS;
    struct session *session = kept->session;
    kept->expired = expired;
    if (session->last[line])
        session->last[line]->next = kept;
    else
        session->first[line] = kept;
    session->last[line] = kept;
    return 0;
}

static void retry(struct session *session, unsigned line)
{
    struct message reply;
    struct call *call;
    while ((call = session->first[line])) {
        reply_clear(&reply);
        int64_t result = call_alive(call) ? socket_attempt(call, &reply) : -ESTALE;
        if (result == CALL_WAITS)
            return;
        answer(call, result, &reply);
    }
}

bool sessions_work(void)
{
    bool any = dirty_sessions != NULL;
    while (dirty_sessions) {
        struct session *session = dirty_sessions;
        uint32_t changed = session->events;
        dirty_sessions = session->next;
        session->dirty = false;
        session->events = 0;
        for (unsigned line = 0; line < LINES && session->socket; line++)
            retry(session, line);
        if (session->socket && session->pollers)
            pollers_pulse(&session->pollers, socket_ready(session->socket), changed);
        if (!session->badge) { /* it was closed while it was dirty */
            session->next = free_sessions;
            free_sessions = session;
        }
    }
    return any;
}

/* ---- The end ------------------------------------------------------------------------------ */

void session_close_socket(struct session *session)
{
    struct socket *socket = session->socket;
    if (!socket)
        return;
    session->socket = NULL;
    socket->owner = NULL;
    socket->notify = NULL;
    for (unsigned line = 0; line < LINES; line++) {
        while (session->first[line]) {
            struct message reply;
            reply_clear(&reply);
            answer(session->first[line], -EBADF, &reply);
        }
    }
    pollers_clear(&session->pollers);
    socket_close(socket);
}

void session_closed(uint64_t badge)
{
    struct session *session = session_find(badge);
    if (!session)
        return;
    session_close_socket(session);
    client_drop_socket(session->client);
    session->badge = 0;
    if (session->dirty) /* sessions_work puts it back */
        return;
    session->next = free_sessions;
    free_sessions = session;
}

void sessions_count(unsigned *tcp, unsigned *udp, unsigned *raw)
{
    unsigned counts[SOCKET_RAW + 1] = {0};
    for (size_t i = 0; i < ever_used; i++)
        if (sessions[i].badge && sessions[i].socket)
            counts[sessions[i].socket->type]++;
    *tcp = counts[SOCKET_STREAM];
    *udp = counts[SOCKET_DATAGRAM];
    *raw = counts[SOCKET_RAW];
}
