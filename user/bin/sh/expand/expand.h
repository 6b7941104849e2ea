/* Word expansion (POSIX.1-2017, XCU 2.6): tilde, parameters, commands, arithmetic; then fields,
 * pathnames, and the removal of quotes. Errors are reported on standard error. */
#pragma once

#include "../run/shell.h"
#include "glob.h"
#include "marked.h"

/* expand_words: the arguments that words stand for, into the arena. False after an error. */
bool expand_words(struct shell *shell, const struct word *words, struct arena *arena,
                  struct strings *result);

/* expand_string: a word as one string: no fields, no pathnames. NULL after an error. */
char *expand_string(struct shell *shell, const char *word, struct arena *arena);
/* expand_assignment: the same for what stands behind NAME= (a tilde behind ':' counts, too). */
char *expand_assignment(struct shell *shell, const char *word, struct arena *arena);
/* expand_here: the body of a here-document. */
char *expand_here(struct shell *shell, const char *body, struct arena *arena);
/* expand_pattern: a word as a pattern, for case. The caller frees it. */
bool expand_pattern(struct shell *shell, const char *word, struct marked *pattern);

/* expand_has_effects: might expanding this word change the shell (${x:=y}, $((x=y)))? */
bool expand_has_effects(const char *word);
