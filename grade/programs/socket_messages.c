/* What sockets promise about flags, vectors, control data and options: prints like sockets.c. Runs
 * on Linux as well, which is the judge of what is right. */
#include "lib/loopback.h"
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>

static long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(long ms) { nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL); }

/* A bound datagram socket and one that is connected to it. */
static void datagram_pair(int family, int ends[2])
{
    struct sockaddr_storage address;
    socklen_t size = loopback(family, 0, &address);
    ends[1] = socket(family, SOCK_DGRAM, 0);
    CHECK(bind(ends[1], (struct sockaddr *)&address, size) == 0);
    loopback(family, port_of(ends[1]), &address);
    ends[0] = socket(family, SOCK_DGRAM, 0);
    CHECK(connect(ends[0], (struct sockaddr *)&address, size) == 0);
}

/* ---- Flags -------------------------------------------------------------------------------- */

static void *send_in_pieces(void *argument)
{
    for (int i = 0; i < 4; i++) {
        pause_ms(20);
        send(*(int *)argument, "abcdefgh" + 2 * i, 2, 0);
    }
    return NULL;
}

static void test_wait_all(void)
{
    static char big[1000];
    char text[16] = "";
    pthread_t thread;
    int ends[2];
    connected(AF_INET, ends);
    pthread_create(&thread, NULL, send_in_pieces, &ends[0]);
    CHECK(recv(ends[1], text, 8, MSG_WAITALL) == 8 && memcmp(text, "abcdefgh", 8) == 0);
    pthread_join(thread, NULL);
    CHECK(send(ends[0], "xyz", 3, 0) == 3 && ready(ends[1], POLLIN, 1000) == POLLIN);
    CHECK(recv(ends[1], text, 8, MSG_WAITALL | MSG_DONTWAIT) == 3);
    CHECK(FAILS(recv(ends[1], text, 8, MSG_WAITALL | MSG_DONTWAIT), EAGAIN));
    struct timeval timeout = {.tv_usec = 50000};
    setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    CHECK(send(ends[0], "ab", 2, 0) == 2 && ready(ends[1], POLLIN, 1000) == POLLIN);
    CHECK(recv(ends[1], text, 8, MSG_WAITALL) == 2);
    CHECK(send(ends[0], big, sizeof big, 0) == sizeof big && shutdown(ends[0], SHUT_WR) == 0);
    CHECK(recv(ends[1], big, 990, MSG_WAITALL) == 990);
    CHECK(recv(ends[1], text, sizeof text, MSG_WAITALL) == 10); /* the end comes before */
    CHECK(recv(ends[1], text, sizeof text, MSG_WAITALL) == 0);
    close_both(ends);
}

static void test_truncation(void)
{
    char text[8] = "";
    int ends[2];
    datagram_pair(AF_INET, ends);
    struct iovec part = {text, 3};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    CHECK(send(ends[0], "12345", 5, 0) == 5 && send(ends[0], "67", 2, 0) == 2);
    CHECK(recv(ends[1], text, 3, MSG_PEEK) == 3 &&
          recv(ends[1], text, 3, MSG_PEEK | MSG_TRUNC) == 5);
    CHECK(recvmsg(ends[1], &message, 0) == 3 && message.msg_flags == MSG_TRUNC);
    CHECK(recvmsg(ends[1], &message, MSG_DONTWAIT) == 2 && message.msg_flags == 0);
    CHECK(FAILS(recv(ends[1], text, 3, MSG_DONTWAIT), EAGAIN));
    CHECK(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], text, 0, 0) == 0); /* takes it away */
    CHECK(FAILS(recv(ends[1], text, 3, MSG_DONTWAIT), EAGAIN));
    close_both(ends);

    connected(AF_INET, ends); /* on a stream: to skip */
    memset(text, '-', sizeof text);
    CHECK(send(ends[0], "12345678", 8, 0) == 8 && ready(ends[1], POLLIN, 1000) == POLLIN);
    CHECK(recv(ends[1], text, 3, MSG_TRUNC) == 3 && text[0] == '-');
    part.iov_len = 2;
    CHECK(recvmsg(ends[1], &message, MSG_PEEK) == 2 && message.msg_flags == 0 && text[0] == '4');
    CHECK(recv(ends[1], text, sizeof text, 0) == 5 && memcmp(text, "45678", 5) == 0);
    close_both(ends);
}

