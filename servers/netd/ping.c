/* Sends echo requests and matches what comes back with the callers that wait: an answer by its
 * sequence number and payload, an error by the request that it quotes. */
#include "netd/ping.h"

#include "netd/calls.h"
#include "netd/convert.h"
#include "netd/stack/checksum.h"
#include "netd/stack/ip.h"
#include "netd/stack/transfer.h"
#include "netd/stack/wire/cursor.h"
#include <errno.h>
#include <string.h>

#define DEADLINE_DEFAULT 1000000000ull /* ns */
#define ICMP_HEADER      8

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
    ICMPV6_UNREACHABLE = 1,
    ICMPV6_TOO_BIG = 2,
    ICMPV6_TIME_EXCEEDED = 3,
    ICMPV6_PARAMETER_PROBLEM = 4,
    ICMPV6_ECHO = 128,
    ICMPV6_ECHO_REPLY = 129,
};

/* One socket a family, made when the first echo is sent. */
struct pinger {
    struct socket *socket;
    bool readable;
    uint16_t identifier;
};
static struct pinger pingers[2]; /* IPv4, IPv6 */
static uint16_t last_sequence;
static uint8_t message[ICMP_HEADER + NET_PING_MAX + 512]; /* room for a header to be received */

static void notify(struct socket *socket, unsigned events)
{
    struct pinger *pinger = socket->owner;
    if (events & SOCKET_READABLE)
        pinger->readable = true;
}

static int pinger_open(struct pinger *pinger, enum ip_family family)
{
    if (pinger->socket)
        return 0;
    int error = socket_create(netd.stack, family, SOCKET_RAW,
                              family == IP_V4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, &pinger->socket);
    if (error)
        return error;
    pinger->socket->owner = pinger;
    pinger->socket->notify = notify;
    netd.stack->config.random(&pinger->identifier, sizeof pinger->identifier);
    return 0;
}

/* ---- Requests ----------------------------------------------------------------------------- */

static uint8_t payload_byte(uint16_t sequence, size_t index) { return (uint8_t)(index + sequence); }

static size_t write_echo(const struct pinger *pinger, bool v6, uint16_t sequence, uint32_t size)
{
    uint8_t *at = message;
    at = put_u8(at, v6 ? ICMPV6_ECHO : ICMP_ECHO);
    at = put_u8(at, 0);
    at = put_u16(at, 0); /* checksum: of ICMPv6, the socket's work */
    at = put_u16(at, pinger->identifier);
    at = put_u16(at, sequence);
    for (uint32_t i = 0; i < size; i++)
        *at++ = payload_byte(sequence, i);
    if (!v6) {
        uint16_t sum = checksum_finish(checksum_add(0, message, ICMP_HEADER + size));
        memcpy(message + 2, &sum, sizeof sum);
    }
    return ICMP_HEADER + size;
}

static void answer(struct call *call, int64_t result, const struct ip_address *from,
                   uint8_t hop_limit)
{
    const struct endpoint source = {.address = *from, .interface = call->ping.to.interface};
    struct net_ping_reply reply = {.result = result,
                                   .round_trip = netd.now - call->ping.sent_at,
                                   .from = endpoint_to(&source),
                                   .hop_limit = hop_limit};
    server_reply(call->token, result, &reply, sizeof reply);
    call_release(call);
}

static void expired(struct call *call)
{
    server_reply(call->token, -ETIMEDOUT, NULL, 0);
    call_release(call);
}

int64_t ping_request(struct request *request)
{
    const struct net_ping_request *r = (const void *)request->message->data;
    struct call call = {
        .token = request->token, .client = request->message->sender, .type = NET_PING};
    if (!endpoint_from(&r->to, &call.ping.to))
        return -EAFNOSUPPORT;
    if (r->size > NET_PING_MAX)
        return -EMSGSIZE;
    call.ping.to.port = 0;
    bool v6 = r->to.family == NET_INET6;
    struct pinger *pinger = &pingers[v6];
    int error = pinger_open(pinger, call.ping.to.address.family);
    if (error)
        return error;
    call.ping.size = r->size;
    call.ping.sequence = ++last_sequence;
    call.ping.sent_at = netd.now;
    pinger->socket->hop_limit = r->hop_limit;
    struct socket_message to = {.peer = call.ping.to};
    size_t length = write_echo(pinger, v6, call.ping.sequence, r->size);
    int64_t sent = socket_send_memory(pinger->socket, message, length, &to);
    if (sent < 0)
        return sent;
    struct call *kept = call_keep(&call, r->deadline ? r->deadline : netd.now + DEADLINE_DEFAULT);
    if (!kept)
        return -ENOBUFS;
    kept->expired = expired;
    return SERVER_DEFERRED;
}

