/* The commands that the shell carries out itself. */
#pragma once

#include "../run/shell.h"

struct builtin {
    const char *name;
    bool special; /* POSIX: found before functions; its assignments stay; errors end a script */
    int (*run)(struct shell *shell, int argc, char **argv);
    const char *help; /* "arguments: what it does" */
};

const struct builtin *builtin_find(const char *name);
/* builtin_table: all of them, by name; ends with a NULL name. */
const struct builtin *builtin_table(void);

/* builtin_write: text on standard output; frees it. The status: 0, or 1 after an error message. */
int builtin_write(struct shell *shell, const char *name, struct text *text);

/* builtin_run: runs it, or answers --help. The status. */
int builtin_run(struct shell *shell, const struct builtin *builtin, int argc, char **argv);

/* builtin_usage: reports misuse; returns 2. */
int builtin_usage(struct shell *shell, const char *name);

/* parse_number: a whole string as a decimal number. */
bool parse_number(const char *text, long *value);

/* set_options: takes option words ("-e", "+x", "-o name") off argv from *at on. False: misuse. */
bool set_options(struct shell *shell, int argc, char **argv, int *at);

typedef int builtin_function(struct shell *shell, int argc, char **argv);
builtin_function builtin_break, builtin_continue, builtin_return, builtin_exit, builtin_eval,
    builtin_source, builtin_exec, builtin_colon, builtin_false, builtin_trap, builtin_command,
    builtin_type, builtin_help, builtin_history;
builtin_function builtin_export, builtin_readonly, builtin_unset, builtin_set, builtin_shift,
    builtin_local, builtin_read;
builtin_function builtin_cd, builtin_pwd, builtin_echo, builtin_printf, builtin_test;
builtin_function builtin_jobs, builtin_fg, builtin_bg, builtin_wait, builtin_kill;
