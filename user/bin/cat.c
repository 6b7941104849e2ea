/* cat: the contents of files, one after the other, on standard output. */
#include "common/input.h"

static const char usage[] = "usage: cat [-n] [-u] [FILE]...\n"
                            "  -n  number the lines\n"
                            "  -u  accepted; output is never held back\n"
                            "Without FILE, or when FILE is -, standard input.\n";

/* cat_plain: what was read is written at once, so that pipes and terminals see it. */
static void cat_plain(struct input *in)
{
    char *data;
    size_t length;
    while ((length = input_block(in, &data)) > 0) {
        output_write(data, length);
        output_flush();
    }
}

/* cat_numbered: a file without final newline lends its last line to the next file. */
static void cat_numbered(struct input *in)
{
    static unsigned long number;
    static bool inside_line;
    char *line;
    size_t length;
    while (input_line(in, '\n', &line, &length)) {
        if (!inside_line)
            output_format("%6lu\t", ++number);
        output_write(line, length);
        if (in->terminated)
            output_char('\n');
        inside_line = !in->terminated;
    }
}

int main(int argc, char **argv)
{
    struct input in = {0};
    bool number = false;
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "nu")) != -1)
        if (option == 'n')
            number = true;
    for (char **name = input_arguments(argc, argv); *name != NULL; name++) {
        if (!input_open(&in, *name)) {
            status = 1;
            continue;
        }
        if (number)
            cat_numbered(&in);
        else
            cat_plain(&in);
        if (in.failed)
            status = 1;
        input_close(&in);
    }
    free(in.buffer);
    return status;
}