static void test_stream_names(void)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    char byte;
    int ends[2];
    connected(AF_INET, ends); /* a stream's bytes have no sender of their own */
    CHECK(send(ends[0], "xy", 2, 0) == 2);
    CHECK(recvfrom(ends[1], &byte, 1, 0, (struct sockaddr *)&from, &size) == 1 && size == 0);
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_name = &from, .msg_namelen = sizeof from};
    CHECK(recvmsg(ends[1], &message, 0) == 1 && message.msg_namelen == 0);
    close_both(ends);
}

/* ---- Vectors ------------------------------------------------------------------------------ */

static void test_vectors(void)
{
    static char big[6000], back[sizeof big];
    char a[2], b[5];
    int ends[2];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 13);
    datagram_pair(AF_INET, ends);
    struct iovec out[] = {{big, 1000}, {big + 1000, 0}, {big + 1000, 5000}};
    struct iovec in[] = {{back, 3}, {back + 3, 4000}, {back + 4003, 1997}};
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 3};
    CHECK(sendmsg(ends[0], &message, 0) == 6000);
    message = (struct msghdr){.msg_iov = in, .msg_iovlen = 3};
    CHECK(recvmsg(ends[1], &message, 0) == 6000 && memcmp(big, back, sizeof big) == 0);

    struct iovec short_in[] = {{a, sizeof a}, {b, sizeof b}};
    message = (struct msghdr){.msg_iov = out, .msg_iovlen = 1};
    CHECK(sendmsg(ends[0], &message, 0) == 1000);
    message = (struct msghdr){.msg_iov = short_in, .msg_iovlen = 2};
    CHECK(recvmsg(ends[1], &message, MSG_TRUNC) == 1000 && message.msg_flags == MSG_TRUNC);
    CHECK(memcmp(a, big, 2) == 0 && memcmp(b, big + 2, 5) == 0);
    message = (struct msghdr){0};
    CHECK(sendmsg(ends[0], &message, 0) == 0 && recvmsg(ends[1], &message, 0) == 0);
    close_both(ends);
}

/* ---- Control data ------------------------------------------------------------------------- */

/* The data of the one piece of this kind; NULL unless it is there, and that long. */
static void *control(struct msghdr *message, int level, int type, size_t size)
{
    void *found = NULL;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == level && c->cmsg_type == type)
            found = !found && c->cmsg_len == CMSG_LEN(size) ? CMSG_DATA(c) : NULL;
    return found;
}

static bool turn_on(int fd, int level, int name)
{
    int one = 1, value = 0;
    socklen_t size = sizeof value;
    return setsockopt(fd, level, name, &one, sizeof one) == 0 &&
           getsockopt(fd, level, name, &value, &size) == 0 && value == 1;
}

