/* One question and the servers: over UDP, from a port of its own for each attempt, and over TCP
 * when the answer did not fit. */
#include "resolver.h"

#include "../stack.h"
#include "../transfer.h"

#define DATAGRAM_MAX 1500u
#define DATAGRAMS    16 /* read in one poll: who floods a port with guesses gets no more time */
#define PORT_FIRST   32768u
#define PORT_TRIES   16
#define AT_ONCE      1 /* a deadline in the past: not that of a timeout */

static void random_bytes(struct dns_exchange *exchange, void *to, size_t length)
{
    exchange->resolver->stack->config.random(to, length);
}

static void notified(struct socket *socket, unsigned events)
{
    struct dns_exchange *exchange = socket->owner;
    (void)events;
    exchange->ready = true;
}

static void close_socket(struct dns_exchange *exchange)
{
    if (exchange->socket)
        socket_close(exchange->socket);
    exchange->socket = NULL;
    exchange->ready = false;
    if (exchange->stream)
        exchange->stream->used = false;
    exchange->stream = NULL;
}

/* --- one attempt --- */

/* bind_randomly: a source port that cannot be guessed (RFC 5452 9.2). */
static int bind_randomly(struct dns_exchange *exchange, struct socket *socket)
{
    struct endpoint local = {.address = ip_any(exchange->server.address.family)};
    int error = -EADDRINUSE;

    for (unsigned i = 0; i < PORT_TRIES && error == -EADDRINUSE; i++) {
        uint16_t port;
        random_bytes(exchange, &port, sizeof(port));
        local.port = (uint16_t)(PORT_FIRST | port);
        error = socket_bind(socket, &local);
    }
    return error;
}

/* open_socket: a new one, on its way to the server. */
static int open_socket(struct dns_exchange *exchange, enum socket_type type)
{
    int error = socket_create(exchange->resolver->stack, exchange->server.address.family, type, 0,
                              &exchange->socket);
    if (error != 0)
        return error;
    exchange->socket->owner = exchange;
    exchange->socket->notify = notified;
    if (type == SOCKET_DATAGRAM)
        error = bind_randomly(exchange, exchange->socket);
    if (error == 0)
        error = socket_connect(exchange->socket, &exchange->server);
    return error == -EINPROGRESS ? 0 : error;
}

static int ask(struct dns_exchange *exchange)
{
    uint8_t message[DNS_QUESTION_MAX];
    struct socket_message to = {0};

    int error = open_socket(exchange, SOCKET_DATAGRAM);
    if (error != 0)
        return error;
    random_bytes(exchange, &exchange->question.id, sizeof(exchange->question.id));
    int64_t sent =
        socket_send_memory(exchange->socket, message, dns_emit(&exchange->question, message), &to);
    exchange->resolver->counters.sent++;
    return sent < 0 ? (int)sent : 0;
}

/* attempt: asks one server after the other until one could be asked, or all have been asked often
 * enough. False: that is the case, and `error` says why. */
static bool attempt(struct dns_exchange *exchange)
{
    const struct dns_resolver *resolver = exchange->resolver;
    unsigned servers = resolver->server_count;

    for (;;) {
        close_socket(exchange);
        if (servers == 0)
            exchange->error = -ENETUNREACH;
        if (exchange->attempts >= servers * resolver->config.rounds)
            return false;
        exchange->server = resolver->servers[exchange->attempts % servers];
        exchange->deadline =
            resolver->now + (resolver->config.timeout << exchange->attempts / servers);
        exchange->attempts++;
        int error = ask(exchange);
        if (error == 0)
            return true;
        exchange->error = error;
    }
}

void dns_exchange_start(struct dns_exchange *exchange)
{
    exchange->attempts = 0;
    exchange->error = 0;
    exchange->over = false;
    if (!attempt(exchange))
        exchange->deadline = AT_ONCE;
}

void dns_exchange_stop(struct dns_exchange *exchange)
{
    close_socket(exchange);
    exchange->deadline = 0;
}

/* --- over TCP (RFC 7766 5, RFC 1035 4.2.2) --- */

/* begin_stream: if there is no room now, or no socket, the deadline will bring another attempt. */
static void begin_stream(struct dns_exchange *exchange)
{
    struct dns_resolver *resolver = exchange->resolver;
    struct dns_stream *stream = resolver->streams;

    close_socket(exchange);
    while (stream < resolver->streams + DNS_STREAMS && stream->used)
        stream++;
    if (stream == resolver->streams + DNS_STREAMS)
        return;
    resolver->counters.over_tcp++;
    exchange->deadline = resolver->now + resolver->config.timeout;
    if (open_socket(exchange, SOCKET_STREAM) != 0) {
        close_socket(exchange);
        return;
    }
    stream->used = true;
    exchange->stream = stream;
    exchange->sent = exchange->received = 0;
}

