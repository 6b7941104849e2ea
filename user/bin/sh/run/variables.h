/* Shell variables by name. */
#pragma once

#include "../base/arena.h"
#include <stdbool.h>

#define VARIABLE_BUCKETS 64

struct variable {
    char *name;
    char *value; /* NULL: not set, but exported or read-only */
    bool exported, readonly;
    struct variable *next; /* in its bucket */
};
struct variables {
    struct variable *buckets[VARIABLE_BUCKETS];
};

/* variable_get: NULL if it is not set. */
const char *variable_get(const struct variables *variables, const char *name);
struct variable *variable_find(const struct variables *variables, const char *name);

/* variable_set: value NULL leaves an existing value alone (export, readonly). False, and nothing
 * changes, if it is read-only. */
bool variable_set(struct variables *variables, const char *name, const char *value);
bool variable_unset(struct variables *variables, const char *name);

/* variable_declare: the variable, made without a value if there was none. */
struct variable *variable_declare(struct variables *variables, const char *name);

/* variables_sorted: all of them by name, NULL-terminated. */
struct variable **variables_sorted(const struct variables *variables, struct arena *arena);

/* variables_environment: NAME=value of the exported ones, NULL-terminated. */
char **variables_environment(const struct variables *variables, struct arena *arena);

void variables_free(struct variables *variables);
