/* Builtins that change what runs next: loops, functions, the shell itself. */
#include "../line/line.h"
#include "../run/launch.h"
#include "../run/run.h"
#include "../syntax/scan.h"
#include "builtin.h"

#include "../../common/signal_names.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

int builtin_colon(struct shell *shell, int argc, char **argv)
{
    (void)shell, (void)argc, (void)argv;
    return 0;
}

int builtin_false(struct shell *shell, int argc, char **argv)
{
    (void)shell, (void)argc, (void)argv;
    return 1;
}

static int jump_loop(struct shell *shell, int argc, char **argv, enum jump jump)
{
    long levels = 1;
    if (argc > 2 || (argc == 2 && (!parse_number(argv[1], &levels) || levels < 1))) {
        complain(shell, "%s: bad number: %s", argv[0], argv[1]);
        fail_script(shell, 2);
        return 2;
    }
    if (shell->loop_depth == 0)
        return 0;
    shell->jump = jump;
    shell->jump_levels = levels < shell->loop_depth ? (int)levels : shell->loop_depth;
    return 0;
}

int builtin_break(struct shell *shell, int argc, char **argv)
{
    return jump_loop(shell, argc, argv, JUMP_BREAK);
}

int builtin_continue(struct shell *shell, int argc, char **argv)
{
    return jump_loop(shell, argc, argv, JUMP_CONTINUE);
}

static int jump_with_status(struct shell *shell, int argc, char **argv, enum jump jump)
{
    long status = shell->status;
    if (argc > 1 && !parse_number(argv[1], &status)) {
        complain(shell, "%s: bad number: %s", argv[0], argv[1]);
        status = 2;
    }
    shell->jump = jump;
    return (int)(status & 0xff);
}

int builtin_return(struct shell *shell, int argc, char **argv)
{
    bool inside = shell->function_depth > 0;
    return jump_with_status(shell, argc, argv, inside ? JUMP_RETURN : JUMP_EXIT);
}

int builtin_exit(struct shell *shell, int argc, char **argv)
{
    return jump_with_status(shell, argc, argv, JUMP_EXIT);
}

/* run_simple carries exec out itself; this entry only gives it a name. */
int builtin_exec(struct shell *shell, int argc, char **argv)
{
    return builtin_colon(shell, argc, argv);
}

int builtin_eval(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    for (int i = 1; i < argc; i++) {
        text_string(&text, argv[i]);
        text_char(&text, i + 1 < argc ? ' ' : '\n');
    }
    shell->status = 0;
    int status = run_text(shell, text_get(&text), text.len);
    text_free(&text);
    return status;
}

/* A name without a slash is looked for in PATH, then here. */
static int read_source(struct shell *shell, const char *name, struct text *script)
{
    const char *search =
        strpbrk(name, "/:") == NULL ? variable_get(&shell->variables, "PATH") : NULL;
    struct text path = {0};
    int result = -ENOENT;
    while (search != NULL && result == -ENOENT) {
        size_t len = strcspn(search, ":");
        text_clear(&path);
        text_add(&path, search, len);
        text_string(&path, len > 0 ? "/" : "");
        text_string(&path, name);
        result = read_script(text_get(&path), script);
        search = search[len] == ':' ? search + len + 1 : NULL;
    }
    text_free(&path);
    return result == -ENOENT ? read_script(name, script) : result;
}

int builtin_source(struct shell *shell, int argc, char **argv)
{
    struct text script = {0};
    struct positional positional = shell->positional;

    if (argc < 2)
        return builtin_usage(shell, argv[0]);
    int error = read_source(shell, argv[1], &script);
    if (error != 0) {
        complain(shell, ".: %s: %s", argv[1], strerror(-error));
        fail_script(shell, 2);
        return 2;
    }
    if (argc > 2) {
        shell->positional = (struct positional){0};
        positional_set(&shell->positional, argv + 2, argc - 2);
    }
    shell->function_depth++; /* return leaves the script */
    shell->status = 0;
    int status = run_text(shell, text_get(&script), script.len);
    shell->function_depth--;
    if (shell->jump == JUMP_RETURN)
        shell->jump = JUMP_NONE;
    if (argc > 2) {
        positional_free(&shell->positional);
        shell->positional = positional;
    }
    text_free(&script);
    return status;
}

