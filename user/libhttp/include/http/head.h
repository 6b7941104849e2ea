/* The head of an HTTP message (RFC 9112 2 to 5): its first line and its fields. A pure parser, for
 * clients and servers alike.
 *
 * The bytes are collected by the caller until http_head_length finds the empty line; then
 * http_head_parse takes them apart where they are. What is ambiguous is refused, because others on
 * the way may read it differently: a bare CR or NUL, a blank before the colon, a folded line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX   16384 /* bytes, of a head that we are willing to take */
#define HTTP_FIELDS_MAX 64

struct http_field {
    const char *name, *value; /* the value without blanks around it */
};

struct http_head {
    int major, minor; /* version */
    /* A response's: status 100..599, text may be "". */
    int status;
    const char *text;
    /* A request's. */
    const char *method, *target;
    unsigned count;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/* http_head_length: bytes of the head with its empty line, or 0 if that is not there yet. */
size_t http_head_length(const char *data, size_t length);

/* http_head_response, http_head_request: parse data[0 .. length), which http_head_length has
 * measured; the bytes are changed, and must stay as long as the head is used. 0, -EPROTO:
 * malformed, -E2BIG: too many fields. */
int http_head_response(char *data, size_t length, struct http_head *head);
int http_head_request(char *data, size_t length, struct http_head *head);

/* http_field: the value of the first field of this name, or NULL. http_has_token: a list field
 * (such as Connection), in any of its lines, has this member. Case does not matter. */
const char *http_field(const struct http_head *head, const char *name);
bool http_has_token(const struct http_head *head, const char *name, const char *token);

/* http_content_length: what Content-Length says; -ENODATA: there is none; -EPROTO: it is no number,
 * or said twice and not the same (RFC 9112 6.3). */
int64_t http_content_length(const struct http_head *head);

/* http_is_token, http_is_value: may this be sent as a method or field name, as a field value? */
bool http_is_token(const char *text);
bool http_is_value(const char *text);
