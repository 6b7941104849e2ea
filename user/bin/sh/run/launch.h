/* Starting what runs beside the shell: programs, subshells, pipelines, command substitutions.
 *
 * There is no fork. A subshell is a new process of the same program that receives, through a pipe,
 * the shell's state as a script (variables, functions, parameters) followed by the text of the
 * commands to run. Everything that POSIX runs in a "subshell environment" goes this way, except
 * that a single external program is started directly, with the same effect. */
#pragma once

#include "jobs.h"
#include "redirect.h"

/* launch_node: starts a command without waiting; the job gets a process. */
void launch_node(struct shell *shell, struct job *job, const struct node *node);

/* launch_text: starts a subshell that runs text. */
void launch_text(struct shell *shell, struct job *job, const char *text);

/* launch_program: starts argv[0], found in PATH, with the exported variables. */
void launch_program(struct shell *shell, struct job *job, char *const *argv);

/* launch_pipeline: starts all of it. */
void launch_pipeline(struct shell *shell, struct job *job, const struct node *pipeline);

/* launch_writer: starts a process that writes text to fd. 0 or -errno. */
int launch_writer(struct shell *shell, const char *text, int fd);

/* command_output: runs text in a subshell and appends what it writes (shell->substitute). */
bool command_output(struct shell *shell, const char *text, struct text *output);

/* find_program: the path of a command. 0, -ENOENT, or -EACCES (found, but no program). */
int find_program(const struct shell *shell, const char *name, struct text *path);

/* The option with which a subshell is started; its arguments are in launch.c. */
#define SUBSHELL_OPTION    "--subshell"
#define SUBSHELL_ARGUMENTS 7 /* descriptor, bytes of state, $$, $!, $?, options, $0 */
