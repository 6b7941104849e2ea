/* A hash table of variables; names and values belong to it. */
#include "variables.h"

#include <stdlib.h>
#include <string.h>

static unsigned bucket_of(const char *name)
{
    unsigned hash = 5381;
    while (*name != '\0')
        hash = hash * 33 + (unsigned char)*name++;
    return hash % VARIABLE_BUCKETS;
}

struct variable *variable_find(const struct variables *variables, const char *name)
{
    struct variable *variable = variables->buckets[bucket_of(name)];
    while (variable != NULL && strcmp(variable->name, name) != 0)
        variable = variable->next;
    return variable;
}

const char *variable_get(const struct variables *variables, const char *name)
{
    const struct variable *variable = variable_find(variables, name);
    return variable != NULL ? variable->value : NULL;
}

struct variable *variable_declare(struct variables *variables, const char *name)
{
    struct variable *variable = variable_find(variables, name);
    if (variable == NULL) {
        struct variable **bucket = &variables->buckets[bucket_of(name)];
        variable = must_malloc(sizeof(*variable));
        *variable = (struct variable){.name = must_copy(name), .next = *bucket};
        *bucket = variable;
    }
    return variable;
}

bool variable_set(struct variables *variables, const char *name, const char *value)
{
    struct variable *variable = variable_declare(variables, name);
    if (value == NULL)
        return true;
    if (variable->readonly)
        return false;
    char *copy = must_copy(value); /* before the free: value may be the old one */
    free(variable->value);
    variable->value = copy;
    return true;
}

bool variable_unset(struct variables *variables, const char *name)
{
    struct variable **link = &variables->buckets[bucket_of(name)];
    while (*link != NULL && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    struct variable *variable = *link;
    if (variable == NULL)
        return true;
    if (variable->readonly)
        return false;
    *link = variable->next;
    free(variable->name);
    free(variable->value);
    free(variable);
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp((*(struct variable *const *)a)->name, (*(struct variable *const *)b)->name);
}

struct variable **variables_sorted(const struct variables *variables, struct arena *arena)
{
    size_t count = 0;
    for (unsigned i = 0; i < VARIABLE_BUCKETS; i++)
        for (struct variable *v = variables->buckets[i]; v != NULL; v = v->next)
            count++;
    struct variable **all = arena_alloc(arena, (count + 1) * sizeof(struct variable *));
    count = 0;
    for (unsigned i = 0; i < VARIABLE_BUCKETS; i++)
        for (struct variable *v = variables->buckets[i]; v != NULL; v = v->next)
            all[count++] = v;
    if (count > 0)
        qsort(all, count, sizeof(struct variable *), compare);
    return all;
}

char **variables_environment(const struct variables *variables, struct arena *arena)
{
    struct variable **all = variables_sorted(variables, arena);
    size_t count = 0, used = 0;
    while (all[count] != NULL)
        count++;
    char **environment = arena_alloc(arena, (count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        if (!all[i]->exported || all[i]->value == NULL)
            continue;
        size_t name = strlen(all[i]->name), value = strlen(all[i]->value);
        char *entry = arena_alloc(arena, name + value + 2);
        memcpy(entry, all[i]->name, name);
        entry[name] = '=';
        memcpy(entry + name + 1, all[i]->value, value);
        environment[used++] = entry;
    }
    return environment;
}

void variables_free(struct variables *variables)
{
    for (unsigned i = 0; i < VARIABLE_BUCKETS; i++)
        while (variables->buckets[i] != NULL) {
            variables->buckets[i]->readonly = false;
            variable_unset(variables, variables->buckets[i]->name);
        }
}
