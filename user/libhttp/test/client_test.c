/* The client against servers played by a thread, on the loopback. */
#include "check.h"

#include "http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the server answers to its connections, one after the other; NULL ends the list. Before each
 * answer it reads a request until the marker has come. */
struct play {
    const char *answers[16];
    const char *marker; /* NULL: the empty line */
    size_t step;        /* bytes in a piece; 0 = all at once */
    bool stays_open;    /* until the client closes */
};

static char requests[65536]; /* all that have come, joined */
static int listener;
static uint16_t port;
static pthread_t thread;
static const struct play *play;

static void read_request(int fd, size_t *used)
{
    const char *marker = play->marker ? play->marker : "\r\n\r\n";
    size_t start = *used;
    while (strstr(requests + start, marker) == NULL) {
        ssize_t n = recv(fd, requests + *used, sizeof(requests) - 1 - *used, 0);
        if (n <= 0)
            return;
        *used += (size_t)n;
        requests[*used] = '\0';
    }
}

static void *serve(void *unused)
{
    size_t used = 0;
    for (unsigned i = 0; play->answers[i] != NULL; i++) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        read_request(fd, &used);
        const char *answer = play->answers[i];
        size_t length = strlen(answer), step = play->step ? play->step : length;
        for (size_t at = 0; at < length; at += step)
            (void)!send(fd, answer + at, length - at < step ? length - at : step, MSG_NOSIGNAL);
        char rest;
        if (play->stays_open)
            (void)!recv(fd, &rest, 1, 0);
        close(fd);
    }
    return unused;
}

static void begin(const struct play *wanted)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);

    play = wanted;
    memset(requests, 0, sizeof(requests));
    listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 16) == 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    port = ntohs(address.sin_port);
    pthread_create(&thread, NULL, serve, NULL);
}

static void end(void)
{
    shutdown(listener, SHUT_RDWR); /* whoever still waits in accept */
    pthread_join(thread, NULL);
    close(listener);
}

static const char *url(const char *path)
{
    static char text[HTTP_URL_MAX];
    snprintf(text, sizeof(text), "http://127.0.0.1:%u%s", port, path);
    return text;
}

/* get: the status, or -errno; the body in `response`. */
static http_response_t response;
static int get(const struct play *wanted, const char *path)
{
    begin(wanted);
    int error = http_get(url(path), &response);
    end();
    return error != 0 ? error : response.status_code;
}

static void a_page(void)
{
    for (size_t step = 0; step < 4; step++) {
        struct play p = {.answers = {"HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\n"
                                     "Content-Length: 6\r\n\r\nhello\n"},
                         .step = step,
                         .stays_open = true};
        CHECK(get(&p, "/a?b#c") == 200);
        CHECK(response.body_len == 6 && strcmp(response.body, "hello\n") == 0);
        CHECK(strcmp(response.status_text, "Fine") == 0 && response.header_count == 2);
        CHECK(strcmp(response.content_type, "text/plain") == 0 && !response.chunked);
        CHECK(response.content_length == 6);
        CHECK(strcmp(http_response_header(&response, "content-length"), "6") == 0);
        http_response_free(&response);
        http_response_free(&response);
        char expected[200];
        snprintf(expected, sizeof(expected), "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", port);
        CHECK(strncmp(requests, expected, strlen(expected)) == 0);
    }
}

static void chunks_in_pieces(void)
{
    for (size_t step = 0; step < 9; step++) {
        struct play p = {.answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     "5\r\nhello\r\n7;x\r\n, world\r\n0\r\nT: t\r\n\r\n"},
                         .step = step,
                         .stays_open = true};
        CHECK(get(&p, "/") == 200 && strcmp(response.body, "hello, world") == 0);
        CHECK(response.chunked && response.content_length == 0);
        http_response_free(&response);
    }
}

static void until_the_end(void)
{
    struct play p = {.answers = {"HTTP/1.0 200 OK\r\n\r\nall"}};
    CHECK(get(&p, "/") == 200 && strcmp(response.body, "all") == 0);
    http_response_free(&response);
}

