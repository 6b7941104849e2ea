/* netbench: how fast is the network: bytes, connections, round trips. */
#include "common/socket.h"
#include <netinet/tcp.h>
#include <signal.h>

static const char usage[] =
    "usage: netbench [-46] [-p PORT] [-t SECONDS] [-l BYTES] [-m MODE] HOST\n"
    "       netbench -s [-46] [-p PORT] [-1]\n"
    "  -s          serve\n"
    "  -1          end after one client\n"
    "  -p PORT     (5201)\n"
    "  -t SECONDS  to measure (5)\n"
    "  -l BYTES    in one write (65536), or in one message of rtt (1)\n"
    "  -m MODE     send, receive, rtt, connect, or all (usual)\n";

#define BLOCK_MAX (1u << 20)
#define SECOND    1000000000ull

/* What a client asks for: the first byte of a connection. */
enum mode { SEND = 's', RECEIVE = 'r', ROUND_TRIP = 'p', CONNECT = 'c', NONE = 0 };

static struct {
    int family;
    bool serves, once;
    const char *port;
    uint64_t time, block;
    enum mode mode;
} options = {.port = "5201", .time = 5 * SECOND};

static char block[BLOCK_MAX];

/* --- server --- */

/* serve_one: does what the first byte says, until the client ends. */
static void serve_one(int fd)
{
    int one = 1;
    char mode;
    ssize_t n = read_some(fd, &mode, 1);

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (n != 1 || mode == CONNECT)
        return;
    if (mode == RECEIVE) {
        while (write_all(fd, block, 65536) == 0)
            ;
        return;
    }
    while ((n = read_some(fd, block, sizeof(block))) > 0)
        if (mode == ROUND_TRIP && write_all(fd, block, (size_t)n) < 0)
            return;
    if (mode == SEND) /* everything has arrived */
        (void)write_all(fd, &mode, 1);
}

static int serve(void)
{
    struct addrinfo *found = lookup_host(
        NULL, options.port, options.family ? options.family : AF_INET, SOCK_STREAM, AI_PASSIVE);
    struct endpoint local = {.length = sizeof(local.storage)};
    char text[ENDPOINT_TEXT_MAX];

    int fd = socket_listen(found, 128);
    if (fd < 0 || getsockname(fd, endpoint_sockaddr(&local), &local.length) < 0)
        err(1, "%s", options.port);
    freeaddrinfo(found);
    output_format("serving on %s\n", endpoint_text(endpoint_sockaddr(&local), local.length, text));
    output_flush();
    do {
        int connection = accept(fd, NULL, NULL);
        if (connection < 0)
            err(1, "accept");
        serve_one(connection);
        close(connection);
    } while (!options.once);
    return 0;
}

/* --- client --- */

static struct addrinfo *server;

