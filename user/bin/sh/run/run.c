/* Walks the tree. Each function looks at shell->jump after everything that may set it. */
#include "run.h"

#include "../expand/expand.h"
#include "../expand/pattern.h"
#include "launch.h"
#include <string.h>
#include <unistd.h>

void fail_script(struct shell *shell, int status)
{
    shell->status = status;
    if (shell->jump == JUMP_NONE)
        shell->jump = JUMP_ERROR;
}

static void check_errexit(struct shell *shell)
{
    if (shell->status != 0 && shell->errexit && shell->unchecked == 0 && shell->jump == JUMP_NONE)
        shell->jump = JUMP_EXIT;
}

static void run_unchecked(struct shell *shell, const struct node *node)
{
    shell->unchecked++;
    run_node(shell, node);
    shell->unchecked--;
}

/* What runs beside the shell does not read its input, but finds it empty: nothing could stop it
 * when it takes what the shell's user types. */
static void run_background(struct shell *shell, const struct node *node)
{
    struct job *job = job_new(shell);
    struct redirect_frame frame;
    int ends[2];

    redirect_begin(&frame);
    if (private_pipe(ends) == 0) {
        redirect_fd(&frame, STDIN_FILENO, ends[0]);
        close(ends[0]);
        close(ends[1]);
    }
    if (node->type == NODE_PIPELINE && !node->negated)
        launch_pipeline(shell, job, node);
    else
        launch_node(shell, job, node);
    redirect_undo(&frame);
    job_name(shell, job, node);
    shell->last_background = job->processes[job->count - 1].pid;
    if (shell->interactive && !shell->plain) {
        struct text notice = {0};
        text_format(&notice, "[%d] %d\n", job->number, shell->last_background);
        (void)!write(STDERR_FILENO, notice.data, notice.len);
        text_free(&notice);
    }
    shell->status = 0;
}

static void run_list(struct shell *shell, const struct node *node)
{
    for (node = node->first; node != NULL && shell->jump == JUMP_NONE; node = node->next) {
        if (node->background)
            run_background(shell, node);
        else
            run_node(shell, node);
    }
}

static void run_and_or(struct shell *shell, const struct node *node)
{
    for (node = node->first; node != NULL && shell->jump == JUMP_NONE; node = node->next) {
        if (node->next != NULL)
            run_unchecked(shell, node);
        else
            run_node(shell, node);
        while (node->next != NULL && node->next->or_else == (shell->status == 0))
            node = node->next;
    }
}

static void run_pipeline(struct shell *shell, const struct node *node)
{
    if (node->first->next == NULL) { /* ! command */
        run_unchecked(shell, node->first);
        if (shell->jump == JUMP_NONE)
            shell->status = shell->status == 0;
        return;
    }
    struct job *job = job_new(shell);
    launch_pipeline(shell, job, node);
    shell->status = job_foreground(shell, job);
    job_free(shell, job);
    if (node->negated)
        shell->status = shell->status == 0;
    else
        check_errexit(shell);
}

static void run_subshell(struct shell *shell, const struct node *node)
{
    struct job *job = job_new(shell);
    launch_node(shell, job, node);
    shell->status = job_foreground(shell, job);
    job_free(shell, job);
    check_errexit(shell);
}

static void run_if(struct shell *shell, const struct node *node)
{
    for (; node != NULL && node->type == NODE_IF; node = node->otherwise) {
        run_unchecked(shell, node->condition);
        if (shell->jump != JUMP_NONE)
            return;
        if (shell->status == 0) {
            run_node(shell, node->body);
            return;
        }
        shell->status = 0;
    }
    run_node(shell, node);
}

/* After the body of a loop: does the loop end? */
static bool leaves_loop(struct shell *shell)
{
    if (shell->jump == JUMP_NONE)
        return false;
    if (shell->jump != JUMP_BREAK && shell->jump != JUMP_CONTINUE)
        return true;
    if (--shell->jump_levels > 0)
        return true;
    bool ends = shell->jump == JUMP_BREAK;
    shell->jump = JUMP_NONE;
    return ends;
}

static void run_while(struct shell *shell, const struct node *node)
{
    int status = 0;
    shell->loop_depth++;
    for (;;) {
        run_unchecked(shell, node->condition);
        if (shell->jump != JUMP_NONE) {
            if (leaves_loop(shell))
                break;
            continue;
        }
        if ((shell->status == 0) != (node->type == NODE_WHILE)) {
            shell->status = status;
            break;
        }
        run_node(shell, node->body);
        status = shell->status;
        if (leaves_loop(shell))
            break;
    }
    shell->loop_depth--;
}

