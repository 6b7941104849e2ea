/* Fuzz target: a response of any content in pieces of any size; decoding must come to an end, and
 * the same body must come out whatever the pieces were. A URL and a location out of the same bytes.
 */
#include "http/body.h"
#include "http/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* decode: the body's bytes summed up, and how it ended. */
static uint64_t decode(const char *data, size_t length, struct http_body body, size_t step)
{
    uint64_t sum = 0;
    size_t used = 0;
    int64_t n = 1;

    while (used < length && n > 0) {
        const char *piece;
        size_t piece_size, offered = length - used < step ? length - used : step;
        n = http_body_feed(&body, data + used, offered, &piece, &piece_size);
        if (n > (int64_t)offered || (n > 0 && (int64_t)piece_size > n))
            abort();
        for (size_t i = 0; n > 0 && i < piece_size; i++)
            sum = sum * 31 + (uint8_t)piece[i];
        used += n > 0 ? (size_t)n : 0;
    }
    return sum * 4 + (n < 0) * 2u + http_body_ended(&body);
}

static void urls(const char *text, const char *location)
{
    struct http_url url;
    char authority[HTTP_HOST_MAX + 10];
    if (http_url_parse(text, &url) != 0)
        return;
    (void)http_url_follow(&url, location);
    http_url_authority(&url, authority);
    if (url.target[0] != '/' || url.host[0] == '\0' || strpbrk(url.target, " \r\n#") != NULL ||
        strpbrk(url.host, " \r\n/@") != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head head;
    struct http_body body;
    if (size < 1)
        return 0;
    char *copy = malloc(size + 1);
    memcpy(copy, data + 1, size - 1);
    copy[size - 1] = '\0';
    urls(copy, copy + strlen(copy) / 2);

    size_t length = http_head_length(copy, size - 1);
    if (length > 0 && (data[0] & 1)) {
        (void)http_head_request(copy, length, &head);
    } else if (length > 0 && http_head_response(copy, length, &head) == 0 &&
               http_body_of_response(&body, &head, data[0] & 2 ? "HEAD" : "GET") == 0) {
        uint64_t whole = decode(copy + length, size - 1 - length, body, SIZE_MAX);
        if (decode(copy + length, size - 1 - length, body, 1 + (data[0] >> 2)) != whole)
            abort();
    }
    free(copy);
    return 0;
}
