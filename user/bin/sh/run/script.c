/* Scripts in memory, messages, traps, parameters: what the parts of the shell share. */
#include "../builtin/builtin.h"
#include "../os.h"
#include "../syntax/parser.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void complain(const struct shell *shell, const char *format, ...)
{
    char message[400];
    struct text line = {0};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    const char *slash = strrchr(shell->name, '/');
    text_format(&line, "%s: %s\n", shell->interactive && slash != NULL ? slash + 1 : shell->name,
                message);
    (void)!write(STDERR_FILENO, line.data, line.len);
    text_free(&line);
}

void interrupt_line(struct shell *shell)
{
    if (shell->jump != JUMP_NONE)
        return;
    shell->jump = JUMP_INTERRUPT;
    if (!shell->plain && os_interrupt_newline())
        (void)!write(STDERR_FILENO, "\n", 1);
}

void positional_set(struct positional *positional, char *const *values, int count)
{
    char **copies = must_malloc((size_t)(count + 1) * sizeof(char *));
    for (int i = 0; i < count; i++)
        copies[i] = must_copy(values[i]);
    positional->values = copies;
    positional->count = count;
}

void positional_free(struct positional *positional)
{
    for (int i = 0; i < positional->count; i++)
        free(positional->values[i]);
    free(positional->values);
    *positional = (struct positional){0};
}

void shell_options(const struct shell *shell, char letters[8])
{
    const bool flags[] = {shell->errexit, shell->noglob, shell->nounset, shell->xtrace};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (flags[i])
            *letters++ = "efux"[i];
    *letters = '\0';
}

int run_text(struct shell *shell, const char *text, size_t len)
{
    struct parse parse = {.text = text, .len = len, .complete = true, .first_line = 1};
    enum parse_status status;
    do {
        struct arena arena = {0};
        status = parse_line(&parse, &arena);
        if (status == PARSE_OK)
            run_node(shell, parse.node);
        arena_free(&arena);
    } while (status == PARSE_OK && shell->jump == JUMP_NONE);
    if (status == PARSE_ERROR || status == PARSE_INCOMPLETE) {
        complain(shell, "line %d: syntax error: %s", parse.error_line, parse.message);
        fail_script(shell, 2);
    }
    return shell->status;
}

int read_script(const char *path, struct text *script)
{
    char buffer[1024];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
    if (fd < 0)
        return -errno;
    while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            error = -errno;
        else if (script->len == 0 && memchr(buffer, '\0', (size_t)n) != NULL)
            error = -ENOEXEC;
        if (error != 0)
            break;
        text_add(script, buffer, (size_t)n);
    }
    close(fd);
    return error;
}

/* Signals that have come and whose traps have not run yet: a bit each. */
static volatile sig_atomic_t caught[TRAPS];
static volatile sig_atomic_t any_caught;

static void note_signal(int signal)
{
    caught[signal] = 1;
    any_caught = 1;
}

void trap_set(struct shell *shell, int number, const char *action)
{
    free(shell->traps[number]);
    shell->traps[number] = action != NULL ? must_copy(action) : NULL;
    if (number != 0)
        signal(number, action == NULL ? SIG_DFL : *action == '\0' ? SIG_IGN : note_signal);
}

static void run_trap(struct shell *shell, int number)
{
    char *action = must_copy(shell->traps[number]); /* it may set another */
    int status = shell->status;
    enum jump jump = shell->jump;
    shell->jump = JUMP_NONE;
    run_text(shell, action, strlen(action));
    if (shell->jump == JUMP_NONE) {
        shell->status = status;
        shell->jump = jump;
    }
    free(action);
}

void run_pending_traps(struct shell *shell)
{
    if (!any_caught)
        return;
    any_caught = 0;
    for (int number = 1; number < TRAPS; number++)
        if (caught[number]) {
            caught[number] = 0;
            if (shell->traps[number] != NULL)
                run_trap(shell, number);
        }
}

void run_exit_trap(struct shell *shell)
{
    if (shell->traps[0] == NULL)
        return;
    char *action = shell->traps[0];
    shell->traps[0] = NULL;
    int status = shell->status;
    shell->jump = JUMP_NONE;
    run_text(shell, action, strlen(action));
    if (shell->jump != JUMP_EXIT)
        shell->status = status;
    free(action);
}