static void test_control(void)
{
    _Alignas(struct cmsghdr) char room[256];
    char byte;
    int ends[2], *ttl, hops = 7;
    struct in_pktinfo *info;
    uint8_t *tos, class = 0x28;
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    datagram_pair(AF_INET, ends);
    CHECK(send(ends[0], "x", 1, 0) == 1 && recvmsg(ends[1], &message, 0) == 1);
    CHECK(message.msg_controllen == 0 && message.msg_flags == 0); /* nothing was asked for */
    CHECK(turn_on(ends[1], IPPROTO_IP, IP_PKTINFO) && turn_on(ends[1], IPPROTO_IP, IP_RECVTTL) &&
          turn_on(ends[1], IPPROTO_IP, IP_RECVTOS));
    CHECK(setsockopt(ends[0], IPPROTO_IP, IP_TTL, &hops, sizeof hops) == 0);
    hops = class;
    CHECK(setsockopt(ends[0], IPPROTO_IP, IP_TOS, &hops, sizeof hops) == 0);
    message.msg_controllen = sizeof room;
    CHECK(send(ends[0], "x", 1, 0) == 1 && recvmsg(ends[1], &message, 0) == 1);
    info = control(&message, IPPROTO_IP, IP_PKTINFO, sizeof *info);
    CHECK(info && info->ipi_addr.s_addr == htonl(INADDR_LOOPBACK) && info->ipi_ifindex == 1);
    ttl = control(&message, IPPROTO_IP, IP_TTL, sizeof *ttl);
    CHECK(ttl && *ttl == 7);
    tos = control(&message, IPPROTO_IP, IP_TOS, sizeof *tos);
    CHECK(tos && *tos == class);
    CHECK(message.msg_flags == 0);
    CHECK(message.msg_controllen ==
          CMSG_SPACE(sizeof *info) + CMSG_SPACE(sizeof *ttl) + CMSG_SPACE(sizeof *tos));

    message.msg_controllen = CMSG_SPACE(sizeof *info); /* only the first has room */
    CHECK(send(ends[0], "x", 1, 0) == 1 && recvmsg(ends[1], &message, 0) == 1);
    CHECK(message.msg_flags == MSG_CTRUNC && message.msg_controllen == CMSG_SPACE(sizeof *info));
    CHECK(control(&message, IPPROTO_IP, IP_PKTINFO, sizeof *info));
    message.msg_controllen = 4;
    CHECK(send(ends[0], "x", 1, 0) == 1 && recvmsg(ends[1], &message, 0) == 1);
    CHECK(message.msg_flags == MSG_CTRUNC && message.msg_controllen == 0);
    close_both(ends);
}

static void test_control6(void)
{
    _Alignas(struct cmsghdr) char room[256];
    char byte;
    int ends[2], *number, hops = 9;
    struct in6_pktinfo *info;
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    datagram_pair(AF_INET6, ends);
    CHECK(turn_on(ends[1], IPPROTO_IPV6, IPV6_RECVPKTINFO) &&
          turn_on(ends[1], IPPROTO_IPV6, IPV6_RECVHOPLIMIT) &&
          turn_on(ends[1], IPPROTO_IPV6, IPV6_RECVTCLASS));
    CHECK(setsockopt(ends[0], IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops) == 0);
    CHECK(send(ends[0], "x", 1, 0) == 1 && recvmsg(ends[1], &message, 0) == 1);
    info = control(&message, IPPROTO_IPV6, IPV6_PKTINFO, sizeof *info);
    CHECK(info && IN6_IS_ADDR_LOOPBACK(&info->ipi6_addr) && info->ipi6_ifindex == 1);
    number = control(&message, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof *number);
    CHECK(number && *number == 9);
    number = control(&message, IPPROTO_IPV6, IPV6_TCLASS, sizeof *number);
    CHECK(number && *number == 0);
    close_both(ends);
}

/* One piece of control data with an int in it, on the way out. */
static ssize_t send_with(int fd, int level, int type, int value)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof value)] = "";
    struct iovec part = {"x", 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    *c = (struct cmsghdr){
        .cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(sizeof value)};
    memcpy(CMSG_DATA(c), &value, sizeof value);
    return sendmsg(fd, &message, 0);
}

static void test_control_out(void)
{
    _Alignas(struct cmsghdr) char room[64];
    char byte;
    int ends[2], *ttl;
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    datagram_pair(AF_INET, ends);
    CHECK(turn_on(ends[1], IPPROTO_IP, IP_RECVTTL));
    CHECK(send_with(ends[0], IPPROTO_IP, IP_TTL, 3) == 1 && recvmsg(ends[1], &message, 0) == 1);
    ttl = control(&message, IPPROTO_IP, IP_TTL, sizeof *ttl);
    CHECK(ttl && *ttl == 3);
    CHECK(FAILS(send_with(ends[0], IPPROTO_IP, IP_TTL, 300), EINVAL));
    CHECK(FAILS(send_with(ends[0], IPPROTO_IP, 999, 1), EINVAL));
    CHECK(send_with(ends[0], 12345, 1, 1) == 1); /* of a level that is none of ours */
    CHECK(FAILS(recv(ends[1], &byte, 1, MSG_DONTWAIT), EAGAIN) || byte == 'x');
    close_both(ends);
}

