/* Walks directories, one component of the pattern at a time. */
#include "glob.h"

#include "../base/text.h"
#include "pattern.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 64 /* components with pattern characters */

struct glob {
    struct text path; /* what has been matched so far */
    struct strings *paths;
    struct arena *arena;
};

void strings_add(struct strings *strings, char *string, struct arena *arena)
{
    if (strings->count + 1 >= strings->capacity) {
        size_t capacity = strings->capacity > 0 ? strings->capacity * 2 : 16;
        char **items = arena_alloc(arena, capacity * sizeof(char *));
        if (strings->count > 0)
            memcpy(items, strings->items, strings->count * sizeof(char *));
        strings->items = items;
        strings->capacity = capacity;
    }
    strings->items[strings->count++] = string;
    strings->items[strings->count] = NULL;
}

static struct span rest_of(struct span span, size_t from)
{
    return (struct span){span.chars + from, span.marks + from, span.len - from};
}

static void walk(struct glob *glob, struct span pattern, int depth);

/* The entries of the directory reached so far that match one component. */
static void walk_directory(struct glob *glob, struct span component, struct span rest, int depth)
{
    size_t base = glob->path.len;
    DIR *directory = opendir(base > 0 ? text_get(&glob->path) : ".");
    struct strings names = {0};
    struct dirent *entry;

    if (directory == NULL)
        return;
    bool hidden = component.chars[0] == '.';
    while ((entry = readdir(directory)) != NULL) {
        size_t len = strlen(entry->d_name);
        if ((entry->d_name[0] != '.' || hidden) && pattern_match(component, entry->d_name, len))
            strings_add(&names, arena_copy(glob->arena, entry->d_name, len), glob->arena);
    }
    closedir(directory); /* before the descent, so that depth costs no descriptors */
    for (size_t i = 0; i < names.count; i++) {
        text_string(&glob->path, names.items[i]);
        walk(glob, rest, depth + 1);
        glob->path.len = base;
        glob->path.data[base] = '\0';
    }
}

/* pattern is what is still to be matched: nothing, or slashes and more components. */
static void walk(struct glob *glob, struct span pattern, int depth)
{
    struct stat status;
    for (;;) {
        size_t len = 0;
        while (len < pattern.len && pattern.chars[len] == '/')
            text_char(&glob->path, pattern.chars[len++]);
        pattern = rest_of(pattern, len);
        if (pattern.len == 0)
            break;
        for (len = 0; len < pattern.len && pattern.chars[len] != '/';)
            len++;
        struct span component = {pattern.chars, pattern.marks, len};
        pattern = rest_of(pattern, len);
        if (pattern_active(component)) {
            if (depth < DEPTH_MAX)
                walk_directory(glob, component, pattern, depth);
            return;
        }
        text_add(&glob->path, component.chars, component.len);
    }
    if (lstat(text_get(&glob->path), &status) == 0)
        strings_add(glob->paths, arena_copy(glob->arena, text_get(&glob->path), glob->path.len),
                    glob->arena);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The part of a URI that no directory lists: through the last ':' before the first slash. */
static size_t uri_prefix(struct span pattern)
{
    size_t prefix = 0;
    for (size_t i = 0; i < pattern.len && pattern.chars[i] != '/'; i++) {
        if (pattern.marks[i] != MARK_QUOTED && memchr("*?[", pattern.chars[i], 3) != NULL)
            break;
        if (pattern.chars[i] == ':')
            prefix = i + 1;
    }
    return prefix;
}

size_t glob_expand(struct span pattern, struct strings *paths, struct arena *arena)
{
    struct glob glob = {.paths = paths, .arena = arena};
    size_t before = paths->count, prefix = uri_prefix(pattern);

    walk(&glob, pattern, 0);
    if (paths->count == before && prefix > 0) {
        text_clear(&glob.path);
        text_add(&glob.path, pattern.chars, prefix);
        walk(&glob, rest_of(pattern, prefix), 0);
    }
    text_free(&glob.path);
    if (paths->count > before)
        qsort(paths->items + before, paths->count - before, sizeof(char *), compare);
    return paths->count - before;
}
