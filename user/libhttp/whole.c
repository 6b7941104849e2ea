/* Responses that are kept in memory as a whole, and words for errors. */
#include "http/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_MAX  (16u << 20)
#define BODY_STEP 16384u

static void copy_head(const struct http_head *head, http_response_t *response)
{
    int64_t length = http_content_length(head);
    const char *type = http_field(head, "Content-Type");

    response->status_code = head->status;
    snprintf(response->status_text, sizeof(response->status_text), "%s", head->text);
    snprintf(response->content_type, sizeof(response->content_type), "%s", type ? type : "");
    response->content_length = length > 0 ? (size_t)length : 0;
    response->chunked = http_has_token(head, "Transfer-Encoding", "chunked");
    for (unsigned i = 0; i < head->count && i < HTTP_HEADERS_MAX; i++) {
        http_header_t *header = &response->headers[response->header_count++];
        snprintf(header->name, sizeof(header->name), "%s", head->fields[i].name);
        snprintf(header->value, sizeof(header->value), "%s", head->fields[i].value);
    }
}

/* read_body: into memory that doubles, with room for a zero at the end. */
static int read_body(struct http_exchange *exchange, size_t max, http_response_t *response)
{
    size_t capacity = 0;
    for (;;) {
        if (response->body_len + 1 >= capacity) {
            capacity = capacity ? capacity * 2 : BODY_STEP;
            char *larger = realloc(response->body, capacity);
            if (larger == NULL)
                return -ENOMEM;
            response->body = larger;
        }
        ssize_t n = http_read(exchange, response->body + response->body_len,
                              capacity - response->body_len - 1);
        if (n < 0)
            return (int)n;
        response->body_len += (size_t)n;
        response->body[response->body_len] = '\0';
        if (n == 0)
            return 0;
        if (response->body_len > max)
            return -EFBIG;
    }
}

int http_request(const http_request_t *request, http_response_t *response)
{
    struct http_exchange *exchange;
    size_t max = request->body_max > 0 ? request->body_max : BODY_MAX;

    memset(response, 0, sizeof(*response));
    int error = http_open(request, &exchange);
    if (error != 0)
        return error;
    copy_head(http_head_of(exchange), response);
    error = http_length_of(exchange) > (int64_t)max ? -EFBIG : read_body(exchange, max, response);
    http_close(exchange);
    if (error != 0)
        http_response_free(response);
    return error;
}

int http_get(const char *url, http_response_t *response)
{
    const http_request_t request = {.url = url};
    return http_request(&request, response);
}

void http_response_free(http_response_t *response)
{
    free(response->body);
    memset(response, 0, sizeof(*response));
}

const char *http_response_header(const http_response_t *response, const char *name)
{
    for (int i = 0; i < response->header_count; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return NULL;
}

const char *http_strerror(int error)
{
    switch (error) {
    case -EINVAL:
        return "not a URL, or not a field that can be sent";
    case -EPROTONOSUPPORT:
        return "only http is spoken here";
    case -ENOENT:
        return "no such host";
    case -EAGAIN:
        return "the host's name cannot be looked up now";
    case -EPROTO:
        return "the server's answer is malformed";
    case -E2BIG:
        return "the head of a message is too large";
    case -ELOOP:
        return "too many redirections";
    case -EFBIG:
        return "the body is too large";
    case -ECONNRESET:
        return "the server closed the connection in the middle";
    default:
        return strerror(-error);
    }
}