/* ---- Waiting ------------------------------------------------------------------------------ */

/* Many at once, one of which becomes ready; and one twice, for different reasons. */
static void test_poll(void)
{
    static char block[1 << 16];
    struct pollfd many[80], twice[2];
    pthread_t thread;
    int ends[2], others[2];
    connected(AF_INET, ends);
    datagram_pair(AF_INET, others);
    for (int i = 0; i < 80; i++)
        many[i] = (struct pollfd){.fd = i == 70 ? ends[1] : others[1], .events = POLLIN};
    pthread_create(&thread, NULL, send_in_pieces, &ends[0]);
    long before = milliseconds();
    CHECK(poll(many, 80, 5000) == 1 && many[70].revents == POLLIN && many[6].revents == 0);
    CHECK(milliseconds() - before < 500);
    pthread_join(thread, NULL);
    CHECK(recv(ends[1], block, 8, MSG_WAITALL) == 8);

    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (send(ends[1], block, sizeof block, 0) > 0)
        continue;
    twice[0] = (struct pollfd){.fd = ends[1], .events = POLLIN};
    twice[1] = (struct pollfd){.fd = dup(ends[1]), .events = POLLOUT};
    pthread_create(&thread, NULL, send_in_pieces, &ends[0]);
    before = milliseconds();
    CHECK(poll(twice, 2, 5000) == 1 && twice[0].revents == POLLIN && twice[1].revents == 0);
    CHECK(milliseconds() - before < 500);
    pthread_join(thread, NULL);
    close(twice[1].fd);
    close_both(ends);
    close_both(others);
}

/* ---- The end ------------------------------------------------------------------------------ */

static void *read_late(void *argument)
{
    static char buffer[1 << 16];
    pause_ms(200);
    while (recv(*(int *)argument, buffer, sizeof buffer, 0) > 0)
        continue;
    return NULL;
}

/* close waits for what has been sent, as long as SO_LINGER says. */
static void test_linger(void)
{
    static char block[1 << 16];
    struct linger linger = {1, 5}, back = {0};
    socklen_t size = sizeof back;
    pthread_t thread;
    int ends[2];
    for (int reads = 1; reads >= 0; reads--) {
        connected(AF_INET, ends);
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        while (send(ends[0], block, sizeof block, 0) > 0)
            continue;
        linger.l_linger = reads ? 5 : 1;
        CHECK(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
        CHECK(getsockopt(ends[0], SOL_SOCKET, SO_LINGER, &back, &size) == 0 &&
              memcmp(&back, &linger, sizeof back) == 0);
        if (reads)
            pthread_create(&thread, NULL, read_late, &ends[1]);
        long before = milliseconds();
        CHECK(close(ends[0]) == 0);
        long waited = milliseconds() - before;
        if (reads)
            CHECK(waited >= 150 && waited < 4500);
        else
            CHECK(waited >= 900 && waited < 3000);
        if (reads)
            pthread_join(thread, NULL);
        close(ends[1]);
    }
    connected(AF_INET, ends); /* nothing to wait for */
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    long before = milliseconds();
    int copy = dup(ends[0]);
    CHECK(close(copy) == 0 && send(ends[0], "x", 1, 0) == 1);
    close_both((int[]){ends[1], ends[0]});
    CHECK(milliseconds() - before < 900);
}

static void *receive_one(void *argument)
{
    char byte;
    int *fd = argument;
    return (void *)(recv(*fd, &byte, 1, 0) == 0 ? fd : NULL);
}

static void test_shutdown_read(void)
{
    char text[8];
    pthread_t thread;
    void *woken = NULL;
    int ends[2];
    connected(AF_INET, ends);
    CHECK(send(ends[0], "left", 4, 0) == 4 && ready(ends[1], POLLIN, 1000) == POLLIN);
    CHECK(shutdown(ends[1], SHUT_RD) == 0);
    CHECK((ready(ends[1], POLLIN | POLLRDHUP, 1000) & (POLLIN | POLLRDHUP)) ==
          (POLLIN | POLLRDHUP));
    CHECK(recv(ends[1], text, sizeof text, 0) == 4 && recv(ends[1], text, sizeof text, 0) == 0);
    CHECK(send(ends[1], "back", 4, 0) == 4 && recv(ends[0], text, sizeof text, 0) == 4);
    CHECK(FAILS(shutdown(ends[1], 3), EINVAL));
    close_both(ends);

    connected(AF_INET, ends); /* it wakes who waits */
    pthread_create(&thread, NULL, receive_one, &ends[1]);
    pause_ms(20);
    CHECK(shutdown(ends[1], SHUT_RD) == 0);
    pthread_join(thread, &woken);
    CHECK(woken != NULL);
    close_both(ends);

    datagram_pair(AF_INET, ends); /* also on a socket that is not connected, though it says so */
    pthread_create(&thread, NULL, receive_one, &ends[1]);
    pause_ms(20);
    CHECK(FAILS(shutdown(ends[1], SHUT_RD), ENOTCONN));
    pause_ms(100);
    send(ends[0], "x", 1, 0); /* should it still wait */
    pthread_join(thread, &woken);
    CHECK(woken != NULL);
    close_both(ends);
}

/* ---- Options ------------------------------------------------------------------------------ */

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, name, &value, &size) == 0 && size == sizeof value ? value : -1;
}

