/* The lines typed so far, oldest first. */
#include "line.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_MAX 500

static char *lines[HISTORY_MAX];
static size_t used;

void history_add(const char *line)
{
    size_t len = strcspn(line, "\n");
    if (strspn(line, " \t") == len)
        return;
    if (used > 0 && strlen(lines[used - 1]) == len && strncmp(lines[used - 1], line, len) == 0)
        return;
    if (used == HISTORY_MAX) {
        free(lines[0]);
        memmove(lines, lines + 1, (HISTORY_MAX - 1) * sizeof(lines[0]));
        used--;
    }
    char *copy = must_malloc(len + 1);
    memcpy(copy, line, len);
    copy[len] = '\0';
    lines[used++] = copy;
}

void history_clear(void)
{
    while (used > 0)
        free(lines[--used]);
}

const char *history_get(size_t i)
{
    return i < used ? lines[i] : NULL;
}

size_t history_count(void)
{
    return used;
}
