/* The calls of packetdrill on a stack in this process. flags: "local=A/PREFIX,gateway=B", which are
 * 192.168.0.1/16 and 192.168.0.2 unless said. IPv4 only. A call that has to wait does so until
 * another thread lets packets arrive or time pass. */
#include "interface.h"
#include "netd/stack/socket.h"
#include "netd/stack/transfer.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define DESCRIPTORS 1024
#define FIRST       3

static struct wire *wire;
static struct descriptor {
    struct socket *socket;
    bool nonblocking;
} descriptors[DESCRIPTORS];

static int64_t finish(int64_t result)
{
    wire_settle(wire);
    pthread_mutex_unlock(&wire->lock);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

/* Takes the lock; NULL (and finish is to be called with -EBADF) if it is no socket. */
static struct descriptor *enter(int fd)
{
    pthread_mutex_lock(&wire->lock);
    if (fd < FIRST || fd >= DESCRIPTORS || !descriptors[fd].socket)
        return NULL;
    return &descriptors[fd];
}

/* Waits until something has changed; false: the call is not to wait. */
static bool wait_for_change(const struct descriptor *d, int flags)
{
    if (d->nonblocking || (flags & MSG_DONTWAIT))
        return false;
    wire_settle(wire);
    wire->waiting++;
    pthread_cond_wait(&wire->changed, &wire->lock);
    wire->waiting--;
    return true;
}

static int install(struct socket *socket, bool nonblocking)
{
    for (int fd = FIRST; fd < DESCRIPTORS; fd++) {
        if (descriptors[fd].socket)
            continue;
        descriptors[fd] = (struct descriptor){socket, nonblocking};
        return fd;
    }
    socket_close(socket);
    return -EMFILE;
}

/* ---- Addresses ---------------------------------------------------------------------------- */

static int take(const struct sockaddr *address, socklen_t size, struct endpoint *endpoint)
{
    const struct sockaddr_in *v4 = (const void *)address;
    if (size < sizeof *v4)
        return -EINVAL;
    if (v4->sin_family != AF_INET)
        return -EAFNOSUPPORT;
    *endpoint = (struct endpoint){.address = ip_v4_bytes((const uint8_t *)&v4->sin_addr),
                                  .port = ntohs(v4->sin_port)};
    return 0;
}

static void give(const struct endpoint *endpoint, struct sockaddr *address, socklen_t *size)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
    if (!address || !size)
        return;
    memcpy(&v4.sin_addr, endpoint->address.bytes, sizeof v4.sin_addr);
    memcpy(address, &v4, *size < sizeof v4 ? *size : sizeof v4);
    *size = sizeof v4;
}

/* ---- Sockets ------------------------------------------------------------------------------ */

static int on_socket(void *user, int family, int type, int protocol)
{
    struct socket *socket;
    (void)user;
    pthread_mutex_lock(&wire->lock);
    int result = socket_create(wire->stack, (enum ip_family)family, (enum socket_type)(type & 0xf),
                               (unsigned)protocol, &socket);
    return (int)finish(result ? result : install(socket, type & SOCK_NONBLOCK));
}

static int on_bind(void *user, int fd, const struct sockaddr *address, socklen_t size)
{
    struct endpoint endpoint;
    struct descriptor *d = enter(fd);
    (void)user;
    int result = d ? take(address, size, &endpoint) : -EBADF;
    return (int)finish(result ? result : socket_bind(d->socket, &endpoint));
}

static int on_listen(void *user, int fd, int backlog)
{
    struct descriptor *d = enter(fd);
    (void)user;
    return (int)finish(d ? socket_listen(d->socket, backlog) : -EBADF);
}

static int on_accept(void *user, int fd, struct sockaddr *address, socklen_t *size)
{
    struct socket *connection;
    struct endpoint peer;
    struct descriptor *d = enter(fd);
    int result = -EBADF;
    (void)user;
    while (d && (result = socket_accept(d->socket, &connection)) == -EAGAIN &&
           wait_for_change(d, 0))
        ;
    if (result == 0) {
        if (socket_peer(connection, &peer) == 0)
            give(&peer, address, size);
        result = install(connection, false);
    }
    return (int)finish(result);
}

