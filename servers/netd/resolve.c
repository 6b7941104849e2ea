/* NET_DNS_RESOLVE and NET_DNS_NAME: calls that wait for the resolver. A name is asked for in both
 * families at once; what comes of it is sorted as RFC 6724 6 has it, as far as it depends on what
 * can be reached from here. */
#include "netd/resolve.h"

#include "netd/calls.h"
#include "netd/configure.h"
#include "netd/convert.h"
#include "netd/stack/dns/dns.h"
#include "netd/stack/ip.h"
#include <errno.h>
#include <string.h>

/* ---- The answer --------------------------------------------------------------------------- */

static bool reachable(const struct ip_address *address)
{
    struct ip_route route;
    return ip_route_find(netd.stack, address, NULL, 0, &route) == 0;
}

/* Addresses that cannot be reached go behind those that can; else the order stays, IPv6 first. */
static void sort(struct ip_address *addresses, unsigned count)
{
    unsigned front = 0;
    for (unsigned i = 0; i < count; i++) {
        struct ip_address address = addresses[i];
        if (!reachable(&address))
            continue;
        memmove(&addresses[front + 1], &addresses[front], (i - front) * sizeof address);
        addresses[front++] = address;
    }
}

static void finish(struct call *call)
{
    struct net_resolve_reply reply = {.result = call->resolve.count};
    if (call->resolve.count == 0)
        reply.result = call->resolve.error ? call->resolve.error : -ENODATA;
    sort(call->resolve.addresses, call->resolve.count);
    for (unsigned i = 0; i < call->resolve.count; i++)
        reply.addresses[i] = endpoint_to(&(struct endpoint){.address = call->resolve.addresses[i]});
    server_reply(call->token, reply.result, &reply,
                 sizeof reply.result + call->resolve.count * sizeof reply.addresses[0]);
    call_release(call);
}

static void expired(struct call *call)
{
    for (unsigned i = 0; i < 2; i++)
        if (call->resolve.queries[i] > 0)
            dns_cancel(configure_resolver(), call->resolve.queries[i]);
    if (call->resolve.count == 0)
        call->resolve.error = -ETIMEDOUT;
    if (call->type == NET_DNS_RESOLVE) {
        finish(call);
    } else {
        server_reply(call->token, -ETIMEDOUT, NULL, 0);
        call_release(call);
    }
}

/* ---- Addresses of a name ------------------------------------------------------------------ */

enum { ANSWERED = 0, ASKING = -1 };

/* Of two errors the one that says more: that the servers could not say is no proof of absence. */
static int worse(int a, int b)
{
    if (a == 0 || a == -ENODATA)
        return b ? b : a;
    return a;
}

static void take_answer(struct call *call, const struct dns_answer *answer)
{
    bool first = answer->type == DNS_AAAA; /* in front */
    unsigned room = NET_ADDRESSES_MAX - call->resolve.count;
    /* Half of the room stays for the other family. */
    if (room == NET_ADDRESSES_MAX && call->resolve.queries[!first] != ANSWERED)
        room = NET_ADDRESSES_MAX / 2;
    unsigned count = answer->address_count < room ? answer->address_count : room;
    struct ip_address *at = call->resolve.addresses;
    if (first)
        memmove(at + count, at, call->resolve.count * sizeof *at);
    else
        at += call->resolve.count;
    memcpy(at, answer->addresses, count * sizeof *at);
    call->resolve.count += count;
}

static void one_done(struct call *call, unsigned which, const struct dns_answer *answer)
{
    call->resolve.queries[which] = ANSWERED;
    if (answer->error)
        call->resolve.error = worse(call->resolve.error, answer->error);
    else
        take_answer(call, answer);
    if (call->resolve.queries[0] == ANSWERED && call->resolve.queries[1] == ANSWERED)
        finish(call);
}

static void done_v4(void *context, const struct dns_answer *answer)
{
    one_done(context, 0, answer);
}

static void done_v6(void *context, const struct dns_answer *answer)
{
    one_done(context, 1, answer);
}

