/* One request and its response: sent, followed where it leads, read as it arrives. */
#include "http/http.h"
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define REDIRECTS    10
#define TIMEOUT_MS   30000
#define INTERIM_MAX  8 /* responses 1xx in front of the real one */
#define BUFFER       16384
#define REQUEST_MAX  (HTTP_URL_MAX + HTTP_HOST_MAX + HTTP_HEAD_MAX)
#define CHUNK_PREFIX 10 /* room for a chunk's size in front of it */

struct http_exchange {
    int fd, timeout_ms;
    const http_request_t *request;
    const char *method; /* may change on the way */
    bool with_body;
    struct http_url url;
    struct http_head head;
    struct http_body body;
    int64_t length;
    size_t start, end;  /* in bytes: the body's that have been received */
    size_t head_length; /* in bytes: the head, which its fields point into */
    char bytes[HTTP_HEAD_MAX + BUFFER];
};

/* --- sending --- */

/* Writes into a buffer, and remembers when it was too small. */
struct text {
    char *bytes;
    size_t used, size;
};

static void add(struct text *text, const char *string)
{
    size_t length = strlen(string);
    if (length < text->size - text->used)
        memcpy(text->bytes + text->used, string, length + 1);
    else
        length = text->size - text->used;
    text->used += length;
}

static void add_field(struct text *text, const char *name, const char *value)
{
    add(text, name);
    add(text, ": ");
    add(text, value);
    add(text, "\r\n");
}

/* has_field: the caller says that field itself. */
static bool has_field(const http_request_t *request, const char *name)
{
    for (unsigned i = 0; i < request->field_count; i++)
        if (strcasecmp(request->fields[i].name, name) == 0)
            return true;
    return false;
}

static void add_framing(struct text *text, const struct http_exchange *exchange)
{
    char number[24];
    if (!exchange->with_body)
        return;
    if (exchange->request->body_length == HTTP_UNKNOWN) {
        add_field(text, "Transfer-Encoding", "chunked");
        return;
    }
    snprintf(number, sizeof(number), "%llu", (unsigned long long)exchange->request->body_length);
    add_field(text, "Content-Length", number);
}

/* compose_head: 0 or -E2BIG. `same_host`: credentials go nowhere else. */
static int compose_head(const struct http_exchange *exchange, bool same_host, struct text *text)
{
    const http_request_t *request = exchange->request;
    char authority[HTTP_HOST_MAX + 10];

    add(text, exchange->method);
    add(text, " ");
    add(text, exchange->url.target);
    add(text, " HTTP/1.1\r\n");
    add_field(text, "Host", http_url_authority(&exchange->url, authority));
    add_field(text, "Connection", "close");
    if (!has_field(request, "Accept"))
        add_field(text, "Accept", "*/*");
    add_framing(text, exchange);
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (same_host || (strcasecmp(field->name, "Authorization") != 0 &&
                          strcasecmp(field->name, "Cookie") != 0))
            add_field(text, field->name, field->value);
    }
    add(text, "\r\n");
    return text->used < text->size ? 0 : -E2BIG;
}

/* send_produced: the body piece by piece, each with its size in front if the whole is not known. */
static int send_produced(struct http_exchange *exchange)
{
    const http_request_t *request = exchange->request;
    bool chunked = request->body_length == HTTP_UNKNOWN;
    char *piece = exchange->bytes + CHUNK_PREFIX;
    uint64_t sent = 0;

    for (;;) {
        ssize_t n = request->produce(request->context, piece, BUFFER);
        if (n < 0)
            return (int)n;
        sent += (uint64_t)n;
        if (!chunked && (sent > request->body_length || (n == 0 && sent < request->body_length)))
            return -EINVAL; /* not what was announced */
        char size[CHUNK_PREFIX + 1];
        int digits = chunked ? snprintf(size, sizeof(size), "%zx\r\n", (size_t)n) : 0;
        memcpy(piece - digits, size, (size_t)digits);
        size_t end = (size_t)n;
        if (chunked) {
            memcpy(piece + n, "\r\n", 2);
            end += 2;
        }
        int error =
            stream_send(exchange->fd, piece - digits, end + (size_t)digits, exchange->timeout_ms);
        if (error != 0 || n == 0)
            return error;
    }
}

static int send_request(struct http_exchange *exchange, bool same_host)
{
    const http_request_t *request = exchange->request;
    char bytes[REQUEST_MAX];
    struct text text = {.bytes = bytes, .size = sizeof(bytes)};

    int error = compose_head(exchange, same_host, &text);
    if (error == 0)
        error = stream_send(exchange->fd, bytes, text.used, exchange->timeout_ms);
    if (error != 0 || !exchange->with_body)
        return error;
    if (request->produce != NULL)
        return send_produced(exchange);
    return stream_send(exchange->fd, request->body, (size_t)request->body_length,
                       exchange->timeout_ms);
}

/* --- receiving --- */

/* read_head: one head, at the front of bytes; what comes behind it is [start, end). */
static int read_head(struct http_exchange *exchange)
{
    memmove(exchange->bytes, exchange->bytes + exchange->start, exchange->end - exchange->start);
    exchange->end -= exchange->start;
    exchange->start = 0;
    for (;;) {
        size_t length = http_head_length(exchange->bytes, exchange->end);
        if (length > HTTP_HEAD_MAX || (length == 0 && exchange->end >= HTTP_HEAD_MAX))
            return -E2BIG;
        if (length > 0) {
            exchange->head_length = exchange->start = length;
            return http_head_response(exchange->bytes, length, &exchange->head);
        }
        ssize_t n = stream_receive(exchange->fd, exchange->bytes + exchange->end,
                                   HTTP_HEAD_MAX - exchange->end, exchange->timeout_ms);
        if (n <= 0)
            return n < 0 ? (int)n : -ECONNRESET;
        exchange->end += (size_t)n;
    }
}

