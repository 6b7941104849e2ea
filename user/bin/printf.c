/* printf: prints words in a format. */
#include "common/printf_words.h"
#include "common/utility.h"

static const char usage[] =
    "usage: printf FORMAT [ARGUMENT]...\n"
    "FORMAT is used again while there are arguments. Directives: %s %b (with escapes) %c %d %i %u\n"
    "%o %x %X %e %f %g %a, with flags, width and precision, and %%. Escapes: \\n \\t \\\\ \\NNN "
    "...\n";

static void add(void *context, const char *bytes, size_t len)
{
    (void)context;
    output_write(bytes, len);
}

int main(int argc, char **argv)
{
    struct sink sink = {add, NULL};
    const char *bad;
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

    utility_start(usage, 1);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        output_text(usage);
        return 0;
    }
    if (argc <= first)
        utility_misuse("no format given");
    int status = printf_words(&sink, argv[first], argv + first + 1, argc - first - 1, &bad);
    output_flush();
    if (status != 0 && bad != NULL)
        warnx(bad[0] == '%' ? "%s: unknown directive" : "%s: not a number", bad);
    return status;
}
