/* Text whose every byte remembers where it came from, because splitting and pattern matching treat
 * quoted and substituted bytes differently. */
#pragma once

#include "../base/arena.h"
#include <stdbool.h>
#include <stddef.h>

enum mark {
    MARK_PLAIN,  /* written in the word, unquoted: a pattern, not split */
    MARK_QUOTED, /* stands for itself */
    MARK_SPLIT,  /* from an unquoted substitution: a pattern, and split at IFS */
    MARK_BREAK,  /* no byte: a field ends here ("$@") */
    MARK_EMPTY,  /* no byte: the field exists even if nothing else is in it ("") */
};

struct marked {
    char *chars;
    unsigned char *marks;
    size_t len, capacity;
};

/* A piece of marked text, owned by somebody else. */
struct span {
    const char *chars;
    const unsigned char *marks;
    size_t len;
};

void marked_add(struct marked *marked, char c, enum mark mark);
void marked_string(struct marked *marked, const char *string, enum mark mark);
void marked_free(struct marked *marked);

/* marked_plain: the bytes alone, without BREAK and EMPTY. */
char *marked_plain(const struct marked *marked, struct arena *arena);
struct span marked_span(const struct marked *marked);

/* fields_split: cuts at IFS and at breaks (POSIX.1-2017, XCU 2.6.5). ifs NULL = blank, tab,
 * newline. Calls field for each, with what it needs to keep in the arena. */
typedef void field_function(void *context, struct span field);
void fields_split(const struct marked *marked, const char *ifs, struct arena *arena,
                  field_function *field, void *context);
