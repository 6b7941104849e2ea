/* The state of one shell, and what every part of it may ask of the others. */
#pragma once

#include "../base/arena.h"
#include "../base/text.h"
#include "../syntax/tree.h"
#include "variables.h"

/* A function keeps its text, so that it can be handed to a subshell, and the tree made of it. */
struct function {
    char *name;
    char *text;
    struct arena arena;
    const struct node *body;
    unsigned running; /* calls in progress; freed at the end of the last one when replaced */
    bool replaced;
    struct function *next;
};

/* Why the commands that follow are not run. */
enum jump {
    JUMP_NONE,
    JUMP_BREAK,
    JUMP_CONTINUE,
    JUMP_RETURN,
    JUMP_INTERRUPT, /* ^C: back to the prompt */
    JUMP_ERROR,     /* an error that ends a script, and in a terminal the line */
    JUMP_EXIT,
};

struct saved_variable {
    char *name, *value; /* value NULL: it was not set */
    bool existed, exported;
    struct saved_variable *next;
};

struct positional {
    char **values; /* owned */
    int count;
};

struct job;

#define TRAPS 32 /* signals, and 0 for EXIT */

struct shell {
    const char *name; /* $0 */
    struct variables variables;
    struct function *functions;
    struct positional positional;
    struct saved_variable *locals; /* of the running function */
    struct arena scratch;          /* released after each command */
    int status;                    /* $? */
    int pid, last_background;      /* $$ and $! */
    int line;
    bool interactive; /* prompts, goes on after errors, has job control */
    bool plain;       /* interactive, but without prompt, echo, editing and notices */
    bool errexit, xtrace, nounset, noglob, noexec;
    bool computes; /* ^C is for the shell itself when no job is in the foreground */
    enum jump jump;
    int jump_levels; /* of JUMP_BREAK and JUMP_CONTINUE */
    int loop_depth, function_depth, nesting;
    int unchecked;      /* > 0: -e does not apply: a condition is being evaluated */
    char *traps[TRAPS]; /* what to run on a signal, "" = ignore it, NULL = default; 0: at the end */
    int substitution_status; /* of the last command substitution of this command, or -1 */
    const char *stack_base;  /* to measure how deep the C stack has grown */
    struct job *jobs;
    /* substitute: runs text in a subshell and appends what it writes. False: it cannot run. */
    bool (*substitute)(struct shell *shell, const char *text, struct text *output);
};

/* complain: "sh: message" on standard error. */
__attribute__((format(printf, 2, 3))) void complain(const struct shell *shell, const char *format,
                                                    ...);

/* interrupt_line: ^C: nothing more of this line is run. */
void interrupt_line(struct shell *shell);

/* positional_set: copies of count strings; the old ones are freed. */
void positional_set(struct positional *positional, char *const *values, int count);
void positional_free(struct positional *positional);

/* shell_options: the letters of $-. */
void shell_options(const struct shell *shell, char letters[8]);
