/* traceroute: the routers on the way to a host, which say "time exceeded" to UDP datagrams that may
 * go only so far; the host itself says "port unreachable". */
#include "common/socket.h"

static const char usage[] =
    "usage: traceroute [-46n] [-m HOPS] [-p PORT] [-q COUNT] [-w SECONDS] HOST [BYTES]\n"
    "  -m HOPS     how far at most (30)\n"
    "  -n          no names, only numbers\n"
    "  -p PORT     of the first probe, the next ones count up (33434)\n"
    "  -q COUNT    probes for each hop (3)\n"
    "  -w SECONDS  how long an answer is waited for (5)\n";

#define HEADER     8u /* of ICMP, and of UDP */
#define BYTES_MAX  1400u
#define PACKET_MAX 2048u

static struct {
    int family;
    bool numeric;
    uint64_t hops, port, probes, wait, bytes;
} options = {.hops = 30, .port = 33434, .probes = 3, .wait = 5000000000ull, .bytes = 32};

static struct {
    int udp, icmp;
    bool v6;
    struct endpoint peer, last; /* last: whose line it is */
    uint16_t source;            /* our port, by which answers are told */
    uint16_t port;              /* of the probe under way */
} state;

enum answer { NOTHING, ON_THE_WAY, ARRIVED, REFUSED };

/* judge: what an ICMP message says about the probe under way; NOTHING if it is about another. code:
 * the letter that is printed behind a refusal. */
static enum answer judge(const uint8_t *packet, size_t length, char *code)
{
    size_t outer = !state.v6 && length > 0 ? (packet[0] & 15u) * 4u : 0;
    const uint8_t *icmp = packet + outer, *quoted = icmp + HEADER;
    if (length < outer + HEADER + 1)
        return NOTHING;
    size_t inner = state.v6 ? 40 : (quoted[0] & 15u) * 4u;
    if (length < outer + HEADER + inner + 4 || quoted[state.v6 ? 6 : 9] != IPPROTO_UDP)
        return NOTHING;
    const uint8_t *udp = quoted + inner;
    if ((udp[0] << 8 | udp[1]) != state.source || (udp[2] << 8 | udp[3]) != state.port)
        return NOTHING;
    if (icmp[0] == (state.v6 ? 3 : 11))
        return ON_THE_WAY;
    if (icmp[0] != (state.v6 ? 1 : 3))
        return NOTHING;
    if (icmp[1] == (state.v6 ? 4 : 3))
        return ARRIVED;
    *code = state.v6 ? (icmp[1] == 0   ? 'N'
                        : icmp[1] == 1 ? 'X'
                                       : 'H')
                     : (icmp[1] == 0    ? 'N'
                        : icmp[1] == 13 ? 'X'
                                        : 'H');
    return REFUSED;
}

static void show(struct endpoint *from, double ms, char code)
{
    char text[ENDPOINT_TEXT_MAX], name[NI_MAXHOST];

    if (from->length != state.last.length ||
        memcmp(&from->storage, &state.last.storage, from->length) != 0) {
        host_text(endpoint_sockaddr(from), from->length, text);
        if (options.numeric || getnameinfo(endpoint_sockaddr(from), from->length, name,
                                           sizeof(name), NULL, 0, NI_NAMEREQD) != 0)
            output_format("  %s", text);
        else
            output_format("  %s (%s)", name, text);
        state.last = *from;
    }
    output_format("  %.3f ms", ms);
    if (code != 0)
        output_format(" !%c", code);
}

/* probe: one datagram and what comes of it. */
static enum answer probe(void)
{
    static uint8_t data[BYTES_MAX];
    uint64_t start = monotonic_ns(), end = start + options.wait, now;

