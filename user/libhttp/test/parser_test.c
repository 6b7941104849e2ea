/* The pure parts of libhttp: heads, bodies and URLs, as they should be and as they should not. */
#include "check.h"

#include "http/body.h"
#include "http/head.h"
#include "http/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* parse: a copy of exactly the text's size, so that a read behind it is seen. */
static char *copy;
static int parse(const char *text, size_t length, bool response, struct http_head *head)
{
    free(copy);
    copy = malloc(length);
    memcpy(copy, text, length);
    if (http_head_length(copy, length) != length)
        return 1;
    return response ? http_head_response(copy, length, head)
                    : http_head_request(copy, length, head);
}

static void heads_are_measured(void)
{
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        {"", 0},
        {"HTTP/1.1 200 OK", 0},
        {"HTTP/1.1 200 OK\r\n", 0},
        {"HTTP/1.1 200 OK\r\n\r", 0},
        {"HTTP/1.1 200 OK\r\n\r\n", 19},
        {"HTTP/1.1 200 OK\n\nbody", 17},
        {"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n\r\n", 25},
        {"A\r\n \r\n\r\n", 8},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK(http_head_length(cases[i].text, strlen(cases[i].text)) == cases[i].length);
}

static void a_response(void)
{
    static const char text[] = "HTTP/1.1 404 Not  Found\r\nContent-Type:text/html\r\n"
                               "x-empty:\r\nX-Blank: \t a  b\t \r\nCONTENT-length: 12\r\n\r\n";
    struct http_head head;
    CHECK(parse(text, sizeof(text) - 1, true, &head) == 0);
    CHECK(head.major == 1 && head.minor == 1 && head.status == 404 && head.count == 4);
    CHECK(strcmp(head.text, "Not  Found") == 0);
    CHECK(strcmp(http_field(&head, "content-TYPE"), "text/html") == 0);
    CHECK(strcmp(http_field(&head, "X-Empty"), "") == 0);
    CHECK(strcmp(http_field(&head, "X-Blank"), "a  b") == 0);
    CHECK(http_field(&head, "X-Blan") == NULL && http_content_length(&head) == 12);
}

static void a_request(void)
{
    static const char text[] = "GET /a?b HTTP/1.0\nHost: h\nConnection: Keep-Alive ,x\n"
                               "connection: Upgrade\n\n";
    struct http_head head;
    CHECK(parse(text, sizeof(text) - 1, false, &head) == 0);
    CHECK(strcmp(head.method, "GET") == 0 && strcmp(head.target, "/a?b") == 0);
    CHECK(head.major == 1 && head.minor == 0);
    CHECK(http_has_token(&head, "Connection", "keep-alive"));
    CHECK(http_has_token(&head, "Connection", "upgrade"));
    CHECK(!http_has_token(&head, "Connection", "upgrade-insecure"));
    CHECK(!http_has_token(&head, "Connection", "keep") && !http_has_token(&head, "Host", "x"));
    CHECK(http_content_length(&head) == -ENODATA);
}

