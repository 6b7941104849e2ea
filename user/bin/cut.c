/* cut: selected bytes or fields of each line. */
#include "common/input.h"

static const char usage[] = "usage: cut -b LIST | -c LIST | -f LIST [-d DELIMITER] [-s] [FILE]...\n"
                            "  -b, -c LIST   these bytes\n"
                            "  -f LIST       these fields\n"
                            "  -d DELIMITER  between fields (a tab)\n"
                            "  -s            no lines without a delimiter\n"
                            "LIST: numbers and ranges, such as 1,3-5,7-\n";

struct range {
    uint64_t low, high; /* from 1, both included */
};

static struct {
    struct range *ranges;
    size_t count, capacity;
} list;

static bool parse_list(const char *text)
{
    for (;;) {
        struct range range = {1, UINT64_MAX};
        bool low = parse_digits(&text, &range.low), high = false;
        if (*text == '-') {
            text++;
            high = parse_digits(&text, &range.high);
        } else {
            range.high = range.low;
            high = low;
        }
        if ((!low && !high) || range.low == 0 || range.high < range.low)
            return false;
        list.ranges = must_grow(list.ranges, list.count, &list.capacity, sizeof(range));
        list.ranges[list.count++] = range;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return x->low < y->low ? -1 : x->low > y->low;
}

/* merge_ranges: in order and without overlap. */
static void merge_ranges(void)
{
    size_t kept = 0;
    qsort(list.ranges, list.count, sizeof(struct range), compare_ranges);
    for (size_t i = 1; i < list.count; i++) {
        struct range *last = &list.ranges[kept];
        if (list.ranges[i].low <= last->high) {
            if (list.ranges[i].high > last->high)
                last->high = list.ranges[i].high;
        } else {
            list.ranges[++kept] = list.ranges[i];
        }
    }
    list.count = kept + 1;
}

static void cut_bytes(const char *line, size_t length)
{
    for (size_t i = 0; i < list.count && list.ranges[i].low <= length; i++) {
        uint64_t high = list.ranges[i].high < length ? list.ranges[i].high : length;
        output_write(line + list.ranges[i].low - 1, (size_t)(high - list.ranges[i].low + 1));
    }
    output_char('\n');
}

static void cut_fields(const char *line, size_t length, char delimiter, bool only_delimited)
{
    const char *at = line, *end = line + length;
    uint64_t field = 1;
    bool any = false;

    if (memchr(line, delimiter, length) == NULL) {
        if (only_delimited)
            return;
        output_write(line, length);
        output_char('\n');
        return;
    }
    for (size_t i = 0; i < list.count && at != NULL; field++) {
        const char *stop = memchr(at, delimiter, (size_t)(end - at));
        if (field > list.ranges[i].high && ++i == list.count)
            break;
        if (field >= list.ranges[i].low) {
            if (any)
                output_char(delimiter);
            output_write(at, (size_t)((stop != NULL ? stop : end) - at));
            any = true;
        }
        at = stop != NULL ? stop + 1 : NULL;
    }
    output_char('\n');
}

int main(int argc, char **argv)
{
    struct input in = {0};
    char mode = 0, delimiter = '\t', *line;
    bool only_delimited = false;
    size_t length;
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "b:c:f:d:sn")) != -1) {
        if (option == 'd') {
            if (strlen(optarg) > 1)
                errx(1, "%s: the delimiter must be one byte", optarg);
            delimiter = optarg[0];
        } else if (option == 's') {
            only_delimited = true;
        } else if (option != 'n') {
            if (mode != 0)
                utility_misuse("only one list may be given");
            mode = option == 'f' ? 'f' : 'b';
            if (!parse_list(optarg))
                errx(1, "%s: invalid list", optarg);
        }
    }
    if (mode == 0)
        utility_misuse("a list of bytes or fields is needed");
    merge_ranges();
    for (char **name = input_arguments(argc, argv); *name != NULL; name++) {
        if (!input_open(&in, *name)) {
            status = 1;
            continue;
        }
        while (input_line(&in, '\n', &line, &length)) {
            if (mode == 'f')
                cut_fields(line, length, delimiter, only_delimited);
            else
                cut_bytes(line, length);
        }
        if (in.failed)
            status = 1;
        input_close(&in);
    }
    free(list.ranges);
    free(in.buffer);
    return status;
}
