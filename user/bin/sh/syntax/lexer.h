/* Tokens of the shell language (POSIX.1-2017, XCU 2.3). */
#pragma once

#include "scan.h"

enum token_type {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_IO_NUMBER, /* digits right before < or > */
    TOKEN_SEMICOLON,
    TOKEN_SEMICOLON_2,
    TOKEN_AND,
    TOKEN_AND_IF,
    TOKEN_PIPE,
    TOKEN_OR_IF,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_LESS, /* from here on: redirections */
    TOKEN_HERE,
    TOKEN_HERE_TABS,
    TOKEN_LESS_AND,
    TOKEN_LESS_GREAT,
    TOKEN_GREAT,
    TOKEN_APPEND,
    TOKEN_GREAT_AND,
    TOKEN_CLOBBER,
};

struct token {
    enum token_type type;
    size_t start, end; /* in the text */
};

/* lex_token: the token at or behind *at, which moves behind it. 0, SCAN_INCOMPLETE (a construct
 * is not closed, or a backslash ends the text), SCAN_ERROR. */
int lex_token(struct scan *scan, size_t *at, struct token *token);
