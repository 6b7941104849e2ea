/* uniq: one of each run of equal lines. */
#include "common/input.h"
#include <ctype.h>

static const char usage[] = "usage: uniq [-cdiu] [-f FIELDS] [-s BYTES] [INPUT [OUTPUT]]\n"
                            "  -c         how often each occurred\n"
                            "  -d, -u     only lines that are repeated, that are not\n"
                            "  -i         upper and lower case are alike\n"
                            "  -f FIELDS  compare what lies behind so many fields\n"
                            "  -s BYTES   and so many bytes\n";

static struct {
    bool count, repeated, unique, fold;
    uint64_t fields, bytes;
} options;

struct line {
    char *text;
    size_t length, capacity;
};

static void keep(struct line *line, const char *text, size_t length)
{
    if (length > line->capacity || line->text == NULL) {
        line->capacity = length * 2;
        line->text = must_resize(line->text, line->capacity);
    }
    memcpy(line->text, text, length);
    line->length = length;
}

/* key_offset: where the part of a line that is compared begins. */
static size_t key_offset(const char *text, size_t length)
{
    size_t at = 0;
    for (uint64_t i = 0; i < options.fields && at < length; i++) {
        while (at < length && isblank((unsigned char)text[at]))
            at++;
        while (at < length && !isblank((unsigned char)text[at]))
            at++;
    }
    return length - at < options.bytes ? length : at + (size_t)options.bytes;
}

static bool same(const struct line *a, const char *b, size_t length)
{
    size_t from_a = key_offset(a->text, a->length), from_b = key_offset(b, length);
    if (a->length - from_a != length - from_b)
        return false;
    if (!options.fold)
        return memcmp(a->text + from_a, b + from_b, length - from_b) == 0;
    for (; from_b < length; from_a++, from_b++)
        if (tolower((unsigned char)a->text[from_a]) != tolower((unsigned char)b[from_b]))
            return false;
    return true;
}

static void print(const struct line *line, uint64_t times)
{
    if (times == 0 || (times == 1 && options.repeated) || (times > 1 && options.unique))
        return;
    if (options.count)
        output_format("%7llu ", (unsigned long long)times);
    output_write(line->text, line->length);
    output_char('\n');
}

int main(int argc, char **argv)
{
    struct input in = {0};
    struct line last = {0};
    uint64_t times = 0;
    char *text;
    size_t length;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "cduif:s:")) != -1) {
        options.count |= option == 'c';
        options.repeated |= option == 'd';
        options.unique |= option == 'u';
        options.fold |= option == 'i';
        if ((option == 'f' && !parse_count(optarg, &options.fields)) ||
            (option == 's' && !parse_count(optarg, &options.bytes)))
            errx(1, "%s: invalid number", optarg);
    }
    if (argc - optind > 2)
        utility_misuse("too many operands");
    if (!input_open(&in, optind < argc ? argv[optind] : "-"))
        return 1;
    if (argc - optind == 2) {
        int fd = open(argv[optind + 1], O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
            err(1, "%s", argv[optind + 1]);
        close(fd);
    }
    while (input_line(&in, '\n', &text, &length)) {
        if (times == 0 || !same(&last, text, length)) {
            print(&last, times);
            keep(&last, text, length);
            times = 0;
        }
        times++;
    }
    print(&last, times);
    free(last.text);
    free(in.buffer);
    return in.failed;
}
