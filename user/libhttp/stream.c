/* A TCP connection with a limit to how long it may stand still. */
#include "stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* wait_for: until one of the events is there; 0, or -ETIMEDOUT. */
static int wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int ready;
    do
        ready = poll(&poll_fd, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0 ? 0 : ready == 0 ? -ETIMEDOUT : -errno;
}

static int connect_to(const struct addrinfo *address, int timeout_ms)
{
    int error = 0, one = 1;
    socklen_t size = sizeof(error);
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
        error = errno == EINPROGRESS ? wait_for(fd, POLLOUT, timeout_ms) : -errno;
        if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
            error = -error;
    }
    if (error != 0) {
        close(fd);
        return error;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

int stream_connect(const struct http_url *url, int timeout_ms)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
    char port[8];
    int fd = -ENOENT;

    snprintf(port, sizeof(port), "%u", url->port);
    int error = getaddrinfo(url->host, port, &hints, &addresses);
    if (error != 0)
        return error == EAI_AGAIN ? -EAGAIN : error == EAI_MEMORY ? -ENOMEM : -ENOENT;
    for (const struct addrinfo *a = addresses; a != NULL && fd < 0; a = a->ai_next)
        fd = connect_to(a, timeout_ms);
    freeaddrinfo(addresses);
    return fd;
}

int stream_send(int fd, const void *data, size_t length, int timeout_ms)
{
    const char *at = data;
    while (length > 0) {
        ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            int error = wait_for(fd, POLLOUT, timeout_ms);
            if (error != 0)
                return error;
            continue;
        }
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            at += n;
            length -= (size_t)n;
        }
    }
    return 0;
}

ssize_t stream_receive(int fd, void *buffer, size_t size, int timeout_ms)
{
    for (;;) {
        ssize_t n = recv(fd, buffer, size, 0);
        if (n >= 0)
            return n;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        int error = errno == EAGAIN ? wait_for(fd, POLLIN, timeout_ms) : 0;
        if (error != 0)
            return error;
    }
}
