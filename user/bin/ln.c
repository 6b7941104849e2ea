/* ln: makes further links to files, hard or symbolic. */
#include "common/path.h"

static const char usage[] = "usage: ln [-fnsv] TARGET [NAME]\n"
                            "       ln [-fnsv] TARGET... DIRECTORY\n"
                            "  -s  symbolic links\n"
                            "  -f  replace existing names\n"
                            "  -n  do not follow NAME if it is a link to a directory\n"
                            "  -v  say what is linked\n";

static bool symbolic, force, verbose;

static bool make_link(const char *target, const char *name)
{
    struct stat a, b;
    bool exists = lstat(name, &b) == 0;
    if (exists && force && !symbolic && lstat(target, &a) == 0 && same_file(&a, &b)) {
        warnx("%s: is the same file as '%s'", name, target);
        return false;
    }
    if (!symbolic && lstat(target, &a) < 0) { /* before the old name goes */
        warn("%s", target);
        return false;
    }
    if (exists && force && unlink(name) < 0) {
        warn("%s", name);
        return false;
    }
    if ((symbolic ? symlink(target, name) : link(target, name)) < 0) {
        warn("%s", name);
        return false;
    }
    if (verbose)
        output_format("'%s' %s '%s'\n", name, symbolic ? "->" : "=>", target);
    return true;
}

int main(int argc, char **argv)
{
    bool no_follow = false;
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "fnsv")) != -1) {
        symbolic |= option == 's';
        force |= option == 'f';
        verbose |= option == 'v';
        no_follow |= option == 'n';
    }
    int count = argc - optind;
    if (count < 1)
        utility_misuse("missing operand");
    const char *last = count == 1 ? "." : argv[argc - 1];
    struct stat status_last;
    bool into = is_directory(last);
    if (into && no_follow && lstat(last, &status_last) == 0 && S_ISLNK(status_last.st_mode))
        into = false;
    if (count > 2 && !into)
        utility_misuse("the last of several operands must be a directory");
    for (int i = optind; i < argc - (count > 1); i++) {
        char *base = path_base(argv[i]);
        char *name = into ? path_join(last, base) : must_copy(last);
        if (!make_link(argv[i], count == 1 ? base : name))
            status = 1;
        free(base);
        free(name);
    }
    return status;
}
