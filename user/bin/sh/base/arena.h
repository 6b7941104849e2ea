/* Memory that is given back all at once: parse trees, and what one command needs while it runs.
 * When the system has no memory left, the shell says so and ends with status 2. */
#pragma once

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *block; /* the newest; older ones are linked behind it */
};
struct arena_mark {
    struct arena_block *block;
    size_t used;
};

/* arena_alloc: zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);

/* arena_copy: len bytes of text, with a NUL behind them. */
char *arena_copy(struct arena *arena, const char *text, size_t len);

/* arena_mark, arena_release: what was allocated since the mark is gone after the release. */
struct arena_mark arena_mark(const struct arena *arena);
void arena_release(struct arena *arena, struct arena_mark mark);
void arena_free(struct arena *arena);

/* must_malloc, must_realloc, must_copy: malloc, realloc and strdup that do not fail. */
void *must_malloc(size_t size);
void *must_realloc(void *old, size_t size);
char *must_copy(const char *text);
