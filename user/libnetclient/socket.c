/* Operations on a socket. Small data travels inside the message, more of it through a window. */
#include "netclient/netclient.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int64_t call(handle_t socket, struct message *m)
{
    int error = channel_call(socket, m);
    return error ? error : (int64_t)m->words[0];
}

static int address_call(handle_t socket, uint32_t type, const struct net_address *address,
                        uint64_t deadline)
{
    struct message m = {.type = type, .len = sizeof(struct net_address_request)};
    struct net_address_request *r = (void *)m.data;
    *r = (struct net_address_request){.address = *address, .deadline = deadline};
    return (int)call(socket, &m);
}

int net_connect(handle_t socket, const struct net_address *peer, uint64_t deadline)
{
    return address_call(socket, NET_SOCKET_CONNECT, peer, deadline);
}

int net_bind(handle_t socket, const struct net_address *local)
{
    return address_call(socket, NET_SOCKET_BIND, local, 0);
}

int net_listen(handle_t socket, int backlog)
{
    return (int)call_words(socket, NET_SOCKET_LISTEN, (uint64_t)(int64_t)backlog, 0, 0);
}

handle_t net_accept(handle_t socket, unsigned flags, uint64_t deadline, struct net_address *peer)
{
    struct message m = {.type = NET_SOCKET_ACCEPT, .len = sizeof(struct net_accept_request)};
    const struct net_address_reply *reply = (void *)m.data;
    struct net_accept_request *r = (void *)m.data;
    *r = (struct net_accept_request){.deadline = deadline, .flags = flags};
    int64_t result = call(socket, &m);
    if (result < 0)
        return (handle_t)result;
    if (m.handle_count != 1 || m.len < sizeof *reply)
        return -EPROTO;
    if (peer)
        *peer = reply->address;
    return m.handles[0];
}

int64_t net_send(handle_t socket, const void *data, size_t length, unsigned flags,
                 const struct net_to *to, uint64_t deadline)
{
    struct message m;
    struct net_send_request *r = (void *)m.data;
    m.type = NET_SOCKET_SEND;
    m.len = offsetof(struct net_send_request, data);
    m.handle_count = m.window_count = 0;
    m.request_id = 0;
    r->deadline = deadline;
    r->length = length;
    r->flags = flags;
    r->hop_limit = to ? to->hop_limit : 0;
    r->traffic_class = to ? to->traffic_class : 0;
    r->pad = 0;
    r->to = to ? to->address : (struct net_address){0};
    if (length <= NET_SEND_INLINE) {
        memcpy(r->data, data, length);
        m.len += (uint16_t)length;
    } else {
        m.window_count = 1;
        m.windows[0] = (struct window){(uint64_t)data, length, WINDOW_READ};
    }
    int64_t sent = call(socket, &m);
    return sent <= (int64_t)length ? sent : -EPROTO;
}

int64_t net_receive(handle_t socket, void *buffer, size_t length, unsigned flags, uint64_t deadline,
                    struct net_recv_reply *info)
{
    struct message m;
    struct net_recv_request *r = (void *)m.data;
    const struct net_recv_reply *reply = (void *)m.data;
    const size_t header = offsetof(struct net_recv_reply, data);
    bool windowed = length > NET_RECV_INLINE || (length > 0 && (flags & NET_WAITALL));
    m.type = NET_SOCKET_RECV;
    m.len = sizeof *r;
    m.handle_count = 0;
    m.window_count = windowed;
    m.request_id = 0;
    m.windows[0] = (struct window){(uint64_t)buffer, length, WINDOW_WRITE};
    *r = (struct net_recv_request){.deadline = deadline, .length = length, .flags = flags};
    int64_t got = call(socket, &m);
    if (got < 0)
        return got;
    if (m.len < header || m.len > sizeof *reply)
        return -EPROTO;
    size_t present = m.len - header;
    if (!windowed)
        memcpy(buffer, reply->data, present < length ? present : length);
    if (info)
        memcpy(info, reply, header);
    return got;
}

int net_close(handle_t socket) { return (int)call_words(socket, NET_SOCKET_CLOSE, 0, 0, 0); }

int net_shutdown(handle_t socket, unsigned how)
{
    return (int)call_words(socket, NET_SOCKET_SHUTDOWN, how, 0, 0);
}

int64_t net_status(handle_t socket, struct net_status_reply *reply)
{
    struct message m = {.type = NET_SOCKET_STATUS, .len = 8};
    int64_t result = call(socket, &m);
    if (result >= 0 && m.len < sizeof *reply)
        return -EPROTO;
    memcpy(reply, m.data, sizeof *reply);
    return result;
}

static int address_of(handle_t socket, uint32_t type, struct net_address *address)
{
    struct message m = {.type = type, .len = 8};
    const struct net_address_reply *reply = (void *)m.data;
    int64_t result = call(socket, &m);
    if (result >= 0 && m.len < sizeof *reply)
        return -EPROTO;
    if (result >= 0)
        *address = reply->address;
    return (int)result;
}

int net_local(handle_t socket, struct net_address *address)
{
    return address_of(socket, NET_SOCKET_LOCAL, address);
}

int net_peer(handle_t socket, struct net_address *address)
{
    return address_of(socket, NET_SOCKET_PEER, address);
}

int net_get_option(handle_t socket, int level, int name, void *value, size_t *size)
{
    struct message m = {.type = NET_SOCKET_GET_OPTION,
                        .len = offsetof(struct net_option_request, value)};
    struct net_option_request *r = (void *)m.data;
    const struct net_option_reply *reply = (void *)m.data;
    *r = (struct net_option_request){.level = level, .name = name, .size = (uint32_t)*size};
    int64_t result = call(socket, &m);
    if (result < 0)
        return (int)result;
    if (m.len < offsetof(struct net_option_reply, value) ||
        m.len < offsetof(struct net_option_reply, value) + reply->size || reply->size > *size)
        return -EPROTO;
    *size = reply->size;
    memcpy(value, reply->value, reply->size);
    return 0;
}

int net_set_option(handle_t socket, int level, int name, const void *value, size_t size)
{
    struct message m = {.type = NET_SOCKET_SET_OPTION};
    struct net_option_request *r = (void *)m.data;
    if (size > NET_OPTION_MAX)
        return -EINVAL;
    r->level = level;
    r->name = name;
    r->size = (uint32_t)size;
    r->pad = 0;
    memcpy(r->value, value, size);
    m.len = (uint16_t)(offsetof(struct net_option_request, value) + size);
    return (int)call(socket, &m);
}

int net_subscribe(handle_t socket, uint32_t events, uint64_t bits, handle_t channel)
{
    struct message m = {.type = NET_SUBSCRIBE_EVENTS, .len = 16, .handle_count = channel > 0};
    m.words[0] = events;
    m.words[1] = bits;
    m.handles[0] = channel;
    return (int)call(socket, &m);
}