static void interim_responses_are_skipped(void)
{
    struct play p = {.answers = {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
                                 "HTTP/1.1 204 None\r\n\r\n"},
                     .step = 3,
                     .stays_open = true};
    CHECK(get(&p, "/") == 204 && response.body_len == 0);
    http_response_free(&response);
}

static void broken_answers(void)
{
    static const struct {
        const char *answer;
        int error;
    } cases[] = {
        {"", -ECONNRESET},
        {"HTTP/1.1 200 OK\r\n", -ECONNRESET},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", -ECONNRESET},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", -ECONNRESET},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", -EPROTO},
        {"HTTP/2.0 200 OK\r\n\r\n", -EPROTO},
        {"SSH-2.0-x\r\n\r\n", -EPROTO},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", -EPROTO},
        {"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
         "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
         "HTTP/1.1 200 OK\r\n\r\n",
         -EPROTO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct play p = {.answers = {cases[i].answer}};
        CHECK(get(&p, "/") == cases[i].error && response.body == NULL);
    }
}

static void a_head_without_end(void)
{
    static char head[HTTP_HEAD_MAX + 1000] = "HTTP/1.1 200 OK\r\nA: ";
    memset(head + strlen(head), 'x', sizeof(head) - 1 - strlen(head));
    struct play p = {.answers = {head}, .stays_open = true};
    CHECK(get(&p, "/") == -E2BIG);
}

static void nobody_answers_in_time(void)
{
    struct play p = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na"},
                     .stays_open = true};
    begin(&p);
    http_request_t request = {.url = url("/"), .timeout_ms = 50};
    CHECK(http_request(&request, &response) == -ETIMEDOUT);
    end();
}

static void nobody_listens(void)
{
    struct play p = {.answers = {NULL}};
    begin(&p);
    end();
    CHECK(http_get(url("/"), &response) == -ECONNREFUSED);
}

static void what_is_never_sent(void)
{
    static const struct http_field bad[] = {{"A b", "c"}, {"A", "b\r\nC: d"}, {"", "x"}};
    http_request_t request = {.url = "http://127.0.0.1:1/", .field_count = 1};
    for (unsigned i = 0; i < 3; i++) {
        request.fields = &bad[i];
        CHECK(http_request(&request, &response) == -EINVAL);
    }
    request.field_count = 0;
    request.method = "GET / HTTP/1.1\r\nX:";
    CHECK(http_request(&request, &response) == -EINVAL);
    CHECK(http_get("http://127.0.0.1/\r\n", &response) == -EINVAL);
    CHECK(http_get("https://127.0.0.1/", &response) == -EPROTONOSUPPORT);
    CHECK(http_get("http://no.such.name.invalid/", &response) != 0);
}

static void methods_and_fields(void)
{
    static const char *const methods[] = {"HEAD", "PUT", "DELETE", "POST"};
    static const struct http_field fields[] = {{"X-One", "1"}, {"Accept", "text/html"}};
    for (unsigned i = 0; i < 4; i++) {
        struct play p = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
                         .marker = i == 1 || i == 3 ? "data" : NULL,
                         .stays_open = true};
        begin(&p);
        http_request_t request = {
            .url = url("/x"), .method = methods[i], .fields = fields, .field_count = 2};
        if (p.marker) {
            request.body = "data";
            request.body_length = 4;
        }
        CHECK(http_request(&request, &response) == 0 && response.status_code == 200);
        end();
        CHECK(strncmp(requests, methods[i], strlen(methods[i])) == 0);
        CHECK(strstr(requests, "\r\nX-One: 1\r\n") &&
              strstr(requests, "\r\nAccept: text/html\r\n"));
        CHECK(strstr(requests, "*/*") == NULL);
        CHECK((strstr(requests, "\r\nContent-Length: 4\r\n") != NULL) == (p.marker != NULL));
        http_response_free(&response);
    }
}