static int show_traps(struct shell *shell)
{
    struct text text = {0};
    for (int signal = 0; signal < TRAPS; signal++) {
        if (shell->traps[signal] == NULL)
            continue;
        text_string(&text, "trap -- ");
        text_quoted(&text, shell->traps[signal]);
        text_format(&text, " %s\n", signal == 0 ? "EXIT" : signal_name(signal));
    }
    return builtin_write(shell, "trap", &text);
}

int builtin_trap(struct shell *shell, int argc, char **argv)
{
    long number;
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

    if (argc <= first)
        return show_traps(shell);
    /* without an action, the signals get their defaults back */
    bool reset = strcmp(argv[first], "-") == 0 || parse_number(argv[first], &number);
    const char *action = reset ? NULL : argv[first];
    for (int i = first + (strcmp(argv[first], "-") == 0 || action != NULL); i < argc; i++) {
        int signal = strcmp(argv[i], "EXIT") == 0 ? 0 : signal_number(argv[i]);
        if (signal < 0 || signal >= TRAPS || signal == SIGKILL) {
            complain(shell, "trap: %s: bad trap", argv[i]);
            return 1;
        }
        trap_set(shell, signal, action);
    }
    return 0;
}

static int describe_command(struct shell *shell, const char *name, bool brief, struct text *text)
{
    struct text path = {0};
    const char *what = is_reserved_word(name) ? "is a shell keyword" : NULL;

    const struct builtin *builtin = builtin_find(name);
    if (what == NULL && function_find(shell, name) != NULL)
        what = "is a shell function";
    else if (what == NULL && builtin != NULL)
        what = builtin->special ? "is a special shell builtin" : "is a shell builtin";
    if (what != NULL)
        text_format(text, brief ? "%s\n" : "%s %s\n", name, what);
    else if (find_program(shell, name, &path) == 0)
        text_format(text, brief ? "%s%s\n" : "%s is %s\n", brief ? "" : name, text_get(&path));
    else if (!brief)
        text_format(text, "%s: not found\n", name);
    bool found = what != NULL || find_program(shell, name, &path) == 0;
    text_free(&path);
    return found ? 0 : 127;
}

int builtin_type(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    int status = 0;
    for (int i = 1; i < argc; i++)
        if (describe_command(shell, argv[i], false, &text) != 0)
            status = 127;
    int written = builtin_write(shell, "type", &text);
    return written != 0 ? written : status;
}

int builtin_command(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    int at = 1;
    bool describe = false, brief = false;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        brief = strcmp(argv[at], "-v") == 0;
        describe = brief || strcmp(argv[at], "-V") == 0;
        if (!describe && strcmp(argv[at], "-p") != 0)
            return builtin_usage(shell, argv[0]);
    }
    if (at == argc)
        return 0;
    if (describe) {
        int status = describe_command(shell, argv[at], brief, &text);
        int written = builtin_write(shell, "command", &text);
        return written != 0 ? written : status;
    }
    const struct builtin *builtin = builtin_find(argv[at]);
    if (builtin != NULL)
        return builtin_run(shell, builtin, argc - at, argv + at);
    struct job *job = job_new(shell);
    launch_program(shell, job, argv + at);
    int status = job_foreground(shell, job);
    job_free(shell, job);
    return status;
}

int builtin_help(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    for (const struct builtin *builtin = builtin_table(); builtin->name != NULL; builtin++)
        if (argc < 2 || strcmp(argv[1], builtin->name) == 0)
            text_format(&text, "%-9s%s\n", builtin->name, builtin->help);
    if (argc < 2)
        text_string(&text,
                    "\nAlso: if while until for case { } ( ) functions | && || ; & ! < > >> << "
                    "2>&1\n$x ${x:-y} $(command) $((1 + 2)) 'quotes' \"quotes\" * ? [a-z]\n");
    return builtin_write(shell, "help", &text);
}

int builtin_history(struct shell *shell, int argc, char **argv)
{
    struct text text = {0};
    const char *line;
    if (argc > 1 && strcmp(argv[1], "-c") == 0)
        history_clear();
    for (size_t i = 0; (line = history_get(i)) != NULL; i++)
        text_format(&text, "%5zu  %s\n", i + 1, line);
    return builtin_write(shell, "history", &text);
}
