/* pwd: the working directory. */
#include "common/utility.h"

static const char usage[] = "usage: pwd [-LP]\n"
                            "  -L, -P  accepted; the answer is the same\n";

int main(int argc, char **argv)
{
    utility_start(usage, 1);
    while (utility_option(argc, argv, "LP") != -1)
        continue;
    for (size_t size = 1024;; size *= 2) {
        char *path = must_allocate(size);
        if (getcwd(path, size) != NULL) {
            output_line(path);
            free(path);
            return 0;
        }
        free(path);
        if (errno != ERANGE)
            err(1, "working directory");
    }
}
