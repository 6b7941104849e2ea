/* cp: copies files, and trees with -r. */
#include "common/copy.h"

static const char usage[] = "usage: cp [-afinprvLP] SOURCE... DESTINATION\n"
                            "  -r, -R  copy directories and all in them (symbolic links as links)\n"
                            "  -p      keep permissions and times\n"
                            "  -f      replace a destination that cannot be opened\n"
                            "  -i, -n  ask before replacing a file, never replace one\n"
                            "  -P, -L  copy symbolic links as links, copy what they lead to\n"
                            "  -a      as -r -p -P\n"
                            "  -v      say what is copied\n";

static struct copy_options options;
static bool ask, never_replace;

/* copy_directory: source becomes destination, which must not lie within it. */
static bool copy_directory(const char *source, const char *destination, const struct stat *status)
{
    if (!options.recursive) {
        warnx("%s: is a directory (-r copies it)", source);
        return false;
    }
    struct stat old;
    if (stat(destination, &old) == 0 && !S_ISDIR(old.st_mode)) {
        warnx("%s: not a directory, so '%s' cannot be copied there", destination, source);
        return false;
    }
    if (copy_is_inside(destination, status)) {
        warnx("%s: cannot copy a directory into itself, '%s'", source, destination);
        return false;
    }
    return copy_tree(source, destination, &options);
}

/* copy_one: source, whatever it is, becomes destination. */
static bool copy_one(const char *source, const char *destination)
{
    struct stat status, old;
    if ((options.follow ? stat(source, &status) : lstat(source, &status)) < 0) {
        warn("%s", source);
        return false;
    }
    if (S_ISDIR(status.st_mode))
        return copy_directory(source, destination, &status);
    if (path_claims_directory(destination)) {
        warnx("%s: not a directory", destination);
        return false;
    }
    bool exists = stat(destination, &old) == 0;
    if (exists && same_file(&status, &old)) {
        warnx("%s: is the same file as '%s'", destination, source);
        return false;
    }
    if (exists && S_ISDIR(old.st_mode)) {
        warnx("%s: is a directory, so '%s' cannot replace it", destination, source);
        return false;
    }
    if (exists && (never_replace || (ask && !confirmed("cp: replace '%s'? ", destination))))
        return true;
    if (options.verbose)
        output_format("'%s' -> '%s'\n", source, destination);
    if (S_ISLNK(status.st_mode))
        return copy_link(source, destination, &status);
    return copy_file(source, destination, &status, &options);
}

int main(int argc, char **argv)
{
    int option, status = 0, links = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "rRpfinvaLP")) != -1) {
        options.recursive |= option == 'r' || option == 'R' || option == 'a';
        options.preserve |= option == 'p' || option == 'a';
        options.force |= option == 'f';
        options.verbose |= option == 'v';
        if (option == 'i' || option == 'n') {
            ask = option == 'i';
            never_replace = option == 'n';
        }
        if (option == 'L' || option == 'P')
            links = option;
    }
    options.follow = links == 'L' || (links == 0 && !options.recursive);
    if (argc - optind < 2)
        utility_misuse("missing operand");
    const char *destination = argv[argc - 1];
    bool into = is_directory(destination);
    if (!into && argc - optind > 2)
        utility_misuse("the destination of several sources must be a directory");
    for (int i = optind; i < argc - 1; i++) {
        char *base = path_base(argv[i]);
        char *to = into ? path_join(destination, strcmp(base, "..") != 0 ? base : ".")
                        : must_copy(destination);
        if (!copy_one(argv[i], to))
            status = 1;
        free(base);
        free(to);
    }
    return status;
}