static int on_connect(void *user, int fd, const struct sockaddr *address, socklen_t size)
{
    struct endpoint endpoint;
    struct descriptor *d = enter(fd);
    (void)user;
    int result = d ? take(address, size, &endpoint) : -EBADF;
    if (result == 0)
        result = socket_connect(d->socket, &endpoint);
    while (d && result == -EINPROGRESS && wait_for_change(d, 0)) {
        unsigned ready = socket_ready(d->socket);
        size_t error_size = sizeof result;
        if (ready & SOCKET_WRITABLE)
            result = 0;
        if (ready & (SOCKET_ERROR | SOCKET_HANGUP)) {
            socket_get_option(d->socket, LEVEL_SOCKET, OPTION_ERROR, &result, &error_size);
            result = -result;
        }
    }
    return (int)finish(result);
}

static int on_close(void *user, int fd)
{
    struct descriptor *d = enter(fd);
    (void)user;
    if (!d)
        return (int)finish(-EBADF);
    socket_close(d->socket);
    d->socket = NULL;
    return (int)finish(0);
}

static int on_shutdown(void *user, int fd, int how)
{
    struct descriptor *d = enter(fd);
    (void)user;
    if (!d || how < 0 || how > 2)
        return (int)finish(d ? -EINVAL : -EBADF);
    return (int)finish(socket_shutdown(d->socket, how != SHUT_WR, how != SHUT_RD));
}

static int on_get_option(void *user, int fd, int level, int name, void *value, socklen_t *size)
{
    struct descriptor *d = enter(fd);
    size_t length = *size;
    (void)user;
    int result = d ? socket_get_option(d->socket, level, name, value, &length) : -EBADF;
    *size = (socklen_t)length;
    return (int)finish(result);
}

static int on_set_option(void *user, int fd, int level, int name, const void *value, socklen_t size)
{
    struct descriptor *d = enter(fd);
    (void)user;
    return (int)finish(d ? socket_set_option(d->socket, level, name, value, size) : -EBADF);
}

static int on_fcntl(void *user, int fd, int command, ...)
{
    va_list arguments;
    struct descriptor *d = enter(fd);
    (void)user;
    va_start(arguments, command);
    int value = va_arg(arguments, int);
    va_end(arguments);
    if (!d)
        return (int)finish(-EBADF);
    if (command == F_SETFL)
        d->nonblocking = value & O_NONBLOCK;
    else if (command != F_GETFL)
        return (int)finish(-EINVAL);
    return (int)finish(command == F_GETFL ? O_RDWR | (d->nonblocking ? O_NONBLOCK : 0) : 0);
}

static int on_ioctl(void *user, int fd, unsigned long request, ...)
{
    va_list arguments;
    struct descriptor *d = enter(fd);
    (void)user;
    va_start(arguments, request);
    int *value = va_arg(arguments, int *);
    va_end(arguments);
    if (!d || request != FIONREAD || !d->socket->operations->readable)
        return (int)finish(d ? -ENOTTY : -EBADF);
    *value = (int)d->socket->operations->readable(d->socket);
    return (int)finish(0);
}

/* ---- Bytes -------------------------------------------------------------------------------- */

static ssize_t receive(int fd, void *buffer, size_t size, int flags, struct sockaddr *from,
                       socklen_t *from_size)
{
    struct socket_message message;
    struct descriptor *d = enter(fd);
    int64_t result = -EBADF;
    do {
        message = (struct socket_message){.flags = (unsigned)flags & ~(unsigned)MSG_DONTWAIT};
        if (d)
            result = socket_receive_memory(d->socket, buffer, size, &message);
    } while (result == -EAGAIN && wait_for_change(d, flags));
    if (result >= 0)
        give(&message.peer, from, from_size);
    return finish(result);
}

static ssize_t transmit(int fd, const void *data, size_t size, int flags,
                        const struct sockaddr *address, socklen_t address_size)
{
    struct socket_message message = {.flags = (unsigned)flags};
    struct descriptor *d = enter(fd);
    int64_t result = d ? 0 : -EBADF;
    size_t done = 0;
    if (d && address)
        result = take(address, address_size, &message.peer);
    while (result >= 0 && (done < size || size == 0)) {
        result = socket_send_memory(d->socket, (const char *)data + done, size - done, &message);
        if (result == -EAGAIN && wait_for_change(d, flags))
            result = 0;
        else if (result >= 0)
            done += (size_t)result;
        if (size == 0)
            break;
    }
    return finish(done ? (int64_t)done : result);
}

