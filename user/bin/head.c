/* head: the first lines or bytes of files. */
#include "common/input.h"

static const char usage[] = "usage: head [-n LINES | -c BYTES] [-qv] [FILE]...\n"
                            "  -n LINES  lines to show (10); -LINES is the same\n"
                            "  -c BYTES  bytes to show\n"
                            "  -q, -v    never, always print the names of files\n";

static void head_bytes(struct input *in, uint64_t count)
{
    char *data;
    size_t length;
    while (count > 0 && (length = input_block(in, &data)) > 0) {
        if (length > count)
            length = (size_t)count;
        output_write(data, length);
        count -= length;
    }
}

static void head_lines(struct input *in, uint64_t count)
{
    char *data;
    size_t length;
    while (count > 0 && (length = input_block(in, &data)) > 0) {
        char *at = data, *end = data + length;
        while (count > 0 && at < end) {
            char *newline = memchr(at, '\n', (size_t)(end - at));
            at = newline != NULL ? newline + 1 : end;
            count -= newline != NULL;
        }
        output_write(data, (size_t)(at - data));
        /* what was read too much belongs to the next reader of a shared file */
        if (count == 0 && at < end)
            (void)!lseek(in->fd, at - end, SEEK_CUR);
    }
}

int main(int argc, char **argv)
{
    static const char header[] = "==> %s <==\n";
    uint64_t count = 10, digits;
    bool bytes = false, quiet = false, verbose = false, first = true;
    struct input in = {0};
    int option, status = 0;

    utility_start(usage, 1);
    if (argc > 1 && argv[1][0] == '-' && parse_count(argv[1] + 1, &digits)) {
        count = digits;
        optind = 2;
    }
    while ((option = utility_option(argc, argv, "n:c:qv")) != -1) {
        if (option == 'n' || option == 'c') {
            bytes = option == 'c';
            if (!parse_size(optarg, &count))
                errx(1, "%s: invalid count", optarg);
        }
        quiet = option == 'q' || (quiet && option != 'v');
        verbose = option == 'v' || (verbose && option != 'q');
    }
    char **name = input_arguments(argc, argv);
    bool headers = verbose || (!quiet && name[0] != NULL && name[1] != NULL);
    for (; *name != NULL; name++) {
        if (!input_open(&in, *name)) {
            status = 1;
            continue;
        }
        if (headers && !first)
            output_char('\n');
        if (headers)
            output_format(header, strcmp(*name, "-") == 0 ? "standard input" : *name);
        first = false;
        if (bytes)
            head_bytes(&in, count);
        else
            head_lines(&in, count);
        if (in.failed)
            status = 1;
        input_close(&in);
    }
    free(in.buffer);
    return status;
}
