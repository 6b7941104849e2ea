/* shutdown: ends the system in order: processes, file systems, servers, power. */
#include "common/kernel_call.h"

static const char usage[] = "usage: shutdown [-r | -h] [now]\n"
                            "End all processes, write everything to disk, and turn the power off.\n"
                            "  -r  start again instead\n"
                            "  -h  turn off (the default)\n";

int main(int argc, char **argv)
{
    bool again = false;
    int option;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "rhP")) != -1)
        again = option == 'r';
    if (optind < argc && strcmp(argv[optind], "now") == 0)
        optind++;
    if (optind < argc)
        utility_misuse("only \"now\" is possible");
    return init_shutdown(again);
}
