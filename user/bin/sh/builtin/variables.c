/* Builtins about variables and parameters. */
#include "../run/run.h"
#include "../syntax/scan.h"
#include "builtin.h"

#include <string.h>

static bool is_variable_name(const char *name, size_t len)
{
    return len > 0 && name_length(name, len) == len;
}

enum attribute { EXPORT, READONLY, LOCAL };

static int list_attribute(struct shell *shell, const char *name, enum attribute attribute)
{
    struct text text = {0};
    struct variable **all = variables_sorted(&shell->variables, &shell->scratch);
    for (; *all != NULL; all++) {
        if (!(attribute == EXPORT ? (*all)->exported : (*all)->readonly))
            continue;
        text_format(&text, "%s %s", name, (*all)->name);
        if ((*all)->value != NULL) {
            text_char(&text, '=');
            text_quoted(&text, (*all)->value);
        }
        text_char(&text, '\n');
    }
    return builtin_write(shell, name, &text);
}

static bool declare(struct shell *shell, const char *word, enum attribute attribute)
{
    size_t len = strcspn(word, "=");
    const char *name = arena_copy(&shell->scratch, word, len);
    const char *value = word[len] == '=' ? word + len + 1 : NULL;

    if (!is_variable_name(word, len)) {
        complain(shell, "%s: bad variable name", name);
        return false;
    }
    if (attribute == LOCAL)
        save_variable(shell, name, &shell->locals);
    if (!variable_set(&shell->variables, name, value)) {
        complain(shell, "%s: is read only", name);
        return false;
    }
    struct variable *variable = variable_find(&shell->variables, name);
    variable->exported = variable->exported || attribute == EXPORT;
    variable->readonly = variable->readonly || attribute == READONLY;
    return true;
}

static int declare_all(struct shell *shell, int argc, char **argv, enum attribute attribute)
{
    int at = 1;
    bool list = argc > 1 && strcmp(argv[1], "-p") == 0;
    if (list || (argc == 1 && attribute != LOCAL))
        return list_attribute(shell, argv[0], attribute);
    if (at < argc && strcmp(argv[at], "--") == 0)
        at++;
    for (; at < argc; at++)
        if (!declare(shell, argv[at], attribute)) {
            fail_script(shell, 2);
            return 2;
        }
    return 0;
}

int builtin_export(struct shell *shell, int argc, char **argv)
{
    return declare_all(shell, argc, argv, EXPORT);
}

int builtin_readonly(struct shell *shell, int argc, char **argv)
{
    return declare_all(shell, argc, argv, READONLY);
}

int builtin_local(struct shell *shell, int argc, char **argv)
{
    if (shell->function_depth == 0) {
        complain(shell, "local: not in a function");
        fail_script(shell, 2);
        return 2;
    }
    return declare_all(shell, argc, argv, LOCAL);
}

int builtin_unset(struct shell *shell, int argc, char **argv)
{
    int at = 1;
    bool functions = false;
    if (at < argc && (strcmp(argv[at], "-f") == 0 || strcmp(argv[at], "-v") == 0))
        functions = argv[at++][1] == 'f';
    for (; at < argc; at++) {
        if (functions) {
            function_unset(shell, argv[at]);
        } else if (!variable_unset(&shell->variables, argv[at])) {
            complain(shell, "unset: %s: is read only", argv[at]);
            fail_script(shell, 2);
            return 2;
        }
    }
    return 0;
}

int builtin_shift(struct shell *shell, int argc, char **argv)
{
    long count = 1;
    struct positional *positional = &shell->positional;
    if (argc > 1 && (!parse_number(argv[1], &count) || count < 0)) {
        complain(shell, "shift: bad number: %s", argv[1]);
        fail_script(shell, 2);
        return 2;
    }
    if (count > positional->count) {
        complain(shell, "shift: there are not so many");
        fail_script(shell, 2);
        return 2;
    }
    struct positional old = *positional;
    *positional = (struct positional){0};
    positional_set(positional, old.values + count, old.count - (int)count);
    positional_free(&old);
    return 0;
}

static bool *option_flag(struct shell *shell, char letter)
{
    switch (letter) {
    case 'e':
        return &shell->errexit;
    case 'x':
        return &shell->xtrace;
    case 'u':
        return &shell->nounset;
    case 'f':
        return &shell->noglob;
    case 'n':
        return &shell->noexec;
    default:
        return NULL;
    }
}

static const struct {
    const char *name;
    char letter;
} option_names[] = {
    {"errexit", 'e'}, {"noexec", 'n'}, {"noglob", 'f'}, {"nounset", 'u'}, {"xtrace", 'x'}};

static bool set_long_option(struct shell *shell, const char *name, bool on)
{
    for (size_t i = 0; i < sizeof(option_names) / sizeof(option_names[0]); i++)
        if (name != NULL && strcmp(option_names[i].name, name) == 0) {
            *option_flag(shell, option_names[i].letter) = on;
            return true;
        }
    return false;
}

bool set_options(struct shell *shell, int argc, char **argv, int *at)
{
    for (; *at < argc && (argv[*at][0] == '-' || argv[*at][0] == '+'); *at += 1) {
        const char *word = argv[*at];
        bool on = word[0] == '-';
        if (word[1] == '\0' || strcmp(word, "--") == 0)
            return true;
        for (word++; *word != '\0'; word++) {
            bool *flag = option_flag(shell, *word);
            if (*word == 'o') {
                *at += 1;
                if (!set_long_option(shell, *at < argc ? argv[*at] : NULL, on))
                    return false;
            } else if (flag != NULL) {
                *flag = on && !(flag == &shell->noexec && shell->interactive);
            } else {
                return false;
            }
        }
    }
    return true;
}

static int list_variables(struct shell *shell)
{
    struct text text = {0};
    struct variable **all = variables_sorted(&shell->variables, &shell->scratch);
    for (; *all != NULL; all++) {
        if ((*all)->value == NULL)
            continue;
        text_format(&text, "%s=", (*all)->name);
        text_quoted(&text, (*all)->value);
        text_char(&text, '\n');
    }
    return builtin_write(shell, "set", &text);
}

static int list_options(struct shell *shell)
{
    struct text text = {0};
    for (size_t i = 0; i < sizeof(option_names) / sizeof(option_names[0]); i++)
        text_format(&text, "%-8s %s\n", option_names[i].name,
                    *option_flag(shell, option_names[i].letter) ? "on" : "off");
    return builtin_write(shell, "set", &text);
}

int builtin_set(struct shell *shell, int argc, char **argv)
{
    int at = 1;
    if (argc == 1)
        return list_variables(shell);
    if (argc == 2 && strcmp(argv[1], "-o") == 0)
        return list_options(shell);
    if (!set_options(shell, argc, argv, &at)) {
        int status = builtin_usage(shell, argv[0]);
        fail_script(shell, status);
        return status;
    }
    bool dashes = at < argc && strcmp(argv[at], "--") == 0;
    if (dashes || at < argc) {
        struct positional old = shell->positional;
        shell->positional = (struct positional){0};
        positional_set(&shell->positional, argv + at + dashes, argc - at - dashes);
        positional_free(&old);
    }
    return 0;
}
