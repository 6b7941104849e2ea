/* cmp: where two files differ. */
#include "common/input.h"

static const char usage[] = "usage: cmp [-ls] FILE1 [FILE2]\n"
                            "  -l  print the number and both values (octal) of each byte\n"
                            "  -s  print nothing; the exit status says it\n"
                            "Exit status: 0 alike, 1 different, 2 trouble.\n";

/* have_data: makes sure that unread bytes are in the buffer. */
static bool have_data(struct input *in)
{
    return in->start < in->end || input_fill(in);
}

int main(int argc, char **argv)
{
    struct input in[2] = {0};
    uint64_t byte = 1, line = 1;
    bool list = false, silent = false, differ = false;
    int option;

    utility_start(usage, 2);
    while ((option = utility_option(argc, argv, "ls")) != -1) {
        list |= option == 'l';
        silent |= option == 's';
    }
    if (argc - optind < 1 || argc - optind > 2)
        utility_misuse("one or two operands are needed");
    if (!input_open(&in[0], argv[optind]) ||
        !input_open(&in[1], argc - optind == 2 ? argv[optind + 1] : "-"))
        return 2;
    while (have_data(&in[0]) && have_data(&in[1])) {
        unsigned char *a = (unsigned char *)in[0].buffer + in[0].start;
        unsigned char *b = (unsigned char *)in[1].buffer + in[1].start;
        size_t length = in[0].end - in[0].start, other = in[1].end - in[1].start;
        length = length < other ? length : other;
        for (size_t i = 0; i < length; i++, byte++) {
            if (a[i] == b[i]) {
                line += a[i] == '\n';
                continue;
            }
            differ = true;
            if (silent)
                return 1;
            if (!list) {
                output_format("%s %s differ: char %llu, line %llu\n", in[0].name, in[1].name,
                              (unsigned long long)byte, (unsigned long long)line);
                return 1;
            }
            output_format("%llu %3o %3o\n", (unsigned long long)byte, a[i], b[i]);
        }
        in[0].start += length;
        in[1].start += length;
    }
    if (in[0].failed || in[1].failed)
        return 2;
    if (have_data(&in[0]) != have_data(&in[1])) {
        const struct input *shorter = have_data(&in[0]) ? &in[1] : &in[0];
        if (!silent && byte == 1)
            warnx("EOF on %s which is empty", shorter->name);
        else if (!silent)
            warnx("EOF on %s after byte %llu", shorter->name, (unsigned long long)byte - 1);
        differ = true;
    }
    return differ;
}