static void malformed_responses(void)
{
    static const char *const bad[] = {
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/11 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "\r\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA\r\n\r\n",               /* no colon */
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",           /* blank before it */
        "HTTP/1.1 200 OK\r\n: b\r\n\r\n",             /* no name */
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", /* folded */
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",         /* bare CR */
        "HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n",        /* control character */
        "HTTP/1.1 200 OK\r\nA(b): c\r\n\r\n",         /* no token */
        "HTTP/1.1 200 O\x7fK\r\n\r\n",
    };
    struct http_head head;
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(parse(bad[i], strlen(bad[i]), true, &head) == -EPROTO);
    CHECK(parse("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 27, true, &head) == -EPROTO);
}

static void malformed_requests(void)
{
    static const char *const bad[] = {
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "G(T / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n",
        " GET / HTTP/1.1\r\n\r\n",
        "GET /\ta HTTP/1.1\r\n\r\n",
    };
    struct http_head head;
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(parse(bad[i], strlen(bad[i]), false, &head) == -EPROTO);
}

static void too_many_fields(void)
{
    char text[1024] = "HTTP/1.1 200 OK\r\n";
    struct http_head head;
    for (int i = 0; i < HTTP_FIELDS_MAX; i++)
        strcat(text, "A: b\r\n");
    size_t length = strlen(text);
    strcpy(text + length, "\r\n");
    CHECK(parse(text, length + 2, true, &head) == 0 && head.count == HTTP_FIELDS_MAX);
    strcpy(text + length, "A: b\r\n\r\n");
    CHECK(parse(text, length + 8, true, &head) == -E2BIG);
}

static void content_lengths(void)
{
    static const struct {
        const char *fields;
        int64_t length;
    } cases[] = {
        {"", -ENODATA},
        {"Content-Length: 0\n", 0},
        {"Content-Length: 9223372036854775807\n", INT64_MAX},
        {"Content-Length: 9223372036854775808\n", -EPROTO},
        {"Content-Length: 92233720368547758070\n", -EPROTO},
        {"Content-Length: -1\n", -EPROTO},
        {"Content-Length: +1\n", -EPROTO},
        {"Content-Length:\n", -EPROTO},
        {"Content-Length: 1 2\n", -EPROTO},
        {"Content-Length: 0x10\n", -EPROTO},
        {"Content-Length: 5\nContent-Length: 5\n", 5},
        {"Content-Length: 5\nContent-Length: 6\n", -EPROTO},
        {"Content-Length: 5, 5\n", -EPROTO},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[200];
        struct http_head head;
        int length = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\n%s\n", cases[i].fields);
        CHECK(parse(text, (size_t)length, true, &head) == 0);
        CHECK(http_content_length(&head) == cases[i].length);
    }
}

/* --- bodies --- */

/* decode: the body of a response with these fields, fed in pieces of `step`; the text that comes
 * out, or "!" and why. */
static const char *decode(const char *start, const char *method, const char *data, size_t step)
{
    static char out[4096];
    char text[400];
    struct http_head head;
    struct http_body body;
    size_t used = 0, got = 0, length = strlen(data);

    int head_length = snprintf(text, sizeof(text), "HTTP/1.1 %s\n\n", start);
    CHECK(parse(text, (size_t)head_length, true, &head) == 0);
    if (http_body_of_response(&body, &head, method) != 0)
        return "!framing";
    while (used < length) {
        const char *piece;
        size_t size, offered = length - used < step ? length - used : step;
        int64_t n = http_body_feed(&body, data + used, offered, &piece, &size);
        if (n < 0)
            return "!malformed";
        if (n == 0)
            break;
        CHECK((size_t)n <= offered);
        memcpy(out + got, piece, size);
        got += size;
        used += (size_t)n;
    }
    out[got] = '\0';
    if (http_body_closed(&body) != 0)
        return "!short";
    if (used < length)
        strcat(out, "|"); /* something is left */
    return out;
}

static void bodies(void)
{
    static const struct {
        const char *start, *method, *data, *expected;
    } cases[] = {
        {"200 OK\nContent-Length: 5", "GET", "hello", "hello"},
        {"200 OK\nContent-Length: 5", "GET", "hello!", "hello|"},
        {"200 OK\nContent-Length: 6", "GET", "hello", "!short"},
        {"200 OK\nContent-Length: 0", "GET", "", ""},
        {"200 OK\nContent-Length: 5", "HEAD", "", ""},
        {"200 OK", "GET", "all of it", "all of it"},
        {"204 No Content", "GET", "", ""},
        {"304 Not Modified\nContent-Length: 9", "GET", "", ""},
        {"200 OK\nContent-Length: x", "GET", "", "!framing"},
        {"200 OK\nTransfer-Encoding: gzip", "GET", "", "!framing"},
        {"200 OK\nTransfer-Encoding: gzip, chunked", "GET", "", "!framing"},
        {"200 OK\nTransfer-Encoding: chunked\nContent-Length: 3", "GET", "", "!framing"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 1; step < 12; step++)
            CHECK(strcmp(decode(cases[i].start, cases[i].method, cases[i].data, step),
                         cases[i].expected) == 0);
}

static void chunks(void)
{
    static const struct {
        const char *data, *expected;
    } cases[] = {
        {"5\r\nhello\r\n0\r\n\r\n", "hello"},
        {"1\r\na\r\n00b\r\nhello world\r\n0\r\n\r\nnext", "ahello world|"},
        {"A\r\n0123456789\r\n0;last\r\n\r\n", "0123456789"},
        {"2;name=\"v\" ; x\r\nab\r\n0\r\n\r\n", "ab"},
        {"2 \r\nab\r\n0\r\nTrailer: x\r\nMore: y\r\n\r\n", "ab"},
        {"0\r\n\r\n", ""},
        {"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n1\r\ne\r\n1\r\nf\r\n1\r\ng\r\n1\r\nh\r\n"
         "1\r\ni\r\n1\r\nj\r\n1\r\nk\r\n1\r\nl\r\n1\r\nm\r\n1\r\nn\r\n1\r\no\r\n1\r\np\r\n"
         "0\r\n\r\n",
         "abcdefghijklmnop"},
        {"0\r\n", "!short"},
        {"0\r\n\r", "!short"},
        {"5\r\nhell", "!short"},
        {"5\r\nhello", "!short"},
        {"", "!short"},
        {"5\r\nhello0\r\n\r\n", "!malformed"}, /* no line end behind the data */
        {"5\nhello\r\n0\r\n\r\n", "!malformed"},
        {"\r\n5\r\nhello\r\n0\r\n\r\n", "!malformed"},
        {"-5\r\nhello\r\n0\r\n\r\n", "!malformed"},
        {"0x5\r\nhello\r\n0\r\n\r\n", "!malformed"},
        {"g\r\n", "!malformed"},
        {";x\r\n", "!malformed"},
        {"fffffffffffffff1\r\n", "!malformed"}, /* 64 bits */
        {"0000000000000005\r\nhello\r\n", "!malformed"},
        {"5\r\nhello\r\r0\r\n\r\n", "!malformed"},
        {"2;a\nb\r\nab\r\n0\r\n\r\n", "!malformed"},
        {"0\r\nX: a\nb\r\n\r\n", "!malformed"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 1; step < 40; step++)
            CHECK(strcmp(decode("200 OK\nTransfer-Encoding: Chunked", "GET", cases[i].data, step),
                         cases[i].expected) == 0);
}

static void endless_extensions_and_trailers(void)
{
    static const char *const starts[] = {"5;", "0\r\nA: "};
    for (size_t i = 0; i < COUNT(starts); i++) {
        struct http_body body = {.framing = HTTP_CHUNKED};
        const char *piece;
        size_t size;
        int64_t n = http_body_feed(&body, starts[i], strlen(starts[i]), &piece, &size);
        unsigned fed = 0;
        while (n > 0 && fed++ < 100000)
            n = http_body_feed(&body, "x", 1, &piece, &size);
        CHECK(n == -EPROTO && fed > 16000 && fed < 17000);
    }
}

/* --- URLs --- */

static void urls(void)
{
    static const struct {
        const char *text, *host;
        unsigned port;
        const char *target, *authority;
    } cases[] = {
        {"http://example.org", "example.org", 80, "/", "example.org"},
        {"HTTP://example.org/a/b?c#d", "example.org", 80, "/a/b?c", "example.org"},
        {"http://example.org:8080?q", "example.org", 8080, "/?q", "example.org:8080"},
        {"http://[2001:db8::1]:81/x", "2001:db8::1", 81, "/x", "[2001:db8::1]:81"},
        {"http://[::1]", "::1", 80, "/", "[::1]"},
        {"https://h/", "h", 443, "/", "h"},
        {"https://h:80/", "h", 80, "/", "h:80"},
        {"localhost:8000/index", "localhost", 8000, "/index", "localhost:8000"},
        {"example.org/a:b", "example.org", 80, "/a:b", "example.org"},
        {"http://h:/x", "h", 80, "/x", "h"},
        {"http://h#f", "h", 80, "/", "h"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_url url;
        char authority[HTTP_HOST_MAX + 10];
        CHECK(http_url_parse(cases[i].text, &url) == 0);
        CHECK(strcmp(url.host, cases[i].host) == 0 && url.port == cases[i].port);
        CHECK(strcmp(url.target, cases[i].target) == 0);
        CHECK(strcmp(http_url_authority(&url, authority), cases[i].authority) == 0);
    }
}

static void no_urls(void)
{
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"", -EINVAL},
        {"http://", -EINVAL},
        {"http:///x", -EINVAL},
        {"http://:80/", -EINVAL},
        {"http://h:0/", -EINVAL},
        {"http://h:65536/", -EINVAL},
        {"http://h:8x/", -EINVAL},
        {"http://u@h/", -EINVAL},
        {"http://[::1/", -EINVAL},
        {"http://[::1]x/", -EINVAL},
        {"http://h/a b", -EINVAL},
        {"http://h/\r\nX: y", -EINVAL},
        {"http://h/\x7f", -EINVAL},
        {"http://h/\xc3\xa4", -EINVAL},
        {"http://[]/", -EINVAL},
        {"http://a\\b/", -EINVAL},
        {"ftp://h/", -EPROTONOSUPPORT},
        {"file:///x", -EPROTONOSUPPORT},
    };
    static char longest[HTTP_URL_MAX + 100] = "http://h/";
    struct http_url url;
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK(http_url_parse(cases[i].text, &url) == cases[i].error);
    memset(longest + 9, 'a', HTTP_URL_MAX - 1);
    CHECK(http_url_parse(longest, &url) == -ENAMETOOLONG);
    longest[8 + HTTP_URL_MAX - 1] = '\0';
    CHECK(http_url_parse(longest, &url) == 0 && strlen(url.target) == HTTP_URL_MAX - 1);
    memcpy(longest, "http://", 7);
    memset(longest + 7, 'h', HTTP_HOST_MAX);
    CHECK(http_url_parse(longest, &url) == -ENAMETOOLONG);
}

static void redirections(void)
{
    /* from http://a:81/b/c/d?q, after RFC 3986 5.4 */
    static const struct {
        const char *location, *result;
    } cases[] = {
        {"http://other/x", "other/x"},
        {"//other", "other/"},
        {"/x/y?z#f", "a:81/x/y?z"},
        {"g", "a:81/b/c/g"},
        {"./g", "a:81/b/c/g"},
        {"g/", "a:81/b/c/g/"},
        {"?y", "a:81/b/c/d?y"},
        {"g?y", "a:81/b/c/g?y"},
        {"#s", "a:81/b/c/d?q"},
        {"", "a:81/b/c/d?q"},
        {".", "a:81/b/c/"},
        {"./", "a:81/b/c/"},
        {"..", "a:81/b/"},
        {"../g", "a:81/b/g"},
        {"../..", "a:81/"},
        {"../../../g", "a:81/g"},
        {"/./g", "a:81/g"},
        {"/../g", "a:81/g"},
        {"g.", "a:81/b/c/g."},
        {"..g", "a:81/b/c/..g"},
        {"./../g", "a:81/b/g"},
        {"g/./h", "a:81/b/c/g/h"},
        {"g/../h", "a:81/b/c/h"},
        {"g?y/../x", "a:81/b/c/g?y/../x"},
        {"/a:b", "a:81/a:b"},
        {"x/a:b", "a:81/b/c/x/a:b"},
        {"https://s/", "s/"},
    };
    struct http_url url;
    char authority[HTTP_HOST_MAX + 10], text[HTTP_URL_MAX + HTTP_HOST_MAX + 10];
    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK(http_url_parse("http://a:81/b/c/d?q", &url) == 0);
        CHECK(http_url_follow(&url, cases[i].location) == 0);
        snprintf(text, sizeof(text), "%s%s", http_url_authority(&url, authority), url.target);
        if (strcmp(text, cases[i].result) != 0)
            printf("%s: %s\n", cases[i].location, text);
        CHECK(strcmp(text, cases[i].result) == 0);
    }
    CHECK(url.secure && url.port == 443);
    CHECK(http_url_parse("http://a/b", &url) == 0);
    CHECK(http_url_follow(&url, "mailto:x") == -EPROTONOSUPPORT);
    CHECK(http_url_follow(&url, "ftp://x/") == -EPROTONOSUPPORT);
    CHECK(http_url_follow(&url, "a b") == -EINVAL && http_url_follow(&url, "//") == -EINVAL);
    static char far[HTTP_URL_MAX + 10];
    memset(far, 'x', sizeof(far) - 1);
    CHECK(http_url_follow(&url, far) == -ENAMETOOLONG);
    CHECK(strcmp(url.target, "/b") == 0 && strcmp(url.host, "a") == 0);
}

static void what_may_be_sent(void)
{
    CHECK(http_is_token("X-Field_1") && !http_is_token("") && !http_is_token("a b"));
    CHECK(!http_is_token("a:") && !http_is_token("a\n") && !http_is_token("\xc3"));
    CHECK(http_is_value("") && http_is_value("a b\t\xc3") && !http_is_value("a\r\nb: c"));
    CHECK(!http_is_value("\x7f"));
}

int main(void)
{
    heads_are_measured();
    a_response();
    a_request();
    malformed_responses();
    malformed_requests();
    too_many_fields();
    content_lengths();
    bodies();
    chunks();
    endless_extensions_and_trailers();
    urls();
    no_urls();
    redirections();
    what_may_be_sent();
    free(copy);
    return report();
}
