/* Sending and receiving, with and without addresses and vectors. */
#include "../process/signal.h"
#include "control.h"
#include "netclient/netclient.h"
#include "sockaddr.h"
#include "socket.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define GATHER_STACK 2048 /* bytes; longer vectors go through the heap */

int64_t socket_write(const struct descriptor *d, const void *data, size_t length)
{
    int64_t sent = net_send(d->handle, data, length, 0, NULL, NO_DEADLINE);
    if (sent == -EPIPE)
        signal_broken_pipe();
    return sent;
}

int64_t socket_read(const struct descriptor *d, void *buffer, size_t length)
{
    return net_receive(d->handle, buffer, length, 0, NO_DEADLINE, NULL);
}

int socket_readable(int fd, int *bytes)
{
    struct descriptor d;
    struct net_status_reply status;
    int error = fd_get(fd, &d);
    int64_t result = error ? error : d.is_socket ? net_status(d.handle, &status) : -ENOTTY;
    if (result >= 0)
        *bytes = status.readable < INT_MAX ? (int)status.readable : INT_MAX;
    return (int)libc_error(result < 0 ? result : 0);
}

/* message: only its name and its control data. */
static int64_t send_to(int fd, const void *data, size_t length, int flags,
                       const struct msghdr *message)
{
    struct net_to to = {.address.family = 0};
    handle_t handle = socket_handle(fd);
    if (handle < 0)
        return handle;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    int error = message->msg_name && message->msg_namelen
                    ? sockaddr_take(message->msg_name, message->msg_namelen, &to.address)
                    : 0;
    if (!error)
        error = control_take(message, &to);
    if (error)
        return error;
    int64_t sent = net_send(handle, data, length, (unsigned)flags, &to, NO_DEADLINE);
    if (sent == -EPIPE && !(flags & MSG_NOSIGNAL))
        signal_broken_pipe();
    return sent;
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
               socklen_t size)
{
    const struct msghdr message = {.msg_name = (void *)to, .msg_namelen = size};
    return libc_error(send_to(fd, data, length, flags, &message));
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    return sendto(fd, data, length, flags, NULL, 0);
}

ssize_t recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *from,
                 socklen_t *size)
{
    struct net_recv_reply info;
    handle_t handle = socket_handle(fd);
    if (handle < 0)
        return libc_error(handle);
    if (flags & MSG_OOB)
        return libc_error(-EINVAL);
    int64_t got = net_receive(handle, buffer, length, (unsigned)flags, NO_DEADLINE, &info);
    if (got >= 0 && from && size)
        sockaddr_give(&info.from, from, size);
    return libc_error(got);
}

ssize_t recv(int fd, void *buffer, size_t length, int flags)
{
    return recvfrom(fd, buffer, length, flags, NULL, NULL);
}

/* ---- Vectors ------------------------------------------------------------------------------ */

/* Bytes of a vector, or -errno. */
static int64_t total(const struct msghdr *message)
{
    size_t sum = 0;
    if (message->msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        if (__builtin_add_overflow(sum, message->msg_iov[i].iov_len, &sum) || (ssize_t)sum < 0)
            return -EINVAL;
    return (int64_t)sum;
}

static char *buffer_for(const struct msghdr *message, int64_t length, char *small)
{
    if (message->msg_iovlen == 1)
        return message->msg_iov[0].iov_base;
    return length <= GATHER_STACK ? small : malloc((size_t)length);
}

static void buffer_done(const struct msghdr *message, char *buffer, const char *small)
{
    if (message->msg_iovlen != 1 && buffer != small)
        free(buffer);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    char small[GATHER_STACK];
    int64_t length = total(message);
    if (length < 0)
        return libc_error(length);
    char *buffer = buffer_for(message, length, small), *at = buffer;
    if (!buffer && length > 0)
        return libc_error(-ENOMEM);
    small[0] = '\0'; /* for the compiler: of an empty vector nothing is sent */
    for (size_t i = 0; i < message->msg_iovlen && message->msg_iovlen != 1; i++) {
        memcpy(at, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
        at += message->msg_iov[i].iov_len;
    }
    int64_t sent = send_to(fd, buffer, (size_t)length, flags, message);
    buffer_done(message, buffer, small);
    return libc_error(sent);
}

static void scatter(const struct msghdr *message, const char *buffer, size_t length)
{
    for (size_t i = 0; i < message->msg_iovlen && length > 0; i++) {
        size_t piece = message->msg_iov[i].iov_len < length ? message->msg_iov[i].iov_len : length;
        memcpy(message->msg_iov[i].iov_base, buffer, piece);
        buffer += piece;
        length -= piece;
    }
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    char small[GATHER_STACK];
    struct net_recv_reply info;
    handle_t handle = socket_handle(fd);
    int64_t length = handle < 0 ? handle : total(message);
    if (length < 0)
        return libc_error(length);
    char *buffer = buffer_for(message, length, small);
    if (!buffer && length > 0)
        return libc_error(-ENOMEM);
    int64_t got = net_receive(handle, buffer, (size_t)length, (unsigned)flags, NO_DEADLINE, &info);
    if (got >= 0) {
        if (message->msg_iovlen != 1)
            scatter(message, buffer, (size_t)(got < length ? got : length));
        if (message->msg_name && message->msg_namelen)
            sockaddr_give(&info.from, message->msg_name, &message->msg_namelen);
        message->msg_flags = (int)info.flags & MSG_TRUNC;
        control_give(message, &info);
    }
    buffer_done(message, buffer, small);
    return libc_error(got);
}
