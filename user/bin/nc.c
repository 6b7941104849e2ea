/* nc: bytes between standard input and output and a socket. */
#include "common/socket.h"
#include <signal.h>

static const char usage[] =
    "usage: nc [-46Nnuvz] [-p PORT] [-s ADDRESS] [-w SECONDS] HOST PORT[-PORT]...\n"
    "       nc -l [-46knuv] [-w SECONDS] [ADDRESS] PORT\n"
    "  -l  listen, for one connection (-k: for one after the other)\n"
    "  -u  UDP instead of TCP\n"
    "  -z  only look whether something listens, send nothing\n"
    "  -N  end our direction when standard input ends, and stay until both have ended\n"
    "  -n  no names, only numbers\n"
    "  -v  say what happens on standard error\n"
    "  -p PORT, -s ADDRESS  where to come from\n"
    "  -w SECONDS           give up connecting, and end when nothing has moved for so long\n";

static struct {
    int family, type, timeout_ms;
    bool listens, again, datagrams, scan, end_on_eof, numeric, verbose;
    const char *port, *source;
} options = {.type = SOCK_STREAM, .timeout_ms = -1};

static void say(const char *what, const struct sockaddr *address, socklen_t length)
{
    char text[ENDPOINT_TEXT_MAX];
    if (options.verbose)
        fprintf(stderr, "%s %s\n", what, endpoint_text(address, length, text));
}

/* pump: what is readable at `from` goes to `to`; false at its end or when it fails. */
static bool pump(int from, int to)
{
    static char buffer[BUFFER_SIZE];
    ssize_t n = read_some(from, buffer, sizeof(buffer));
    if (n < 0 && errno == EAGAIN)
        return true;
    return n > 0 && write_all(to, buffer, (size_t)n) == 0;
}

/* relay: until the peer has ended; with -N until both have, so that neither's last words are lost.
 * Datagrams have no end: one that listens stays, one that was to send input ends with it, unless -w
 * lets it wait. */
static void relay(int fd)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int ready = poll(fds, 2, options.timeout_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return;
        if (fds[0].revents != 0 && !pump(STDIN_FILENO, fd)) {
            fds[0].fd = -1;
            if (options.end_on_eof)
                shutdown(fd, SHUT_WR);
            if (options.datagrams && options.timeout_ms < 0 && !options.listens)
                return;
        }
        if (fds[1].revents != 0 && !pump(fd, STDOUT_FILENO)) {
            fds[1].fd = -1;
            if (!options.end_on_eof)
                return;
        }
    }
}

/* --- listening --- */

/* first_datagram: with UDP the first one says who the peer is. */
static bool first_datagram(int fd)
{
    struct endpoint peer = {.length = sizeof(peer.storage)};
    static char buffer[BUFFER_SIZE];
    if (!socket_ready(fd, POLLIN, options.timeout_ms))
        return false;
    ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0, endpoint_sockaddr(&peer), &peer.length);
    if (n < 0 || connect(fd, endpoint_sockaddr(&peer), peer.length) < 0)
        err(1, "receive");
    say("datagram from", endpoint_sockaddr(&peer), peer.length);
    return write_all(STDOUT_FILENO, buffer, (size_t)n) == 0;
}

static int listen_for(const char *host, const char *port)
{
    struct addrinfo *found = lookup_host(host, port, options.family ? options.family : AF_INET,
                                         options.type, AI_PASSIVE);
    struct endpoint local = {.length = sizeof(local.storage)};
    int fd;

    do {
        fd = socket_listen(found, 8);
        if (fd < 0)
            err(1, "%s", port);
        if (getsockname(fd, endpoint_sockaddr(&local), &local.length) == 0)
            say("listening on", endpoint_sockaddr(&local), local.length);
        for (bool first = true; options.datagrams ? first : first || options.again; first = false) {
            struct endpoint peer = {.length = sizeof(peer.storage)};
            if (options.datagrams) {
                if (first_datagram(fd))
                    relay(fd);
                continue;
            }
            int connection = accept(fd, endpoint_sockaddr(&peer), &peer.length);
            if (connection < 0)
                err(1, "accept");
            say("connection from", endpoint_sockaddr(&peer), peer.length);
            relay(connection);
            close(connection);
        }
        close(fd);
    } while (options.datagrams && options.again);
    freeaddrinfo(found);
    return 0;
}

/* --- connecting --- */

