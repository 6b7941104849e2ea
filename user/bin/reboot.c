/* reboot: ends the system in order and starts it again. */
#include "common/kernel_call.h"

static const char usage[] = "usage: reboot\n"
                            "End all processes, write everything to disk, and start again.\n";

int main(int argc, char **argv)
{
    utility_start(usage, 1);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    if (optind < argc)
        utility_misuse("no arguments are expected");
    return init_shutdown(1);
}
