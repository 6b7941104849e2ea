/* What libc's sockets promise, over the loopback: each line printed is a promise that was broken;
 * at the end the count of those that were kept. */
#include "lib/loopback.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- Streams ------------------------------------------------------------------------------ */

static void test_names(int family)
{
    struct sockaddr_storage here, there;
    socklen_t here_size = sizeof here, there_size = sizeof there;
    int ends[2];
    connected(family, ends);
    CHECK(getsockname(ends[0], (struct sockaddr *)&here, &here_size) == 0);
    CHECK(getpeername(ends[1], (struct sockaddr *)&there, &there_size) == 0);
    CHECK(here_size == there_size && memcmp(&here, &there, here_size) == 0);
    CHECK(here.ss_family == family && port_of(ends[0]) >= 1024);
    here_size = 4;
    CHECK(getsockname(ends[0], (struct sockaddr *)&here, &here_size) == 0 &&
          here_size == there_size);
    int fd = socket(family, SOCK_STREAM, 0);
    CHECK(FAILS(getpeername(fd, (struct sockaddr *)&there, &there_size), ENOTCONN));
    close(fd);
    close_both(ends);
}

static void test_bytes(int family)
{
    static char big[300000], back[sizeof big];
    char small[16] = "";
    int ends[2], count = 0;
    connected(family, ends);
    CHECK(send(ends[0], "hello", 5, 0) == 5);
    CHECK(recv(ends[1], small, 2, MSG_PEEK) == 2 && memcmp(small, "he", 2) == 0);
    CHECK(ioctl(ends[1], FIONREAD, &count) == 0 && count == 5);
    CHECK(recv(ends[1], small, sizeof small, 0) == 5 && memcmp(small, "hello", 5) == 0);
    CHECK(FAILS(recv(ends[1], small, 1, MSG_DONTWAIT), EAGAIN));
    CHECK(write(ends[1], "back", 4) == 4 && read(ends[0], small, 4) == 4);

    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cde", 3}}, in[2] = {{small, 2}, {small + 8, 8}};
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 3};
    CHECK(sendmsg(ends[0], &message, 0) == 5);
    message = (struct msghdr){.msg_iov = in, .msg_iovlen = 2};
    CHECK(recvmsg(ends[1], &message, 0) == 5 && memcmp(small, "ab", 2) == 0 &&
          memcmp(small + 8, "cde", 3) == 0);

    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7 + i / 251);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    size_t sent = 0, got = 0;
    while (got < sizeof big) {
        ssize_t n = sent < sizeof big ? send(ends[0], big + sent, sizeof big - sent, 0) : 0;
        sent += n > 0 ? (size_t)n : 0;
        n = recv(ends[1], back + got, sizeof back - got, sent == sizeof big ? MSG_WAITALL : 0);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    CHECK(got == sizeof big && memcmp(big, back, sizeof big) == 0);
    close_both(ends);
}

static void test_end(int family)
{
    char byte;
    int ends[2];
    connected(family, ends);
    CHECK(send(ends[0], "x", 1, 0) == 1);
    CHECK(shutdown(ends[0], SHUT_WR) == 0);
    CHECK(recv(ends[1], &byte, 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 0);
    CHECK(ready(ends[1], POLLIN | POLLRDHUP, 1000) == (POLLIN | POLLRDHUP));
    CHECK(send(ends[1], "y", 1, 0) == 1 && recv(ends[0], &byte, 1, 0) == 1);
    CHECK(FAILS(send(ends[0], "z", 1, MSG_NOSIGNAL), EPIPE));
    signal(SIGPIPE, SIG_IGN);
    CHECK(FAILS(write(ends[0], "z", 1), EPIPE));
    signal(SIGPIPE, SIG_DFL);
    close(ends[1]);
    CHECK(recv(ends[0], &byte, 1, 0) == 0);
    close(ends[0]);

    connected(family, ends); /* unread data at the close resets */
    CHECK(send(ends[0], "x", 1, 0) == 1 && ready(ends[1], POLLIN, 1000) == POLLIN);
    close(ends[1]);
    CHECK(FAILS(recv(ends[0], &byte, 1, 0), ECONNRESET));
    close(ends[0]);

    connected(family, ends);
    struct linger linger = {1, 0};
    CHECK(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    close(ends[1]);
    CHECK((ready(ends[0], POLLIN, 1000) & (POLLERR | POLLHUP)) != 0);
    CHECK(FAILS(recv(ends[0], &byte, 1, 0), ECONNRESET));
    close(ends[0]);
}

static void test_refused(int family)
{
    struct sockaddr_storage address;
    int server = listening(family), error = -1;
    socklen_t size = loopback(family, port_of(server), &address), error_size = sizeof error;
    close(server);
    int fd = socket(family, SOCK_STREAM, 0);
    CHECK(FAILS(connect(fd, (struct sockaddr *)&address, size), ECONNREFUSED));
    close(fd);
    fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int result = connect(fd, (struct sockaddr *)&address, size);
    CHECK(result == -1);
    CHECK((ready(fd, POLLOUT, 1000) & (POLLERR | POLLHUP)) != 0);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0);
    CHECK(error == ECONNREFUSED || error == 0); /* 0: connect has said it already */
    close(fd);
}

static void test_nonblocking(int family)
{
    struct sockaddr_storage address;
    char byte;
    int server = listening(family), error = -1;
    socklen_t size = loopback(family, port_of(server), &address), error_size = sizeof error;
    CHECK(fcntl(server, F_SETFL, O_NONBLOCK) == 0 && (fcntl(server, F_GETFL) & O_NONBLOCK));
    CHECK(FAILS(accept(server, NULL, NULL), EAGAIN));
    CHECK(ready(server, POLLIN, 0) == 0);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, size) == 0 || errno == EINPROGRESS);
    CHECK(ready(fd, POLLOUT, 1000) == POLLOUT);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 && error == 0);
    CHECK(FAILS(connect(fd, (struct sockaddr *)&address, size), EISCONN));
    CHECK(ready(server, POLLIN, 1000) == POLLIN);
    int accepted = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(accepted >= 0 && fcntl(accepted, F_GETFD) == FD_CLOEXEC);
    CHECK(FAILS(recv(accepted, &byte, 1, 0), EAGAIN));
    int sent = 0;
    static char block[65536];
    while (send(fd, block, sizeof block, 0) > 0 && sent < 10000)
        sent++;
    CHECK(FAILS(send(fd, block, 1, 0), EAGAIN) && sent < 10000);
    CHECK(ready(fd, POLLOUT, 0) == 0);
    close(accepted);
    close(fd);
    close(server);
}