static void bind_source(int fd, int family)
{
    if (options.port == NULL && options.source == NULL)
        return;
    int one = 1;
    struct addrinfo *local = lookup_host(options.source, options.port, family, options.type,
                                         AI_PASSIVE | AI_NUMERICHOST);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, local->ai_addr, local->ai_addrlen) < 0)
        err(1, "bind");
    freeaddrinfo(local);
}

/* reach: connects a socket of ours, which may have been bound before. */
static int reach(const struct addrinfo *address)
{
    if (options.port == NULL && options.source == NULL)
        return socket_connect(address, options.timeout_ms);
    int fd = socket(address->ai_family, address->ai_socktype, 0);
    if (fd < 0)
        return -1;
    bind_source(fd, address->ai_family);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* udp_listens: nobody can say yes, but a closed port says no (ICMP), within a while. */
static bool udp_listens(int fd)
{
    char nothing = 'X';
    int error = 0;
    socklen_t size = sizeof(error);
    for (int i = 0; i < 3; i++) {
        if (send(fd, &nothing, 1, 0) < 0)
            return false;
        if (socket_ready(fd, POLLIN, 200))
            break;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0) {
        errno = error;
        return false;
    }
    return true;
}

/* try_port: 0 if it could be reached (and, without -z, has been talked to). */
static int try_port(const char *host, const char *port)
{
    struct addrinfo *found =
        lookup_host(host, port, options.family, options.type, options.numeric ? AI_NUMERICHOST : 0);
    int fd = -1;
    for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        fd = reach(a);
        if (fd >= 0 && options.scan && options.datagrams && !udp_listens(fd)) {
            int error = errno;
            close(fd);
            errno = error;
            fd = -1;
        }
        if (fd >= 0)
            say("connected to", a->ai_addr, a->ai_addrlen);
    }
    freeaddrinfo(found);
    if (fd < 0) {
        if (!options.scan || options.verbose)
            warn("%s port %s", host, port);
        return 1;
    }
    if (!options.scan)
        relay(fd);
    close(fd);
    return 0;
}

/* try_range: "80" or "20-25"; 0 if one of the ports could be reached. */
static int try_range(const char *host, const char *range)
{
    const char *at = range;
    uint64_t first, last;
    char port[8];
    int status = 1;

    if (!parse_digits(&at, &first) || *at++ != '-')
        return try_port(host, range);
    if (!parse_count(at, &last) || first == 0 || first > last || last > 65535)
        errx(1, "%s: bad range of ports", range);
    for (uint64_t i = first; i <= last; i++) {
        snprintf(port, sizeof(port), "%u", (unsigned)i);
        status &= try_port(host, port);
    }
    return status;
}

static void set_option(int option)
{
    uint64_t wait;
    switch (option) {
    case '4':
        options.family = AF_INET;
        break;
    case '6':
        options.family = AF_INET6;
        break;
    case 'k':
        options.again = true;
        break;
    case 'l':
        options.listens = true;
        break;
    case 'N':
        options.end_on_eof = true;
        break;
    case 'n':
        options.numeric = true;
        break;
    case 'p':
        options.port = optarg;
        break;
    case 's':
        options.source = optarg;
        break;
    case 'u':
        options.datagrams = true;
        break;
    case 'v':
        options.verbose = true;
        break;
    case 'z':
        options.scan = true;
        break;
    case 'w':
        if (!parse_seconds(optarg, &wait))
            errx(1, "%s: bad number of seconds", optarg);
        options.timeout_ms = (int)(wait / 1000000);
        break;
    default:
        break;
    }
}

int main(int argc, char **argv)
{
    int option, status = 1;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "46klNnp:s:uvzw:")) != -1)
        set_option(option);
    options.type = options.datagrams ? SOCK_DGRAM : SOCK_STREAM;
    signal(SIGPIPE, SIG_IGN);
    int operands = argc - optind;
    if (options.listens) {
        if (operands == 0 && options.port != NULL)
            return listen_for(NULL, options.port);
        if (operands < 1 || operands > 2)
            utility_misuse(operands < 1 ? "no port to listen on" : "too many operands");
        return listen_for(operands == 2 ? argv[optind] : NULL, argv[argc - 1]);
    }
    if (operands < 2)
        utility_misuse("host and port are missing");
    for (int i = optind + 1; i < argc; i++)
        status &= try_range(argv[optind], argv[i]);
    return status;
}
