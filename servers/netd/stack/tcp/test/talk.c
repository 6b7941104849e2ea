/* The interpreter of conversation scripts. */
#include "talk.h"
#include "../../checksum.h"
#include "../../test/check.h"
#include "../../wire/cursor.h"
#include "../connection.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PEER_ISS  UINT32_C(0xfffffe00) /* wraps soon */
#define PEER_PORT 2000
#define LONGEST   16384u
#define OUR_PORT  80

static const struct ip_address *peer_address(void)
{
    static struct ip_address address;
    address = ip_v4(10, 0, 0, 2);
    return &address;
}

/* ---- What TCP sends -------------------------------------------------------------------------- */

static bool checksum_right(const struct ip_send *send, const struct packet *packet)
{
    const uint16_t length = packet_length(packet);
    const uint16_t sum = checksum_pseudo(&send->source, &send->destination, PROTOCOL_TCP, length);
    return checksum_finish(checksum_add(sum, packet->data + packet->start, length)) == 0;
}

static void capture(struct host *host, const struct ip_send *send, struct packet *packet)
{
    struct talk *talk = host->context;
    const uint8_t *header = packet_bytes(packet);
    const size_t size = segment_header_size(header);
    CHECK(checksum_right(send, packet), "checksum of what was sent");
    CHECK(talk->count < 512, "too much was sent");
    if (talk->count < 512) {
        struct captured *captured = &talk->queue[(talk->first + talk->count++) % 512];
        struct segment *segment = &captured->segment;
        segment_parse(segment, header, size, packet_length(packet) - (uint32_t)size);
        captured->at = host->stack.now;
        captured->port = segment->destination;
        talk->port = segment->source;
        if (segment->flags & TCP_SYN)
            talk->iss[segment->destination] = segment->seq;
        if (segment->options.timestamps)
            talk->ts_last = segment->options.ts_value;
        for (uint32_t i = 0; i < segment->length; i++) {
            const uint32_t position = segment->seq - talk->iss[segment->destination] - 1 + i;
            if (header[size + i] != pattern(position)) {
                CHECK(false, "octet %u of the text sent is wrong", position);
                break;
            }
        }
    }
    if (talk->hold && talk->held_count < 16)
        talk->held[talk->held_count++] = packet;
    else
        packet_release(host->stack.pool, packet);
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static uint8_t parse_flags(const char *text)
{
    static const char letters[] = "FSRPAU";
    uint8_t flags = 0;
    for (; *text && *text != '-'; text++) {
        const char *at = strchr(letters, *text);
        CHECK(at != NULL, "flag %c", *text);
        if (at)
            flags |= (uint8_t)(1u << (at - letters));
    }
    return flags;
}

/* What a line says about a segment; numbers relative to the ISNs. */
struct wanted {
    struct segment segment;
    bool ack, window, urgent, bad, timestamp_set, echo;
    uint16_t port;
    uint32_t piece;
};

static void parse_blocks(struct tcp_options *options, const char *text)
{
    char *end;
    do {
        struct sack_block *block = &options->sack[options->sack_count++];
        block->left = (uint32_t)strtoll(text, &end, 0);
        block->right = (uint32_t)strtoll(end + 1, &end, 0);
        text = end + 1;
    } while (*end == ',' && options->sack_count < TCP_SACK_BLOCKS);
}

static void parse_attribute(struct wanted *wanted, const char *word)
{
    struct segment *segment = &wanted->segment;
    struct tcp_options *options = &segment->options;
    const char *equals = strchr(word, '=');
    const long long value = equals ? strtoll(equals + 1, NULL, 0) : 0;
    if (strncmp(word, "ack=", 4) == 0) {
        segment->ack = (uint32_t)value;
        wanted->ack = true;
    } else if (strncmp(word, "win=", 4) == 0) {
        segment->window = (uint16_t)value;
        wanted->window = true;
    } else if (strncmp(word, "urg=", 4) == 0) {
        segment->urgent = (uint16_t)value;
        wanted->urgent = true;
    } else if (strncmp(word, "mss=", 4) == 0) {
        options->mss = (uint16_t)value;
    } else if (strncmp(word, "ws=", 3) == 0) {
        options->window_scaling = true;
        options->window_scale = (uint8_t)value;
    } else if (strcmp(word, "sack") == 0) {
        options->sack_permitted = true;
    } else if (strcmp(word, "ts") == 0) {
        options->timestamps = true;
    } else if (strncmp(word, "tsval=", 6) == 0) {
        options->timestamps = wanted->timestamp_set = true;
        options->ts_value = (uint32_t)value;
    } else if (strncmp(word, "ecr=", 4) == 0) {
        options->timestamps = wanted->echo = true;
        options->ts_echo = (uint32_t)value;
    } else if (strncmp(word, "sk=", 3) == 0) {
        parse_blocks(options, word + 3);
    } else if (strncmp(word, "piece=", 6) == 0) {
        wanted->piece = (uint32_t)value;
    } else if (strncmp(word, "port=", 5) == 0) {
        wanted->port = (uint16_t)value;
    } else if (strcmp(word, "bad") == 0) {
        wanted->bad = true;
    } else {
        CHECK(false, "what is %s?", word);
    }
}

static struct wanted parse_segment(char *line)
{
    struct wanted wanted = {.port = PEER_PORT, .segment.window = UINT16_MAX};
    char *save = NULL, *word = strtok_r(line, " ", &save), *end;
    wanted.segment.flags = parse_flags(word);
    word = strtok_r(NULL, " ", &save);
    wanted.segment.seq = (uint32_t)strtoll(word, &end, 0);
    wanted.segment.length = (uint32_t)strtoul(end + 1, NULL, 0);
    while ((word = strtok_r(NULL, " ", &save)))
        parse_attribute(&wanted, word);
    return wanted;
}

/* ---- "<" ------------------------------------------------------------------------------------- */

static uint8_t *put_options(uint8_t *at, const struct talk *talk, struct wanted *wanted)
{
    struct tcp_options *options = &wanted->segment.options;
    if (options->timestamps && !wanted->timestamp_set)
        options->ts_value = time_ms(talk->host.stack.now);
    options->ts_echo = wanted->segment.flags & TCP_ACK ? talk->ts_last : 0;
    for (uint8_t i = 0; i < options->sack_count; i++) {
        options->sack[i].left += talk->iss[wanted->port];
        options->sack[i].right += talk->iss[wanted->port];
    }
    return at + options_emit(at, options);
}

/* inject: as a chain of pieces, which is what long frames come in. */
static void inject(struct talk *talk, const uint8_t *segment, size_t length, size_t piece)
{
    struct host *host = &talk->host;
    struct packet *first = NULL, **link = &first;
    for (size_t offset = 0; offset < length || !first; offset += piece) {
        const size_t size = length - offset < piece ? length - offset : piece;
        *link = packet_alloc(host->stack.pool, PACKET_HEADROOM);
        CHECK(*link != NULL, "no packet");
        if (!*link)
            break;
        put_bytes(packet_append(*link, (uint16_t)size), segment + offset, size);
        link = &(*link)->fragment;
    }
    if (first)
        host_deliver(host, peer_address(), first);
}

void talk_inject(struct talk *talk, const uint8_t *segment, size_t length)
{
    inject(talk, segment, length, length);
}

static void peer_sends(struct talk *talk, char *line)
{
    struct wanted wanted = parse_segment(line);
    const struct segment *segment = &wanted.segment;
    uint8_t bytes[LONGEST] = {0}, *at = bytes;
    at = put_u16(put_u16(at, wanted.port), talk->port);
    at = put_u32(at, talk->peer_iss + segment->seq);
    at = put_u32(at,
                 segment->flags & TCP_ACK ? talk->iss[wanted.port] + segment->ack : segment->ack);
    at = put_u8(put_u8(at, 0), segment->flags);
    at = put_u16(put_u16(put_u16(at, segment->window), 0), segment->urgent);
    at = put_options(at, talk, &wanted);
    bytes[12] = (uint8_t)((at - bytes) / 4 << 4);
    for (uint32_t i = 0; i < segment->length; i++)
        at = put_u8(at, pattern(segment->seq - 1 + i));
    const size_t length = (size_t)(at - bytes);
    uint16_t sum =
        checksum_pseudo(peer_address(), &talk->host.address, PROTOCOL_TCP, (uint32_t)length);
    sum = checksum_finish(checksum_add(sum, bytes, length));
    put_bytes(bytes + TCP_CHECKSUM_FIELD, &sum, sizeof sum);
    bytes[TCP_CHECKSUM_FIELD] ^= wanted.bad;
    inject(talk, bytes, length, wanted.piece ? wanted.piece : length);
}

/* ---- ">" ------------------------------------------------------------------------------------- */

static const char *flag_text(uint8_t flags)
{
    static char text[8];
    char *at = text;
    for (int i = 0; i < 6; i++)
        if (flags & 1 << i)
            *at++ = "FSRPAU"[i];
    *at = '\0';
    return text;
}

static bool options_match(const struct talk *talk, const struct segment *is,
                          const struct segment *want)
{
    const struct tcp_options *a = &is->options, *b = &want->options;
    bool same = true;
    if (is->flags & TCP_SYN)
        same = a->mss == b->mss && a->sack_permitted == b->sack_permitted &&
               a->timestamps == b->timestamps && a->window_scaling == b->window_scaling &&
               (!b->window_scaling || a->window_scale == b->window_scale);
    if (b->timestamps && !a->timestamps)
        same = false;
    if (b->sack_count) {
        same = same && a->sack_count == b->sack_count;
        for (uint8_t i = 0; same && i < a->sack_count; i++)
            same = a->sack[i].left - talk->peer_iss == b->sack[i].left &&
                   a->sack[i].right - talk->peer_iss == b->sack[i].right;
    }
    return same;
}

static void print_captured(const struct talk *talk, const struct captured *captured)
{
    const struct segment *s = &captured->segment;
    printf("    sent at %llu ms: %s %d:%u ack=%d win=%u mss=%u ws=%d sack=%d ts=%d",
           (unsigned long long)(captured->at / NS_PER_MS - 1000000), flag_text(s->flags),
           (int)(s->seq - talk->iss[captured->port]), s->length, (int)(s->ack - talk->peer_iss),
           s->window, s->options.mss, s->options.window_scaling ? s->options.window_scale : -1,
           s->options.sack_permitted, s->options.timestamps);
    for (uint8_t i = 0; i < s->options.sack_count; i++)
        printf(" %d-%d", (int)(s->options.sack[i].left - talk->peer_iss),
               (int)(s->options.sack[i].right - talk->peer_iss));
    printf("\n");
}

static void tcp_sent(struct talk *talk, const char *said, char *line)
{
    CHECK(talk->count > 0, "nothing was sent, but > %s", said);
    if (talk->count == 0)
        return;
    const struct captured *captured = &talk->queue[talk->first];
    talk->first = (talk->first + 1) % 512;
    talk->count--;
    const struct wanted wanted = parse_segment(line);
    const struct segment *is = &captured->segment, *want = &wanted.segment;
    const uint8_t compared = (uint8_t)~TCP_PSH;
    const bool relative = !(is->flags & TCP_RST) || is->seq != 0;
    const bool same =
        (is->flags & compared) == (want->flags & compared) && is->length == want->length &&
        is->seq - (relative ? talk->iss[captured->port] : 0) == want->seq &&
        captured->port == wanted.port && (!wanted.ack || is->ack - talk->peer_iss == want->ack) &&
        (!wanted.window || is->window == want->window) &&
        (!wanted.urgent || is->urgent == want->urgent) &&
        (!wanted.echo || is->options.ts_echo == want->options.ts_echo) &&
        options_match(talk, is, want);
    CHECK(same, "> %s", said);
    if (!same)
        print_captured(talk, captured);
}

static void nothing_sent(struct talk *talk)
{
    CHECK(talk->count == 0, "%u segments nobody asked for", talk->count);
    for (unsigned i = 0; i < talk->count && i < 5; i++)
        print_captured(talk, &talk->queue[(talk->first + i) % 512]);
    talk->count = 0;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void notify(struct socket *socket, unsigned events)
{
    struct talk *talk = socket->owner;
    talk->events |= events;
}

static void own(struct talk *talk, struct socket *socket)
{
    socket->owner = talk;
    socket->notify = notify;
}

struct tcb *talk_tcb(struct talk *talk) { return (struct tcb *)talk->socket; }

static void do_connect(struct talk *talk, long argument)
{
    const struct endpoint peer = {*peer_address(), PEER_PORT, 0};
    (void)argument;
    talk->result = socket_connect(talk->socket, &peer);
}

static void do_listen(struct talk *talk, long argument)
{
    const struct endpoint local = {.address = ip_any(IP_V4), .port = OUR_PORT};
    talk->listener = talk->socket;
    talk->socket = NULL;
    CHECK(socket_bind(talk->listener, &local) == 0);
    talk->result = socket_listen(talk->listener, (int)argument);
}

static void do_accept(struct talk *talk, long argument)
{
    (void)argument;
    talk->result = socket_accept(talk->listener, &talk->socket);
    if (talk->result == 0)
        own(talk, talk->socket);
}

static void send_flags(struct talk *talk, long size, unsigned flags)
{
    struct stream stream = stream_source(talk->sent);
    struct socket_message message = {.flags = flags};
    talk->result = socket_send(talk->socket, &stream.transfer, (size_t)size, &message);
    if (talk->result > 0)
        talk->sent += (uint64_t)talk->result;
}

static void do_send(struct talk *talk, long size) { send_flags(talk, size, 0); }
static void do_oob(struct talk *talk, long size) { send_flags(talk, size, SOCKET_OOB); }
static void do_more(struct talk *talk, long size) { send_flags(talk, size, SOCKET_MORE); }

static void receive_flags(struct talk *talk, long size, unsigned flags)
{
    struct stream stream = stream_sink(talk->received);
    struct socket_message message = {.flags = flags};
    talk->result = socket_receive(talk->socket, &stream.transfer, (size_t)size, &message);
    CHECK(stream.wrong == 0, "%llu octets received are wrong", (unsigned long long)stream.wrong);
    if (talk->result > 0 && !(flags & SOCKET_PEEK))
        talk->received += (uint64_t)talk->result;
}

static void do_recv(struct talk *talk, long size) { receive_flags(talk, size, 0); }
static void do_peek(struct talk *talk, long size) { receive_flags(talk, size, SOCKET_PEEK); }

static void do_close(struct talk *talk, long argument)
{
    (void)argument;
    socket_close(talk->socket ? talk->socket : talk->listener);
    if (!talk->socket)
        talk->listener = NULL;
    talk->socket = NULL;
}

static void set_option(struct talk *talk, const char *name, int value)
{
    static const struct {
        const char *name;
        int level, option;
    } options[] = {{"nodelay", LEVEL_TCP, OPTION_TCP_NODELAY},
                   {"cork", LEVEL_TCP, OPTION_TCP_CORK},
                   {"keepalive", LEVEL_SOCKET, OPTION_KEEPALIVE},
                   {"keepidle", LEVEL_TCP, OPTION_TCP_KEEPIDLE},
                   {"keepintvl", LEVEL_TCP, OPTION_TCP_KEEPINTVL},
                   {"keepcnt", LEVEL_TCP, OPTION_TCP_KEEPCNT},
                   {"rcvbuf", LEVEL_SOCKET, OPTION_RCVBUF},
                   {"sndbuf", LEVEL_SOCKET, OPTION_SNDBUF},
                   {"maxseg", LEVEL_TCP, OPTION_TCP_MAXSEG},
                   {"reuse", LEVEL_SOCKET, OPTION_REUSEADDR},
                   {"timeout", LEVEL_TCP, OPTION_TCP_USER_TIMEOUT}};
    struct socket *socket = talk->socket ? talk->socket : talk->listener;
    if (strcmp(name, "linger") == 0) {
        const int linger[2] = {value >= 0, value};
        talk->result =
            socket_set_option(socket, LEVEL_SOCKET, OPTION_LINGER, linger, sizeof linger);
        return;
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(options[i].name, name) == 0)
            talk->result = socket_set_option(socket, options[i].level, options[i].option, &value,
                                             sizeof value);
}

static void icmp(struct talk *talk, const char *kind, uint32_t seq, uint16_t mtu)
{
    uint8_t quoted[8];
    struct tcb *tcb = talk_tcb(talk);
    put_u32(put_u16(put_u16(quoted, tcb->socket.local.port), PEER_PORT),
            talk->iss[PEER_PORT] + seq);
    const bool too_big = strcmp(kind, "toobig") == 0, port = strcmp(kind, "port") == 0;
    if (too_big)
        talk->host.path_mtu = mtu;
    const struct ip_error error = {
        .kind = too_big ? IP_TOO_BIG : IP_UNREACHABLE,
        .error = too_big ? -EMSGSIZE
                 : port  ? -ECONNREFUSED
                         : -EHOSTUNREACH,
        .hard = port,
        .mtu = mtu,
        .source = talk->host.address,
        .destination = *peer_address(),
        .protocol = PROTOCOL_TCP,
        .transport = quoted,
        .transport_length = sizeof quoted,
    };
    tcp_transport.error(&talk->host.stack, &error);
}

static void hold(struct talk *talk, bool on)
{
    talk->hold = on;
    while (!on && talk->held_count > 0)
        packet_release(talk->host.stack.pool, talk->held[--talk->held_count]);
}

static int errno_of(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {
        {"0", 0},
        {"ECONNREFUSED", ECONNREFUSED},
        {"ECONNRESET", ECONNRESET},
        {"ETIMEDOUT", ETIMEDOUT},
        {"EHOSTUNREACH", EHOSTUNREACH},
        {"EPIPE", EPIPE},
        {"EAGAIN", EAGAIN},
        {"EINPROGRESS", EINPROGRESS},
        {"ENOTCONN", ENOTCONN},
        {"EISCONN", EISCONN},
        {"EADDRINUSE", EADDRINUSE},
        {"EADDRNOTAVAIL", EADDRNOTAVAIL},
        {"EINVAL", EINVAL},
        {"EALREADY", EALREADY},
    };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].number;
    CHECK(false, "unknown error %s", name);
    return -1;
}

/* ---- Statements ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*call)(struct talk *talk, long argument);
} calls[] = {
    {"connect", do_connect}, {"listen", do_listen}, {"accept", do_accept},
    {"send", do_send},       {"recv", do_recv},     {"close", do_close},
    {"oob", do_oob},         {"peek", do_peek},     {"more", do_more},
};

/* check: statements that look at the connection. False: it is none of them. */
static bool check(struct talk *talk, const char *word, const char *argument)
{
    struct tcb *tcb = talk_tcb(talk);
    const uint32_t number = argument ? (uint32_t)strtoul(argument, NULL, 0) : 0;
    if (strcmp(word, "state") == 0)
        CHECK(tcb && strcmp(tcp_state_name(tcb->state), argument) == 0, "%s, not %s",
              tcb ? tcp_state_name(tcb->state) : "no socket", argument);
    else if (strcmp(word, "error") == 0)
        CHECK(tcb->socket.error == -errno_of(argument), "%d, not %s", tcb->socket.error, argument);
    else if (strcmp(word, "events") == 0)
        CHECK((socket_ready(talk->socket) & number) == number, "%x, not %x",
              socket_ready(talk->socket), number);
    else if (strcmp(word, "cwnd") == 0)
        CHECK(tcb->congestion.cwnd == number, "%u, not %u", tcb->congestion.cwnd, number);
    else if (strcmp(word, "ssthresh") == 0)
        CHECK(tcb->congestion.ssthresh == number, "%u, not %u", tcb->congestion.ssthresh, number);
    else if (strcmp(word, "nothing") == 0)
        nothing_sent(talk);
    else if (strcmp(word, "result") == 0)
        CHECK(talk->result == (argument[0] == 'E' ? -errno_of(argument) : (int64_t)number),
              "%lld, not %s", (long long)talk->result, argument);
    else
        return false;
    return true;
}

static void command(struct talk *talk, char *line)
{
    char *save = NULL, *word = strtok_r(line, " ", &save), *argument = strtok_r(NULL, " ", &save);
    char *second = strtok_r(NULL, " ", &save), *third = strtok_r(NULL, " ", &save);
    if (check(talk, word, argument))
        return;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (strcmp(calls[i].name, word) == 0) {
            calls[i].call(talk, argument ? strtol(argument, NULL, 0) : 0);
            return;
        }
    }
    if (strcmp(word, "set") == 0)
        set_option(talk, argument, atoi(second));
    else if (strcmp(word, "icmp") == 0)
        icmp(talk, argument, (uint32_t)atoi(second), (uint16_t)(third ? atoi(third) : 0));
    else if (strcmp(word, "shutdown") == 0)
        talk->result = socket_shutdown(talk->socket, strchr(argument, 'r'), strchr(argument, 'w'));
    else if (strcmp(word, "full") == 0)
        talk->host.full = strcmp(argument, "on") == 0;
    else if (strcmp(word, "hold") == 0)
        hold(talk, strcmp(argument, "on") == 0);
    else
        CHECK(false, "unknown statement %s", word);
}

