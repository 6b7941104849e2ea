/* Shared by the two halves of word expansion. */
#pragma once

#include "../syntax/scan.h"
#include "expand.h"

enum expand_flags {
    EXPAND_QUOTED = 1,  /* inside double quotes, or a here-document */
    EXPAND_HERE = 2,    /* a double quote stands for itself */
    EXPAND_SPLIT = 4,   /* unquoted bytes of the text are split, too: the word of ${x-word} */
    EXPAND_TILDE = 8,   /* ~ in front counts */
    EXPAND_ASSIGN = 16, /* ~ counts also behind ':' */
};

struct expansion {
    struct shell *shell;
    struct marked *out;
    bool fields;   /* the result will be split: "$@" makes several */
    bool empty_at; /* a "$@" without parameters was expanded: its quotes make no field */
};

/* Each returns false after it has reported an error. */
bool expand_text(struct expansion *e, const char *text, size_t len, unsigned flags);
bool expand_parameter(struct expansion *e, struct scan *scan, size_t at, unsigned flags,
                      size_t *end);
/* expand_simple_parameter: $name, $1, $@ ... with a name of len bytes. */
bool expand_simple_parameter(struct expansion *e, const char *name, size_t len, unsigned flags);
/* expand_inner: text expanded on its own, quoted, as a string. NULL after an error. */
char *expand_inner(struct expansion *e, const char *text, size_t len, unsigned flags,
                   struct arena *arena);
