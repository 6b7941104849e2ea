/* tail: the last lines or bytes of files, or all from some point on.
 *
 * Of a file that can be sought in, only the end is read. Of a pipe, the blocks that may still
 * be needed are kept in a queue, and no more. */
#include "common/input.h"
#include <sys/stat.h>
#include <time.h>

static const char usage[] = "usage: tail [-n [+]LINES | -c [+]BYTES] [-fqv] [FILE]...\n"
                            "  -n LINES  lines to show (10); -LINES is the same\n"
                            "  -n +LINE  from this line on\n"
                            "  -c BYTES  bytes to show; +BYTE: from this byte on\n"
                            "  -f        wait for what is appended (to the last FILE)\n"
                            "  -q, -v    never, always print the names of files\n";

struct request {
    uint64_t count;
    bool bytes, from_start;
};

struct block {
    struct block *next;
    size_t length, newlines;
    char data[BUFFER_SIZE];
};

static size_t count_newlines(const char *data, size_t length)
{
    size_t count = 0;
    for (const char *at = data; (at = memchr(at, '\n', length - (size_t)(at - data))) != NULL; at++)
        count++;
    return count;
}

/* skip_units: the offset in data behind so many lines or bytes. */
static size_t skip_units(const char *data, size_t length, uint64_t units, bool bytes)
{
    const char *at = data, *end = data + length;
    if (bytes)
        return units < length ? (size_t)units : length;
    for (; units > 0 && at < end; units--) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL)
            return length;
        at++;
    }
    return (size_t)(at - data);
}

static void copy_rest(struct input *in)
{
    char *data;
    size_t length;
    while ((length = input_block(in, &data)) > 0)
        output_write(data, length);
}

static void tail_from_start(struct input *in, const struct request *request)
{
    uint64_t skip = request->count > 0 ? request->count - 1 : 0;
    char *data;
    size_t length;
    while (skip > 0 && (length = input_block(in, &data)) > 0) {
        size_t cut = skip_units(data, length, skip, request->bytes);
        skip -= request->bytes ? cut : count_newlines(data, cut);
        output_write(data + cut, length - cut);
    }
    copy_rest(in);
}

struct queue {
    struct block *first, *last;
    uint64_t units; /* newlines or bytes in all of it */
    bool bytes;
};

/* queue_append: pipes deliver small pieces, so a block is filled before the next is made. */
static void queue_append(struct queue *queue, const char *data, size_t length)
{
    for (size_t part; length > 0; data += part, length -= part) {
        struct block *last = queue->last;
        if (last == NULL || last->length == BUFFER_SIZE) {
            last = must_allocate(sizeof(*last));
            last->next = NULL;
            last->length = last->newlines = 0;
            *(queue->last != NULL ? &queue->last->next : &queue->first) = last;
            queue->last = last;
        }
        part = BUFFER_SIZE - last->length < length ? BUFFER_SIZE - last->length : length;
        memcpy(last->data + last->length, data, part);
        size_t newlines = count_newlines(data, part);
        last->length += part;
        last->newlines += newlines;
        queue->units += queue->bytes ? part : newlines;
    }
}

/* queue_trim: drops blocks as long as more than want units stay. More, because the first line
 * wanted begins behind the newline of the line before it. */
static void queue_trim(struct queue *queue, uint64_t want)
{
    for (struct block *old; (old = queue->first) != queue->last; free(old)) {
        uint64_t stay = queue->units - (queue->bytes ? old->length : old->newlines);
        if (stay <= want)
            return;
        queue->units = stay;
        queue->first = old->next;
    }
}

static void tail_pipe(struct input *in, const struct request *request)
{
    struct queue queue = {.bytes = request->bytes};
    char *data;
    size_t length;

    while ((length = input_block(in, &data)) > 0) {
        queue_append(&queue, data, length);
        queue_trim(&queue, request->count);
    }
    /* what lacks its newline at the very end is a line, too */
    if (queue.last != NULL && !queue.bytes && queue.last->data[queue.last->length - 1] != '\n')
        queue.units++;
    uint64_t skip = queue.units > request->count ? queue.units - request->count : 0;
    for (struct block *old; (old = queue.first) != NULL; free(old)) {
        size_t cut = skip_units(old->data, old->length, skip, queue.bytes);
        skip -= queue.bytes ? cut : count_newlines(old->data, cut);
        output_write(old->data + cut, old->length - cut);
        queue.first = old->next;
    }
}

