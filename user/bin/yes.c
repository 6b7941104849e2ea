/* yes: the same line, until somebody stops it. */
#include "common/utility.h"

static const char usage[] = "usage: yes [WORD]...\n"
                            "Without WORD, y.\n";

int main(int argc, char **argv)
{
    utility_start(usage, 1);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    for (;;) {
        if (optind == argc)
            output_text("y");
        for (int i = optind; i < argc; i++) {
            output_text(argv[i]);
            if (i + 1 < argc)
                output_char(' ');
        }
        output_char('\n');
    }
}
