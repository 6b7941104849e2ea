/* glob: a depth-first walk, one path segment at a time; only segments with a wildcard are looked
 * up in a directory. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
    glob_t *result;
    size_t room;
    int flags;
    int (*error)(const char *path, int number);
    char path[PATH_MAX];
};

static bool has_wildcard(const char *segment, size_t len, bool escapes)
{
    for (size_t i = 0; i < len; i++) {
        if (segment[i] == '\\' && escapes && i + 1 < len)
            i++;
        else if (strchr("*?[", segment[i]))
            return true;
    }
    return false;
}

static int add_name(struct walk *w, const char *name)
{
    glob_t *g = w->result;
    size_t used = g->gl_offs + g->gl_pathc;
    if (used + 2 > w->room) {
        size_t room = used * 2 + 16;
        char **grown = realloc(g->gl_pathv, room * sizeof *grown);
        if (!grown)
            return GLOB_NOSPACE;
        for (size_t i = 0; !g->gl_pathv && i < g->gl_offs; i++)
            grown[i] = NULL;
        g->gl_pathv = grown;
        w->room = room;
    }
    char *copy = strdup(name);
    if (!copy)
        return GLOB_NOSPACE;
    g->gl_pathv[used] = copy;
    g->gl_pathv[used + 1] = NULL;
    g->gl_pathc++;
    return 0;
}

static int walk(struct walk *w, size_t len, const char *pattern);

/* w->path, len bytes of it, is complete: keep it if it exists. */
static int finish(struct walk *w, size_t len)
{
    struct stat st;
    if (len == 0 || lstat(w->path, &st) < 0)
        return 0;
    if ((w->flags & GLOB_MARK) && w->path[len - 1] != '/' && len + 1 < sizeof w->path &&
        stat(w->path, &st) == 0 && S_ISDIR(st.st_mode))
        strcpy(w->path + len, "/");
    return add_name(w, w->path);
}

/* A segment without wildcards is taken as it stands, without its escapes. */
static int walk_plain(struct walk *w, size_t len, const char *segment, size_t segment_len,
                      const char *rest)
{
    for (size_t i = 0; i < segment_len; i++) {
        if (segment[i] == '\\' && !(w->flags & GLOB_NOESCAPE) && i + 1 < segment_len)
            i++;
        if (len + 1 >= sizeof w->path)
            return 0;
        w->path[len++] = segment[i];
    }
    w->path[len] = '\0';
    return walk(w, len, rest);
}

static int walk_matching(struct walk *w, size_t len, const char *segment, size_t segment_len,
                         const char *rest)
{
    char pattern[NAME_MAX + 1];
    if (segment_len >= sizeof pattern)
        return 0;
    memcpy(pattern, segment, segment_len);
    pattern[segment_len] = '\0';
    w->path[len] = '\0';
    DIR *directory = opendir(len ? w->path : ".");
    if (!directory) {
        bool stop = (w->error && w->error(w->path, errno)) || (w->flags & GLOB_ERR);
        return stop ? GLOB_ABORTED : 0;
    }
    int flags = (w->flags & GLOB_NOESCAPE ? FNM_NOESCAPE : 0) |
                (w->flags & GLOB_PERIOD ? 0 : FNM_PERIOD);
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (entry = readdir(directory))) {
        size_t name_len = strlen(entry->d_name);
        bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if ((dots && pattern[0] != '.') || fnmatch(pattern, entry->d_name, flags) != 0 ||
            len + name_len + 1 >= sizeof w->path)
            continue;
        if (*rest && entry->d_type != DT_DIR && entry->d_type != DT_LNK &&
            entry->d_type != DT_UNKNOWN)
            continue;
        memcpy(w->path + len, entry->d_name, name_len + 1);
        result = walk(w, len + name_len, rest);
    }
    closedir(directory);
    return result;
}

static int walk(struct walk *w, size_t len, const char *pattern)
{
    for (; *pattern == '/'; pattern++) {
        if (len + 1 >= sizeof w->path)
            return 0;
        if (len == 0 || w->path[len - 1] != '/')
            w->path[len++] = '/';
    }
    w->path[len] = '\0';
    if (!*pattern)
        return finish(w, len);
    size_t segment_len = strcspn(pattern, "/");
    const char *rest = pattern + segment_len;
    if (has_wildcard(pattern, segment_len, !(w->flags & GLOB_NOESCAPE)))
        return walk_matching(w, len, pattern, segment_len, rest);
    return walk_plain(w, len, pattern, segment_len, rest);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int glob(const char *restrict pattern, int flags, int (*error)(const char *path, int number),
         glob_t *restrict result)
{
    if (!(flags & GLOB_APPEND)) {
        size_t offset = flags & GLOB_DOOFFS ? result->gl_offs : 0;
        *result = (glob_t){.gl_offs = offset};
    }
    size_t before = result->gl_pathc;
    struct walk w = {.result = result, .flags = flags, .error = error};
    w.room = result->gl_pathv ? result->gl_offs + before + 1 : 0;
    int status = walk(&w, 0, pattern);
    size_t found = result->gl_pathc - before;
    if (status)
        return status;
    if (found == 0)
        return flags & GLOB_NOCHECK ? add_name(&w, pattern) : GLOB_NOMATCH;
    if (!(flags & GLOB_NOSORT))
        qsort(result->gl_pathv + result->gl_offs + before, found, sizeof(char *), by_name);
    return 0;
}

void globfree(glob_t *result)
{
    for (size_t i = 0; i < result->gl_pathc; i++)
        free(result->gl_pathv[result->gl_offs + i]);
    free(result->gl_pathv);
    *result = (glob_t){0};
}