/* tail_seek: looks for the start of the last lines from the end backwards. */
static bool tail_seek(struct input *in, const struct request *request, off_t start, off_t end)
{
    static char buffer[BUFFER_SIZE];
    off_t at = end;
    uint64_t newlines = 0;

    if (request->bytes) {
        at = request->count < (uint64_t)(end - start) ? end - (off_t)request->count : start;
        return lseek(in->fd, at, SEEK_SET) >= 0;
    }
    while (at > start && request->count > 0) {
        off_t low = at - start > BUFFER_SIZE ? at - BUFFER_SIZE : start;
        size_t have = 0;
        ssize_t n;
        if (lseek(in->fd, low, SEEK_SET) < 0)
            return false;
        while (have < (size_t)(at - low) &&
               (n = read_some(in->fd, buffer + have, (size_t)(at - low) - have)) > 0)
            have += (size_t)n;
        if (have < (size_t)(at - low))
            return false;
        for (char *newline; (newline = memrchr(buffer, '\n', have)) != NULL;) {
            have = (size_t)(newline - buffer);
            if (low + (off_t)have + 1 < end && ++newlines == request->count)
                return lseek(in->fd, low + (off_t)have + 1, SEEK_SET) >= 0;
        }
        at = low;
    }
    return lseek(in->fd, at, SEEK_SET) >= 0;
}

static void tail_one(struct input *in, const struct request *request)
{
    struct stat status;
    off_t start = -1, end = -1;

    if (request->from_start) {
        tail_from_start(in, request);
        return;
    }
    if (fstat(in->fd, &status) == 0 && S_ISREG(status.st_mode)) {
        start = lseek(in->fd, 0, SEEK_CUR);
        end = start >= 0 ? lseek(in->fd, 0, SEEK_END) : -1;
    }
    /* a size of 0 may mean "text made while it is read" (proc:) */
    if (start >= 0 && end > start && tail_seek(in, request, start, end)) {
        copy_rest(in);
        return;
    }
    if (end >= 0)
        lseek(in->fd, start, SEEK_SET);
    tail_pipe(in, request);
}

static __attribute__((noreturn)) void follow(struct input *in)
{
    for (;;) {
        output_flush();
        nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
        in->at_end = false;
        copy_rest(in);
    }
}

/* take_old_style: "-5" and "+5" as the first operand. */
static bool take_old_style(const char *word, struct request *request)
{
    uint64_t digits;
    if ((word[0] != '-' && word[0] != '+') || !parse_count(word + 1, &digits))
        return false;
    *request = (struct request){.count = digits, .from_start = word[0] == '+'};
    return true;
}

static void take_count(struct request *request, const char *text, bool bytes)
{
    request->bytes = bytes;
    request->from_start = text[0] == '+';
    if (!parse_size(text + (text[0] == '+' || text[0] == '-'), &request->count))
        errx(1, "%s: invalid count", text);
}

int main(int argc, char **argv)
{
    struct request request = {.count = 10};
    bool follows = false, quiet = false, verbose = false, first = true;
    struct input in = {0};
    int option, status = 0;

    utility_start(usage, 1);
    if (argc > 1 && take_old_style(argv[1], &request))
        optind = 2;
    while ((option = utility_option(argc, argv, "n:c:fqv")) != -1) {
        if (option == 'n' || option == 'c')
            take_count(&request, optarg, option == 'c');
        follows |= option == 'f';
        quiet |= option == 'q';
        verbose |= option == 'v';
    }
    char **name = input_arguments(argc, argv);
    bool headers = verbose || (!quiet && name[0] != NULL && name[1] != NULL);
    for (; *name != NULL; name++) {
        if (!input_open(&in, *name)) {
            status = 1;
            continue;
        }
        if (headers)
            output_format("%s==> %s <==\n", first ? "" : "\n",
                          strcmp(*name, "-") == 0 ? "standard input" : *name);
        first = false;
        tail_one(&in, &request);
        if (in.failed)
            status = 1;
        if (follows && name[1] == NULL)
            follow(&in);
        input_close(&in);
    }
    free(in.buffer);
    return status;
}
