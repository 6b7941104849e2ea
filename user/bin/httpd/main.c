/* httpd: serves the files of a folder over HTTP/1.1 to many clients at once. */
#include "connection.h"

#include "../common/socket.h"
#include <signal.h>

static const char usage[] =
    "usage: httpd [-46v] [-a ADDRESS] [-p PORT] [-n CLIENTS] [FOLDER]\n"
    "  -a ADDRESS  listen only there\n"
    "  -p PORT     (80); 0: any, which is printed\n"
    "  -n CLIENTS  at once (512)\n"
    "  -v          a line for each answer\n"
    "Serves FOLDER (the current one): files, index.html, lists of folders.\n";

#define CLIENTS_MAX 4096u
#define TICK_MS     1000 /* how often connections that stand still are looked for */

static struct connection *connections;
static struct pollfd *fds; /* [0]: the listener; [1 + i]: connections[i] */
static uint64_t clients = 512;

static int open_listener(int family, const char *address, const char *port)
{
    struct addrinfo *found = lookup_host(address, port, family, SOCK_STREAM, AI_PASSIVE);
    struct endpoint local = {.length = sizeof(local.storage)};
    char text[ENDPOINT_TEXT_MAX];

    int fd = socket_listen(found, 128);
    if (fd < 0 || getsockname(fd, endpoint_sockaddr(&local), &local.length) < 0)
        err(1, "%s", port);
    freeaddrinfo(found);
    socket_blocking(fd, false);
    output_format("serving on %s\n", endpoint_text(endpoint_sockaddr(&local), local.length, text));
    output_flush();
    return fd;
}

static struct connection *find_free(void)
{
    for (uint64_t i = 0; i < clients; i++)
        if (connections[i].fd < 0)
            return &connections[i];
    return NULL;
}

/* come_in: as many as wait, and have room; the others wait in the backlog. */
static void come_in(int listener)
{
    struct connection *connection;
    while ((connection = find_free()) != NULL) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return;
        socket_blocking(fd, false);
        connection_begin(connection, fd);
    }
}

/* prepare: what each connection waits for. Returns whether all places are taken. */
static bool prepare(void)
{
    bool full = true;
    uint64_t now = monotonic_ns();
    for (uint64_t i = 0; i < clients; i++) {
        struct connection *connection = &connections[i];
        if (connection->fd >= 0 && now > connection->until)
            connection_end(connection);
        fds[1 + i].fd = connection->fd;
        fds[1 + i].events = connection->writing && !connection->closing ? POLLOUT : POLLIN;
        fds[1 + i].revents = 0;
        full &= connection->fd >= 0;
    }
    return full;
}

static void serve(int listener)
{
    for (;;) {
        bool full = prepare();
        fds[0] = (struct pollfd){.fd = full ? -1 : listener, .events = POLLIN};
        if (poll(fds, 1 + clients, TICK_MS) < 0 && errno != EINTR)
            err(1, "poll");
        for (uint64_t i = 0; i < clients; i++)
            if (fds[1 + i].fd >= 0 && fds[1 + i].revents != 0)
                connection_ready(&connections[i]);
        if (fds[0].revents != 0)
            come_in(listener);
    }
}

int main(int argc, char **argv)
{
    const char *address = NULL, *port = "80";
    int option, family = AF_INET;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "46a:n:p:v")) != -1)
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
        case 'p':
            port = optarg;
            break;
        case 'v':
            connection_log = true;
            break;
        default:
            if (!parse_count(optarg, &clients) || clients == 0 || clients > CLIENTS_MAX)
                errx(2, "%s: bad number of clients", optarg);
        }
    if (argc - optind > 1)
        utility_misuse("one folder only");
    if (optind < argc && chdir(argv[optind]) < 0)
        err(1, "%s", argv[optind]);
    connections = must_allocate(clients * sizeof(*connections));
    fds = must_allocate((1 + clients) * sizeof(*fds));
    memset(connections, 0, clients * sizeof(*connections));
    for (uint64_t i = 0; i < clients; i++)
        connections[i].fd = -1;
    signal(SIGPIPE, SIG_IGN);
    serve(open_listener(family, address, port));
    return 0;
}
