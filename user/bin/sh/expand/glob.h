/* Pathname expansion (POSIX.1-2017, XCU 2.6.6), also behind the ':' of a URI. */
#pragma once

#include "marked.h"

/* A list of strings in an arena. */
struct strings {
    char **items; /* NULL-terminated once something was added */
    size_t count, capacity;
};
void strings_add(struct strings *strings, char *string, struct arena *arena);

/* glob_expand: adds the paths that match, in order, and returns how many. */
size_t glob_expand(struct span pattern, struct strings *paths, struct arena *arena);
