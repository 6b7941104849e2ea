/* services: echo (RFC 862), discard (RFC 863) and chargen (RFC 864), over TCP and UDP, for many
 * clients at once. */
#include "common/socket.h"
#include <signal.h>

static const char usage[] =
    "usage: services [-46v] [-a ADDRESS] [SERVICE[=PORT]]...\n"
    "  SERVICE     echo (port 7), discard (9), chargen (19); all three if none is named\n"
    "  -a ADDRESS  listen only there\n"
    "  -v          say who comes\n";

#define CLIENTS_MAX 256u
#define LISTENERS   12u
#define BLOCK       4096u
#define LINE        72u  /* characters of a line of chargen, out of 95 */
#define DATAGRAM    512u /* chargen's answer to a datagram */

enum kind { ECHO, DISCARD, CHARGEN };

static const struct service {
    const char *name, *port;
} services[] = {
    [ECHO] = {"echo", "7"}, [DISCARD] = {"discard", "9"}, [CHARGEN] = {"chargen", "19"}};

/* Sockets that are polled: first the listeners, then the clients. Echo holds what the client has
 * not taken yet, and reads nothing more before it has. */
static struct client {
    enum kind kind;
    bool datagrams;
    size_t start, end; /* in bytes; chargen: start = its line */
    char bytes[BLOCK];
} clients[LISTENERS + CLIENTS_MAX];
static struct pollfd fds[LISTENERS + CLIENTS_MAX];
static unsigned listeners, count;
static int family = AF_INET;
static bool verbose;

static void say(const char *service, const struct sockaddr *address, socklen_t length)
{
    char text[ENDPOINT_TEXT_MAX];
    output_format("%s %s\n", service, endpoint_text(address, length, text));
    output_flush();
}

static void add(int fd, enum kind kind, bool datagrams)
{
    socket_blocking(fd, false);
    fds[count] = (struct pollfd){.fd = fd, .events = POLLIN};
    clients[count].kind = kind;
    clients[count].datagrams = datagrams;
    clients[count].start = clients[count].end = 0;
    count++;
}

static void listen_on(enum kind kind, const char *address, const char *port)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    for (int i = 0; i < 2; i++) {
        struct addrinfo *found = lookup_host(address, port, family, types[i], AI_PASSIVE);
        struct endpoint local = {.length = sizeof(local.storage)};
        int fd = socket_listen(found, 64);
        if (fd < 0)
            err(1, "%s", services[kind].name);
        freeaddrinfo(found);
        if (getsockname(fd, endpoint_sockaddr(&local), &local.length) == 0)
            say(types[i] == SOCK_STREAM ? "tcp" : "udp", endpoint_sockaddr(&local), local.length);
        add(fd, kind, types[i] == SOCK_DGRAM);
    }
    listeners = count;
}

/* pattern: characters of chargen from its endless text, where each line begins one further on. */
static void pattern(char *to, size_t length, size_t from)
{
    for (size_t i = 0; i < length; i++) {
        size_t line = (from + i) / (LINE + 2), column = (from + i) % (LINE + 2);
        to[i] = column < LINE ? (char)(' ' + (line + column) % 95) : column == LINE ? '\r' : '\n';
    }
}

/* --- UDP --- */

/* is_reflected: an answer to one of these ports might be answered again, for ever. */
static bool is_reflected(const struct endpoint *peer)
{
    uint16_t port = ntohs(peer->storage.ss_family == AF_INET6
                              ? ((const struct sockaddr_in6 *)&peer->storage)->sin6_port
                              : ((const struct sockaddr_in *)&peer->storage)->sin_port);
    return port < 1024;
}

static void datagram(unsigned i)
{
    struct endpoint peer = {.length = sizeof(peer.storage)};
    static char bytes[65536];
    ssize_t n =
        recvfrom(fds[i].fd, bytes, sizeof(bytes), 0, endpoint_sockaddr(&peer), &peer.length);
    if (n < 0 || clients[i].kind == DISCARD || is_reflected(&peer))
        return;
    if (clients[i].kind == CHARGEN)
        pattern(bytes, (size_t)(n = DATAGRAM), 0);
    (void)sendto(fds[i].fd, bytes, (size_t)n, 0, endpoint_sockaddr(&peer), peer.length);
}

