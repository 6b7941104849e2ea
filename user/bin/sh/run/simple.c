/* Simple commands: assignments, redirections, and then a builtin, a function or a program. */
#include "../builtin/builtin.h"
#include "../expand/expand.h"
#include "launch.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void save_variable(struct shell *shell, const char *name, struct saved_variable **saved)
{
    const struct variable *variable = variable_find(&shell->variables, name);
    struct saved_variable *entry = must_malloc(sizeof(*entry));
    *entry = (struct saved_variable){.name = must_copy(name), .next = *saved};
    if (variable != NULL) {
        entry->existed = true;
        entry->exported = variable->exported;
        entry->value = variable->value != NULL ? must_copy(variable->value) : NULL;
    }
    *saved = entry;
}

void restore_variables(struct shell *shell, struct saved_variable **saved)
{
    while (*saved != NULL) {
        struct saved_variable *entry = *saved;
        *saved = entry->next;
        variable_unset(&shell->variables, entry->name);
        if (entry->existed) {
            variable_set(&shell->variables, entry->name, entry->value);
            variable_find(&shell->variables, entry->name)->exported = entry->exported;
        }
        free(entry->name);
        free(entry->value);
        free(entry);
    }
}

bool assign_variables(struct shell *shell, const struct word *assignments,
                      struct saved_variable **saved)
{
    for (const struct word *word = assignments; word != NULL; word = word->next) {
        const char *equals = strchr(word->text, '=');
        char *name = arena_copy(&shell->scratch, word->text, (size_t)(equals - word->text));
        char *value = expand_assignment(shell, equals + 1, &shell->scratch);
        if (value == NULL)
            return false;
        const struct variable *old = variable_find(&shell->variables, name);
        if (old != NULL && old->readonly) {
            complain(shell, "%s: is read only", name);
            return false;
        }
        if (saved != NULL)
            save_variable(shell, name, saved);
        variable_set(&shell->variables, name, value);
        if (saved != NULL)
            variable_find(&shell->variables, name)->exported = true;
    }
    return true;
}

void trace_command(struct shell *shell, const struct word *assignments, const struct strings *argv)
{
    struct text line = {0};
    const char *prefix = variable_get(&shell->variables, "PS4");
    if (!shell->xtrace)
        return;
    text_string(&line, prefix != NULL ? prefix : "+ ");
    bool first = true;
    for (; assignments != NULL; assignments = assignments->next, first = false) {
        const char *equals = strchr(assignments->text, '=');
        char *name =
            arena_copy(&shell->scratch, assignments->text, (size_t)(equals - assignments->text));
        const char *value = variable_get(&shell->variables, name);
        text_format(&line, "%s%s=%s", first ? "" : " ", name, value != NULL ? value : "");
    }
    for (size_t i = 0; i < argv->count; i++, first = false)
        text_format(&line, "%s%s", first ? "" : " ", argv->items[i]);
    text_char(&line, '\n');
    (void)!write(STDERR_FILENO, line.data, line.len);
    text_free(&line);
}

/* Only assignments and redirections. */
static void run_assignments(struct shell *shell, const struct node *node)
{
    struct redirect_frame frame;
    struct strings none = {0};

    redirect_begin(&frame);
    bool redirected = redirect_apply(shell, &frame, node->redirects);
    redirect_undo(&frame);
    if (!redirected) {
        shell->status = 2;
        return;
    }
    if (!assign_variables(shell, node->assignments, NULL)) {
        fail_script(shell, 2);
        return;
    }
    if (node->assignments != NULL)
        trace_command(shell, node->assignments, &none);
    shell->status = shell->substitution_status >= 0 ? shell->substitution_status : 0;
}

static void run_program(struct shell *shell, char *const *argv)
{
    struct job *job = job_new(shell);
    launch_program(shell, job, argv);
    shell->status = job_foreground(shell, job);
    job_free(shell, job);
}

/* exec: the new redirections stay; a program is run in the shell's place, and its status is the
 * shell's. (A process cannot become another one on Cairn.) */
static void run_exec(struct shell *shell, struct strings *argv, struct redirect_frame *frame)
{
    if (argv->count > 1) {
        run_program(shell, argv->items + 1);
        if (shell->jump == JUMP_NONE && !(shell->interactive && shell->status >= 126))
            shell->jump = JUMP_EXIT;
        return;
    }
    redirect_keep(frame);
    shell->status = 0;
}

/* With redirections and assignments in force. */
static void run_command(struct shell *shell, struct strings *argv, const struct builtin *builtin,
                        struct function *function, struct redirect_frame *frame)
{
    if (builtin != NULL && strcmp(builtin->name, "exec") == 0)
        run_exec(shell, argv, frame);
    else if (function != NULL)
        function_call(shell, function, argv->items, (int)argv->count);
    else if (builtin != NULL)
        shell->status = builtin_run(shell, builtin, (int)argv->count, argv->items);
    else
        run_program(shell, argv->items);
}

void run_simple(struct shell *shell, const struct node *node)
{
    struct strings argv = {0};
    struct redirect_frame frame;
    struct saved_variable *saved = NULL;

    shell->substitution_status = -1;
    if (!expand_words(shell, node->words, &shell->scratch, &argv)) {
        if (shell->jump != JUMP_INTERRUPT)
            fail_script(shell, 2);
        return;
    }
    if (argv.count == 0) {
        run_assignments(shell, node);
        return;
    }
    const struct builtin *builtin = builtin_find(argv.items[0]);
    bool special = builtin != NULL && builtin->special;
    struct function *function = special ? NULL : function_find(shell, argv.items[0]);
    redirect_begin(&frame);
    if (!redirect_apply(shell, &frame, node->redirects)) {
        shell->status = 2;
        if (special)
            fail_script(shell, 2);
    } else if (!assign_variables(shell, node->assignments, special ? NULL : &saved)) {
        fail_script(shell, 2);
    } else {
        trace_command(shell, node->assignments, &argv);
        run_command(shell, &argv, builtin, function, &frame);
    }
    restore_variables(shell, &saved);
    redirect_undo(&frame);
}
