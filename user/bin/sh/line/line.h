/* Typing a command: editing, history, completion. */
#pragma once

#include "../run/shell.h"

/* line_read: one line from the terminal on descriptor 0, with its newline. 0, 1 at the end of
 * input, -EINTR after ^C. */
int line_read(struct shell *shell, const char *prompt, struct text *line);

/* history_add: remembers a line that is not empty and not the last one again. history_get: the
 * i-th line, oldest first; NULL behind the last. */
void history_add(const char *line);
void history_clear(void);
const char *history_get(size_t i);
size_t history_count(void);

/* complete: what the word that ends at 'at' could become. Fills matches with full words (quoted as
 * needed) and *start with where the word begins. */
struct strings;
void complete(const struct shell *shell, const char *line, size_t at, size_t *start,
              struct strings *matches, struct arena *arena);
