/* echo: prints its arguments. */
#include "common/escapes.h"
#include "common/utility.h"

static const char usage[] = "usage: echo [-neE] [WORD]...\n"
                            "Print the words, separated by blanks, and a newline.\n"
                            "  -n  no newline\n"
                            "  -e  with escapes: \\n \\t \\\\ \\c (stop here) \\0NNN ...\n"
                            "  -E  without (the default)\n";

static void add(void *context, const char *bytes, size_t len)
{
    (void)context;
    output_write(bytes, len);
}

int main(int argc, char **argv)
{
    struct sink sink = {add, NULL};
    utility_start(usage, 1);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        output_text(usage);
    else
        echo_words(&sink, argc, argv);
    return 0;
}
