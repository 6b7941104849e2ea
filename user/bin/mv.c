/* mv: renames files and directories; across file systems it copies and removes. */
#include "common/copy.h"

static const char usage[] = "usage: mv [-finv] SOURCE... DESTINATION\n"
                            "  -f  never ask\n"
                            "  -i  ask before replacing a file\n"
                            "  -n  never replace a file\n"
                            "  -v  say what is moved\n";

static bool ask, never_replace, verbose;

static enum walk_answer remove_visit(const struct walk_entry *entry, enum walk_event event,
                                     void *context)
{
    bool *good = context;
    int result = 0;
    errno = entry->error;
    if (event == WALK_FILE)
        result = unlink(entry->path);
    else if (event == WALK_LEAVE)
        result = rmdir(entry->path);
    if (result < 0 || event == WALK_ERROR) {
        warn("%s", entry->path);
        *good = false;
    }
    return WALK_CONTINUE;
}

/* move_by_copy: the source goes only when all of it has arrived. */
static bool move_by_copy(const char *source, const char *destination, const struct stat *status)
{
    struct copy_options options = {.recursive = true, .preserve = true};
    struct stat old;
    bool good = true;

    if (lstat(destination, &old) == 0) {
        int result = S_ISDIR(old.st_mode) ? rmdir(destination) : unlink(destination);
        if (result < 0) {
            warn("%s", destination);
            return false;
        }
    }
    if (S_ISDIR(status->st_mode) && copy_is_inside(destination, status)) {
        warnx("%s: cannot move a directory into itself, '%s'", source, destination);
        return false;
    }
    if (!copy_tree(source, destination, &options))
        return false;
    struct walk walk = {.visit = remove_visit, .context = &good};
    walk_tree(&walk, source);
    return good;
}

/* may_replace: what rename() would do silently or oddly is decided here. */
static bool may_replace(const char *source, const char *destination, const struct stat *status,
                        bool *good)
{
    struct stat old;
    *good = false;
    if (path_claims_directory(destination) && !S_ISDIR(status->st_mode)) {
        warnx("%s: not a directory", destination);
        return false;
    }
    *good = true;
    if (lstat(destination, &old) < 0)
        return true;
    *good = false;
    if (same_file(status, &old) && status->st_nlink == 1) {
        warnx("%s: is the same file as '%s'", destination, source);
        return false;
    }
    if (S_ISDIR(old.st_mode) && !S_ISDIR(status->st_mode)) {
        warnx("%s: is a directory, so '%s' cannot replace it", destination, source);
        return false;
    }
    if (!S_ISDIR(old.st_mode) && S_ISDIR(status->st_mode)) {
        warnx("%s: not a directory, so '%s' cannot replace it", destination, source);
        return false;
    }
    *good = true;
    return !never_replace && (!ask || confirmed("mv: replace '%s'? ", destination));
}

static bool move_one(const char *source, const char *destination)
{
    struct stat status, old;
    bool good = true;
    if (lstat(source, &status) < 0) {
        warn("%s", source);
        return false;
    }
    if (!may_replace(source, destination, &status, &good))
        return good;
    if (lstat(destination, &old) == 0 && same_file(&status, &old)) {
        /* two links of one file: rename() would keep both */
        if (unlink(source) < 0) {
            warn("%s", source);
            return false;
        }
    } else if (rename(source, destination) < 0) {
        if (errno == EINVAL && S_ISDIR(status.st_mode)) {
            warnx("%s: cannot move a directory into itself, '%s'", source, destination);
            return false;
        }
        if (errno != EXDEV) {
            warn("%s: cannot move to '%s'", source, destination);
            return false;
        }
        if (!move_by_copy(source, destination, &status))
            return false;
    }
    if (verbose)
        output_format("renamed '%s' -> '%s'\n", source, destination);
    return true;
}

int main(int argc, char **argv)
{
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "finv")) != -1) {
        if (option == 'v') {
            verbose = true;
            continue;
        }
        ask = option == 'i';
        never_replace = option == 'n';
    }
    if (argc - optind < 2)
        utility_misuse("missing operand");
    const char *destination = argv[argc - 1];
    bool into = is_directory(destination);
    if (!into && argc - optind > 2)
        utility_misuse("the destination of several sources must be a directory");
    for (int i = optind; i < argc - 1; i++) {
        char *base = path_base(argv[i]);
        char *to = into ? path_join(destination, base) : must_copy(destination);
        if (!move_one(argv[i], to))
            status = 1;
        free(base);
        free(to);
    }
    return status;
}