static void statement(struct talk *talk, const char *said)
{
    char line[256];
    snprintf(line, sizeof line, "%s", said);
    const unsigned before = check_failed;
    if (line[0] == '<')
        peer_sends(talk, line + 2);
    else if (line[0] == '>')
        tcp_sent(talk, said + 2, line + 2);
    else if (line[0] == '+')
        host_run(&talk->host, talk->host.stack.now + strtoull(line + 1, NULL, 0) * NS_PER_MS);
    else if (line[0] && line[0] != '#')
        command(talk, line);
    if (check_failed != before)
        printf("    ... in: %s\n", said);
}

void talk_say(struct talk *talk, const char *script)
{
    while (*script) {
        const size_t length = strcspn(script, "\n");
        char line[256];
        snprintf(line, sizeof line, "%.*s", (int)length, script);
        statement(talk, line + strspn(line, " "));
        script += length + (script[length] == '\n');
    }
}

void talk_start_limited(struct talk *talk, const struct host_limits *limits)
{
    *talk = (struct talk){.peer_iss = PEER_ISS, .port = OUR_PORT};
    host_start(&talk->host, 1, limits);
    talk->host.sent = capture;
    talk->host.context = talk;
    CHECK(socket_create(&talk->host.stack, IP_V4, SOCKET_STREAM, 0, &talk->socket) == 0);
    own(talk, talk->socket);
}

void talk_start(struct talk *talk) { talk_start_limited(talk, NULL); }

void talk_end(struct talk *talk)
{
    nothing_sent(talk);
    host_stop(&talk->host);
}

void talk(const char *script)
{
    static struct talk one;
    talk_start(&one);
    talk_say(&one, script);
    talk_end(&one);
}
