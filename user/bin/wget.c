/* wget: fetches files by HTTP, also the rest of what was begun. */
#include "common/socket.h"
#include "http/http.h"
#include <fcntl.h>
#include <sys/stat.h>

static const char usage[] =
    "usage: wget [-cqS] [-O FILE] [-P DIR] [-T SECONDS] [-U AGENT] [--header=LINE]...\n"
    "            [--max-redirect=N] [--method=NAME] [--body-data=TEXT] [--spider] URL...\n"
    "  -O FILE     write there, - for standard output; all URLs one behind the other\n"
    "  -P DIR      put files there\n"
    "  -c          go on where an earlier attempt has ended\n"
    "  -q          say nothing but errors\n"
    "  -S          show the server's answer, too\n"
    "  -T SECONDS  give up when nothing has moved for so long (30)\n"
    "  -U AGENT    what to call ourselves\n"
    "  --spider    only ask whether it is there\n"
    "Exit status: 0 all fetched, 1 other trouble, 2 misuse, 3 a file, 4 the network,\n"
    "7 the protocol, 8 the server said an error.\n";

enum status {
    OK = 0,
    GENERIC = 1,
    MISUSE = 2,
    FILE_ERROR = 3,
    NETWORK = 4,
    PROTOCOL = 7,
    SERVER = 8
};

#define FIELDS_MAX   32
#define PROGRESS_NS  200000000ull
#define PROGRESS_BAR 30

static struct {
    const char *output, *directory;
    bool resume, quiet, show_head, spider;
    http_request_t request;
    struct http_field fields[FIELDS_MAX];
    unsigned field_count;
} options;

static int output_fd = -1; /* -O's, open for all URLs */

/* --- progress --- */

static struct {
    uint64_t begun, shown, done, from;
    int64_t total; /* -1 = not known */
    bool bar;      /* on a terminal */
} progress;

static const char *amount(double bytes, char *text)
{
    static const char units[] = " KMGT";
    unsigned unit = 0;
    for (; bytes >= 1024 && units[unit + 1] != '\0'; unit++)
        bytes /= 1024;
    sprintf(text, unit == 0 ? "%.0f" : "%.1f%c", bytes, units[unit]);
    return text;
}

static void progress_show(bool last)
{
    uint64_t now = monotonic_ns(), passed = now - progress.begun;
    char done[16], speed[16], bar[PROGRESS_BAR + 1] = "";

    if (options.quiet || (!last && (!progress.bar || now - progress.shown < PROGRESS_NS)))
        return;
    progress.shown = now;
    if (progress.total > 0) {
        unsigned filled = (unsigned)(progress.done * PROGRESS_BAR / (uint64_t)progress.total);
        memset(bar, ' ', PROGRESS_BAR);
        memset(bar, '=', filled < PROGRESS_BAR ? filled : PROGRESS_BAR);
        fprintf(stderr, "%s%3u%% [%s] ", progress.bar ? "\r" : "",
                (unsigned)(progress.done * 100 / (uint64_t)progress.total), bar);
    } else if (progress.bar) {
        fputc('\r', stderr);
    }
    double seconds = passed > 0 ? (double)passed / 1e9 : 1e-9;
    fprintf(stderr, "%s  %sB/s  %.1fs %s", amount((double)progress.done, done),
            amount((double)(progress.done - progress.from) / seconds, speed), seconds,
            last ? "\n" : "");
}

/* --- files --- */

/* file_name: the last segment of the path, or index.html, with the query behind it. */
static void file_name(const struct http_url *url, char *name, size_t size)
{
    size_t end = strcspn(url->target, "?"), start = end;
    while (start > 0 && url->target[start - 1] != '/')
        start--;
    int length = (int)(end - start);
    const char *base = url->target + start;
    if (length == 0 || strncmp(base, "..", (size_t)length) == 0) { /* also "." */
        base = "index.html";
        length = 10;
    }
    int folder = snprintf(name, size, "%s%s", options.directory ? options.directory : "",
                          options.directory ? "/" : "");
    if (folder < 0 || (size_t)folder >= size)
        errx(FILE_ERROR, "%s: the name is too long", options.directory);
    snprintf(name + folder, size - (size_t)folder, "%.*s%s", length, base, url->target + end);
    for (char *slash = name + folder; (slash = strchr(slash, '/')) != NULL;)
        *slash = '_'; /* of a query */
}