static void test_timeouts(void)
{
    struct timeval timeout = {.tv_usec = 50000}, read_back = {0};
    struct timespec before, after;
    socklen_t size = sizeof read_back;
    char byte;
    int ends[2];
    connected(AF_INET, ends);
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
    CHECK(getsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &read_back, &size) == 0 &&
          read_back.tv_usec == 50000 && size == sizeof read_back);
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK(FAILS(recv(ends[0], &byte, 1, 0), EAGAIN));
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    CHECK(ms >= 49);
    close_both(ends);
}

static void *send_later(void *argument)
{
    struct timespec pause = {.tv_nsec = 20000000};
    nanosleep(&pause, NULL);
    send(*(int *)argument, "late", 4, 0);
    return NULL;
}

/* A read, a poll and a select that have to wait, and are woken. */
static void test_waiting(void)
{
    char buffer[8];
    int ends[2];
    pthread_t thread;
    connected(AF_INET, ends);
    pthread_create(&thread, NULL, send_later, &ends[1]);
    CHECK(recv(ends[0], buffer, 4, 0) == 4);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, send_later, &ends[1]);
    CHECK(ready(ends[0], POLLIN, 5000) == POLLIN && recv(ends[0], buffer, 4, 0) == 4);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, send_later, &ends[1]);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    struct timeval timeout = {.tv_sec = 5};
    CHECK(select(ends[0] + 1, &set, NULL, NULL, &timeout) == 1 && FD_ISSET(ends[0], &set));
    pthread_join(thread, NULL);
    CHECK(ready(ends[1], POLLIN, 20) == 0);
    close_both(ends);
}

/* ---- Datagrams ---------------------------------------------------------------------------- */

static void test_datagrams(int family)
{
    struct sockaddr_storage to, from, own;
    char buffer[2048];
    int a = socket(family, SOCK_DGRAM, 0), b = socket(family, SOCK_DGRAM, IPPROTO_UDP);
    socklen_t size = loopback(family, 0, &own), from_size = sizeof from;
    CHECK(bind(a, (struct sockaddr *)&own, size) == 0);
    loopback(family, port_of(a), &to);
    CHECK(sendto(b, "one", 3, 0, (struct sockaddr *)&to, size) == 3);
    CHECK(sendto(b, "", 0, 0, (struct sockaddr *)&to, size) == 0);
    CHECK(sendto(b, "three", 5, 0, (struct sockaddr *)&to, size) == 5);
    CHECK(recvfrom(a, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &from_size) == 3);
    CHECK(from_size == size && ntohs(((struct sockaddr_in *)&from)->sin_port) == port_of(b));
    CHECK(recv(a, buffer, sizeof buffer, 0) == 0);
    struct iovec part = {buffer, 2};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    CHECK(recvmsg(a, &message, MSG_TRUNC) == 5 && (message.msg_flags & MSG_TRUNC));
    CHECK(FAILS(send(b, "x", 1, 0), EDESTADDRREQ) || errno == ENOTCONN);
    CHECK(connect(b, (struct sockaddr *)&to, size) == 0 && send(b, "y", 1, 0) == 1);
    CHECK(ready(a, POLLIN, 1000) == POLLIN);
    close(a);
    CHECK(send(b, "z", 1, 0) == 1);
    CHECK(ready(b, POLLIN, 1000) & POLLERR); /* port unreachable */
    CHECK(FAILS(recv(b, buffer, 1, 0), ECONNREFUSED));
    CHECK(FAILS(sendto(b, buffer, 70000, 0, NULL, 0), EMSGSIZE) || errno == EINVAL);
    close(b);
}

