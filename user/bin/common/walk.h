/* A walk over a tree of files, in order of names, without recursion.
 *
 * The stack holds the names of each open level, not open directories, so neither the C stack
 * nor the descriptor table limits the depth, and what is visited may be removed on the way. */
#pragma once

#include "path.h"
#include <dirent.h>

struct names {
    char **list;
    size_t count, capacity;
};

static inline void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct names){0};
}

static inline int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* names_read: the names in a directory, sorted, without "." and ".." unless wanted. 0, or -1
 * with errno and whatever names could be read. */
static inline int names_read(struct names *names, const char *path, bool dots)
{
    struct dirent *entry;
    int error;
    DIR *directory = opendir(path);

    *names = (struct names){0};
    if (directory == NULL)
        return -1;
    while ((void)(errno = 0), (entry = readdir(directory)) != NULL) {
        if (!dots && path_is_dots(entry->d_name))
            continue;
        names->list = must_grow(names->list, names->count, &names->capacity, sizeof(char *));
        names->list[names->count++] = must_copy(entry->d_name);
    }
    error = errno;
    closedir(directory);
    if (names->count > 0)
        qsort(names->list, names->count, sizeof(char *), names_compare);
    errno = error;
    return error == 0 ? 0 : -1;
}

enum walk_event {
    WALK_FILE,  /* anything that is not a directory */
    WALK_ENTER, /* a directory, before what is in it */
    WALK_LEAVE, /* the same directory, after it */
    WALK_ERROR, /* entry.error: it cannot be examined, read, or is its own ancestor (ELOOP) */
};
enum walk_answer { WALK_CONTINUE, WALK_SKIP /* on WALK_ENTER: not into it */, WALK_STOP };

struct walk_entry {
    const char *path;
    const char *name; /* the last component as the directory spells it; of an argument, all */
    unsigned depth;   /* 0 for the argument */
    int error;
    struct stat stat;
};

struct walk {
    bool follow_argument, follow; /* symbolic links */
    enum walk_answer (*visit)(const struct walk_entry *entry, enum walk_event event, void *context);
    void *context;
};

struct walk_level {
    char *path;
    const char *name;
    struct stat stat;
    struct names names;
    size_t next;
    bool entered;
};

struct walk_stack {
    struct walk_level *levels;
    size_t count, capacity;
};

static inline enum walk_answer walk_report(const struct walk *walk, struct walk_stack *stack,
                                           enum walk_event event, int error)
{
    struct walk_level *top = &stack->levels[stack->count - 1];
    struct walk_entry entry = {.path = top->path,
                               .name = top->name,
                               .error = error,
                               .depth = (unsigned)stack->count - 1,
                               .stat = top->stat};
    return walk->visit(&entry, event, walk->context);
}

static inline void walk_push(struct walk_stack *stack, char *path, const char *name)
{
    stack->levels =
        must_grow(stack->levels, stack->count, &stack->capacity, sizeof(struct walk_level));
    stack->levels[stack->count++] = (struct walk_level){.path = path, .name = name};
}

static inline void walk_pop(struct walk_stack *stack)
{
    struct walk_level *top = &stack->levels[--stack->count];
    names_free(&top->names);
    free(top->path);
}

static inline int walk_stat(const struct walk *walk, const struct walk_stack *stack,
                            struct walk_level *top)
{
    if (walk->follow || (walk->follow_argument && stack->count == 1))
        if (stat(top->path, &top->stat) == 0)
            return 0;
    return lstat(top->path, &top->stat);
}

/* walk_begin: visits the new top level; a directory stays on the stack, entered. */
static inline enum walk_answer walk_begin(const struct walk *walk, struct walk_stack *stack)
{
    struct walk_level *top = &stack->levels[stack->count - 1];
    enum walk_answer answer;

    if (walk_stat(walk, stack, top) < 0) {
        answer = walk_report(walk, stack, WALK_ERROR, errno);
        goto pop;
    }
    if (!S_ISDIR(top->stat.st_mode)) {
        answer = walk_report(walk, stack, WALK_FILE, 0);
        goto pop;
    }
    for (size_t i = 0; walk->follow && i + 1 < stack->count; i++)
        if (same_file(&stack->levels[i].stat, &top->stat)) {
            answer = walk_report(walk, stack, WALK_ERROR, ELOOP);
            goto pop;
        }
    answer = walk_report(walk, stack, WALK_ENTER, 0);
    if (answer != WALK_CONTINUE)
        goto pop;
    top->entered = true;
    if (names_read(&top->names, top->path, false) < 0)
        answer = walk_report(walk, stack, WALK_ERROR, errno);
    return answer;
pop:
    walk_pop(stack);
    return answer;
}

/* walk_tree: visits path and all below it. False if a visit answered WALK_STOP. */
static inline bool walk_tree(const struct walk *walk, const char *path)
{
    struct walk_stack stack = {0};
    walk_push(&stack, must_copy(path), path);
    enum walk_answer answer = walk_begin(walk, &stack);

    while (stack.count > 0 && answer != WALK_STOP) {
        struct walk_level *top = &stack.levels[stack.count - 1];
        if (top->next < top->names.count) {
            const char *name = top->names.list[top->next++];
            walk_push(&stack, path_join(top->path, name), name);
            answer = walk_begin(walk, &stack);
        } else {
            answer = walk_report(walk, &stack, WALK_LEAVE, 0);
            walk_pop(&stack);
        }
    }
    while (stack.count > 0)
        walk_pop(&stack);
    free(stack.levels);
    return answer != WALK_STOP;
}