static void test_options(void)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    for (int i = 0; i < 2; i++) {
        int fd = socket(AF_INET, types[i], 0), one = 1;
        struct timeval time = {3, 500000}, time_back = {0};
        socklen_t size;
        CHECK(option(fd, SOL_SOCKET, SO_TYPE) == types[i]);
        CHECK(option(fd, SOL_SOCKET, SO_ERROR) == 0);
        CHECK(option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 0);
        CHECK(option(fd, SOL_SOCKET, SO_RCVLOWAT) == 1);
        CHECK(FAILS(setsockopt(fd, SOL_SOCKET, SO_TYPE, &one, sizeof one), ENOPROTOOPT));
        CHECK(FAILS(setsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &one, sizeof one), ENOPROTOOPT));
        CHECK(turn_on(fd, SOL_SOCKET, SO_BROADCAST));
        for (int name = SO_RCVTIMEO; name <= SO_SNDTIMEO; name++) {
            size = sizeof time_back;
            CHECK(setsockopt(fd, SOL_SOCKET, name, &time, sizeof time) == 0);
            CHECK(getsockopt(fd, SOL_SOCKET, name, &time_back, &size) == 0 &&
                  time_back.tv_sec == 3 && time_back.tv_usec == 500000 && size == sizeof time);
            CHECK(FAILS(setsockopt(fd, SOL_SOCKET, name, &time, 4), EINVAL));
        }
        time.tv_usec = 1000000;
        CHECK(FAILS(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), EDOM));
        close(fd);
    }
    int server = listening(AF_INET);
    CHECK(option(server, SOL_SOCKET, SO_ACCEPTCONN) == 1);
    close(server);
}

static void test_pending_error(void)
{
    struct sockaddr_storage address;
    int server = listening(AF_INET), value;
    socklen_t size = loopback(AF_INET, port_of(server), &address);
    close(server);
    int ends[2];
    datagram_pair(AF_INET, ends);
    close(ends[1]);
    CHECK(send(ends[0], "x", 1, 0) == 1 && (ready(ends[0], 0, 1000) & POLLERR));
    value = option(ends[0], SOL_SOCKET, SO_ERROR);
    CHECK(value == ECONNREFUSED && option(ends[0], SOL_SOCKET, SO_ERROR) == 0);
    close(ends[0]);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(FAILS(connect(fd, (struct sockaddr *)&address, size), ECONNREFUSED));
    CHECK(option(fd, SOL_SOCKET, SO_ERROR) == 0); /* connect has said it */
    close(fd);
}

int main(void)
{
    test_wait_all();
    test_truncation();
    test_stream_names();
    test_vectors();
    test_control();
    test_control6();
    test_control_out();
    test_poll();
    test_linger();
    test_shutdown_read();
    test_options();
    test_pending_error();
    printf("%u kept, %u broken\n", passed, failed);
    return failed != 0;
}
