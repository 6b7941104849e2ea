/* Shared by the two halves of the parser: tokens, errors, here-documents. */
#pragma once

#include "lexer.h"
#include "parser.h"

/* A here-document whose body is still to come. */
struct here {
    struct redirect *redirect;
    bool strip_tabs;
    struct here *next;
};

struct parser {
    struct scan scan;
    struct arena *arena;
    size_t at;
    bool complete;
    int failed; /* 0, SCAN_INCOMPLETE, SCAN_ERROR */
    size_t failed_at;
    char message[120];
    struct token token; /* the one that comes next, if there is one */
    bool have_token;
    int line; /* of line_at */
    size_t line_at;
    struct here *here_first, **here_last;
};

/* peek: the next token, TOKEN_END also after a failure. take: moves behind it. */
enum token_type peek(struct parser *parser);
void take(struct parser *parser);

/* peek_text: the next token as written, "" at the end. at_word: it is this reserved word. */
const char *peek_text(struct parser *parser);
bool at_word(struct parser *parser, const char *word);
bool take_word(struct parser *parser, const char *word);

/* unexpected: fails with "unexpected X", or as incomplete at the end of the text. NULL. */
void *unexpected(struct parser *parser);
void *expected(struct parser *parser, const char *what);

void skip_newlines(struct parser *parser);

/* parse_redirect: one redirection if there is one; false if not, or on failure. */
bool parse_redirect(struct parser *parser, struct redirect ***last);

struct node *new_node(struct parser *parser, enum node_type type);
struct word *new_word(struct parser *parser);

/* The grammar. Each returns NULL on failure. */
struct node *parse_list(struct parser *parser, bool newlines); /* NULL without failure: empty */
struct node *parse_body(struct parser *parser);                /* a list that is not empty */
struct node *parse_compound(struct parser *parser);            /* NULL without failure: none here */
struct node *parse_function_body(struct parser *parser);
