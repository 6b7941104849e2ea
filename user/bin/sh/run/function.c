/* Functions: definition, calls with their own parameters and local variables. */
#include "../syntax/parser.h"
#include "../syntax/unparse.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

struct function *function_find(const struct shell *shell, const char *name)
{
    struct function *function = shell->functions;
    while (function != NULL && (function->replaced || strcmp(function->name, name) != 0))
        function = function->next;
    return function;
}

/* Frees those that were replaced and are no longer running. */
static void collect_functions(struct shell *shell)
{
    struct function **link = &shell->functions;
    while (*link != NULL) {
        struct function *function = *link;
        if (!function->replaced || function->running > 0) {
            link = &function->next;
            continue;
        }
        *link = function->next;
        arena_free(&function->arena);
        free(function->name);
        free(function->text);
        free(function);
    }
}

void function_unset(struct shell *shell, const char *name)
{
    struct function *function = function_find(shell, name);
    if (function != NULL)
        function->replaced = true;
    collect_functions(shell);
}

void function_define(struct shell *shell, const struct node *node)
{
    struct function *function = must_malloc(sizeof(*function));
    struct text text = {0};

    unparse(&text, node);
    *function = (struct function){.name = must_copy(node->name), .text = must_copy(text.data)};
    text_free(&text);
    struct parse parse = {.text = function->text,
                          .len = strlen(function->text),
                          .complete = true,
                          .first_line = node->line};
    if (parse_line(&parse, &function->arena) == PARSE_OK && parse.node != NULL)
        function->body = parse.node->body;
    function_unset(shell, node->name);
    function->next = shell->functions;
    shell->functions = function;
}

void function_call(struct shell *shell, struct function *function, char **argv, int argc)
{
    struct positional positional = shell->positional;
    struct saved_variable *locals = shell->locals;
    int loop_depth = shell->loop_depth;

    shell->positional = (struct positional){0};
    positional_set(&shell->positional, argv + 1, argc - 1);
    shell->locals = NULL;
    shell->loop_depth = 0;
    shell->function_depth++;
    function->running++;
    run_node(shell, function->body);
    function->running--;
    shell->function_depth--;
    shell->loop_depth = loop_depth;
    if (shell->jump == JUMP_RETURN)
        shell->jump = JUMP_NONE;
    restore_variables(shell, &shell->locals);
    shell->locals = locals;
    positional_free(&shell->positional);
    shell->positional = positional;
    collect_functions(shell);
}
