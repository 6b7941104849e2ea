/* wc: counts lines, words and bytes. */
#include "common/input.h"
#include <ctype.h>
#include <sys/stat.h>

static const char usage[] = "usage: wc [-lwc] [FILE]...\n"
                            "  -l, -w, -c  lines, words, bytes; without these, all three\n"
                            "Without FILE, or when FILE is -, standard input.\n";

struct counts {
    uint64_t lines, words, bytes;
};

static bool want_lines, want_words, want_bytes;

static void count_input(struct input *in, struct counts *counts)
{
    bool in_word = false;
    char *data;
    size_t length;
    while ((length = input_block(in, &data)) > 0) {
        counts->bytes += length;
        if (!want_words) {
            for (char *at = data, *end = data + length;
                 want_lines && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
                counts->lines++;
            continue;
        }
        for (size_t i = 0; i < length; i++) {
            bool space = isspace((unsigned char)data[i]);
            counts->lines += data[i] == '\n';
            counts->words += !space && !in_word;
            in_word = !space;
        }
    }
}

/* column_width: as wide as the largest count can be; 7 where sizes are not known before. */
static int column_width(char **names)
{
    struct stat status;
    uint64_t total = 0;
    int width = 1, least = 1;

    if (names[1] == NULL && want_lines + want_words + want_bytes == 1)
        return 1;
    for (; *names != NULL; names++) {
        int result =
            strcmp(*names, "-") == 0 ? fstat(STDIN_FILENO, &status) : stat(*names, &status);
        if (result == 0 && S_ISREG(status.st_mode))
            total += (uint64_t)status.st_size;
        else if (result == 0)
            least = 7;
    }
    for (; total >= 10; total /= 10)
        width++;
    return width > least ? width : least;
}

static void print_counts(const struct counts *counts, int width, const char *name)
{
    const char *separator = "";
    const struct {
        bool want;
        uint64_t value;
    } columns[] = {
        {want_lines, counts->lines}, {want_words, counts->words}, {want_bytes, counts->bytes}};
    for (size_t i = 0; i < 3; i++)
        if (columns[i].want) {
            output_format("%s%*llu", separator, width, (unsigned long long)columns[i].value);
            separator = " ";
        }
    if (name != NULL)
        output_format(" %s", name);
    output_char('\n');
}

int main(int argc, char **argv)
{
    struct counts total = {0};
    struct input in = {0};
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "lwc")) != -1) {
        want_lines |= option == 'l';
        want_words |= option == 'w';
        want_bytes |= option == 'c';
    }
    if (!want_lines && !want_words && !want_bytes)
        want_lines = want_words = want_bytes = true;
    char **names = input_arguments(argc, argv);
    int width = column_width(names);
    bool several = names[0] != NULL && names[1] != NULL;
    for (; *names != NULL; names++) {
        struct counts counts = {0};
        if (!input_open(&in, *names)) {
            status = 1;
            continue;
        }
        count_input(&in, &counts);
        print_counts(&counts, width, optind < argc ? *names : NULL);
        if (in.failed)
            status = 1;
        input_close(&in);
        total.lines += counts.lines;
        total.words += counts.words;
        total.bytes += counts.bytes;
    }
    if (several)
        print_counts(&total, width, "total");
    free(in.buffer);
    return status;
}
