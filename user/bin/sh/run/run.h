/* Running trees. */
#pragma once

#include "../expand/glob.h"
#include "shell.h"

/* run_node: runs a command in this shell and sets shell->status; NULL does nothing. When
 * shell->jump is set afterwards, its caller runs no further command. */
void run_node(struct shell *shell, const struct node *node);

/* run_simple: a simple command (simple.c). */
void run_simple(struct shell *shell, const struct node *node);

/* run_text: a whole script in memory. Returns shell->status. */
int run_text(struct shell *shell, const char *text, size_t len);
/* read_script: the contents of a file. 0, -errno, or -ENOEXEC if it is not text. */
int read_script(const char *path, struct text *script);

/* run_pending_traps: carries out the traps of signals that have come. */
void run_pending_traps(struct shell *shell);
/* trap_set: what to do on a signal (0 = at the end). NULL: the default. */
void trap_set(struct shell *shell, int signal, const char *action);
void run_exit_trap(struct shell *shell);

/* fail: an error that ends a script: the status, and JUMP_ERROR. */
void fail_script(struct shell *shell, int status);

/* Functions. */
struct function *function_find(const struct shell *shell, const char *name);
void function_define(struct shell *shell, const struct node *node);
void function_unset(struct shell *shell, const char *name);
void function_call(struct shell *shell, struct function *function, char **argv, int argc);

/* assign_variables: carries out NAME=value words; with saved, remembers what was there and exports
 * the new ones. False after an error. restore_variables: puts back. */
bool assign_variables(struct shell *shell, const struct word *assignments,
                      struct saved_variable **saved);
void save_variable(struct shell *shell, const char *name, struct saved_variable **saved);
void restore_variables(struct shell *shell, struct saved_variable **saved);

/* trace_command: what set -x prints. */
void trace_command(struct shell *shell, const struct word *assignments, const struct strings *argv);