    if (state.v6)
        ((struct sockaddr_in6 *)&state.peer.storage)->sin6_port = htons(state.port);
    else
        ((struct sockaddr_in *)&state.peer.storage)->sin_port = htons(state.port);
    if (sendto(state.udp, data, options.bytes, 0, endpoint_sockaddr(&state.peer),
               state.peer.length) < 0)
        err(1, "send");
    while ((now = monotonic_ns()) < end &&
           socket_ready(state.icmp, POLLIN, (int)((end - now) / 1000000) + 1)) {
        uint8_t packet[PACKET_MAX];
        struct endpoint from;
        memset(&from, 0, sizeof(from));
        from.length = sizeof(from.storage);
        ssize_t n = recvfrom(state.icmp, packet, sizeof(packet), MSG_DONTWAIT,
                             endpoint_sockaddr(&from), &from.length);
        char code = 0;
        enum answer answer = n > 0 ? judge(packet, (size_t)n, &code) : NOTHING;
        if (answer != NOTHING) {
            show(&from, (double)(monotonic_ns() - start) / 1e6, code);
            return answer;
        }
    }
    output_text("  *");
    return NOTHING;
}

/* hop: all probes that go so far; true if the journey is over. */
static bool hop(int hops)
{
    bool over = false;
    if (setsockopt(state.udp, state.v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                   state.v6 ? IPV6_UNICAST_HOPS : IP_TTL, &hops, sizeof(hops)) < 0)
        err(1, "hops");
    output_format("%2d", hops);
    state.last.length = 0;
    for (uint64_t i = 0; i < options.probes; i++) {
        enum answer answer = probe();
        over |= answer == ARRIVED || answer == REFUSED;
        state.port++;
        output_flush();
    }
    output_char('\n');
    return over;
}

static void open_sockets(const char *host)
{
    struct addrinfo *found = lookup_host(host, NULL, options.family, SOCK_DGRAM, 0);
    struct endpoint local;
    char text[ENDPOINT_TEXT_MAX];

    memcpy(&state.peer.storage, found->ai_addr, found->ai_addrlen);
    state.peer.length = found->ai_addrlen;
    state.v6 = found->ai_family == AF_INET6;
    freeaddrinfo(found);
    int family = state.v6 ? AF_INET6 : AF_INET;
    state.icmp = socket(family, SOCK_RAW, state.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    state.udp = socket(family, SOCK_DGRAM, 0);
    if (state.icmp < 0 || state.udp < 0)
        err(1, "socket");
    memset(&local, 0, sizeof(local));
    local.storage.ss_family = (sa_family_t)family;
    local.length = state.v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (bind(state.udp, endpoint_sockaddr(&local), local.length) < 0 ||
        getsockname(state.udp, endpoint_sockaddr(&local), &local.length) < 0)
        err(1, "bind");
    state.source = ntohs(state.v6 ? ((struct sockaddr_in6 *)&local.storage)->sin6_port
                                  : ((struct sockaddr_in *)&local.storage)->sin_port);
    state.port = (uint16_t)options.port;
    output_format("traceroute to %s (%s), %llu hops max, %llu byte packets\n", host,
                  host_text(endpoint_sockaddr(&state.peer), state.peer.length, text),
                  (unsigned long long)options.hops,
                  (unsigned long long)options.bytes + HEADER + (state.v6 ? 40 : 20));
}

static void number(const char *text, uint64_t *value, uint64_t minimum, uint64_t maximum)
{
    if (!parse_count(text, value) || *value < minimum || *value > maximum)
        errx(2, "%s: out of range", text);
}

int main(int argc, char **argv)
{
    int option;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "46m:np:q:w:")) != -1)
        switch (option) {
        case '4':
            options.family = AF_INET;
            break;
        case '6':
            options.family = AF_INET6;
            break;
        case 'm':
            number(optarg, &options.hops, 1, 255);
            break;
        case 'n':
            options.numeric = true;
            break;
        case 'p':
            number(optarg, &options.port, 1, 65535);
            break;
        case 'q':
            number(optarg, &options.probes, 1, 10);
            break;
        default:
            if (!parse_seconds(optarg, &options.wait))
                errx(2, "%s: bad number of seconds", optarg);
        }
    if (argc - optind < 1 || argc - optind > 2)
        utility_misuse(optind == argc ? "no host" : "too many operands");
    if (argc - optind == 2)
        number(argv[optind + 1], &options.bytes, 0, BYTES_MAX);
    open_sockets(argv[optind]);
    for (int hops = 1; hops <= (int)options.hops && !hop(hops);)
        hops++;
    return 0;
}
