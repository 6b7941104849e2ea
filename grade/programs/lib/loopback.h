/* Sockets of this host, and the counting of promises: for tests that also run on Linux, where none
 * of them may be broken. */
#pragma once

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned passed, failed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if (condition) {                                                                           \
            passed++;                                                                              \
        } else {                                                                                   \
            failed++;                                                                              \
            printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno);                       \
        }                                                                                          \
    } while (0)
#define FAILS(call, error) ((call) == -1 && errno == (error))

/* An address of this host in one of the families. */
static inline socklen_t loopback(int family, unsigned port, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    if (family == AF_INET) {
        struct sockaddr_in *v4 = (void *)address;
        *v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (void *)address;
    *v6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback};
    return sizeof *v6;
}

static inline unsigned port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return ntohs(((struct sockaddr_in *)&address)->sin_port); /* at the same place in both */
}

static inline int listening(int family)
{
    struct sockaddr_storage address;
    socklen_t size = loopback(family, 0, &address);
    int fd = socket(family, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK(bind(fd, (struct sockaddr *)&address, size) == 0);
    CHECK(listen(fd, 8) == 0);
    return fd;
}

/* Two ends of a TCP connection. */
static inline void connected(int family, int ends[2])
{
    struct sockaddr_storage address;
    int server = listening(family);
    socklen_t size = loopback(family, port_of(server), &address);
    ends[0] = socket(family, SOCK_STREAM, 0);
    CHECK(connect(ends[0], (struct sockaddr *)&address, size) == 0);
    ends[1] = accept(server, NULL, NULL);
    CHECK(ends[1] >= 0);
    close(server);
}

static inline void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static inline int ready(int fd, int events, int timeout)
{
    struct pollfd p = {.fd = fd, .events = (short)events};
    int count = poll(&p, 1, timeout);
    return count < 0 ? -1 : p.revents;
}
