/* mkdir: makes directories. */
#include "common/file_mode.h"
#include "common/path.h"

static const char usage[] = "usage: mkdir [-pv] [-m MODE] DIRECTORY...\n"
                            "  -p       make missing parents, too; an existing directory is fine\n"
                            "  -m MODE  permissions, as for chmod\n"
                            "  -v       say what is made\n";

static bool verbose;

/* make_one: existing: a directory that is there already will do. */
static bool make_one(const char *path, bool existing)
{
    if (mkdir(path, 0777) == 0) {
        if (verbose)
            output_format("mkdir: created directory '%s'\n", path);
        return true;
    }
    int error = errno;
    if (existing && is_directory(path))
        return true;
    errno = error == EEXIST && existing ? ENOTDIR : error;
    warn("%s", path);
    return false;
}

/* make_parents: all of path but its last component; path is restored. */
static bool make_parents(char *path)
{
    size_t prefix = path_prefix(path);
    for (char *at = path + prefix; *at != '\0';) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        if (at[strspn(at, "/")] == '\0')
            break;
        *at = '\0';
        bool good = make_one(path, true);
        *at = '/';
        if (!good)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *mode_text = NULL;
    bool parents = false;
    mode_t mode = 0777;
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "pvm:")) != -1) {
        parents |= option == 'p';
        verbose |= option == 'v';
        if (option == 'm')
            mode_text = optarg;
    }
    if (optind == argc)
        utility_misuse("missing operand");
    if (mode_text != NULL) {
        mode_t mask = umask(0);
        umask(mask);
        if (!mode_parse(mode_text, true, mask, &mode))
            errx(1, "%s: invalid mode", mode_text);
    }
    for (int i = optind; i < argc; i++) {
        bool there = is_directory(argv[i]);
        if ((parents && !make_parents(argv[i])) || !make_one(argv[i], parents)) {
            status = 1;
        } else if (mode_text != NULL && !there && chmod(argv[i], mode) < 0) {
            warn("%s", argv[i]);
            status = 1;
        }
    }
    return status;
}
