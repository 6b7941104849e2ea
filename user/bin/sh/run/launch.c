/* Programs, scripts and pipelines. Subshells are in subshell.c. */
#include "launch.h"

#include "../builtin/builtin.h"
#include "../expand/expand.h"
#include "../syntax/unparse.h"
#include "run.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT_HEAD 256 /* bytes that decide what kind of script a file is */

/* The interpreter line of a script: 1 = interpreter and perhaps one argument, 0 = plain text for
 * this shell, -ENOEXEC = no text. */
static int read_script_head(const char *path, char *head, char **interpreter, char **argument)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, head, SCRIPT_HEAD - 1);
    close(fd);
    if (len < 0 || memchr(head, '\0', (size_t)len) != NULL)
        return -ENOEXEC;
    head[len] = '\0';
    head[strcspn(head, "\n")] = '\0';
    if (strncmp(head, "#!", 2) != 0)
        return 0;
    char *at = head + 2 + strspn(head + 2, " \t");
    *interpreter = at;
    at += strcspn(at, " \t");
    if (*at != '\0')
        *at++ = '\0';
    at += strspn(at, " \t");
    for (size_t end = strlen(at); end > 0 && strchr(" \t\r", at[end - 1]) != NULL; end--)
        at[end - 1] = '\0';
    *argument = *at != '\0' ? at : NULL;
    return **interpreter != '\0' ? 1 : -ENOEXEC;
}

static int spawn_script(struct shell *shell, const char *path, char *const *argv, char **envp,
                        int leader)
{
    char head[SCRIPT_HEAD], *interpreter = (char *)os_shell_path(), *argument = NULL;
    size_t count = 0, used = 0;

    int kind = read_script_head(path, head, &interpreter, &argument);
    if (kind < 0)
        return kind;
    while (argv[count] != NULL)
        count++;
    char **with = arena_alloc(&shell->scratch, (count + 3) * sizeof(char *));
    with[used++] = kind == 0 ? (char *)"sh" : interpreter;
    if (argument != NULL)
        with[used++] = argument;
    with[used++] = (char *)path;
    memcpy(with + used, argv + 1, count * sizeof(char *)); /* with the NULL */
    return os_spawn(interpreter, with, envp, leader);
}

void launch_program(struct shell *shell, struct job *job, char *const *argv)
{
    struct text path = {0};
    char **envp = variables_environment(&shell->variables, &shell->scratch);

    int leader = job_to_join(shell, job), result = find_program(shell, argv[0], &path);
    if (result == 0) {
        result = os_spawn(text_get(&path), argv, envp, leader);
        if (result == -ENOEXEC)
            result = spawn_script(shell, text_get(&path), argv, envp, leader);
        if (result == -ENOENT)
            result = -ENOEXEC; /* it was there a moment ago: its interpreter is not */
    }
    if (result == -ENOENT)
        complain(shell, strpbrk(argv[0], "/:") != NULL ? "%s: not found" : "%s: command not found",
                 argv[0]);
    else if (result < 0)
        complain(shell, "%s: %s", argv[0], strerror(-result));
    job_add(job, result > 0 ? result : 0, argv[0], result == -ENOENT ? 127 : 126);
    text_free(&path);
}

/* A word that expands to itself: it is known now what command it names. */
static bool is_plain_word(const char *word)
{
    return strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:+-") ==
           strlen(word);
}

/* Can the command be started from this process without a trace left in this shell? */
static bool is_direct(const struct shell *shell, const struct node *node)
{
    if (node->type != NODE_SIMPLE || node->words == NULL || !is_plain_word(node->words->text) ||
        builtin_find(node->words->text) != NULL || function_find(shell, node->words->text) != NULL)
        return false;
    for (const struct word *word = node->assignments; word != NULL; word = word->next)
        if (expand_has_effects(strchr(word->text, '=') + 1))
            return false;
    for (const struct word *word = node->words; word != NULL; word = word->next)
        if (expand_has_effects(word->text))
            return false;
    for (const struct redirect *r = node->redirects; r != NULL; r = r->next)
        if (expand_has_effects(r->target) || (r->body != NULL && expand_has_effects(r->body)))
            return false;
    return true;
}

static void launch_simple(struct shell *shell, struct job *job, const struct node *node)
{
    struct redirect_frame frame;
    struct strings argv = {0};
    struct saved_variable *saved = NULL;
    const char *name = node->words->text;

    redirect_begin(&frame);
    if (!expand_words(shell, node->words, &shell->scratch, &argv) ||
        !redirect_apply(shell, &frame, node->redirects) ||
        !assign_variables(shell, node->assignments, &saved))
        job_add(job, 0, name, 2);
    else {
        trace_command(shell, node->assignments, &argv);
        launch_program(shell, job, argv.items);
    }
    restore_variables(shell, &saved);
    redirect_undo(&frame);
}

/* The new process is the one that ( ) asks for; any other command runs within a new one. */
static void launch_subshell(struct shell *shell, struct job *job, const struct node *node)
{
    struct redirect_frame frame;
    struct text text = {0};
    bool parentheses = node->type == NODE_SUBSHELL;

    redirect_begin(&frame);
    if (parentheses && !redirect_apply(shell, &frame, node->redirects)) {
        job_add(job, 0, "sh", 2);
    } else {
        unparse(&text, parentheses ? node->body : node);
        launch_text(shell, job, text_get(&text));
        text_free(&text);
    }
    redirect_undo(&frame);
}

void launch_node(struct shell *shell, struct job *job, const struct node *node)
{
    struct arena_mark mark = arena_mark(&shell->scratch);
    if (is_direct(shell, node))
        launch_simple(shell, job, node);
    else
        launch_subshell(shell, job, node);
    arena_release(&shell->scratch, mark);
}

void launch_pipeline(struct shell *shell, struct job *job, const struct node *pipeline)
{
    int input = -1;

    for (const struct node *stage = pipeline->first; stage != NULL; stage = stage->next) {
        struct redirect_frame frame;
        int ends[2] = {-1, -1};
        redirect_begin(&frame);
        if (stage->next != NULL) {
            int error = private_pipe(ends);
            if (error != 0) {
                complain(shell, "pipe: %s", strerror(-error));
                job_add(job, 0, "pipe", 2);
                break;
            }
        }
        if (input >= 0)
            redirect_fd(&frame, STDIN_FILENO, input);
        if (ends[1] >= 0)
            redirect_fd(&frame, STDOUT_FILENO, ends[1]);
        launch_node(shell, job, stage);
        redirect_undo(&frame);
        if (input >= 0)
            close(input);
        if (ends[1] >= 0)
            close(ends[1]);
        input = ends[0];
    }
    if (input >= 0)
        close(input);
}