static void head_has_a_length_and_no_body(void)
{
    struct play p = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"},
                     .stays_open = true};
    begin(&p);
    http_request_t request = {.url = url("/"), .method = "HEAD"};
    CHECK(http_request(&request, &response) == 0 && response.content_length == 1000);
    CHECK(response.body_len == 0);
    end();
    http_response_free(&response);
}

/* produce: numbers, a line at a time. */
static ssize_t produce(void *context, void *buffer, size_t size)
{
    int *left = context;
    if (*left == 0)
        return 0;
    return snprintf(buffer, size, "line %d\n", (*left)--);
}

static void a_body_that_is_produced(void)
{
    struct play p = {.answers = {"HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n"},
                     .marker = "0\r\n\r\n",
                     .stays_open = true};
    int lines = 3;
    begin(&p);
    http_request_t request = {.url = url("/"),
                              .method = "PUT",
                              .body_length = HTTP_UNKNOWN,
                              .produce = produce,
                              .context = &lines};
    CHECK(http_request(&request, &response) == 0 && response.status_code == 201);
    end();
    http_response_free(&response);
    CHECK(strstr(requests, "\r\nTransfer-Encoding: chunked\r\n"));
    CHECK(strstr(requests, "\r\n\r\n7\r\nline 3\n\r\n7\r\nline 2\n\r\n7\r\nline 1\n\r\n0\r\n\r\n"));

    struct play q = {.answers = {"HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n"},
                     .marker = "line 1\n",
                     .stays_open = true};
    lines = 3;
    begin(&q);
    request.url = url("/");
    request.body_length = 21;
    CHECK(http_request(&request, &response) == 0 && strstr(requests, "Content-Length: 21\r\n"));
    end();
    http_response_free(&response);
}

static void a_produced_body_of_another_length(void)
{
    struct play p = {.answers = {"HTTP/1.1 200 OK\r\n\r\n"}, .marker = "never"};
    for (unsigned length = 20; length < 23; length += 2) {
        int lines = 3;
        begin(&p);
        http_request_t request = {
            .url = url("/"), .body_length = length, .produce = produce, .context = &lines};
        CHECK(http_request(&request, &response) == -EINVAL);
        end();
    }
}

