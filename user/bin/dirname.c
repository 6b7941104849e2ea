/* dirname: a path without its last component. */
#include "common/utility.h"

static const char usage[] = "usage: dirname NAME...\n";

int main(int argc, char **argv)
{
    utility_start(usage, 1);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    if (optind == argc)
        utility_misuse("missing operand");
    for (int i = optind; i < argc; i++) {
        const char *name = argv[i];
        size_t end = strlen(name);
        while (end > 1 && name[end - 1] == '/')
            end--;
        while (end > 0 && name[end - 1] != '/')
            end--;
        while (end > 1 && name[end - 1] == '/')
            end--;
        output_write(end > 0 ? name : ".", end > 0 ? end : 1);
        output_char('\n');
    }
    return 0;
}
