/* The body of an HTTP message: its framing, and the chunked coding as a state machine. */
#include "http/body.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define SIZE_DIGITS  15u /* of a chunk's size: no overflow */
#define OVERHEAD_MAX 16384u

int http_body_of_response(struct http_body *body, const struct http_head *head, const char *method)
{
    int64_t length = http_content_length(head);
    const char *coding = http_field(head, "Transfer-Encoding");

    *body = (struct http_body){.framing = HTTP_NO_BODY};
    if (strcmp(method, "HEAD") == 0 || head->status < 200 || head->status == 204 ||
        head->status == 304)
        return 0;
    if (coding != NULL) {
        /* With a length beside it somebody on the way may have been deceived (RFC 9112 6.1). */
        if (strcasecmp(coding, "chunked") != 0 || length != -ENODATA)
            return -EPROTO;
        body->framing = HTTP_CHUNKED;
        return 0;
    }
    if (length == -EPROTO)
        return -EPROTO;
    body->framing = length < 0 ? HTTP_TO_END : HTTP_LENGTH;
    body->left = length < 0 ? 0 : (uint64_t)length;
    return 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int chunk_size(struct http_body *body, char c)
{
    int digit = hex(c);
    if (digit >= 0) {
        if (++body->digits > SIZE_DIGITS)
            return -EPROTO;
        body->left = body->left << 4 | (unsigned)digit;
        return 0;
    }
    if (body->digits == 0 || (c != ';' && c != ' ' && c != '\t' && c != '\r'))
        return -EPROTO;
    body->state = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
    return 0;
}

static int expect_lf(struct http_body *body, char c, enum http_chunk_state next)
{
    body->state = next;
    return c == '\n' ? 0 : -EPROTO;
}

/* chunk_byte: one byte of what is around the data (RFC 9112 7.1). */
static int chunk_byte(struct http_body *body, char c)
{
    switch (body->state) {
    case CHUNK_SIZE:
        return chunk_size(body, c);
    case CHUNK_EXTENSION:
        if (c == '\n' || ++body->overhead > OVERHEAD_MAX)
            return -EPROTO;
        if (c == '\r')
            body->state = CHUNK_SIZE_LF;
        return 0;
    case CHUNK_SIZE_LF:
        body->line_empty = true;
        return expect_lf(body, c, body->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
    case CHUNK_DATA_CR:
        body->state = CHUNK_DATA_LF;
        return c == '\r' ? 0 : -EPROTO;
    case CHUNK_DATA_LF:
        body->digits = 0;
        return expect_lf(body, c, CHUNK_SIZE);
    case CHUNK_TRAILER: /* fields that nobody here has asked for */
        if (c == '\n' || ++body->overhead > OVERHEAD_MAX)
            return -EPROTO;
        if (c == '\r')
            body->state = CHUNK_TRAILER_LF;
        else
            body->line_empty = false;
        return 0;
    case CHUNK_TRAILER_LF: {
        bool last = body->line_empty;
        body->line_empty = true;
        return expect_lf(body, c, last ? CHUNK_END : CHUNK_TRAILER);
    }
    case CHUNK_DATA:
    case CHUNK_END:
        break;
    }
    return -EPROTO;
}

int64_t http_body_feed(struct http_body *body, const char *data, size_t length, const char **piece,
                       size_t *size)
{
    size_t used = 0;

    *size = 0;
    if (body->framing == HTTP_CHUNKED)
        while (used < length && body->state != CHUNK_DATA && body->state != CHUNK_END) {
            int error = chunk_byte(body, data[used++]);
            if (error != 0)
                return error;
        }
    *piece = data + used;
    if (http_body_ended(body) || (body->framing == HTTP_CHUNKED && body->state != CHUNK_DATA))
        return (int64_t)used;
    *size = length - used;
    if (body->framing == HTTP_TO_END)
        return (int64_t)length;
    if (*size > body->left)
        *size = (size_t)body->left;
    body->left -= *size;
    if (body->framing == HTTP_CHUNKED && body->left == 0)
        body->state = CHUNK_DATA_CR;
    return (int64_t)(used + *size);
}

bool http_body_ended(const struct http_body *body)
{
    switch (body->framing) {
    case HTTP_LENGTH:
        return body->left == 0;
    case HTTP_CHUNKED:
        return body->state == CHUNK_END;
    case HTTP_TO_END:
        return false;
    default:
        return true;
    }
}

int http_body_closed(struct http_body *body)
{
    if (body->framing == HTTP_TO_END)
        body->framing = HTTP_NO_BODY;
    return http_body_ended(body) ? 0 : -ECONNRESET;
}
