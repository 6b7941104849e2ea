/* POSIX regular expressions, basic and extended, for text without newlines.
 *
 * A pattern becomes a program of a nondeterministic automaton, and all its states advance
 * together over the text: time grows with length x program, whatever the pattern. That is why
 * there are no back-references: no automaton can follow them. Bytes are characters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum regex_flags {
    REGEX_EXTENDED = 1,
    REGEX_LITERAL = 2,     /* no character is special */
    REGEX_IGNORE_CASE = 4, /* of ASCII letters */
    REGEX_WHOLE_LINE = 8,  /* only matches of all the text */
    REGEX_WORD = 16,       /* only matches with no word character before and behind */
};

struct regex_pattern {
    const char *text;
    size_t length;
};

struct regex;

/* regex_compile: any of the patterns matches (none: nothing does). NULL and *regex, or what is
 * wrong with a pattern. */
const char *regex_compile(struct regex **regex, const struct regex_pattern *patterns, size_t count,
                          unsigned flags);
void regex_free(struct regex *regex);

/* regex_test: whether the pattern matches anywhere. */
bool regex_test(struct regex *regex, const char *text, size_t length);

/* regex_find: the leftmost match from offset from on, and of those the longest. */
bool regex_find(struct regex *regex, const char *text, size_t length, size_t from, size_t *start,
                size_t *end);