/* ---- Answers ------------------------------------------------------------------------------ */

struct sought {
    uint16_t sequence;
    bool v6;
    struct call *found;
};

static void seek(struct call *call, void *context)
{
    struct sought *sought = context;
    if (call->ping.sequence == sought->sequence &&
        (call->ping.to.address.family == IP_V6) == sought->v6)
        sought->found = call;
}

static struct call *find(uint16_t sequence, bool v6)
{
    struct sought sought = {.sequence = sequence, .v6 = v6};
    call_each(NET_PING, seek, &sought);
    return sought.found;
}

static bool payload_is_ours(const struct call *call, struct cursor *payload)
{
    if (cursor_left(payload) != call->ping.size)
        return false;
    for (uint32_t i = 0; i < call->ping.size; i++)
        if (cursor_u8(payload) != payload_byte(call->ping.sequence, i))
            return false;
    return true;
}

/* What an error message says, as errno; 0: it is none. TIME_EXCEEDED is told apart from
 * unreachable hosts, for those who trace a route by it. */
static int error_of(uint8_t type, bool v6)
{
    if (v6)
        switch (type) {
        case ICMPV6_UNREACHABLE:
            return -EHOSTUNREACH;
        case ICMPV6_TOO_BIG:
            return -EMSGSIZE;
        case ICMPV6_TIME_EXCEEDED:
            return -ETIME;
        case ICMPV6_PARAMETER_PROBLEM:
            return -EPROTO;
        default:
            return 0;
        }
    switch (type) {
    case ICMP_UNREACHABLE:
        return -EHOSTUNREACH;
    case ICMP_TIME_EXCEEDED:
        return -ETIME;
    case ICMP_PARAMETER_PROBLEM:
        return -EPROTO;
    default:
        return 0;
    }
}

/* The IP header that an error message quotes. */
static void skip_quoted_header(struct cursor *cursor, bool v6)
{
    if (v6)
        cursor_take(cursor, IPV6_HEADER);
    else
        cursor_take(cursor, (size_t)(cursor_u8(cursor) & 15) * 4 - 1);
}

static void take_error(struct pinger *pinger, struct cursor *cursor, int error,
                       const struct socket_message *from)
{
    bool v6 = pinger == &pingers[1];
    skip_quoted_header(cursor, v6);
    uint8_t type = cursor_u8(cursor);
    cursor_take(cursor, 3);
    uint16_t identifier = cursor_u16(cursor), sequence = cursor_u16(cursor);
    if (!cursor_ok(cursor) || type != (v6 ? ICMPV6_ECHO : ICMP_ECHO) ||
        identifier != pinger->identifier)
        return;
    struct call *call = find(sequence, v6);
    if (call)
        answer(call, error, &from->peer.address, from->hop_limit);
}

static void take_message(struct pinger *pinger, size_t length, const struct socket_message *from)
{
    bool v6 = pinger == &pingers[1];
    struct cursor cursor = cursor_over(message, length);
    if (!v6) /* raw IPv4 sockets receive the IP header, too */
        skip_quoted_header(&cursor, false);
    uint8_t type = cursor_u8(&cursor);
    cursor_take(&cursor, 3);
    uint16_t identifier = cursor_u16(&cursor), sequence = cursor_u16(&cursor);
    if (!cursor_ok(&cursor))
        return;
    if (type != (v6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY)) {
        int error = error_of(type, v6);
        if (error)
            take_error(pinger, &cursor, error, from);
        return;
    }
    struct call *call = identifier == pinger->identifier ? find(sequence, v6) : NULL;
    if (call)
        answer(call, payload_is_ours(call, &cursor) ? (int64_t)call->ping.size : -EIO,
               &from->peer.address, from->hop_limit);
}

bool ping_work(void)
{
    bool any = false;
    for (unsigned i = 0; i < 2; i++) {
        struct pinger *pinger = &pingers[i];
        if (!pinger->readable)
            continue;
        any = true;
        pinger->readable = false;
        for (;;) {
            struct socket_message from = {0};
            int64_t got = socket_receive_memory(pinger->socket, message, sizeof message, &from);
            if (got == -EAGAIN)
                break;
            if (got > 0)
                take_message(pinger, (size_t)got, &from);
        }
    }
    return any;
}