/* ---- Descriptors, options, errors --------------------------------------------------------- */

static void test_descriptors(void)
{
    struct stat stat;
    char byte;
    int ends[2];
    connected(AF_INET, ends);
    CHECK(fstat(ends[0], &stat) == 0 && S_ISSOCK(stat.st_mode));
    CHECK(FAILS(lseek(ends[0], 0, SEEK_CUR), ESPIPE) && isatty(ends[0]) == 0);
    int copy = dup(ends[0]);
    close(ends[0]);
    CHECK(send(copy, "x", 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 1);
    close(copy);
    CHECK(recv(ends[1], &byte, 1, 0) == 0);
    close(ends[1]);

    /* a child has it as its standard output, and speaks the socket's language */
    char text[32] = "";
    pid_t pid;
    char *arguments[] = {"echo", "from a child", NULL};
    posix_spawn_file_actions_t actions;
    connected(AF_INET, ends);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], 1);
    CHECK(posix_spawn(&pid, "/bin/echo", &actions, NULL, arguments, environ) == 0);
    close(ends[0]);
    CHECK(recv(ends[1], text, 13, MSG_WAITALL) == 13 && strcmp(text, "from a child\n") == 0);
    CHECK(recv(ends[1], text, 1, 0) == 0);
    waitpid(pid, NULL, 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

static void test_options(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1;
    CHECK(option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
    CHECK(option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6);
    CHECK(option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
          option(fd, SOL_SOCKET, SO_REUSEADDR) == 1);
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
          option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one) == 0 &&
          option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    CHECK(FAILS(setsockopt(fd, SOL_SOCKET, 9999, &one, sizeof one), ENOPROTOOPT));
    CHECK(FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 1), EINVAL));
    close(fd);
}

static void test_errors(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01020304)};
    CHECK(FAILS(socket(77, SOCK_STREAM, 0), EAFNOSUPPORT));
    CHECK(FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(FAILS(bind(fd, (struct sockaddr *)&address, sizeof address), EADDRNOTAVAIL));
    CHECK(FAILS(bind(fd, (struct sockaddr *)&address, 4), EINVAL));
    CHECK(FAILS(accept(fd, NULL, NULL), EINVAL));
    CHECK(FAILS(recv(fd, &address, 1, 0), ENOTCONN));
    CHECK(FAILS(send(0, "x", 1, 0), ENOTSOCK) && FAILS(send(999, "x", 1, 0), EBADF));
    close(fd);
    int server = listening(AF_INET), other = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_storage taken;
    socklen_t size = loopback(AF_INET, port_of(server), &taken);
    CHECK(FAILS(bind(other, (struct sockaddr *)&taken, size), EADDRINUSE));
    close(other);
    close(server);
}

/* An IPv6 socket serves IPv4 as well. */
static void test_dual_stack(void)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6}, peer;
    struct sockaddr_storage to;
    socklen_t size = sizeof peer;
    int server = socket(AF_INET6, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(server, (struct sockaddr *)&any, sizeof any) == 0 && listen(server, 1) == 0);
    socklen_t to_size = loopback(AF_INET, port_of(server), &to);
    CHECK(connect(fd, (struct sockaddr *)&to, to_size) == 0);
    int accepted = accept(server, (struct sockaddr *)&peer, &size);
    CHECK(accepted >= 0 && IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
    close(accepted);
    close(fd);
    close(server);
}

static void test_lookup(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    char host[64], service[16];
    CHECK(getaddrinfo("localhost", "http", &hints, &list) == 0 && list);
    for (struct addrinfo *i = list; i; i = i->ai_next)
        CHECK(getnameinfo(i->ai_addr, i->ai_addrlen, host, sizeof host, service, sizeof service,
                          NI_NUMERICHOST | NI_NUMERICSERV) == 0 &&
              strcmp(service, "80") == 0 &&
              (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0));
    if (list)
        freeaddrinfo(list);
    CHECK(if_nametoindex("lo") == 1 && strcmp(if_indextoname(1, host), "lo") == 0);
    CHECK(if_nametoindex("no-such") == 0 && errno == ENODEV);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (int i = 0; i < 2; i++) {
        test_names(families[i]);
        test_bytes(families[i]);
        test_end(families[i]);
        test_refused(families[i]);
        test_nonblocking(families[i]);
        test_datagrams(families[i]);
    }
    test_timeouts();
    test_waiting();
    test_descriptors();
    test_options();
    test_errors();
    test_dual_stack();
    test_lookup();
    printf("%u kept, %u broken\n", passed, failed);
    return failed != 0;
}