/* --- TCP --- */

static void come_in(unsigned i)
{
    struct endpoint peer = {.length = sizeof(peer.storage)};
    int fd = accept(fds[i].fd, endpoint_sockaddr(&peer), &peer.length);
    if (fd < 0)
        return;
    if (count == LISTENERS + CLIENTS_MAX) {
        close(fd);
        return;
    }
    if (verbose)
        say(services[clients[i].kind].name, endpoint_sockaddr(&peer), peer.length);
    add(fd, clients[i].kind, false);
    if (clients[i].kind == CHARGEN)
        fds[count - 1].events = POLLIN | POLLOUT;
}

static void go(unsigned i)
{
    close(fds[i].fd);
    count--;
    fds[i] = fds[count];
    clients[i] = clients[count];
}

static bool would_wait(ssize_t n) { return n < 0 && (errno == EAGAIN || errno == EINTR); }

/* Each returns false when the client has gone. */
static bool echo(unsigned i)
{
    struct client *client = &clients[i];
    if (client->start == client->end) {
        ssize_t n = recv(fds[i].fd, client->bytes, BLOCK, 0);
        if (n <= 0)
            return would_wait(n);
        client->start = 0;
        client->end = (size_t)n;
    }
    ssize_t n = send(fds[i].fd, client->bytes + client->start, client->end - client->start, 0);
    if (n < 0 && !would_wait(n))
        return false;
    client->start += n > 0 ? (size_t)n : 0;
    fds[i].events = client->start < client->end ? POLLOUT : POLLIN;
    return true;
}

static bool discard(unsigned i)
{
    ssize_t n = recv(fds[i].fd, clients[i].bytes, BLOCK, 0);
    return n > 0 || would_wait(n);
}

static bool chargen(unsigned i)
{
    struct client *client = &clients[i];
    if ((fds[i].revents & POLLIN) && !discard(i))
        return false;
    if (!(fds[i].revents & POLLOUT))
        return true;
    pattern(client->bytes, BLOCK, client->start);
    ssize_t n = send(fds[i].fd, client->bytes, BLOCK, 0);
    if (n < 0)
        return would_wait(n);
    client->start = (client->start + (size_t)n) % (95 * (LINE + 2));
    return true;
}

static void serve(void)
{
    static bool (*const serve_client[])(unsigned) = {
        [ECHO] = echo, [DISCARD] = discard, [CHARGEN] = chargen};
    for (;;) {
        if (poll(fds, count, -1) < 0 && errno != EINTR)
            err(1, "poll");
        /* from behind: a client that goes is replaced by one that has been served */
        for (unsigned i = count; i-- > 0;) {
            if (fds[i].revents == 0)
                continue;
            if (i >= listeners) {
                if (!serve_client[clients[i].kind](i))
                    go(i);
            } else if (clients[i].datagrams) {
                datagram(i);
            } else {
                come_in(i);
            }
        }
    }
}

static void listen_named(const char *text, const char *address)
{
    size_t length = strcspn(text, "=");
    for (unsigned kind = 0; kind < 3; kind++)
        if (strlen(services[kind].name) == length &&
            strncmp(text, services[kind].name, length) == 0) {
            if (listeners + 2 > LISTENERS)
                errx(2, "too many services");
            listen_on(kind, address, text[length] == '=' ? text + length + 1 : services[kind].port);
            return;
        }
    errx(2, "%s: no such service", text);
}

int main(int argc, char **argv)
{
    const char *address = NULL;
    int option;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "46va:")) != -1)
        switch (option) {
        case '4':
            family = AF_INET;
            break;
        case '6':
            family = AF_INET6;
            break;
        case 'a':
            address = optarg;
            break;
        default:
            verbose = true;
        }
    signal(SIGPIPE, SIG_IGN);
    for (int i = optind; i < argc; i++)
        listen_named(argv[i], address);
    for (unsigned kind = 0; optind == argc && kind < 3; kind++)
        listen_on(kind, address, services[kind].port);
    serve();
    return 0;
}
