/* df: how full file systems are. */
#include "common/human.h"
#include "common/path.h"
#include <sys/statvfs.h>

static const char usage[] = "usage: df [-hik] [FILE]...\n"
                            "  -h  sizes with units\n"
                            "  -i  inodes instead of bytes\n"
                            "  -k  units of 1024 bytes (usual)\n"
                            "Without FILE, the file systems that the system mounts.\n";

static bool human, inodes;

static const char *amount(char *text, uint64_t bytes)
{
    if (human)
        return human_size(text, bytes);
    snprintf(text, HUMAN_SIZE, "%llu",
             (unsigned long long)(inodes ? bytes : (bytes + 1023) / 1024));
    return text;
}

static void print_line(const char *path, const struct statvfs *status)
{
    char total[HUMAN_SIZE], used[HUMAN_SIZE], available[HUMAN_SIZE], percent[HUMAN_SIZE] = "-";
    uint64_t unit = inodes ? 1 : status->f_frsize > 0 ? status->f_frsize : status->f_bsize;
    uint64_t all = inodes ? status->f_files : status->f_blocks;
    uint64_t free_ = inodes ? status->f_ffree : status->f_bfree;
    uint64_t usable = inodes ? status->f_ffree : status->f_bavail;
    uint64_t taken = all > free_ ? all - free_ : 0;

    if (taken + usable > 0)
        snprintf(percent, sizeof(percent), "%llu%%",
                 (unsigned long long)((taken * 100 + taken + usable - 1) / (taken + usable)));
    output_format("%-20s %10s %10s %10s %5s\n", path, amount(total, all * unit),
                  amount(used, taken * unit), amount(available, usable * unit), percent);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"fs:root:", "fs:temp:", "/"};
    struct statvfs status;
    bool any = false;
    int option, result = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "hik")) != -1) {
        human = option == 'h' || (human && option != 'k');
        inodes |= option == 'i';
    }
    const char *const columns[] = {inodes  ? "Inodes"
                                   : human ? "Size"
                                           : "1K-blocks",
                                   inodes ? "IUsed" : "Used", inodes ? "IFree" : "Avail",
                                   inodes ? "IUse%" : "Use%"};
    output_format("%-20s %10s %10s %10s %5s\n", "Filesystem", columns[0], columns[1], columns[2],
                  columns[3]);
    for (size_t i = 0; optind == argc && i < 3 && !(i == 2 && any); i++)
        if (statvfs(usual[i], &status) == 0) {
            print_line(usual[i], &status);
            any = true;
        }
    for (int i = optind; i < argc; i++) {
        if (statvfs(argv[i], &status) < 0) {
            warn("%s", argv[i]);
            result = 1;
        } else {
            print_line(argv[i], &status);
        }
    }
    return result;
}