static ssize_t on_read(void *user, int fd, void *buffer, size_t size)
{
    (void)user;
    return receive(fd, buffer, size, 0, NULL, NULL);
}

static ssize_t on_recv(void *user, int fd, void *buffer, size_t size, int flags)
{
    (void)user;
    return receive(fd, buffer, size, flags, NULL, NULL);
}

static ssize_t on_recvfrom(void *user, int fd, void *buffer, size_t size, int flags,
                           struct sockaddr *from, socklen_t *from_size)
{
    (void)user;
    return receive(fd, buffer, size, flags, from, from_size);
}

static size_t vector_size(const struct iovec *vector, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += vector[i].iov_len;
    return size;
}

static ssize_t receive_vector(int fd, const struct iovec *vector, int count, int flags)
{
    size_t size = vector_size(vector, count);
    char *buffer = malloc(size + 1), *at = buffer;
    ssize_t got = buffer ? receive(fd, buffer, size, flags, NULL, NULL) : -1;
    for (ssize_t left = got; left > 0; vector++) {
        size_t piece = vector->iov_len < (size_t)left ? vector->iov_len : (size_t)left;
        memcpy(vector->iov_base, at, piece);
        at += piece;
        left -= (ssize_t)piece;
    }
    free(buffer);
    return got;
}

static ssize_t transmit_vector(int fd, const struct iovec *vector, int count, int flags)
{
    size_t size = vector_size(vector, count);
    char *buffer = malloc(size + 1), *at = buffer;
    for (int i = 0; buffer && i < count; i++) {
        memcpy(at, vector[i].iov_base, vector[i].iov_len);
        at += vector[i].iov_len;
    }
    ssize_t sent = buffer ? transmit(fd, buffer, size, flags, NULL, 0) : -1;
    free(buffer);
    return sent;
}

static ssize_t on_readv(void *user, int fd, const struct iovec *vector, int count)
{
    (void)user;
    return receive_vector(fd, vector, count, 0);
}

static ssize_t on_recvmsg(void *user, int fd, struct msghdr *message, int flags)
{
    (void)user;
    return receive_vector(fd, message->msg_iov, (int)message->msg_iovlen, flags);
}

static ssize_t on_write(void *user, int fd, const void *data, size_t size)
{
    (void)user;
    return transmit(fd, data, size, 0, NULL, 0);
}

static ssize_t on_writev(void *user, int fd, const struct iovec *vector, int count)
{
    (void)user;
    return transmit_vector(fd, vector, count, 0);
}

static ssize_t on_send(void *user, int fd, const void *data, size_t size, int flags)
{
    (void)user;
    return transmit(fd, data, size, flags, NULL, 0);
}

static ssize_t on_sendto(void *user, int fd, const void *data, size_t size, int flags,
                         const struct sockaddr *address, socklen_t address_size)
{
    (void)user;
    return transmit(fd, data, size, flags, address, address_size);
}

static ssize_t on_sendmsg(void *user, int fd, const struct msghdr *message, int flags)
{
    (void)user;
    return transmit_vector(fd, message->msg_iov, (int)message->msg_iovlen, flags);
}

/* ---- Waiting, packets and time ------------------------------------------------------------ */

static int ready_count(struct pollfd *fds, nfds_t count)
{
    int ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        bool known = fds[i].fd >= FIRST && fds[i].fd < DESCRIPTORS && descriptors[fds[i].fd].socket;
        unsigned always = SOCKET_ERROR | SOCKET_HANGUP;
        fds[i].revents = known ? (short)(socket_ready(descriptors[fds[i].fd].socket) &
                                         ((unsigned)fds[i].events | always))
                               : POLLNVAL;
        ready += fds[i].revents != 0;
    }
    return ready;
}