static void redirections_are_followed(void)
{
    struct play p = {
        .answers = {"HTTP/1.1 301 M\r\nLocation: /two?x\r\nContent-Length: 4\r\n\r\nbody",
                    "HTTP/1.1 302 M\r\nLocation: three\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}};
    CHECK(get(&p, "/dir/one") == 200 && strcmp(response.body, "ok") == 0);
    http_response_free(&response);
    CHECK(strstr(requests, "GET /dir/one ") && strstr(requests, "GET /two?x "));
    CHECK(strstr(requests, "GET /three "));
}

static void redirections_change_methods(void)
{
    static const struct {
        const char *status, *sent, *then;
        bool body_again;
    } cases[] = {
        {"301", "POST", "GET", false}, {"302", "POST", "GET", false},
        {"303", "POST", "GET", false}, {"307", "POST", "POST", true},
        {"308", "PUT", "PUT", true},   {"301", "PUT", "PUT", true},
        {"303", "PUT", "GET", false},  {"303", "HEAD", "HEAD", false},
    };
    for (unsigned i = 0; i < 8; i++) {
        char first[100], then[20];
        bool body = strcmp(cases[i].sent, "HEAD") != 0;
        snprintf(first, sizeof(first), "HTTP/1.1 %s M\r\nLocation: /b\r\n\r\n", cases[i].status);
        struct play p = {.answers = {first, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
        begin(&p);
        http_request_t request = {.url = url("/a"),
                                  .method = cases[i].sent,
                                  .body = body ? "data" : NULL,
                                  .body_length = body ? 4 : 0};
        CHECK(http_request(&request, &response) == 0 && response.status_code == 200);
        end();
        http_response_free(&response);
        snprintf(then, sizeof(then), "%s /b ", cases[i].then);
        const char *second = strstr(requests, then);
        CHECK(second != NULL);
        CHECK(second && (strstr(second, "Content-Length: 4") != NULL) == cases[i].body_again);
    }
}

static void redirections_have_limits(void)
{
    static const char again[] = "HTTP/1.1 302 M\r\nLocation: /\r\n\r\n";
    struct play p = {.answers = {again, again, again, again, again, again, again, again, again,
                                 again, again, again}};
    CHECK(get(&p, "/") == -ELOOP);
    begin(&p);
    http_request_t request = {.url = url("/"), .redirects = -1};
    CHECK(http_request(&request, &response) == 0 && response.status_code == 302);
    end();
    http_response_free(&response);
    struct play away = {.answers = {"HTTP/1.1 302 M\r\nLocation: https://127.0.0.1/\r\n\r\n"}};
    CHECK(get(&away, "/") == -EPROTONOSUPPORT);
    struct play nowhere = {.answers = {"HTTP/1.1 302 M\r\nLocation: http://\r\n\r\n"}};
    CHECK(get(&nowhere, "/") == -EINVAL);
    struct play missing = {.answers = {"HTTP/1.1 302 M\r\nContent-Length: 0\r\n\r\n"}};
    CHECK(get(&missing, "/") == 302);
    http_response_free(&response);
}

static void credentials_do_not_go_elsewhere(void)
{
    char first[100];
    struct play p = {.answers = {first, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    static const struct http_field fields[] = {{"Authorization", "secret"}, {"X-Other", "kept"}};
    begin(&p);
    snprintf(first, sizeof(first), "HTTP/1.1 302 M\r\nLocation: http://localhost:%u/b\r\n\r\n",
             port);
    http_request_t request = {.url = url("/a"), .fields = fields, .field_count = 2};
    CHECK(http_request(&request, &response) == 0);
    end();
    http_response_free(&response);
    char *second = strstr(requests, "GET /b ");
    CHECK(second && strstr(second, "X-Other: kept") && !strstr(second, "secret"));
    CHECK(strstr(requests, "Authorization: secret"));
}

static void a_body_too_large_for_memory(void)
{
    struct play p = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"}};
    begin(&p);
    http_request_t request = {.url = url("/"), .body_max = 100};
    CHECK(http_request(&request, &response) == -EFBIG);
    end();
    static char body[40000] = "HTTP/1.1 200 OK\r\n\r\n";
    memset(body + strlen(body), 'x', sizeof(body) - 1 - strlen(body));
    struct play q = {.answers = {body}};
    begin(&q);
    request.url = url("/");
    request.body_max = 30000;
    CHECK(http_request(&request, &response) == -EFBIG && response.body == NULL);
    end();
    CHECK(get(&q, "/") == 200 && response.body_len == sizeof(body) - 1 - 19);
    http_response_free(&response);
}

static void a_body_is_read_in_pieces(void)
{
    struct play p = {.answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"}};
    struct http_exchange *exchange;
    char text[20] = "";
    ssize_t n;
    begin(&p);
    http_request_t request = {.url = url("/p")};
    CHECK(http_open(&request, &exchange) == 0);
    CHECK(http_length_of(exchange) == -1 && http_url_of(exchange)->port == port);
    CHECK(http_head_of(exchange)->status == 200);
    while ((n = http_read(exchange, text + strlen(text), 3)) > 0)
        CHECK(n <= 3);
    CHECK(n == 0 && strcmp(text, "helloworld") == 0 && http_read(exchange, text, 3) == 0);
    http_close(exchange);
    http_close(NULL);
    end();
}

int main(void)
{
    a_page();
    chunks_in_pieces();
    until_the_end();
    interim_responses_are_skipped();
    broken_answers();
    a_head_without_end();
    nobody_answers_in_time();
    nobody_listens();
    what_is_never_sent();
    methods_and_fields();
    head_has_a_length_and_no_body();
    a_body_that_is_produced();
    a_produced_body_of_another_length();
    redirections_are_followed();
    redirections_change_methods();
    redirections_have_limits();
    credentials_do_not_go_elsewhere();
    a_body_too_large_for_memory();
    a_body_is_read_in_pieces();
    return report();
}
