/* ping: is a host there, and how long does an answer take? ICMP echo (RFC 792, RFC 4443 4.1). */
#include "common/socket.h"
#include <math.h>
#include <signal.h>

static const char usage[] =
    "usage: ping [-46fnq] [-c COUNT] [-i SECONDS] [-s BYTES] [-t HOPS] [-W SECONDS] HOST\n"
    "  -c COUNT    stop after so many requests\n"
    "  -i SECONDS  from one request to the next (1)\n"
    "  -f          the next one as soon as there is an answer\n"
    "  -n          no names, only numbers\n"
    "  -q          only the summary\n"
    "  -s BYTES    of data in each (56)\n"
    "  -t HOPS     how far at most\n"
    "  -W SECONDS  how long the last answer is waited for (1)\n";

#define SECOND        1000000000ull
#define HEADER        8u
#define DATA_MAX      65000u
#define PACKET_MAX    (DATA_MAX + HEADER + 60)
#define WINDOW        1024u /* of requests whose answers are told apart */
#define ECHO_REQUEST  8
#define ECHO_REPLY    0
#define ECHO6_REQUEST 128
#define ECHO6_REPLY   129

static struct {
    int family;
    bool flood, numeric, quiet;
    uint64_t count, interval, size, hops, wait;
} options = {.interval = SECOND, .size = 56, .wait = SECOND};

static struct {
    int fd;
    struct endpoint peer;
    bool v6;
    uint16_t id;
    uint64_t sent, received, duplicates, errors;
    double minimum, maximum, sum, squares; /* ms */
    uint64_t times[WINDOW];                /* when a request left; 0 = answered */
} state;

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static void send_request(void)
{
    static uint8_t packet[PACKET_MAX];
    uint16_t sequence = (uint16_t)(state.sent + 1);

    memset(packet, 0, HEADER);
    packet[0] = state.v6 ? ECHO6_REQUEST : ECHO_REQUEST;
    packet[4] = (uint8_t)(state.id >> 8);
    packet[5] = (uint8_t)state.id;
    packet[6] = (uint8_t)(sequence >> 8);
    packet[7] = (uint8_t)sequence;
    for (size_t i = 0; i < options.size; i++)
        packet[HEADER + i] = (uint8_t)i;
    if (!state.v6) { /* of IPv6 the stack fills it in: it is over the addresses, too */
        uint16_t sum = internet_checksum(packet, HEADER + options.size);
        memcpy(packet + 2, &sum, 2);
    }
    state.sent++;
    state.times[sequence % WINDOW] = monotonic_ns();
    if (sendto(state.fd, packet, HEADER + options.size, 0, endpoint_sockaddr(&state.peer),
               state.peer.length) < 0) {
        output_flush();
        warn("send");
        state.errors++;
    }
}

static void count_time(double ms)
{
    if (state.received == 1 || ms < state.minimum)
        state.minimum = ms;
    if (ms > state.maximum)
        state.maximum = ms;
    state.sum += ms;
    state.squares += ms * ms;
}

static bool is_intact(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i] != (uint8_t)i)
            return false;
    return length == options.size;
}

/* take_reply: an echo reply to one of our requests. */
static void take_reply(const uint8_t *icmp, size_t length, int hops, const char *from)
{
    uint16_t sequence = (uint16_t)(icmp[6] << 8 | icmp[7]);
    uint64_t *left = &state.times[sequence % WINDOW];
    char ttl[16] = "", time[32] = "";
    bool again = *left == 0;

    if (hops >= 0)
        snprintf(ttl, sizeof(ttl), " ttl=%d", hops);
    if (again) {
        state.duplicates++;
    } else {
        double ms = (double)(monotonic_ns() - *left) / 1e6;
        *left = 0;
        state.received++;
        count_time(ms);
        snprintf(time, sizeof(time), " time=%.3f ms", ms);
    }
    if (options.quiet)
        return;
    output_format("%zu bytes from %s: icmp_seq=%u%s%s%s%s\n", length, from, sequence, ttl, time,
                  again ? " (DUP!)" : "",
                  is_intact(icmp + HEADER, length - HEADER) ? "" : " (damaged)");
    output_flush();
}

/* take_error: an ICMP error that quotes one of our requests. */
static void take_error(const uint8_t *icmp, size_t length, const char *from)
{
    const uint8_t *quoted = icmp + HEADER;
    size_t header = state.v6 ? 40 : length > HEADER ? (quoted[0] & 15u) * 4u : 0;
    const char *what = "error";

    if (length < HEADER + header + 8 ||
        quoted[header] != (state.v6 ? ECHO6_REQUEST : ECHO_REQUEST) ||
        (quoted[header + 4] << 8 | quoted[header + 5]) != state.id)
        return;
    state.errors++;
    if (icmp[0] == (state.v6 ? 1 : 3))
        what = "Destination unreachable";
    else if (icmp[0] == (state.v6 ? 3 : 11))
        what = "Time to live exceeded";
    else if (icmp[0] == 2 && state.v6)
        what = "Packet too big";
    if (!options.quiet)
        output_format("From %s: icmp_seq=%u %s\n", from,
                      quoted[header + 6] << 8 | quoted[header + 7], what);
    output_flush();
}

