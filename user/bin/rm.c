/* rm: removes files, and trees with -r. It refuses /, "." and "..". */
#include "common/walk.h"

static const char usage[] = "usage: rm [-dfirRv] FILE...\n"
                            "  -r, -R  remove directories and all in them\n"
                            "  -d      remove empty directories\n"
                            "  -f      never ask; what does not exist is no error\n"
                            "  -i      ask before each removal\n"
                            "  -v      say what is removed\n";

static bool recursive, directories, force, ask, verbose;

static enum walk_answer remove_visit(const struct walk_entry *entry, enum walk_event event,
                                     void *context)
{
    int *status = context;
    int result;

    if (event == WALK_ERROR) {
        errno = entry->error;
        if (force && errno == ENOENT)
            return WALK_CONTINUE;
        warn("%s", entry->path);
        *status = 1;
        return WALK_CONTINUE;
    }
    if (event == WALK_ENTER && !recursive && !directories) {
        warnx("%s: is a directory (-r removes it)", entry->path);
        *status = 1;
        return WALK_SKIP;
    }
    if (event == WALK_ENTER && recursive)
        return !ask || confirmed("rm: descend into '%s'? ", entry->path) ? WALK_CONTINUE
                                                                         : WALK_SKIP;
    if (ask && !confirmed("rm: remove '%s'? ", entry->path))
        return WALK_SKIP;
    result = event == WALK_FILE ? unlink(entry->path) : rmdir(entry->path);
    if (result < 0) {
        warn("%s", entry->path);
        *status = 1;
    } else if (verbose) {
        output_format("removed %s'%s'\n", event == WALK_FILE ? "" : "directory ", entry->path);
    }
    return WALK_SKIP; /* of WALK_ENTER with -d; elsewhere it changes nothing */
}

/* is_refused: names whose removal is never meant. */
static bool is_refused(const char *path)
{
    struct stat status, root;
    char *base = path_base(path);
    bool dots = path_is_dots(base);
    free(base);
    if (dots)
        warnx("%s: refusing to remove '.' or '..'", path);
    else if (lstat(path, &status) == 0 && stat("/", &root) == 0 && same_file(&status, &root)) {
        warnx("%s: refusing to remove the root directory", path);
        dots = true;
    }
    return dots;
}

int main(int argc, char **argv)
{
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "dfirRv")) != -1) {
        recursive |= option == 'r' || option == 'R';
        directories |= option == 'd';
        verbose |= option == 'v';
        if (option == 'f' || option == 'i') {
            force = option == 'f';
            ask = option == 'i';
        }
    }
    if (optind == argc && !force)
        utility_misuse("missing operand");
    for (int i = optind; i < argc; i++) {
        struct walk walk = {.visit = remove_visit, .context = &status};
        if (is_refused(argv[i]))
            status = 1;
        else
            walk_tree(&walk, argv[i]);
    }
    return status;
}
