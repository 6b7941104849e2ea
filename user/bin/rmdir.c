/* rmdir: removes empty directories. */
#include "common/path.h"

static const char usage[] = "usage: rmdir [-pv] DIRECTORY...\n"
                            "  -p  remove the parents named in DIRECTORY, too\n"
                            "  -v  say what is removed\n";

static bool verbose;

static bool remove_one(const char *path)
{
    if (verbose)
        output_format("rmdir: removing directory, '%s'\n", path);
    if (rmdir(path) == 0)
        return true;
    warn("%s", path);
    return false;
}

/* remove_parents: "a/b/c" also removes a/b and a, in place. */
static bool remove_parents(char *path)
{
    size_t prefix = path_prefix(path);
    for (size_t end = strlen(path);;) {
        while (end > prefix && path[end - 1] == '/')
            end--;
        while (end > prefix && path[end - 1] != '/')
            end--;
        while (end > prefix && path[end - 1] == '/')
            end--;
        if (end <= prefix)
            return true;
        path[end] = '\0';
        if (!remove_one(path))
            return false;
    }
}

int main(int argc, char **argv)
{
    bool parents = false;
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "pv")) != -1) {
        parents |= option == 'p';
        verbose |= option == 'v';
    }
    if (optind == argc)
        utility_misuse("missing operand");
    for (int i = optind; i < argc; i++)
        if (!remove_one(argv[i]) || (parents && !remove_parents(argv[i])))
            status = 1;
    return status;
}