/* free_name: name, or name.1, name.2, ...: what is there is not overwritten. */
static void free_name(char *name, size_t size)
{
    struct stat status;
    size_t length = strlen(name);
    for (unsigned i = 1; lstat(name, &status) == 0 && i < 10000; i++)
        snprintf(name + length, size - length, ".%u", i);
}

static uint64_t size_of(const char *name)
{
    struct stat status;
    return stat(name, &status) == 0 && S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
}

static int open_file(char *name, size_t size, bool append)
{
    if (output_fd >= 0)
        return output_fd;
    if (!append)
        free_name(name, size);
    int fd = open(name, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0666);
    if (fd < 0)
        warn("%s", name);
    return fd;
}

/* --- fetching --- */

static enum status network_error(const char *url, int error)
{
    bool protocol =
        error == -EPROTO || error == -E2BIG || error == -ELOOP || error == -EPROTONOSUPPORT;
    warnx("%s: %s", url, http_strerror(error));
    return error == -EINVAL ? GENERIC : protocol ? PROTOCOL : NETWORK;
}

static void show_head(const struct http_head *head)
{
    fprintf(stderr, "  HTTP/%d.%d %d %s\n", head->major, head->minor, head->status, head->text);
    for (unsigned i = 0; i < head->count; i++)
        fprintf(stderr, "  %s: %s\n", head->fields[i].name, head->fields[i].value);
}

/* copy_body: to fd; progress tells how far it is. */
static enum status copy_body(struct http_exchange *exchange, int fd, const char *url,
                             const char *name)
{
    static char buffer[BUFFER_SIZE];
    ssize_t n;

    while ((n = http_read(exchange, buffer, sizeof(buffer))) > 0) {
        if (write_all(fd, buffer, (size_t)n) < 0) {
            warn("%s", name);
            return FILE_ERROR;
        }
        progress.done += (uint64_t)n;
        progress_show(false);
    }
    progress_show(true);
    return n < 0 ? network_error(url, (int)n) : OK;
}

/* resumed_at: where the answer begins: 206 with the range that we asked for, or 0 for a 200. */
static bool resumed_at(const struct http_head *head, uint64_t asked, uint64_t *from)
{
    const char *range = http_field(head, "Content-Range");
    *from = 0;
    if (head->status != 206)
        return true;
    if (range == NULL || strncmp(range, "bytes ", 6) != 0)
        return false;
    range += 6;
    return parse_digits(&range, from) && *range == '-' && *from == asked;
}

static enum status save(struct http_exchange *exchange, const char *url, char *name, size_t size,
                        uint64_t have)
{
    const struct http_head *head = http_head_of(exchange);
    uint64_t from;

    if (have > 0 && head->status == 416) {
        if (!options.quiet)
            fprintf(stderr, "%s: already complete\n", name);
        return OK;
    }
    if (head->status < 200 || head->status >= 300) {
        warnx("%s: the server says %d %s", url, head->status, head->text);
        return SERVER;
    }
    if (options.spider)
        return OK;
    if (!resumed_at(head, have, &from)) {
        warnx("%s: the server sends another part than was asked for", url);
        return PROTOCOL;
    }
    int fd = open_file(name, size, from > 0);
    if (fd < 0)
        return FILE_ERROR;
    int64_t length = http_length_of(exchange);
    progress.begun = progress.shown = monotonic_ns();
    progress.done = progress.from = from;
    progress.total = length >= 0 ? length + (int64_t)from : -1;
    progress.bar = isatty(STDERR_FILENO);
    if (!options.quiet)
        fprintf(stderr, "%s -> %s\n", url, name);
    enum status status = copy_body(exchange, fd, url, name);
    if (fd != output_fd && close(fd) < 0) {
        warn("%s", name);
        status = FILE_ERROR;
    }
    return status;
}

static enum status fetch(const char *url)
{
    struct http_exchange *exchange;
    struct http_url parsed;
    char name[1024], range[40];
    uint64_t have = 0;

