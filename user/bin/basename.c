/* basename: the last component of a path. */
#include "common/utility.h"

static const char usage[] = "usage: basename NAME [SUFFIX]\n"
                            "       basename -a [-s SUFFIX] NAME...\n"
                            "  -a         each operand is a NAME\n"
                            "  -s SUFFIX  remove SUFFIX from each NAME; implies -a\n";

static void print_base(const char *name, const char *suffix)
{
    size_t end = strlen(name);
    while (end > 1 && name[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && name[start - 1] != '/')
        start--;
    if (start == end && end > 0)
        start = end - 1;
    size_t cut = suffix != NULL ? strlen(suffix) : 0;
    if (cut > 0 && cut < end - start && memcmp(name + end - cut, suffix, cut) == 0)
        end -= cut;
    output_write(name + start, end - start);
    output_char('\n');
}

int main(int argc, char **argv)
{
    const char *suffix = NULL;
    bool all = false;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "+as:")) != -1) {
        all = true;
        if (option == 's')
            suffix = optarg;
    }
    if (optind == argc)
        utility_misuse("missing operand");
    if (!all && argc - optind > 2)
        utility_misuse("too many operands");
    if (!all)
        print_base(argv[optind], argv[optind + 1]);
    for (int i = optind; all && i < argc; i++)
        print_base(argv[i], suffix);
    return 0;
}
