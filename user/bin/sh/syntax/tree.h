/* What the parser makes of a command: a tree in an arena.
 *
 * A word is kept exactly as it was written, quotes and all; expansion reads it from there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct word {
    const char *text;
    struct word *next;
};

enum redirect_type {
    REDIRECT_IN,         /* < */
    REDIRECT_OUT,        /* > and >| */
    REDIRECT_APPEND,     /* >> */
    REDIRECT_READ_WRITE, /* <> */
    REDIRECT_DUP_IN,     /* <& */
    REDIRECT_DUP_OUT,    /* >& */
    REDIRECT_HERE,       /* << and <<- */
};

struct redirect {
    enum redirect_type type;
    int fd;
    const char *target; /* the word; of a here-document its delimiter, as written */
    const char *body;   /* here-document */
    bool quoted;        /* here-document: no expansion in the body */
    struct redirect *next;
};

struct case_item {
    struct word *patterns;
    struct node *body; /* NULL = nothing to do */
    struct case_item *next;
};

enum node_type {
    NODE_SIMPLE,   /* assignments, words, redirects */
    NODE_PIPELINE, /* first, and its siblings; negated */
    NODE_AND_OR,   /* first, and its siblings with their connectors */
    NODE_LIST,     /* first, and its siblings; background ones are not waited for */
    NODE_SUBSHELL, /* body */
    NODE_GROUP,    /* body */
    NODE_IF,       /* condition, body, otherwise (NULL, a list, or NODE_IF for elif) */
    NODE_WHILE,    /* condition, body */
    NODE_UNTIL,    /* condition, body */
    NODE_FOR,      /* name, words (if has_words), body */
    NODE_CASE,     /* words (the subject), items */
    NODE_FUNCTION, /* name, body */
};

struct node {
    enum node_type type;
    int line;
    bool negated;    /* pipeline: began with ! */
    bool background; /* in a list: ends with & */
    bool or_else;    /* in an and-or list: comes behind ||, not && */
    bool has_words;  /* for: "in" was there */
    const char *name;
    struct word *assignments, *words;
    struct redirect *redirects; /* of every type that is a command */
    struct node *first;         /* of the children of a pipeline, and-or list, list */
    struct node *condition, *body, *otherwise;
    struct case_item *items;
    struct node *next; /* sibling */
};

/* The deepest nesting of commands, substitutions and quotes that is accepted. */
#define NESTING_MAX 60