static int begin(enum mode mode)
{
    char byte = (char)mode;
    int one = 1, fd = -1;
    for (struct addrinfo *a = server; a != NULL && fd < 0; a = a->ai_next)
        fd = socket_connect(a, 10000);
    if (fd < 0)
        err(1, "connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (write_all(fd, &byte, 1) < 0)
        err(1, "write");
    return fd;
}

static void report(const char *what, uint64_t bytes, uint64_t ns)
{
    double seconds = (double)ns / 1e9;
    output_format("%-8s %8.2f MB/s  %.1f MB in %.2f s\n", what, (double)bytes / 1e6 / seconds,
                  (double)bytes / 1e6, seconds);
    output_flush();
}

static void measure_send(uint64_t size)
{
    uint64_t start, sent = 0;
    char done;
    int fd = begin(SEND);

    for (start = monotonic_ns(); monotonic_ns() - start < options.time; sent += size)
        if (write_all(fd, block, size) < 0)
            err(1, "write");
    shutdown(fd, SHUT_WR);
    if (read_some(fd, &done, 1) != 1) /* the last bytes are there, too */
        errx(1, "the server went away");
    report("send", sent, monotonic_ns() - start);
    close(fd);
}

static void measure_receive(uint64_t size)
{
    uint64_t start, received = 0;
    int fd = begin(RECEIVE);

    for (start = monotonic_ns(); monotonic_ns() - start < options.time;) {
        ssize_t n = read_some(fd, block, size);
        if (n <= 0)
            err(1, "read");
        received += (uint64_t)n;
    }
    report("receive", received, monotonic_ns() - start);
    close(fd);
}

static void measure_round_trips(uint64_t size)
{
    uint64_t start, count = 0, least = UINT64_MAX, most = 0;
    int fd = begin(ROUND_TRIP);

    for (start = monotonic_ns(); monotonic_ns() - start < options.time; count++) {
        uint64_t before = monotonic_ns();
        if (write_all(fd, block, size) < 0)
            err(1, "write");
        for (uint64_t got = 0; got < size;) {
            ssize_t n = read_some(fd, block, size - got);
            if (n <= 0)
                err(1, "read");
            got += (uint64_t)n;
        }
        uint64_t took = monotonic_ns() - before;
        least = took < least ? took : least;
        most = took > most ? took : most;
    }
    output_format("%-8s %8.1f us  minimum %.1f, maximum %.1f, %llu round trips of %llu bytes\n",
                  "rtt", (double)(monotonic_ns() - start) / 1e3 / (double)count,
                  (double)least / 1e3, (double)most / 1e3, (unsigned long long)count,
                  (unsigned long long)size);
    output_flush();
    close(fd);
}

static void measure_connections(void)
{
    uint64_t start, count = 0;
    for (start = monotonic_ns(); monotonic_ns() - start < options.time; count++) {
        char end;
        int fd = begin(CONNECT);
        (void)read_some(fd, &end, 1); /* the server closes first, and keeps TIME_WAIT */
        close(fd);
    }
    double seconds = (double)(monotonic_ns() - start) / 1e9;
    output_format("%-8s %8.1f /s  %llu connections in %.2f s\n", "connect", (double)count / seconds,
                  (unsigned long long)count, seconds);
    output_flush();
}

static int measure(const char *host)
{
    uint64_t bulk = options.block > 0 ? options.block : 65536;

    server = lookup_host(host, options.port, options.family, SOCK_STREAM, 0);
    if (options.mode == SEND || options.mode == NONE)
        measure_send(bulk);
    if (options.mode == RECEIVE || options.mode == NONE)
        measure_receive(bulk);
    if (options.mode == ROUND_TRIP || options.mode == NONE)
        measure_round_trips(options.mode == ROUND_TRIP && options.block > 0 ? options.block : 1);
    if (options.mode == CONNECT || options.mode == NONE)
        measure_connections();
    freeaddrinfo(server);
    return 0;
}

static enum mode parse_mode(const char *text)
{
    static const struct {
        const char *name;
        enum mode mode;
    } modes[] = {{"send", SEND},
                 {"receive", RECEIVE},
                 {"rtt", ROUND_TRIP},
                 {"connect", CONNECT},
                 {"all", NONE}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(text, modes[i].name) == 0)
            return modes[i].mode;
    errx(2, "%s: no such mode", text);
}

int main(int argc, char **argv)
{
    int option;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "461sp:t:l:m:")) != -1)
        switch (option) {
        case '4':
            options.family = AF_INET;
            break;
        case '6':
            options.family = AF_INET6;
            break;
        case '1':
            options.once = true;
            break;
        case 's':
            options.serves = true;
            break;
        case 'p':
            options.port = optarg;
            break;
        case 'm':
            options.mode = parse_mode(optarg);
            break;
        case 't':
            if (!parse_seconds(optarg, &options.time) || options.time == 0)
                errx(2, "%s: bad number of seconds", optarg);
            break;
        default:
            if (!parse_size(optarg, &options.block) || options.block == 0 ||
                options.block > BLOCK_MAX)
                errx(2, "%s: bad number of bytes", optarg);
        }
    signal(SIGPIPE, SIG_IGN);
    if (argc - optind != !options.serves)
        utility_misuse(options.serves ? "a server takes no host" : "one host, please");
    return options.serves ? serve() : measure(argv[optind]);
}