    int error = http_url_parse(url, &parsed);
    if (error != 0)
        return network_error(url, error);
    if (options.output != NULL)
        snprintf(name, sizeof(name), "%s", options.output);
    else
        file_name(&parsed, name, sizeof(name));
    options.request.url = url;
    options.request.field_count = options.field_count;
    if (options.resume && !options.spider && (have = size_of(name)) > 0) {
        snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)have);
        options.fields[options.request.field_count++] = (struct http_field){"Range", range};
    }
    error = http_open(&options.request, &exchange);
    if (error != 0)
        return network_error(url, error);
    if (options.show_head)
        show_head(http_head_of(exchange));
    enum status status = save(exchange, url, name, sizeof(name), have);
    http_close(exchange);
    return status;
}

/* --- options --- */

enum { HELP = 256, HEADER, MAX_REDIRECT, METHOD, BODY_DATA, SPIDER };

static void add_field(char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || options.field_count == FIELDS_MAX - 1)
        errx(MISUSE, "%s: %s", line, colon ? "too many fields" : "not \"Name: value\"");
    *colon = '\0';
    options.fields[options.field_count++] =
        (struct http_field){line, colon + 1 + strspn(colon + 1, " \t")};
    if (!http_is_token(line) || !http_is_value(colon + 1))
        errx(MISUSE, "%s: not a field", line);
}

static void set_option(int option)
{
    static char agent[] = "User-Agent";
    uint64_t value;
    switch (option) {
    case 'O':
        options.output = optarg;
        break;
    case 'P':
        options.directory = optarg;
        break;
    case 'c':
        options.resume = true;
        break;
    case 'q':
        options.quiet = true;
        break;
    case 'S':
        options.show_head = true;
        break;
    case 'U':
        options.fields[0] = (struct http_field){agent, optarg};
        break;
    case 'T':
        if (!parse_seconds(optarg, &value) || value == 0)
            errx(MISUSE, "%s: bad number of seconds", optarg);
        options.request.timeout_ms = (int)(value / 1000000);
        break;
    case HEADER:
        add_field(optarg);
        break;
    case MAX_REDIRECT:
        if (!parse_count(optarg, &value) || value > 1000)
            errx(MISUSE, "%s: bad number of redirections", optarg);
        options.request.redirects = value > 0 ? (int)value : -1;
        break;
    case METHOD:
        options.request.method = optarg;
        break;
    case BODY_DATA:
        options.request.body = optarg;
        options.request.body_length = strlen(optarg);
        break;
    case SPIDER:
        options.spider = true;
        break;
    case HELP:
        output_text(usage);
        exit(0);
    default:
        utility_misuse(NULL);
    }
}

static void parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"help", no_argument, NULL, HELP},
        {"header", required_argument, NULL, HEADER},
        {"max-redirect", required_argument, NULL, MAX_REDIRECT},
        {"method", required_argument, NULL, METHOD},
        {"body-data", required_argument, NULL, BODY_DATA},
        {"spider", no_argument, NULL, SPIDER},
        {NULL, 0, NULL, 0},
    };
    int option;

    options.fields[0] = (struct http_field){"User-Agent", "wget (Cairn)"};
    options.field_count = 1;
    while ((option = getopt_long(argc, argv, "O:P:cqST:U:", names, NULL)) != -1)
        set_option(option);
    options.request.fields = options.fields;
    if (options.spider && options.request.method == NULL)
        options.request.method = "HEAD";
    if (optind == argc)
        utility_misuse("no URL");
}

/* open_output: what -O names, once for all URLs. With -c it stays a file that may be there. */
static void open_output(void)
{
    if (options.output == NULL || options.spider)
        return;
    if (strcmp(options.output, "-") == 0) {
        output_fd = STDOUT_FILENO;
        options.resume = false;
        return;
    }
    output_fd =
        open(options.output, O_WRONLY | O_CREAT | (options.resume ? O_APPEND : O_TRUNC), 0666);
    if (output_fd < 0)
        err(GENERIC, "%s", options.output);
}

int main(int argc, char **argv)
{
    enum status status = OK;

    utility_start(usage, MISUSE);
    parse_options(argc, argv);
    open_output();
    for (; optind < argc; optind++) {
        enum status one = fetch(argv[optind]);
        /* of several troubles the lowest number counts, but 1 only if there is no other */
        if (one != OK && (status == OK || status == GENERIC || (one != GENERIC && one < status)))
            status = one;
    }
    if (output_fd > STDOUT_FILENO && close(output_fd) < 0) {
        warn("%s", options.output);
        status = FILE_ERROR;
    }
    return (int)status;
}
