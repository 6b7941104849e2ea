/* The body of an HTTP message (RFC 9112 6, 7): where it ends, and chunks taken apart. A pure
 * decoder: bytes go in as they arrive, and come out as pieces of what was fed, not copied. */
#pragma once

#include "head.h"

enum http_framing {
    HTTP_NO_BODY,
    HTTP_LENGTH,  /* Content-Length bytes */
    HTTP_CHUNKED, /* chunks, of which the last is empty */
    HTTP_TO_END,  /* until the connection is closed */
};

enum http_chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER,
    CHUNK_TRAILER_LF,
    CHUNK_END,
};

struct http_body {
    enum http_framing framing;
    uint64_t left; /* HTTP_LENGTH: of the body; HTTP_CHUNKED: of the chunk */
    enum http_chunk_state state;
    unsigned digits;   /* of the chunk's size */
    unsigned overhead; /* bytes of extensions and trailers, which have a limit */
    bool line_empty;
};

/* http_body_of_response: how a response to a request of this method is framed (RFC 9112 6.3).
 * -EPROTO: it contradicts itself, or has a coding that we did not ask for. */
int http_body_of_response(struct http_body *body, const struct http_head *head, const char *method);

/* http_body_feed: looks at data[0 .. length). Returns how many bytes it has consumed, of which the
 * last *size, if any, are body at *piece; so it is called again until it consumes nothing.
 * -EPROTO: malformed. Nothing is consumed behind the body's end. */
int64_t http_body_feed(struct http_body *body, const char *data, size_t length, const char **piece,
                       size_t *size);

/* http_body_ended: there is no more to come. http_body_closed: the connection was closed here: 0 if
 * that is the body's end, -ECONNRESET if something is missing. */
bool http_body_ended(const struct http_body *body);
int http_body_closed(struct http_body *body);