static void run_for(struct shell *shell, const struct node *node)
{
    struct strings values = {0};
    if (node->has_words) {
        if (!expand_words(shell, node->words, &shell->scratch, &values)) {
            fail_script(shell, 2);
            return;
        }
    } else {
        for (int i = 0; i < shell->positional.count; i++) {
            const char *value = shell->positional.values[i];
            strings_add(&values, arena_copy(&shell->scratch, value, strlen(value)),
                        &shell->scratch);
        }
    }
    shell->status = 0;
    shell->loop_depth++;
    for (size_t i = 0; i < values.count; i++) {
        if (!variable_set(&shell->variables, node->name, values.items[i])) {
            complain(shell, "%s: is read only", node->name);
            fail_script(shell, 2);
            break;
        }
        run_node(shell, node->body);
        if (leaves_loop(shell))
            break;
    }
    shell->loop_depth--;
}

/* -1 after an error. */
static int matches_item(struct shell *shell, const struct case_item *item, const char *subject)
{
    for (const struct word *word = item->patterns; word != NULL; word = word->next) {
        struct marked pattern = {0};
        int result = -1;
        if (expand_pattern(shell, word->text, &pattern)) {
            /* quoted nothing is nothing */
            struct marked clean = {0};
            for (size_t i = 0; i < pattern.len; i++)
                if (pattern.marks[i] != MARK_EMPTY && pattern.marks[i] != MARK_BREAK)
                    marked_add(&clean, pattern.chars[i], (enum mark)pattern.marks[i]);
            result = pattern_match(marked_span(&clean), subject, strlen(subject));
            marked_free(&clean);
        }
        marked_free(&pattern);
        if (result != 0)
            return result;
    }
    return 0;
}

static void run_case(struct shell *shell, const struct node *node)
{
    const char *subject = expand_string(shell, node->words->text, &shell->scratch);
    int matches = subject != NULL ? 0 : -1;
    const struct case_item *item = node->items;

    for (; item != NULL && matches == 0; item = item->next) {
        matches = matches_item(shell, item, subject);
        if (matches > 0)
            break;
    }
    if (matches < 0) {
        fail_script(shell, 2);
        return;
    }
    shell->status = matches > 0 && item->body != NULL ? shell->status : 0;
    if (matches > 0)
        run_node(shell, item->body);
}

static void run_compound(struct shell *shell, const struct node *node)
{
    switch (node->type) {
    case NODE_SIMPLE:
        run_simple(shell, node);
        check_errexit(shell);
        break;
    case NODE_PIPELINE:
        run_pipeline(shell, node);
        break;
    case NODE_AND_OR:
        run_and_or(shell, node);
        break;
    case NODE_LIST:
        run_list(shell, node);
        break;
    case NODE_SUBSHELL:
        run_subshell(shell, node);
        break;
    case NODE_GROUP:
        run_node(shell, node->body);
        break;
    case NODE_IF:
        run_if(shell, node);
        break;
    case NODE_WHILE:
    case NODE_UNTIL:
        run_while(shell, node);
        break;
    case NODE_FOR:
        run_for(shell, node);
        break;
    case NODE_CASE:
        run_case(shell, node);
        break;
    case NODE_FUNCTION:
        function_define(shell, node);
        shell->status = 0;
        break;
    }
}

static bool stack_is_deep(const struct shell *shell)
{
    const char *here = __builtin_frame_address(0);
    size_t used = here < shell->stack_base ? (size_t)(shell->stack_base - here)
                                           : (size_t)(here - shell->stack_base);
    return used > os_stack_limit();
}

void run_node(struct shell *shell, const struct node *node)
{
    struct redirect_frame frame;
    struct arena_mark mark = arena_mark(&shell->scratch);

    if (shell->interactive && os_interrupted())
        interrupt_line(shell);
    if (node == NULL || shell->jump != JUMP_NONE || shell->noexec)
        return;
    if (stack_is_deep(shell)) {
        complain(shell, "nested too deeply");
        fail_script(shell, 2);
        return;
    }
    run_pending_traps(shell);
    shell->line = node->line;
    /* a simple command and a subshell see to their redirections themselves */
    if (node->redirects == NULL || node->type == NODE_SIMPLE || node->type == NODE_SUBSHELL) {
        run_compound(shell, node);
    } else {
        redirect_begin(&frame);
        if (redirect_apply(shell, &frame, node->redirects)) {
            run_compound(shell, node);
        } else {
            shell->status = 2;
            check_errexit(shell);
        }
        redirect_undo(&frame);
    }
    arena_release(&shell->scratch, mark);
}
