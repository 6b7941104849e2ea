/* What a request is answered with: a file, a part of it, a page that lists a folder, or an error.
 */
#include "connection.h"
#include "page.h"
#include "request.h"

#include "../common/socket.h"
#include <sys/stat.h>
#include <time.h>

bool connection_log;

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {414, "URI Too Long"},
        {416, "Range Not Satisfiable"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "";
}

/* An answer while it is being put together. */
struct answer {
    struct connection *connection;
    const struct http_head *request; /* NULL: there is none */
    bool head_only;
    int status;
    const char *type, *location; /* or NULL */
    int64_t modified;            /* -1 = not said */
    uint64_t length;             /* of the body */
    uint64_t whole;              /* of the file; with 206 and 416 */
    uint64_t from;
};

static void log_answer(const struct answer *answer)
{
    struct endpoint peer = {.length = sizeof(peer.storage)};
    char text[ENDPOINT_TEXT_MAX] = "-";
    if (!connection_log)
        return;
    if (getpeername(answer->connection->fd, endpoint_sockaddr(&peer), &peer.length) == 0)
        host_text(endpoint_sockaddr(&peer), peer.length, text);
    output_format("%s \"%s %s\" %d %llu\n", text, answer->request ? answer->request->method : "-",
                  answer->request ? answer->request->target : "-", answer->status,
                  (unsigned long long)answer->length);
    output_flush();
}

/* add: a line to the head. Lines that do not fit are left out, which only long locations can
 * bring about; the last one has its place. */
__attribute__((format(printf, 3, 4))) static void add(struct connection *connection, size_t reserve,
                                                      const char *format, ...)
{
    size_t room = ANSWER_HEAD - connection->out_end - reserve;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(connection->head + connection->out_end, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < room)
        connection->out_end += (size_t)length;
}

static void write_head(const struct answer *answer)
{
    struct connection *connection = answer->connection;
    unsigned long long from = answer->from, whole = answer->whole;
    char date[DATE_SIZE];

    connection->out_start = connection->out_end = 0;
    add(connection, 3, "HTTP/1.1 %d %s\r\n", answer->status, reason(answer->status));
    add(connection, 3, "Date: %s\r\n", date_format((int64_t)time(NULL), date));
    add(connection, 3, "Connection: %s\r\n", connection->keep ? "keep-alive" : "close");
    if (answer->status != 304)
        add(connection, 3, "Content-Length: %llu\r\n", (unsigned long long)answer->length);
    if (answer->type != NULL)
        add(connection, 3, "Content-Type: %s\r\n", answer->type);
    if (answer->modified >= 0)
        add(connection, 3, "Last-Modified: %s\r\nAccept-Ranges: bytes\r\n",
            date_format(answer->modified, date));
    if (answer->status == 206)
        add(connection, 3, "Content-Range: bytes %llu-%llu/%llu\r\n", from,
            from + answer->length - 1, whole);
    if (answer->status == 416)
        add(connection, 3, "Content-Range: bytes */%llu\r\n", whole);
    if (answer->status == 405)
        add(connection, 3, "Allow: GET, HEAD\r\n");
    if (answer->location != NULL)
        add(connection, 3, "Location: %s\r\n", answer->location);
    add(connection, 0, "\r\n");
    log_answer(answer);
}

/* answer_page: the head, and a page in memory that is given away to it; NULL = out of memory. */
static void answer_page(struct answer *answer, char *page, size_t length)
{
    struct connection *connection = answer->connection;

    answer->type = "text/html; charset=utf-8";
    answer->length = page != NULL ? length : 0;
    write_head(answer);
    size_t head = connection->out_end;
    char *whole = answer->head_only || page == NULL ? NULL : malloc(head + length);
    if (whole != NULL) {
        memcpy(whole, connection->head, head);
        memcpy(whole + head, page, length);
        connection->page = whole;
        connection->out_end = head + length;
    } else if (!answer->head_only && page != NULL) {
        connection->keep = false; /* the body that was promised will not come */
    }
    free(page);
}

static void answer_status(struct answer *answer, int status)
{
    char *page = malloc(256);
    int length = 0;

    answer->status = status;
    answer->modified = -1;
    if (page != NULL)
        length = snprintf(page, 256, "<!DOCTYPE html>\n<title>%d %s</title>\n<h1>%d %s</h1>\n",
                          status, reason(status), status, reason(status));
    answer_page(answer, page, (size_t)length);
}

/* --- files --- */

static int status_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case ELOOP:
        return 403;
    default:
        return 500;
    }
}

static bool is_unmodified(const struct answer *answer)
{
    const char *since = http_field(answer->request, "If-Modified-Since");
    int64_t time;
    return since != NULL && date_parse(since, &time) && answer->modified <= time;
}

/* choose_part: what of the file is sent: 200, 206 or 416. If-Range: only if the file is still what
 * the client has the beginning of. */
