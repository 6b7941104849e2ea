/* Holds requests as they came, and serves them again. */
#include "netd/early.h"

#include "netd/configure.h"
#include "netd/sessions.h"
#include "proto/net.h"
#include <stddef.h>
#include <string.h>

#define EARLY_MAX 16

static struct early {
    uint64_t token;
    struct message message;
} early[EARLY_MAX];
static unsigned count;

/* On a socket: who connects, or sends a datagram, and wants to wait. */
static bool socket_waits(const struct message *m)
{
    const struct session *session = session_find(m->badge);
    const struct net_send_request *send = (const void *)m->data;
    if (!session || !session->socket || session->nonblocking)
        return false;
    return m->type == NET_SOCKET_CONNECT ||
           (session->socket->type != SOCKET_STREAM && !(send->flags & NET_DONTWAIT));
}

static bool may_wait(const struct message *m)
{
    switch (m->type) {
    case NET_SOCKET_CONNECT:
    case NET_SOCKET_SEND:
        return (m->badge & BADGE_KIND) == BADGE_SOCKET && socket_waits(m);
    case NET_PING:
    case NET_DNS_RESOLVE:
    case NET_DNS_CANONICAL:
    case NET_DNS_NAME:
        return m->badge == 0;
    default:
        return false;
    }
}

bool early_keep(const struct request *request)
{
    if (!configure_pending() || count == EARLY_MAX || !may_wait(request->message))
        return false;
    const struct message *m = request->message;
    struct early *kept = &early[count++];
    kept->token = request->token;
    memcpy(&kept->message, m, offsetof(struct message, data) + m->len); /* no further: it is old */
    memcpy(kept->message.windows, m->windows, m->window_count * sizeof m->windows[0]);
    return true;
}

static void answer(uint64_t token, int64_t result, struct message *reply, uint32_t type)
{
    reply->words[0] = (uint64_t)result;
    reply->len = reply->len > sizeof result ? reply->len : sizeof result;
    reply->type = REPLY_TYPE(type);
    channel_reply(token, reply);
}

void early_work(int64_t (*serve)(struct request *request))
{
    if (configure_pending())
        return;
    for (unsigned i = 0; i < count; i++) {
        struct message reply = {.len = 0};
        struct request request = {.server = &netd.server,
                                  .token = early[i].token,
                                  .message = &early[i].message,
                                  .reply = &reply};
        int64_t result = serve(&request);
        if (result != SERVER_DEFERRED)
            answer(early[i].token, result, &reply, early[i].message.type);
    }
    count = 0;
}
