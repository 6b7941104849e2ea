/* What the network programs share: from names to sockets and back, waiting, time. */
#pragma once

#include "utility.h"
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#define ENDPOINT_TEXT_MAX (NI_MAXHOST + NI_MAXSERV + 4)

struct endpoint {
    struct sockaddr_storage storage;
    socklen_t length;
};

static inline struct sockaddr *endpoint_sockaddr(struct endpoint *address)
{
    return (struct sockaddr *)&address->storage;
}

/* lookup_host: all addresses of host (NULL: of any, or of the loopback if not passive) and service;
 * ends the program with a message if there are none. To be freed with freeaddrinfo. */
static inline struct addrinfo *lookup_host(const char *host, const char *service, int family,
                                           int type, int flags)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = type, .ai_flags = flags};
    struct addrinfo *found;
    int error = getaddrinfo(host, service, &hints, &found);
    if (error != 0)
        errx(utility.trouble, "%s: %s", host ? host : service,
             error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    return found;
}

/* socket_ready: waits for events; false when timeout_ms (-1 = never) is over. */
static inline bool socket_ready(int fd, short events, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int ready;
    do
        ready = poll(&poll_fd, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* socket_blocking: sets or clears O_NONBLOCK. */
static inline void socket_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

/* socket_connect: a blocking socket that is connected to this address, or -1 with errno. */
static inline int socket_connect(const struct addrinfo *address, int timeout_ms)
{
    int error = 0;
    socklen_t size = sizeof(error);
    int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd < 0)
        return -1;
    socket_blocking(fd, false);
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
        error = errno;
        if (error == EINPROGRESS)
            error = socket_ready(fd, POLLOUT, timeout_ms) ? 0 : ETIMEDOUT;
        if (error == 0)
            (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    socket_blocking(fd, true);
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

/* socket_listen: a socket bound to this address, listening if it is a stream; -1 with errno. */
static inline int socket_listen(const struct addrinfo *address, int backlog)
{
    int one = 1;
    int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        (address->ai_socktype != SOCK_STREAM || listen(fd, backlog) == 0))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* endpoint_text: "192.0.2.1:80" or "[2001:db8::1]:80", in numbers; without the port if that is 0.
 * host_text: the address alone. Both return text, of ENDPOINT_TEXT_MAX bytes. */
static inline char *host_text(const struct sockaddr *address, socklen_t length, char *text)
{
    if (getnameinfo(address, length, text, NI_MAXHOST, NULL, 0, NI_NUMERICHOST) != 0)
        strcpy(text, "?");
    return text;
}

static inline char *endpoint_text(const struct sockaddr *address, socklen_t length, char *text)
{
    char host[NI_MAXHOST], service[NI_MAXSERV];
    if (getnameinfo(address, length, host, sizeof(host), service, sizeof(service),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return strcpy(text, "?");
    bool none = strcmp(service, "0") == 0;
    snprintf(text, ENDPOINT_TEXT_MAX,
             address->sa_family == AF_INET6 && !none ? "[%s]%s%s" : "%s%s%s", host, none ? "" : ":",
             none ? "" : service);
    return text;
}

/* monotonic_ns: ns of a clock that only goes forward. */
static inline uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* parse_seconds: "2", "0.25"; in ns, at most a day. */
static inline bool parse_seconds(const char *text, uint64_t *ns)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0) || seconds > 86400)
        return false;
    *ns = (uint64_t)(seconds * 1e9);
    return true;
}

/* internet_checksum: RFC 1071, to be stored as it is. */
static inline uint16_t internet_checksum(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    if (length & 1)
        sum += (uint32_t)(bytes[length - 1] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}