static int choose_part(struct answer *answer)
{
    const char *range = http_field(answer->request, "Range");
    const char *condition = http_field(answer->request, "If-Range");
    int64_t time;

    answer->from = 0;
    answer->length = answer->whole;
    if (range == NULL ||
        (condition != NULL && (!date_parse(condition, &time) || time != answer->modified)))
        return 200;
    switch (request_range(range, answer->whole, &answer->from, &answer->length)) {
    case RANGE_PART:
        return 206;
    case RANGE_IMPOSSIBLE:
        return 416;
    default:
        return 200;
    }
}

/* answer_file: takes fd over. */
static void answer_file(struct answer *answer, int fd, const char *path, const struct stat *status)
{
    struct connection *connection = answer->connection;

    answer->modified = status->st_mtime > 0 ? (int64_t)status->st_mtime : 0;
    answer->whole = (uint64_t)status->st_size;
    answer->type = content_type(path);
    answer->status = is_unmodified(answer) ? 304 : choose_part(answer);
    if (answer->status == 416 || answer->status == 304 || answer->head_only)
        close(fd);
    if (answer->status == 416) {
        answer_status(answer, 416);
        return;
    }
    if (answer->status == 304)
        answer->type = NULL;
    write_head(answer);
    if (answer->status == 304 || answer->head_only)
        return;
    connection->file = fd;
    connection->file_at = answer->from;
    connection->file_left = answer->length;
}

/* answer_folder: its index.html, or a list; a name without the slash is sent to the one with it, so
 * that relative links work. Takes fd over. */
static void answer_folder(struct answer *answer, int fd, char *path)
{
    char location[PATH_MAX_HTTPD * 3 + 2];
    struct stat status;
    size_t length = strlen(path);

    close(fd);
    if (path[length - 1] != '/') {
        size_t used = escape_url(path + 1, location, sizeof(location) - 1);
        memcpy(location + used, "/", 2);
        answer->location = location;
        answer_status(answer, 301);
        answer->location = NULL;
        return;
    }
    if (length + sizeof("index.html") <= PATH_MAX_HTTPD) {
        memcpy(path + length, "index.html", sizeof("index.html"));
        fd = open(path, O_RDONLY);
        if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
            answer_file(answer, fd, path, &status);
            return;
        }
        if (fd >= 0)
            close(fd);
        path[length] = '\0';
    }
    char *page;
    size_t size = page_of_folder(path, &page);
    if (size == 0) {
        answer_status(answer, status_of_errno());
        return;
    }
    answer->status = 200;
    answer_page(answer, page, size);
}

static void answer_path(struct answer *answer, char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK); /* a pipe must not hold everybody up */

    if (fd < 0 || fstat(fd, &status) < 0) {
        int refusal = status_of_errno();
        if (fd >= 0)
            close(fd);
        answer_status(answer, refusal);
    } else if (S_ISDIR(status.st_mode)) {
        answer_folder(answer, fd, path);
    } else if (S_ISREG(status.st_mode) && path[strlen(path) - 1] != '/') {
        answer_file(answer, fd, path, &status);
    } else { /* not every file system minds a slash behind a file's name */
        close(fd);
        answer_status(answer, S_ISREG(status.st_mode) ? 404 : 403);
    }
}

/* --- requests --- */

/* keeps_alive: may another request follow (RFC 9112 9.3)? Not behind a body: nobody reads it. */
static bool keeps_alive(const struct http_head *head)
{
    if (http_field(head, "Transfer-Encoding") != NULL ||
        (http_content_length(head) != -ENODATA && http_content_length(head) != 0))
        return false;
    if (http_has_token(head, "Connection", "close"))
        return false;
    return head->minor >= 1 || http_has_token(head, "Connection", "keep-alive");
}

/* refusal: the status for a request that is not served, or 0. */
static int refusal(const struct http_head *head)
{
    static const char *const others[] = {"POST",    "PUT",   "DELETE", "PATCH",
                                         "OPTIONS", "TRACE", "CONNECT"};
    if (head->major != 1)
        return 505;
    if (head->minor >= 1 && http_field(head, "Host") == NULL)
        return 400;
    if (http_content_length(head) == -EPROTO)
        return 400;
    if (strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0)
        return 0;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(head->method, others[i]) == 0)
            return 405;
    return 501;
}

void respond(struct connection *connection, const struct http_head *head)
{
    struct answer answer = {.connection = connection, .request = head, .modified = -1};
    char path[PATH_MAX_HTTPD];

    answer.head_only = strcmp(head->method, "HEAD") == 0;
    connection->keep = keeps_alive(head);
    int status = refusal(head);
    if (status != 0)
        connection->keep = false;
    else
        status = request_path(head->target, path);
    if (status != 0)
        answer_status(&answer, status);
    else
        answer_path(&answer, path);
}

void respond_error(struct connection *connection, int status)
{
    struct answer answer = {.connection = connection, .modified = -1};
    connection->keep = false;
    answer_status(&answer, status);
}