static int read_response(struct http_exchange *exchange)
{
    exchange->start = exchange->end = 0;
    for (unsigned i = 0; i < INTERIM_MAX; i++) {
        int error = read_head(exchange);
        if (error != 0)
            return error;
        if (exchange->head.major != 1)
            return -EPROTO;
        if (exchange->head.status >= 200 || exchange->head.status == 101) {
            error = http_body_of_response(&exchange->body, &exchange->head, exchange->method);
            exchange->length = exchange->body.framing == HTTP_LENGTH ? (int64_t)exchange->body.left
                               : exchange->body.framing == HTTP_NO_BODY ? 0
                                                                        : -1;
            return error;
        }
    }
    return -EPROTO;
}

ssize_t http_read(struct http_exchange *exchange, void *buffer, size_t size)
{
    const char *piece;
    size_t piece_size;

    for (;;) {
        size_t have = exchange->end - exchange->start;
        if (http_body_ended(&exchange->body) || size == 0)
            return 0;
        int64_t used = http_body_feed(&exchange->body, exchange->bytes + exchange->start,
                                      have < size ? have : size, &piece, &piece_size);
        if (used < 0)
            return (ssize_t)used;
        exchange->start += (size_t)used;
        if (piece_size > 0) {
            memcpy(buffer, piece, piece_size);
            return (ssize_t)piece_size;
        }
        if (used > 0)
            continue;
        ssize_t n =
            stream_receive(exchange->fd, exchange->bytes + exchange->head_length,
                           sizeof(exchange->bytes) - exchange->head_length, exchange->timeout_ms);
        if (n < 0)
            return n;
        if (n == 0)
            return http_body_closed(&exchange->body);
        exchange->start = exchange->head_length;
        exchange->end = exchange->start + (size_t)n;
    }
}

/* --- redirections (RFC 9110 15.4) --- */

static bool is_redirection(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* change_method: what a redirection makes of the request; false if it cannot be sent again. */
static bool change_method(struct http_exchange *exchange)
{
    int status = exchange->head.status;
    bool post = strcmp(exchange->method, "POST") == 0;

    if ((status == 303 && strcmp(exchange->method, "HEAD") != 0) ||
        ((status == 301 || status == 302) && post)) {
        exchange->method = "GET";
        exchange->with_body = false;
    }
    return !exchange->with_body || exchange->request->produce == NULL;
}

/* attempt: one connection, one request, one head. */
static int attempt(struct http_exchange *exchange, bool same_host)
{
    if (exchange->url.secure)
        return -EPROTONOSUPPORT;
    exchange->fd = stream_connect(&exchange->url, exchange->timeout_ms);
    if (exchange->fd < 0)
        return exchange->fd;
    int error = send_request(exchange, same_host);
    /* A server that refuses a body may answer and close before it has read it all. */
    if (error == -EPIPE || error == -ECONNRESET)
        error = 0;
    return error != 0 ? error : read_response(exchange);
}

static void hang_up(struct http_exchange *exchange)
{
    if (exchange->fd >= 0)
        close(exchange->fd);
    exchange->fd = -1;
}

static int follow(struct http_exchange *exchange)
{
    int left = exchange->request->redirects == 0 ? REDIRECTS : exchange->request->redirects;
    struct http_url first = exchange->url;
    bool same_host = true;

    for (;;) {
        int error = attempt(exchange, same_host);
        const char *location = error == 0 ? http_field(&exchange->head, "Location") : NULL;
        if (error != 0 || !is_redirection(exchange->head.status) || location == NULL || left < 0)
            return error;
        if (left-- == 0)
            return -ELOOP;
        if (!change_method(exchange))
            return 0;
        error = http_url_follow(&exchange->url, location);
        hang_up(exchange);
        if (error != 0)
            return error;
        same_host = strcasecmp(first.host, exchange->url.host) == 0 &&
                    first.port == exchange->url.port && first.secure == exchange->url.secure;
    }
}

/* --- from outside --- */

static bool may_be_sent(const http_request_t *request)
{
    if (request->method != NULL && !http_is_token(request->method))
        return false;
    for (unsigned i = 0; i < request->field_count; i++)
        if (!http_is_token(request->fields[i].name) || !http_is_value(request->fields[i].value))
            return false;
    return true;
}

int http_open(const http_request_t *request, struct http_exchange **opened)
{
    bool with_body = request->body != NULL || request->produce != NULL;
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return -ENOMEM;

    exchange->fd = -1;
    exchange->request = request;
    exchange->method = request->method ? request->method : with_body ? "POST" : "GET";
    exchange->with_body = with_body;
    exchange->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
    int error = may_be_sent(request) ? http_url_parse(request->url, &exchange->url) : -EINVAL;
    if (error == 0)
        error = follow(exchange);
    if (error != 0) {
        http_close(exchange);
        exchange = NULL;
    }
    *opened = exchange;
    return error;
}

void http_close(struct http_exchange *exchange)
{
    if (exchange == NULL)
        return;
    hang_up(exchange);
    free(exchange);
}

const struct http_head *http_head_of(const struct http_exchange *exchange)
{
    return &exchange->head;
}

const struct http_url *http_url_of(const struct http_exchange *exchange) { return &exchange->url; }

int64_t http_length_of(const struct http_exchange *exchange) { return exchange->length; }