static int on_poll(void *user, struct pollfd *fds, nfds_t count, int timeout)
{
    (void)user;
    pthread_mutex_lock(&wire->lock);
    uint64_t end = wire->now + (uint64_t)(timeout < 0 ? 0 : timeout) * 1000000;
    int ready;
    while ((ready = ready_count(fds, count)) == 0 && (timeout < 0 || wire->now < end)) {
        wire->waiting++;
        pthread_cond_wait(&wire->changed, &wire->lock);
        wire->waiting--;
    }
    return (int)finish(ready);
}

static int on_packet(void *user, const void *packet, size_t size)
{
    (void)user;
    pthread_mutex_lock(&wire->lock);
    return (int)finish(wire_receive(wire, packet, size));
}

static int on_sniff(void *user, void *buffer, size_t *size, long long *time)
{
    (void)user;
    pthread_mutex_lock(&wire->lock);
    struct packet *packet = wire_await(wire);
    size_t room = *size;
    *size = 0;
    for (struct packet *piece = packet; piece; piece = piece->fragment) {
        size_t length = packet_length(piece) < room - *size ? packet_length(piece) : room - *size;
        memcpy((char *)buffer + *size, packet_bytes(piece), length);
        *size += length;
    }
    *time = (long long)((packet ? packet->arrived : wire->now) / 1000);
    packet_release(&wire->pool, packet);
    return (int)finish(0);
}

static int on_usleep(void *user, useconds_t microseconds)
{
    (void)user;
    pthread_mutex_lock(&wire->lock);
    wire_advance(wire, wire->now + microseconds * 1000ull);
    return (int)finish(0);
}

static int on_gettimeofday(void *user, struct timeval *time, struct timezone *zone)
{
    (void)user;
    (void)zone;
    pthread_mutex_lock(&wire->lock);
    time->tv_sec = (time_t)(wire->now / 1000000000);
    time->tv_usec = (suseconds_t)(wire->now / 1000 % 1000000);
    return (int)finish(0);
}

static void on_free(void *user)
{
    (void)user;
    memset(descriptors, 0, sizeof descriptors);
    wire_close(wire);
    wire = NULL;
}

/* ---- Start -------------------------------------------------------------------------------- */

static bool take_flags(const char *flags, struct ip_address *local, unsigned *prefix,
                       struct ip_address *gateway)
{
    char own[32] = "192.168.0.1", router[32] = "192.168.0.2";
    *prefix = 16;
    const char *at = flags ? strstr(flags, "local=") : NULL;
    if (at)
        sscanf(at, "local=%31[0-9.]/%u", own, prefix);
    at = flags ? strstr(flags, "gateway=") : NULL;
    if (at)
        sscanf(at, "gateway=%31[0-9.]", router);
    return ip_parse(own, local) && ip_parse(router, gateway) && *prefix <= 32;
}

__attribute__((visibility("default"))) void
packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface)
{
    struct ip_address local, gateway;
    unsigned prefix;
    *interface = (struct packetdrill_interface){0};
    if (take_flags(flags, &local, &prefix, &gateway))
        wire = wire_open(&local, prefix, &gateway);
    if (!wire) {
        fprintf(stderr, "packetdrill adapter: cannot start with \"%s\"\n", flags ? flags : "");
        return;
    }
    /* Calls that the stack has nothing for (epoll, pipe, splice) stay NULL. */
    *interface = (struct packetdrill_interface){
        .userdata = wire,
        .free = on_free,
        .socket = on_socket,
        .bind = on_bind,
        .listen = on_listen,
        .accept = on_accept,
        .connect = on_connect,
        .read = on_read,
        .readv = on_readv,
        .recv = on_recv,
        .recvfrom = on_recvfrom,
        .recvmsg = on_recvmsg,
        .write = on_write,
        .writev = on_writev,
        .send = on_send,
        .sendto = on_sendto,
        .sendmsg = on_sendmsg,
        .fcntl = on_fcntl,
        .ioctl = on_ioctl,
        .close = on_close,
        .shutdown = on_shutdown,
        .getsockopt = on_get_option,
        .setsockopt = on_set_option,
        .poll = on_poll,
        .netdev_send = on_packet,
        .netdev_receive = on_sniff,
        .usleep = on_usleep,
        .gettimeofday = on_gettimeofday,
    };
}
