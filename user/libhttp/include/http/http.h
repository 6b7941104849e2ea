/* HTTP/1.1 client (RFC 9110, RFC 9112) on sockets.
 *
 * http_open sends a request and reads the head of the response, following redirections;
 * http_read then hands out the body as it arrives, so it may be of any size. http_get and
 * http_request keep the whole body in memory, for programs to which it is small.
 *
 * Errors are negative errno, explained by http_strerror:
 *   -EINVAL           not a URL, or a method or field that must not be sent
 *   -EPROTONOSUPPORT  a scheme other than http
 *   -ENOENT, -EAGAIN  no host of this name; it cannot be looked up now
 *   -ECONNREFUSED, -EHOSTUNREACH, ...  as connect(2)
 *   -ETIMEDOUT        nothing has moved for the timeout
 *   -ECONNRESET       closed in the middle of the response
 *   -EPROTO, -E2BIG   the response is malformed; its head is too large
 *   -ELOOP            too many redirections
 *   -EFBIG            the body is larger than body_max */
#pragma once

#include "body.h"
#include "head.h"
#include "url.h"
#include <sys/types.h>

#define HTTP_UNKNOWN UINT64_MAX

typedef struct http_request {
    const char *method; /* NULL = "GET", or "POST" with a body */
    const char *url;
    const struct http_field *fields; /* beside Host, Connection and those of the body's framing */
    unsigned field_count;

    /* The body: body_length bytes at body, or what produce gives (at most size bytes, 0 = the end,
     * -errno = give up), in chunks if body_length is HTTP_UNKNOWN. A body from produce is sent only
     * once: a redirection that wants it again is not followed. */
    const void *body;
    uint64_t body_length;
    ssize_t (*produce)(void *context, void *buffer, size_t size);
    void *context;

    int redirects;   /* followed at most; 0 = 10, negative = none */
    int timeout_ms;  /* 0 = 30 s */
    size_t body_max; /* http_request only; 0 = 16 MiB */
} http_request_t;

struct http_exchange;

/* http_open: 0 with an exchange, whatever the status in its head is. http_close also ends one in
 * the middle of its body; NULL is allowed. */
int http_open(const http_request_t *request, struct http_exchange **exchange);
void http_close(struct http_exchange *exchange);

const struct http_head *http_head_of(const struct http_exchange *exchange);
const struct http_url *http_url_of(const struct http_exchange *exchange); /* after redirections */
int64_t http_length_of(const struct http_exchange *exchange); /* of the body; -1 = not known */

/* http_read: up to size bytes of the body, 0 at its end, or -errno. */
ssize_t http_read(struct http_exchange *exchange, void *buffer, size_t size);

/* --- everything at once --- */

#define HTTP_HEADERS_MAX 32

typedef struct http_header {
    char name[64];
    char value[512];
} http_header_t;

typedef struct http_response {
    int status_code;
    char status_text[64];
    http_header_t headers[HTTP_HEADERS_MAX]; /* what is too much, or too long, is left out or cut */
    int header_count;
    char *body; /* with a zero behind it; NULL if there is none */
    size_t body_len;
    size_t content_length; /* as the header said, or 0 */
    char content_type[128];
    int chunked;
} http_response_t;

/* http_get, http_request: 0 with a response, whatever its status; else -errno, and nothing need be
 * freed. http_response_free: may be repeated. */
int http_get(const char *url, http_response_t *response);
int http_request(const http_request_t *request, http_response_t *response);
void http_response_free(http_response_t *response);
const char *http_response_header(const http_response_t *response, const char *name);

const char *http_strerror(int error);
