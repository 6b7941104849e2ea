/* The grammar of the shell (POSIX.1-2017, XCU 2.10) over a text in memory. Pure: text in, tree
 * out. */
#pragma once

#include "../base/arena.h"
#include "scan.h"

enum parse_status {
    PARSE_OK,         /* a command; *at is behind its line */
    PARSE_END,        /* nothing but blanks and comments were left */
    PARSE_INCOMPLETE, /* the text ends in the middle of a command */
    PARSE_ERROR,
};

struct parse {
    const char *text;
    size_t len;
    size_t at;      /* where to go on; moved by each parse_line */
    bool complete;  /* no more text can follow: its end closes here-documents */
    int first_line; /* number of the text's first line */
    int error_line;
    char message[120]; /* PARSE_ERROR and PARSE_INCOMPLETE: what is wrong */
    struct node *node; /* PARSE_OK; NULL for an empty line */
};

/* parse_line: one complete command, up to the end of its line, into the arena. */
enum parse_status parse_line(struct parse *parse, struct arena *arena);

/* parse_nested: for the scanner: a command list from at on, up to the ')' that closes it. The
 * index behind that, or SCAN_*. */
ssize_t parse_nested(struct scan *scan, size_t at);

/* word_unquoted: a word without its quotes, unexpanded: the delimiter of a here-document. */
char *word_unquoted(struct arena *arena, const char *word);
bool word_is_quoted(const char *word);