static void receive(void)
{
    static uint8_t packet[PACKET_MAX];
    struct endpoint from = {.length = sizeof(from.storage)};
    char text[ENDPOINT_TEXT_MAX];
    int hops = -1;

    ssize_t n = recvfrom(state.fd, packet, sizeof(packet), MSG_DONTWAIT, endpoint_sockaddr(&from),
                         &from.length);
    if (n < 0)
        return;
    size_t length = (size_t)n, header = 0;
    if (!state.v6 && length >= 20) {
        header = (packet[0] & 15u) * 4u;
        hops = packet[8];
    }
    if (length < header + HEADER)
        return;
    const uint8_t *icmp = packet + header;
    host_text(endpoint_sockaddr(&from), from.length, text);
    if (icmp[0] == (state.v6 ? ECHO6_REPLY : ECHO_REPLY)) {
        if ((icmp[4] << 8 | icmp[5]) == state.id)
            take_reply(icmp, length - header, hops, text);
    } else if (icmp[0] != (state.v6 ? ECHO6_REQUEST : ECHO_REQUEST)) {
        take_error(icmp, length - header, text);
    }
}

/* run: sends when it is time, receives in between. */
static void run(void)
{
    uint64_t next = monotonic_ns(), end = 0;

    while (!stopped && (end == 0 || monotonic_ns() < end) &&
           (options.count == 0 || state.received + state.errors < options.count)) {
        uint64_t now = monotonic_ns();
        bool all_sent = options.count != 0 && state.sent == options.count;
        bool answered = state.received + state.errors == state.sent;
        if (!all_sent && (now >= next || (options.flood && answered))) {
            send_request();
            next = now + options.interval;
            if (options.count != 0 && state.sent == options.count)
                end = monotonic_ns() + options.wait;
            continue;
        }
        uint64_t until = all_sent ? end : next;
        int wait_ms = (int)((until - now + 999999) / 1000000);
        if (socket_ready(state.fd, POLLIN, wait_ms))
            receive();
    }
}

static int summary(const char *host)
{
    unsigned loss =
        state.sent > 0 ? (unsigned)((state.sent - state.received) * 100 / state.sent) : 0;
    output_format("\n--- %s ping statistics ---\n", host);
    output_format("%llu packets transmitted, %llu received", (unsigned long long)state.sent,
                  (unsigned long long)state.received);
    if (state.duplicates > 0)
        output_format(", +%llu duplicates", (unsigned long long)state.duplicates);
    if (state.errors > 0)
        output_format(", +%llu errors", (unsigned long long)state.errors);
    output_format(", %u%% packet loss\n", loss);
    if (state.received > 0) {
        double mean = state.sum / (double)state.received;
        double variance = state.squares / (double)state.received - mean * mean;
        output_format("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", state.minimum, mean,
                      state.maximum, sqrt(variance > 0 ? variance : 0));
    }
    return state.received > 0 ? 0 : 1;
}

static void open_socket(const char *host)
{
    struct addrinfo *found =
        lookup_host(host, NULL, options.family, SOCK_DGRAM, options.numeric ? AI_NUMERICHOST : 0);
    char text[ENDPOINT_TEXT_MAX];
    int hops = (int)options.hops;

    memcpy(&state.peer.storage, found->ai_addr, found->ai_addrlen);
    state.peer.length = found->ai_addrlen;
    state.v6 = found->ai_family == AF_INET6;
    freeaddrinfo(found);
    state.fd =
        socket(state.v6 ? AF_INET6 : AF_INET, SOCK_RAW, state.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    if (state.fd < 0)
        err(2, "socket");
    if (hops > 0 && setsockopt(state.fd, state.v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                               state.v6 ? IPV6_UNICAST_HOPS : IP_TTL, &hops, sizeof(hops)) < 0)
        err(2, "hops");
    state.id = (uint16_t)(getpid() ^ (int)(monotonic_ns() >> 10));
    output_format("PING %s (%s) %llu bytes of data.\n", host,
                  host_text(endpoint_sockaddr(&state.peer), state.peer.length, text),
                  (unsigned long long)options.size);
    output_flush();
}

static void number(uint64_t *value, uint64_t minimum, uint64_t maximum)
{
    if (!parse_count(optarg, value) || *value < minimum || *value > maximum)
        errx(2, "%s: out of range", optarg);
}

static void set_option(int option)
{
    switch (option) {
    case '4':
        options.family = AF_INET;
        break;
    case '6':
        options.family = AF_INET6;
        break;
    case 'c':
        number(&options.count, 1, INT64_MAX);
        break;
    case 'f':
        options.flood = true;
        break;
    case 'n':
        options.numeric = true;
        break;
    case 'q':
        options.quiet = true;
        break;
    case 's':
        number(&options.size, 0, DATA_MAX);
        break;
    case 't':
        number(&options.hops, 1, 255);
        break;
    default:
        if (!parse_seconds(optarg, option == 'i' ? &options.interval : &options.wait))
            errx(2, "%s: bad number of seconds", optarg);
    }
}

int main(int argc, char **argv)
{
    int option;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "46c:fi:nqs:t:W:")) != -1)
        set_option(option);
    if (argc - optind != 1)
        utility_misuse(optind == argc ? "no host" : "one host only");
    open_socket(argv[optind]);
    signal(SIGINT, stop);
    run();
    return summary(argv[optind]);
}
