/* Copying of files and trees, for cp and mv. Every failure is reported where it happens; the
 * functions return whether all went well. */
#pragma once

#include "walk.h"
#include <fcntl.h>

struct copy_options {
    bool recursive;
    bool follow;   /* copy what symbolic links lead to */
    bool preserve; /* permissions and times */
    bool force;    /* remove a destination that cannot be opened */
    bool verbose;
};

/* copy_bytes: from one descriptor to another until the end of the first. */
static inline bool copy_bytes(int from, const char *from_name, int to, const char *to_name)
{
    static char buffer[BUFFER_SIZE];
    ssize_t n;
    while ((n = read_some(from, buffer, sizeof(buffer))) > 0)
        if (write_all(to, buffer, (size_t)n) < 0) {
            warn("%s", to_name);
            return false;
        }
    if (n < 0)
        warn("%s", from_name);
    return n == 0;
}

/* copy_attributes: permissions and times of status onto path. */
static inline bool copy_attributes(const char *path, const struct stat *status)
{
    struct timespec times[2] = {status->st_atim, status->st_mtim};
    if (chmod(path, status->st_mode & 07777) < 0 || utimensat(AT_FDCWD, path, times, 0) < 0) {
        warn("%s", path);
        return false;
    }
    return true;
}

static inline bool copy_link(const char *from, const char *to, const struct stat *status)
{
    size_t size = (size_t)status->st_size + 1;
    if (size < 1024)
        size = 1024;
    char *text = must_allocate(size);
    ssize_t length = readlink(from, text, size - 1);
    bool good = length >= 0;

    if (!good) {
        warn("%s", from);
    } else {
        text[length] = '\0';
        good = symlink(text, to) == 0 ||
               (errno == EEXIST && unlink(to) == 0 && symlink(text, to) == 0);
        if (!good)
            warn("%s", to);
    }
    free(text);
    return good;
}

/* copy_file: the contents of from into to, which is made if it is not there. */
static inline bool copy_file(const char *from, const char *to, const struct stat *status,
                             const struct copy_options *options)
{
    int flags = O_WRONLY | O_CREAT | O_TRUNC;
    mode_t mode = status->st_mode & 0777;
    int in = open(from, O_RDONLY);
    if (in < 0) {
        warn("%s", from);
        return false;
    }
    int out = open(to, flags, mode);
    if (out < 0 && options->force && unlink(to) == 0)
        out = open(to, flags, mode);
    if (out < 0) {
        warn("%s", to);
        close(in);
        return false;
    }
    bool good = copy_bytes(in, from, out, to);
    if (close(out) < 0 && good) {
        warn("%s", to);
        good = false;
    }
    close(in);
    return good && (!options->preserve || copy_attributes(to, status));
}

struct copy_tree {
    const struct copy_options *options;
    const char *from, *to;
    struct stat made; /* the first directory made: never copy that one */
    bool have_made, good;
};

static inline bool copy_make_directory(struct copy_tree *tree, const struct walk_entry *entry,
                                       const char *to)
{
    bool made = mkdir(to, (entry->stat.st_mode & 0777) | 0700) == 0;
    if (!made && (errno != EEXIST || !is_directory(to))) {
        warn("%s", to);
        return false;
    }
    if (!tree->have_made && stat(to, &tree->made) == 0)
        tree->have_made = true;
    return true;
}

static inline enum walk_answer copy_visit(const struct walk_entry *entry, enum walk_event event,
                                          void *context)
{
    struct copy_tree *tree = context;
    const char *below = entry->path + strlen(tree->from);
    enum walk_answer answer = WALK_CONTINUE;
    bool good = true;
    while (*below == '/')
        below++;
    char *to = *below != '\0' ? path_join(tree->to, below) : must_copy(tree->to);

    if (tree->options->verbose && (event == WALK_FILE || event == WALK_ENTER))
        output_format("'%s' -> '%s'\n", entry->path, to);
    if (event == WALK_ERROR) {
        errno = entry->error;
        warn("%s", entry->path);
        good = false;
    } else if (event == WALK_ENTER && tree->have_made && same_file(&tree->made, &entry->stat)) {
        warnx("%s: cannot copy a directory into itself", entry->path);
        good = false;
        answer = WALK_SKIP;
    } else if (event == WALK_ENTER) {
        good = copy_make_directory(tree, entry, to);
        answer = good ? WALK_CONTINUE : WALK_SKIP;
    } else if (event == WALK_LEAVE) {
        if (tree->options->preserve)
            good = copy_attributes(to, &entry->stat);
    } else if (S_ISLNK(entry->stat.st_mode)) {
        good = copy_link(entry->path, to, &entry->stat);
    } else if (S_ISREG(entry->stat.st_mode)) {
        good = copy_file(entry->path, to, &entry->stat, tree->options);
    } else {
        warnx("%s: not a regular file, not copied", entry->path);
        good = false;
    }
    tree->good &= good;
    free(to);
    return answer;
}

/* copy_is_inside: whether directory "to" is, or will be, at or below the directory "inside". The
 * answer follows the parents of what exists of to. */
static inline bool copy_is_inside(const char *to, const struct stat *inside)
{
    char *at = must_copy(to);
    struct stat status, last = {0};
    bool found = false;

    while (stat(at, &status) < 0) { /* up to something that exists */
        char *up = path_parent(at);
        bool stuck = strcmp(up, at) == 0;
        free(at);
        at = up;
        if (stuck)
            break;
    }
    while (!found && stat(at, &status) == 0 && !same_file(&status, &last)) {
        found = same_file(&status, inside);
        last = status;
        char *up = path_join(at, "..");
        free(at);
        at = up;
    }
    free(at);
    return found;
}

/* copy_tree: from and everything below it becomes to. */
static inline bool copy_tree(const char *from, const char *to, const struct copy_options *options)
{
    struct copy_tree tree = {.options = options, .from = from, .to = to, .good = true};
    struct walk walk = {.follow = options->follow, .visit = copy_visit, .context = &tree};
    walk_tree(&walk, from);
    return tree.good;
}
