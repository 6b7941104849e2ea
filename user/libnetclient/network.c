/* Operations on net: itself: sockets are made, names resolved, facts asked for. */
#include "fsclient/fsclient.h"
#include "netclient/netclient.h"

#include <errno.h>
#include <string.h>

/* Calls whoever serves net: now; once more if that one has just been replaced. */
static int64_t call(struct message *m)
{
    char rest[FS_PATH_MAX];
    for (int tries = 0;; tries++) {
        struct message attempt = *m;
        handle_t netd = fs_locate("net:", rest, sizeof rest);
        int64_t result = netd < 0 ? netd : channel_call(netd, &attempt);
        if (fs_retry("net:", result, tries))
            continue;
        if (result < 0)
            return result;
        *m = attempt;
        return (int64_t)m->words[0];
    }
}

handle_t net_socket(unsigned family, unsigned type, unsigned protocol)
{
    struct message m = {.type = NET_SOCKET_CREATE, .len = sizeof(struct net_create_request)};
    struct net_create_request *r = (void *)m.data;
    *r = (struct net_create_request){
        .family = (uint16_t)family, .type = (uint16_t)type, .protocol = protocol};
    int64_t result = family > UINT16_MAX ? -EAFNOSUPPORT : call(&m);
    if (result < 0)
        return (handle_t)result;
    return m.handle_count == 1 ? m.handles[0] : -EPROTO;
}

/* A request about a name: 0 or ENAMETOOLONG. */
static int put_name(struct message *m, enum net_operation type, const char *name, unsigned family,
                    uint64_t deadline)
{
    struct net_resolve_request *r = (void *)m->data;
    size_t length = strlen(name);
    if (length >= sizeof r->name)
        return -ENAMETOOLONG;
    *m = (struct message){.type = type, .len = sizeof *r};
    r->deadline = deadline;
    r->family = family;
    memcpy(r->name, name, length);
    return 0;
}

/* The name in the answer, and its length. */
static int call_for_name(struct message *m, char name[NET_NAME_MAX])
{
    const struct net_name_reply *reply = (void *)m->data;
    int64_t length = call(m);
    if (length < 0)
        return (int)length;
    if (length >= NET_NAME_MAX || m->len < sizeof length + (size_t)length + 1)
        return -EPROTO;
    memcpy(name, reply->name, (size_t)length);
    name[length] = '\0';
    return (int)length;
}

int net_resolve(const char *name, unsigned family, uint64_t deadline,
                struct net_address addresses[NET_ADDRESSES_MAX])
{
    struct message m;
    const struct net_resolve_reply *reply = (void *)m.data;
    int error = put_name(&m, NET_DNS_RESOLVE, name, family, deadline);
    if (error)
        return error;
    int64_t count = call(&m);
    if (count < 0)
        return (int)count;
    if (count > NET_ADDRESSES_MAX ||
        m.len < sizeof count + (size_t)count * sizeof reply->addresses[0])
        return -EPROTO;
    memcpy(addresses, reply->addresses, (size_t)count * sizeof reply->addresses[0]);
    return (int)count;
}

int net_canonical(const char *name, unsigned family, uint64_t deadline,
                  char canonical[NET_NAME_MAX])
{
    struct message m;
    int error = put_name(&m, NET_DNS_CANONICAL, name, family, deadline);
    return error ? error : call_for_name(&m, canonical);
}

int net_name(const struct net_address *address, uint64_t deadline, char name[NET_NAME_MAX])
{
    struct message m = {.type = NET_DNS_NAME, .len = sizeof(struct net_address_request)};
    struct net_address_request *r = (void *)m.data;
    *r = (struct net_address_request){.address = *address, .deadline = deadline};
    return call_for_name(&m, name);
}

int64_t net_ping(const struct net_ping_request *request, struct net_ping_reply *reply)
{
    struct message m = {.type = NET_PING, .len = sizeof *request};
    memcpy(m.data, request, sizeof *request);
    int64_t result = call(&m);
    memset(reply, 0, sizeof *reply);
    memcpy(reply, m.data, m.len < sizeof *reply ? m.len : sizeof *reply);
    reply->result = result;
    return result;
}

int net_change(const struct net_change_request *request)
{
    struct message m = {.type = NET_CHANGE, .len = sizeof *request};
    memcpy(m.data, request, sizeof *request);
    return (int)call(&m);
}

int net_stats(struct net_stats_reply *reply)
{
    struct message m = {.type = NET_STATS, .len = 8};
    int64_t result = call(&m);
    if (result >= 0 && m.len < sizeof *reply)
        return -EPROTO;
    if (result >= 0)
        memcpy(reply, m.data, sizeof *reply);
    return (int)result;
}

int64_t net_info(unsigned interface, struct net_info_reply *reply)
{
    struct message m = {.type = NET_INFO, .len = 8};
    m.words[0] = interface;
    int64_t result = call(&m);
    if (result >= 0 && m.len < sizeof *reply)
        return -EPROTO;
    if (result >= 0)
        memcpy(reply, m.data, sizeof *reply);
    return result;
}
