/* Reads lines until they make a command, runs it, and reports jobs before the next prompt. */
#include "interactive.h"

#include "../expand/expand.h"
#include "../line/line.h"
#include "../os.h"
#include "../syntax/parser.h"
#include "input.h"
#include "jobs.h"
#include "run.h"
#include "terminal.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* PS1 if the user has set it, else "cairn:/path$ ". */
static void make_prompt(struct shell *shell, bool more, struct text *prompt)
{
    const char *own = variable_get(&shell->variables, more ? "PS2" : "PS1");
    struct arena_mark mark = arena_mark(&shell->scratch);
    if (own != NULL) {
        int status = shell->status;
        const char *text = expand_here(shell, own, &shell->scratch);
        text_string(prompt, text != NULL ? text : own);
        shell->status = status;
    } else {
        const char *directory = variable_get(&shell->variables, "PWD");
        text_format(prompt, "cairn:%s$ ", directory != NULL ? directory : "?");
    }
    arena_release(&shell->scratch, mark);
}

static int read_line(struct shell *shell, bool more, struct text *line)
{
    const char *terminal = variable_get(&shell->variables, "TERM");
    struct text prompt = {0};
    int result;

    if (shell->interactive && shell->plain)
        terminal_echo(false); /* each time: a console that was started again does not know it */
    if (!shell->interactive || shell->plain)
        return input_line(STDIN_FILENO, line);
    make_prompt(shell, more, &prompt);
    if (isatty(STDIN_FILENO) && (terminal == NULL || strcmp(terminal, "dumb") != 0)) {
        result = line_read(shell, text_get(&prompt), line);
    } else {
        (void)!write(STDERR_FILENO, text_get(&prompt), prompt.len);
        result = input_line(STDIN_FILENO, line);
    }
    text_free(&prompt);
    return result;
}

/* A loop may run for long without starting a program that ^C could end. */
static void run_line(struct shell *shell, const struct node *node)
{
    bool computes = shell->interactive && node != NULL && node->type != NODE_SIMPLE &&
                    node->type != NODE_PIPELINE;
    shell->computes = computes;
    if (computes)
        os_foreground(OS_FOREGROUND_SHELL);
    run_node(shell, node);
    shell->computes = false;
    if (computes)
        os_foreground(OS_FOREGROUND_READER);
}

/* Runs as many commands as are complete. What is left in pending is the start of another. */
static void run_pending(struct shell *shell, struct text *pending, bool last, int first_line)
{
    struct parse parse = {
        .text = text_get(pending), .len = pending->len, .complete = last, .first_line = first_line};
    enum parse_status status;
    do {
        struct arena arena = {0};
        size_t before = parse.at;
        status = parse_line(&parse, &arena);
        if (status == PARSE_OK)
            run_line(shell, parse.node);
        if (status == PARSE_INCOMPLETE && !last)
            parse.at = before;
        else if (status == PARSE_INCOMPLETE || status == PARSE_ERROR) {
            complain(shell, "line %d: syntax error: %s", parse.error_line, parse.message);
            fail_script(shell, 2);
        }
        arena_free(&arena);
    } while (status == PARSE_OK && shell->jump == JUMP_NONE);
    if (status == PARSE_INCOMPLETE && !last) {
        size_t rest = pending->len - parse.at;
        if (rest > 0)
            memmove(pending->data, pending->data + parse.at, rest);
        pending->len = rest;
        pending->data[rest] = '\0';
    } else {
        text_clear(pending);
    }
}

/* After a line: back to the prompt, or out. */
static bool goes_on(struct shell *shell, struct text *pending)
{
    if (shell->jump == JUMP_EXIT || (shell->jump != JUMP_NONE && !shell->interactive))
        return false;
    if (shell->jump == JUMP_INTERRUPT)
        shell->status = 128 + 2;
    if (shell->jump != JUMP_NONE)
        text_clear(pending);
    shell->jump = JUMP_NONE;
    shell->unchecked = 0;
    shell->loop_depth = 0;
    return true;
}

void run_input(struct shell *shell)
{
    struct text pending = {0};
    int result = 0, line = 0, first_line = 1;

    do {
        if (shell->interactive && pending.len == 0) {
            os_interrupted();
            jobs_notify(shell);
        }
        if (pending.len == 0)
            first_line = line + 1;
        result = read_line(shell, pending.len > 0, &pending);
        line++;
        if (result == -EINTR && shell->interactive) {
            text_clear(&pending);
            shell->status = 128 + 2;
            continue;
        }
        if (result < 0) {
            complain(shell, "standard input: %s", strerror(-result));
            break;
        }
        run_pending(shell, &pending, result == 1, first_line);
    } while (goes_on(shell, &pending) && result != 1);
    if (shell->interactive && shell->plain)
        terminal_echo(true);
    else if (shell->interactive && result == 1)
        (void)!write(STDERR_FILENO, "exit\n", 5);
    if (shell->interactive && result == 1)
        shell->status = 0; /* to leave the terminal is no failure of the last command */
    text_free(&pending);
}
