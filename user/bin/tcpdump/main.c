/* tcpdump: shows, or keeps in a pcap file, the frames that pass an interface. */
#include "../common/input.h"
#include "../common/socket.h"
#include "decode.h"
#include "filter.h"
#include <signal.h>

static const char usage[] =
    "usage: tcpdump [-enqxU] [-c COUNT] [-i INTERFACE] [-r FILE] [-w FILE] [EXPRESSION]\n"
    "  -c COUNT      end after so many frames\n"
    "  -e            show the Ethernet addresses, too\n"
    "  -i INTERFACE  (eth0)\n"
    "  -n            for compatibility: addresses are always shown as numbers\n"
    "  -q            do not say how many there were\n"
    "  -r FILE       read them from a file instead, - for standard input\n"
    "  -w FILE       write them there as a pcap file, - for standard output\n"
    "  -x            show the bytes, too\n"
    "EXPRESSION: arp ip ip6 tcp udp icmp icmp6 broadcast, [src|dst] host ADDRESS,\n"
    "[src|dst] port NUMBER, with and, or, not, ( )\n";

#define MAGIC_US      0xa1b2c3d4u
#define MAGIC_NS      0xa1b23c4du
#define LINK_ETHERNET 1u
#define FRAME_MAX     262144u
#define LINE_MAX_SIZE 512

struct pcap_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, snap_length, link_type;
};
struct pcap_record {
    uint32_t seconds, fraction, captured, length;
};

static struct {
    const char *interface, *read, *write;
    bool ethernet, quiet, bytes;
    uint64_t count;
} options = {.interface = "eth0"};

static struct {
    int in, out;
    bool swapped, nanoseconds;
} state = {.in = -1, .out = -1};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* take: exactly so many bytes; false at the end. A file that ends in the middle is an error. */
static bool take(void *to, size_t size)
{
    char *at = to;
    for (size_t got = 0; got < size;) {
        ssize_t n = stopped ? 0 : read(state.in, at + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err(1, "%s", options.read ? options.read : options.interface);
        if (n == 0) {
            if (got > 0 && !stopped)
                errx(1, "the file ends in the middle of a frame");
            return false;
        }
        got += (size_t)n;
    }
    return true;
}

static uint32_t native(uint32_t value) { return state.swapped ? __builtin_bswap32(value) : value; }

static void take_header(void)
{
    struct pcap_header header;
    if (!take(&header, sizeof(header)))
        errx(1, "this is not a pcap file");
    state.swapped =
        header.magic == __builtin_bswap32(MAGIC_US) || header.magic == __builtin_bswap32(MAGIC_NS);
    state.nanoseconds = native(header.magic) == MAGIC_NS;
    if (!state.nanoseconds && native(header.magic) != MAGIC_US)
        errx(1, "this is not a pcap file");
    if (native(header.link_type) != LINK_ETHERNET)
        errx(1, "the frames are not of an Ethernet");
    if (state.out >= 0 && write_all(state.out, &header, sizeof(header)) < 0)
        err(1, "%s", options.write);
}

static void show_bytes(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i += 16) {
        output_format("\t0x%04zx: ", i);
        for (size_t k = i; k < i + 16 && k < length; k++)
            output_format(k % 2 ? "%02x" : " %02x", data[k]);
        output_char('\n');
    }
}

static void show(const struct pcap_record *record, const uint8_t *data, const struct frame *frame)
{
    uint32_t seconds = native(record->seconds) % 86400;
    uint32_t us = native(record->fraction) / (state.nanoseconds ? 1000 : 1);
    const uint8_t *s = frame->source_mac, *d = frame->destination_mac;
    char line[LINE_MAX_SIZE];

    output_format("%02u:%02u:%02u.%06u ", seconds / 3600, seconds / 60 % 60, seconds % 60, us);
    if (options.ethernet && s != NULL)
        output_format("%02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x, length %u: ",
                      s[0], s[1], s[2], s[3], s[4], s[5], d[0], d[1], d[2], d[3], d[4], d[5],
                      native(record->length));
    output_line(describe(frame, line, sizeof(line)));
    if (options.bytes)
        show_bytes(data, native(record->captured));
    output_flush();
}

static uint64_t dump(const struct filter *filter)
{
    static uint8_t data[FRAME_MAX];
    struct pcap_record record;
    uint64_t wanted = 0;

    while ((options.count == 0 || wanted < options.count) && take(&record, sizeof(record))) {
        struct frame frame;
        uint32_t captured = native(record.captured);
        if (captured > FRAME_MAX)
            errx(1, "a frame of %u bytes: the file is damaged", captured);
        if (!take(data, captured) && captured > 0)
            break;
        decode(data, captured, &frame);
        if (!filter_matches(filter, &frame))
            continue;
        wanted++;
        if (state.out < 0)
            show(&record, data, &frame);
        else if (write_all(state.out, &record, sizeof(record)) < 0 ||
                 write_all(state.out, data, captured) < 0)
            err(1, "%s", options.write);
    }
    return wanted;
}

static void open_files(void)
{
    char name[64];
    const char *from = options.read;
    if (from == NULL) {
        snprintf(name, sizeof(name), "net:capture:%s", options.interface);
        from = name;
    }
    state.in = strcmp(from, "-") == 0 ? STDIN_FILENO : open(from, O_RDONLY);
    if (state.in < 0)
        err(1, "%s", from);
    if (options.write != NULL) {
        state.out = strcmp(options.write, "-") == 0
                        ? STDOUT_FILENO
                        : open(options.write, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (state.out < 0)
            err(1, "%s", options.write);
    }
}

int main(int argc, char **argv)
{
    struct filter filter;
    const char *problem;
    int option;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "+c:ei:nqr:Uw:x")) != -1)
        switch (option) {
        case 'e':
            options.ethernet = true;
            break;
        case 'i':
            options.interface = optarg;
            break;
        case 'q':
            options.quiet = true;
            break;
        case 'r':
            options.read = optarg;
            break;
        case 'w':
            options.write = optarg;
            break;
        case 'x':
            options.bytes = true;
            break;
        case 'c':
            if (!parse_count(optarg, &options.count) || options.count == 0)
                errx(2, "%s: bad number of frames", optarg);
            break;
        default:
            break; /* n, U: always so */
        }
    const char *error = filter_compile(argv + optind, (unsigned)(argc - optind), &filter, &problem);
    if (error != NULL)
        errx(2, "\"%s\": %s", problem, error);
    open_files();
    struct sigaction action = {.sa_handler = stop}; /* no SA_RESTART: read is to return */
    sigaction(SIGINT, &action, NULL);
    take_header();
    if (options.read == NULL && !options.quiet)
        fprintf(stderr, "listening on %s\n", options.interface);
    uint64_t count = dump(&filter);
    output_flush();
    if (options.read == NULL && !options.quiet)
        fprintf(stderr, "%llu frames\n", (unsigned long long)count);
    if (state.out > STDOUT_FILENO && close(state.out) < 0)
        err(1, "%s", options.write);
    return 0;
}
