/* What all kinds of sockets have in common: arguments are checked here, and addresses taken apart,
 * before a kind sees them. */
#include "socket.h"
#include "ip.h"
#include "stack.h"
#include "transport.h"
#include <errno.h>

int socket_create(struct stack *stack, enum ip_family family, enum socket_type type,
                  unsigned protocol, struct socket **socket)
{
    const struct transport *transport = transport_of_type(type);
    if (family != IP_V4 && family != IP_V6)
        return -EAFNOSUPPORT;
    if (!transport)
        return -ESOCKTNOSUPPORT;
    if (type == SOCKET_RAW ? protocol == 0 || protocol > 255
                           : protocol && protocol != transport->protocol)
        return -EPROTONOSUPPORT;
    if (!protocol)
        protocol = transport->protocol;
    if (stack->socket_count >= stack->config.sockets)
        return -ENFILE;
    const int error = transport->socket_create(stack, protocol, socket);
    if (error)
        return error;
    (*socket)->family = (uint8_t)family;
    (*socket)->type = (uint8_t)type;
    (*socket)->protocol = (uint8_t)protocol;
    (*socket)->stack = stack;
    stack->socket_count++;
    return 0;
}

/* take_apart: an address as the program gives it, as the kinds see it. */
static int take_apart(const struct socket *socket, const struct endpoint *given,
                      struct endpoint *endpoint)
{
    if (given->address.family != socket->family)
        return -EAFNOSUPPORT;
    *endpoint = *given;
    if (ip_is_mapped(&given->address)) {
        if (socket->v6_only)
            return -ENETUNREACH;
        endpoint->address = ip_unmap(&given->address);
    }
    return 0;
}

/* put_together: the reverse. An address that is not set yet is "any" of the socket's family. */
static void put_together(const struct socket *socket, const struct endpoint *known,
                         struct endpoint *shown)
{
    *shown = *known;
    if (known->address.family == IP_NONE)
        shown->address = ip_any(socket->family);
    else if (known->address.family == IP_V4 && socket->family == IP_V6)
        shown->address = ip_map(&known->address);
}

/* may_bind: to an address of ours, or to a group or broadcast that datagrams may arrive for. */
static int may_bind(const struct socket *socket, const struct endpoint *local)
{
    const struct ip_address *address = &local->address;
    if (ip_is_any(address) || ip_is_local(socket->stack, address))
        return 0;
    if (socket->type != SOCKET_STREAM && (ip_is_multicast(address) || ip_is_broadcast(address) ||
                                          ip_is_directed_broadcast(socket->stack, address)))
        return 0;
    return -EADDRNOTAVAIL;
}

int socket_bind(struct socket *socket, const struct endpoint *local)
{
    struct endpoint endpoint;
    int error = take_apart(socket, local, &endpoint);
    if (error)
        return error == -ENETUNREACH ? -EINVAL : error;
    if (socket->type != SOCKET_RAW && socket->local.port)
        return -EINVAL;
    if (endpoint.address.family == IP_V6 && ip_is_link_local(&endpoint.address) &&
        !endpoint.interface && !socket->bound_interface)
        return -EINVAL;
    error = may_bind(socket, &endpoint);
    return error ? error : socket->operations->bind(socket, &endpoint);
}

int socket_connect(struct socket *socket, const struct endpoint *peer)
{
    struct endpoint endpoint = {0};
    /* Family 0 takes a datagram socket's peer away (connect(2)). */
    if (peer->address.family == IP_NONE) {
        if (socket->type == SOCKET_STREAM)
            return -EAFNOSUPPORT;
        return socket->operations->connect(socket, &endpoint);
    }
    int error = take_apart(socket, peer, &endpoint);
    if (error)
        return error;
    /* "Any" means this host, as on every system with sockets. */
    if (ip_is_any(&endpoint.address))
        endpoint.address = ip_loopback(endpoint.address.family);
    return socket->operations->connect(socket, &endpoint);
}

int socket_listen(struct socket *socket, int backlog)
{
    if (!socket->operations->listen)
        return -EOPNOTSUPP;
    return socket->operations->listen(socket, backlog);
}

int socket_accept(struct socket *socket, struct socket **connection)
{
    if (!socket->operations->accept)
        return -EOPNOTSUPP;
    return socket->operations->accept(socket, connection);
}

/* take_error: datagram sockets report a pending error instead of doing anything else; a stream
 * delivers first what it has. */
static int take_error(struct socket *socket)
{
    if (socket->type == SOCKET_STREAM)
        return 0;
    const int error = socket->error;
    socket->error = 0;
    return error;
}

int64_t socket_send(struct socket *socket, struct transfer *from, size_t length,
                    struct socket_message *message)
{
    int error = take_error(socket);
    if (error)
        return error;
    if (socket->type == SOCKET_STREAM) {
        message->peer.address.family = IP_NONE;
    } else if (message->peer.address.family != IP_NONE) {
        const struct endpoint given = message->peer;
        error = take_apart(socket, &given, &message->peer);
        if (error)
            return error;
        if (ip_is_any(&message->peer.address))
            message->peer.address = ip_loopback(message->peer.address.family);
    }
    return socket->operations->send(socket, from, length, message);
}

int64_t socket_receive(struct socket *socket, struct transfer *to, size_t length,
                       struct socket_message *message)
{
    const int error = take_error(socket);
    if (error)
        return error;
    const int64_t moved = socket->operations->receive(socket, to, length, message);
    if (moved >= 0) {
        const struct endpoint peer = message->peer;
        put_together(socket, &peer, &message->peer);
        if (message->local.family == IP_V4 && socket->family == IP_V6)
            message->local = ip_map(&message->local);
    }
    return moved;
}

int socket_shutdown(struct socket *socket, bool read, bool write)
{
    return socket->operations->shutdown(socket, read, write);
}

unsigned socket_ready(struct socket *socket)
{
    return socket->operations->ready(socket) | (socket->error ? SOCKET_ERROR : 0);
}

void socket_local(const struct socket *socket, struct endpoint *local)
{
    put_together(socket, &socket->local, local);
}

int socket_peer(const struct socket *socket, struct endpoint *peer)
{
    if (socket->peer.address.family == IP_NONE)
        return -ENOTCONN;
    put_together(socket, &socket->peer, peer);
    return 0;
}

void socket_close(struct socket *socket)
{
    socket->notify = NULL;
    socket->owner = NULL;
    socket->operations->close(socket);
}

#define EPHEMERAL_FIRST 32768u
#define EPHEMERAL_LAST  60999u

uint16_t socket_ephemeral_port(struct stack *stack, bool (*taken)(void *context, uint16_t port),
                               void *context)
{
    const uint32_t range = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    uint32_t offset;
    stack->config.random(&offset, sizeof offset);
    for (uint32_t i = 0; i < range; i++) {
        const uint16_t port = (uint16_t)(EPHEMERAL_FIRST + ((uint64_t)offset + i) % range);
        if (!taken(context, port))
            return port;
    }
    return 0;
}
