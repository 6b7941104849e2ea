/* Subshells: the state of a shell written as a script for the next one. */
#include "launch.h"

#include "../builtin/builtin.h"
#include "../syntax/parser.h"
#include "run.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A script that gives its reader the variables, functions and parameters of this shell. */
static void write_state(const struct shell *shell, struct text *script)
{
    struct arena arena = {0};
    struct variable **all = variables_sorted(&shell->variables, &arena);

    for (; *all != NULL; all++) {
        const struct variable *variable = *all;
        if (variable->exported)
            text_format(script, "export %s\n", variable->name);
        if (variable->value != NULL && !variable->exported) {
            text_format(script, "%s=", variable->name);
            text_quoted(script, variable->value);
            text_char(script, '\n');
        }
        if (variable->readonly)
            text_format(script, "readonly %s\n", variable->name);
    }
    for (const struct function *f = shell->functions; f != NULL; f = f->next)
        if (!f->replaced)
            text_string(script, f->text);
    for (int signal = 1; signal < TRAPS; signal++)
        if (shell->traps[signal] != NULL && *shell->traps[signal] == '\0')
            text_format(script, "trap '' %d\n", signal);
    if (shell->positional.count > 0) {
        text_string(script, "set --");
        for (int i = 0; i < shell->positional.count; i++) {
            text_char(script, ' ');
            text_quoted(script, shell->positional.values[i]);
        }
        text_char(script, '\n');
    }
    arena_free(&arena);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The new process reads the script from fd. */
static int spawn_subshell(struct shell *shell, int leader, int fd, size_t state_len)
{
    long values[] = {fd, (long)state_len, shell->pid, shell->last_background, shell->status};
    char numbers[5][24], options[8];
    char *argv[SUBSHELL_ARGUMENTS + 3] = {(char *)"sh", (char *)SUBSHELL_OPTION};
    size_t used = 2;

    for (size_t i = 0; i < 5; i++) {
        snprintf(numbers[i], sizeof(numbers[i]), "%ld", values[i]);
        argv[used++] = numbers[i];
    }
    bool errexit = shell->errexit;
    shell->errexit = errexit && shell->unchecked == 0; /* a condition stays one over there */
    shell_options(shell, options);
    shell->errexit = errexit;
    argv[used++] = options;
    argv[used++] = (char *)shell->name;
    return os_spawn(os_shell_path(), argv,
                    variables_environment(&shell->variables, &shell->scratch), leader);
}

void launch_text(struct shell *shell, struct job *job, const char *text)
{
    struct text script = {0};
    int ends[2];

    write_state(shell, &script);
    size_t state_len = script.len;
    text_string(&script, text);
    int result = private_pipe(ends);
    if (result == 0) {
        fcntl(ends[0], F_SETFD, 0);
        result = spawn_subshell(shell, job_to_join(shell, job), ends[0], state_len);
        close(ends[0]);
        if (result > 0)
            write_all(ends[1], script.data, script.len); /* if it dies early, its status tells */
        close(ends[1]);
    }
    if (result < 0)
        complain(shell, "subshell: %s", strerror(-result));
    job_add(job, result > 0 ? result : 0, "sh", 126);
    text_free(&script);
}

int launch_writer(struct shell *shell, const char *text, int fd)
{
    struct text command = {0};
    struct redirect_frame frame;

    jobs_poll(shell); /* forgets earlier writers */
    struct job *job = job_new(shell);
    text_string(&command, "printf %s ");
    text_quoted(&command, text);
    redirect_begin(&frame);
    redirect_fd(&frame, STDOUT_FILENO, fd);
    launch_text(shell, job, text_get(&command));
    redirect_undo(&frame);
    int error = job->leader == 0 ? -EAGAIN : 0;
    text_free(&command);
    job->notified = true; /* nobody asked for it: it is reaped, and no more said */
    return error;
}

/* Text that is one simple command and nothing else needs no subshell. */
static const struct node *single_command(const char *text, struct arena *arena)
{
    struct parse parse = {.text = text, .len = strlen(text), .complete = true, .first_line = 1};
    struct node *node;
    if (parse_line(&parse, arena) != PARSE_OK || parse.node == NULL)
        return NULL;
    node = parse.node;
    return node->type == NODE_SIMPLE && parse_line(&parse, arena) == PARSE_END ? node : NULL;
}

static void read_all(int fd, struct text *output)
{
    char buffer[1024];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n > 0)
            text_add(output, buffer, (size_t)n);
        else if (n == 0 || errno != EINTR)
            return;
    }
}

bool command_output(struct shell *shell, const char *text, struct text *output)
{
    struct redirect_frame frame;
    struct arena arena = {0};
    int ends[2];

    int error = private_pipe(ends);
    if (error != 0) {
        complain(shell, "pipe: %s", strerror(-error));
        return false;
    }
    struct job *job = job_new(shell);
    redirect_begin(&frame);
    redirect_fd(&frame, STDOUT_FILENO, ends[1]);
    const struct node *node = single_command(text, &arena);
    if (node != NULL)
        launch_node(shell, job, node);
    else
        launch_text(shell, job, text);
    redirect_undo(&frame);
    close(ends[1]);
    if (shell->interactive && job->leader != 0)
        os_foreground(job->leader);
    read_all(ends[0], output);
    close(ends[0]);
    shell->substitution_status = job_foreground(shell, job);
    job_free(shell, job);
    arena_free(&arena);
    return shell->jump != JUMP_INTERRUPT;
}