/* send_question: what is left of it; 0, or -errno. */
static int send_question(struct dns_exchange *exchange)
{
    uint8_t message[2 + DNS_QUESTION_MAX];
    size_t length = dns_emit(&exchange->question, message + 2);
    struct socket_message to = {.flags = SOCKET_DONTWAIT | SOCKET_NOSIGNAL};

    put_u16(message, (uint16_t)length);
    length += 2;
    while (exchange->sent < length) {
        int64_t sent = socket_send_memory(exchange->socket, message + exchange->sent,
                                          length - exchange->sent, &to);
        if (sent < 0)
            return (int)sent;
        exchange->sent += (size_t)sent;
    }
    return 0;
}

/* receive_stream: the length of the whole message when it is there, -EAGAIN before. */
static int64_t receive_stream(struct dns_exchange *exchange)
{
    uint8_t *bytes = exchange->stream->bytes;
    for (;;) {
        size_t want = 2;
        if (exchange->received >= 2)
            want += (size_t)bytes[0] << 8 | bytes[1];
        if (want > DNS_STREAM_SIZE)
            return -EMSGSIZE;
        if (exchange->received > 2 && exchange->received == want)
            return (int64_t)want - 2;
        struct socket_message from = {.flags = SOCKET_DONTWAIT};
        int64_t got = socket_receive_memory(exchange->socket, bytes + exchange->received,
                                            want - exchange->received, &from);
        if (got <= 0)
            return got < 0 ? got : -ECONNRESET;
        exchange->received += (size_t)got;
    }
}

/* --- what has arrived --- */

/* failed: the next server, at once. */
static bool failed(struct dns_exchange *exchange, int error)
{
    exchange->error = error;
    exchange->deadline = AT_ONCE;
    return false;
}

/* judge: true if that is the end: an answer. */
static bool judge(struct dns_exchange *exchange, const uint8_t *data, size_t length,
                  struct dns_answer *answer)
{
    struct dns_counters *counters = &exchange->resolver->counters;
    enum dns_verdict verdict = dns_parse(data, length, &exchange->question, answer);

    counters->received++;
    switch (verdict) {
    case DNS_ANSWERED:
        return true;
    case DNS_FOREIGN:
        counters->ignored++;
        break;
    case DNS_TRUNCATED:
        if (!exchange->stream) {
            begin_stream(exchange);
            break;
        }
        return failed(exchange, -EPROTO);
    case DNS_FAILED:
        return failed(exchange, answer->error);
    }
    return false;
}

static bool read_stream(struct dns_exchange *exchange, struct dns_answer *answer)
{
    int64_t got = send_question(exchange);
    if (got == 0)
        got = receive_stream(exchange);
    if (got == -EAGAIN || got == -ENOTCONN || got == -EINPROGRESS || got == -EALREADY) {
        exchange->ready = false;
        return false;
    }
    if (got < 0)
        return failed(exchange, (int)got);
    return judge(exchange, exchange->stream->bytes + 2, (size_t)got, answer) ||
           failed(exchange, -EPROTO);
}

static bool read_datagrams(struct dns_exchange *exchange, struct dns_answer *answer)
{
    uint8_t bytes[DATAGRAM_MAX];
    struct dns_counters *counters = &exchange->resolver->counters;

    for (unsigned i = 0; i < DATAGRAMS && exchange->socket && !exchange->stream; i++) {
        struct socket_message from = {.flags = SOCKET_DONTWAIT};
        int64_t length = socket_receive_memory(exchange->socket, bytes, sizeof(bytes), &from);
        if (length == -EAGAIN) {
            exchange->ready = false;
            return false;
        }
        if (length < 0) /* ECONNREFUSED and the like: an ICMP error */
            return failed(exchange, (int)length);
        if (from.peer.port != exchange->server.port ||
            !ip_equal(&from.peer.address, &exchange->server.address))
            counters->ignored++;
        else if (judge(exchange, bytes, (size_t)length, answer))
            return true;
    }
    return false;
}

bool dns_exchange_poll(struct dns_exchange *exchange, struct dns_answer *answer)
{
    struct dns_resolver *resolver = exchange->resolver;
    bool over = false;

    if (exchange->ready)
        over = exchange->stream ? read_stream(exchange, answer) : read_datagrams(exchange, answer);
    if (!over && exchange->deadline <= resolver->now) {
        resolver->counters.timeouts += exchange->deadline != AT_ONCE;
        if (attempt(exchange))
            return false;
        memset(answer, 0, sizeof(*answer));
        answer->type = exchange->question.type;
        answer->error = exchange->error ? exchange->error : -ETIMEDOUT;
        over = true;
    }
    if (over)
        close_socket(exchange);
    return over;
}
