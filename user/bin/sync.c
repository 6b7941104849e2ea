/* sync: writes what is in memory to disk. */
#include "common/utility.h"

#include <fcntl.h>

static const char usage[] = "usage: sync [FILE]...\n"
                            "Write all changes of the file systems, or of these files, to disk.\n";

static int sync_file(const char *name) {
    int fd = open(name, O_RDONLY), status = 0;
    if (fd < 0 || fsync(fd) < 0) {
        warn("%s", name);
        status = 1;
    }
    if (fd >= 0)
        close(fd);
    return status;
}

int main(int argc, char **argv) {
    int status = 0;

    utility_start(usage, 1);
    while (utility_option(argc, argv, "+") != -1)
        continue;
    if (optind == argc)
        sync();
    for (int i = optind; i < argc; i++)
        status |= sync_file(argv[i]);
    return status;
}