static struct call *keep(const struct request *request, uint64_t deadline)
{
    struct call call = {.token = request->token,
                        .client = request->message->sender,
                        .type = request->message->type};
    struct call *kept = call_keep(&call, deadline);
    if (kept) {
        kept->expired = expired;
        memset(&kept->resolve, 0, sizeof kept->resolve);
    }
    return kept;
}

/* Asks one family. An error of the asking counts as an answer. */
static void ask(struct call *call, unsigned which, const char *name)
{
    enum dns_type type = which ? DNS_AAAA : DNS_A;
    int query = dns_resolve(configure_resolver(), name, type, which ? done_v6 : done_v4, call);
    if (query > 0)
        call->resolve.queries[which] = query;
    else if (query < 0)
        one_done(call, which, &(struct dns_answer){.error = query, .type = type});
}

/* keep_named: a call for a request with a name, if that is good and somebody can be asked. */
static int64_t keep_named(const struct request *request, struct net_resolve_request *r,
                          struct call **call)
{
    size_t len = request->message->len;
    memcpy(r, request->message->data, len < sizeof *r ? len : sizeof *r);
    size_t name_size =
        len < sizeof *r ? len - offsetof(struct net_resolve_request, name) : sizeof r->name;
    if (!memchr(r->name, '\0', name_size))
        return -ENAMETOOLONG;
    if (r->family != 0 && r->family != NET_INET && r->family != NET_INET6)
        return -EAFNOSUPPORT;
    if (!configure_resolver() || configure_pending())
        return -ENETUNREACH;
    *call = keep(request, r->deadline);
    return *call ? 0 : -ENOBUFS;
}

int64_t resolve_request(struct request *request)
{
    struct net_resolve_request r;
    struct call *call;
    int64_t error = keep_named(request, &r, &call);
    if (error)
        return error;
    /* Both are marked before one is asked: an answer that is known comes at once. */
    bool ask_v4 = r.family != NET_INET6, ask_v6 = r.family != NET_INET;
    call->resolve.queries[0] = ask_v4 ? ASKING : ANSWERED;
    call->resolve.queries[1] = ask_v6 ? ASKING : ANSWERED;
    if (ask_v4)
        ask(call, 0, r.name);
    if (ask_v6)
        ask(call, 1, r.name);
    return SERVER_DEFERRED;
}

/* ---- Names -------------------------------------------------------------------------------- */

static void name_done(void *context, const struct dns_answer *answer)
{
    struct call *call = context;
    struct net_name_reply reply = {.result = answer->error};
    size_t len = strlen(answer->name);
    if (!answer->error && len >= sizeof reply.name)
        reply.result = -ENAMETOOLONG;
    if (reply.result == 0) {
        memcpy(reply.name, answer->name, len + 1);
        reply.result = (int64_t)len;
        server_reply(call->token, reply.result, &reply, sizeof reply.result + len + 1);
    } else {
        server_reply(call->token, reply.result, NULL, 0);
    }
    call_release(call);
}

/* await_name: what the resolver has answered to a question whose answer name_done sends. */
static int64_t await_name(struct call *call, int query)
{
    if (query > 0)
        call->resolve.queries[0] = query;
    if (query >= 0)
        return SERVER_DEFERRED;
    call_release(call);
    return query;
}

int64_t name_request(struct request *request)
{
    const struct net_address_request *r = (const void *)request->message->data;
    struct endpoint endpoint;
    if (!endpoint_from(&r->address, &endpoint))
        return -EAFNOSUPPORT;
    if (!configure_resolver() || configure_pending())
        return -ENETUNREACH;
    struct call *call = keep(request, r->deadline);
    if (!call)
        return -ENOBUFS;
    return await_name(call, dns_reverse(configure_resolver(), &endpoint.address, name_done, call));
}

int64_t canonical_request(struct request *request)
{
    struct net_resolve_request r;
    struct call *call;
    int64_t error = keep_named(request, &r, &call);
    if (error)
        return error;
    enum dns_type type = r.family == NET_INET6 ? DNS_AAAA : DNS_A;
    return await_name(call, dns_resolve(configure_resolver(), r.name, type, name_done, call));
}
