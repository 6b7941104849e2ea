/* Any word: expansion ends and reads nothing behind it. Commands are not run: they print a fixed
 * text. */
#include "../expand/expand.h"
#include "../syntax/parser.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void complain(const struct shell *shell, const char *format, ...)
{
    (void)shell, (void)format;
}

void shell_options(const struct shell *shell, char letters[8])
{
    (void)shell;
    strcpy(letters, "e");
}

static bool substitute(struct shell *shell, const char *text, struct text *output)
{
    (void)shell, (void)text;
    text_string(output, "a b\n*c\n\n");
    return true;
}

static void expand(struct shell *shell, const struct word *words)
{
    struct strings fields = {0};
    struct marked pattern = {0};
    expand_words(shell, words, &shell->scratch, &fields);
    for (; words != NULL; words = words->next) {
        expand_string(shell, words->text, &shell->scratch);
        expand_assignment(shell, words->text, &shell->scratch);
        expand_here(shell, words->text, &shell->scratch);
        expand_has_effects(words->text);
        if (expand_pattern(shell, words->text, &pattern))
            (void)pattern.len;
        marked_free(&pattern);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *values[] = {(char *)"one", (char *)"", (char *)"t wo"};
    struct shell shell = {.name = "sh",
                          .positional = {values, size % 4},
                          .substitute = substitute,
                          .noglob = true,
                          .nounset = size % 5 == 0};
    struct arena arena = {0};
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    variable_set(&shell.variables, "x", "va lue*");
    variable_set(&shell.variables, "n", "7");
    variable_set(&shell.variables, "HOME", "/home");
    if (size % 3 == 0)
        variable_set(&shell.variables, "IFS", ": ");
    if (size % 4 == 3)
        shell.positional.count = 3;
    struct parse parse = {.text = text, .len = size, .complete = true, .first_line = 1};
    if (parse_line(&parse, &arena) == PARSE_OK && parse.node != NULL)
        expand(&shell, parse.node->words);
    expand(&shell, &(struct word){.text = text}); /* also what no lexer has seen */
    arena_free(&arena);
    arena_free(&shell.scratch);
    variables_free(&shell.variables);
    free(text);
    return 0;
}
