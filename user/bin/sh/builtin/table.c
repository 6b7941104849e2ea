/* The table of builtins, and what they share. */
#include "builtin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct builtin builtins[] = {
    {".", true, builtin_source, "file [arguments]: run a script in this shell"},
    {":", true, builtin_colon, ": do nothing"},
    {"[", false, builtin_test, "expression ]: test a condition"},
    {"bg", false, builtin_bg, ": not supported, jobs cannot be stopped"},
    {"break", true, builtin_break, "[n]: leave a loop"},
    {"cd", false, builtin_cd, "[directory | -]: change the working directory"},
    {"command", false, builtin_command, "[-v] name [arguments]: run a command that is no function"},
    {"continue", true, builtin_continue, "[n]: begin the next round of a loop"},
    {"echo", false, builtin_echo, "[-n] [words]: print words"},
    {"eval", true, builtin_eval, "words: run words as a command"},
    {"exec", true, builtin_exec,
     "[command]: run a command in place of the shell; keep redirections"},
    {"exit", true, builtin_exit, "[status]: leave the shell"},
    {"export", true, builtin_export, "[-p] [name[=value]]: pass variables on to programs"},
    {"false", false, builtin_false, ": fail"},
    {"fg", false, builtin_fg, "[%job]: bring a job to the foreground"},
    {"help", false, builtin_help, "[name]: this list"},
    {"history", false, builtin_history, "[-c]: the lines typed so far; -c forgets them"},
    {"jobs", false, builtin_jobs, "[-lp]: list what runs in the background"},
    {"kill", false, builtin_kill, "[-signal] pid | %job: send a signal; -l lists them"},
    {"local", true, builtin_local, "name[=value]: variables of this call of a function"},
    {"printf", false, builtin_printf, "format [arguments]: print formatted"},
    {"pwd", false, builtin_pwd, "[-LP]: print the working directory"},
    {"read", false, builtin_read, "[-r] [-p prompt] [names]: read a line into variables"},
    {"readonly", true, builtin_readonly, "[-p] [name[=value]]: protect variables"},
    {"return", true, builtin_return, "[status]: leave a function or a sourced script"},
    {"set", true, builtin_set, "[-+efnux] [-o name] [--] [arguments]: options and parameters"},
    {"shift", true, builtin_shift, "[n]: drop the first parameters"},
    {"test", false, builtin_test, "expression: test a condition"},
    {"trap", true, builtin_trap, "[action] [signals]: what to do on signals and at EXIT"},
    {"true", false, builtin_colon, ": succeed"},
    {"type", false, builtin_type, "names: what a command is"},
    {"unset", true, builtin_unset, "[-fv] names: forget variables or functions"},
    {"wait", false, builtin_wait, "[pid | %job]: wait for background jobs"},
    {NULL, false, NULL, NULL},
};

static int compare(const void *name, const void *builtin)
{
    return strcmp(name, ((const struct builtin *)builtin)->name);
}

const struct builtin *builtin_find(const char *name)
{
    return bsearch(name, builtins, sizeof(builtins) / sizeof(builtins[0]) - 1, sizeof(builtins[0]),
                   compare);
}

const struct builtin *builtin_table(void)
{
    return builtins;
}

int builtin_write(struct shell *shell, const char *name, struct text *text)
{
    size_t done = 0;
    int error = 0;
    while (done < text->len && error == 0) {
        ssize_t n = write(STDOUT_FILENO, text->data + done, text->len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            error = errno;
    }
    text_free(text);
    if (error == EPIPE && !shell->interactive) {
        /* what a program would die of, silently */
        shell->jump = JUMP_EXIT;
        return 128 + 13;
    }
    if (error != 0)
        complain(shell, "%s: write error: %s", name, strerror(error));
    return error != 0;
}

int builtin_usage(struct shell *shell, const char *name)
{
    complain(shell, "usage: %s %s", name, builtin_find(name)->help);
    return 2;
}

/* Those to which --help is a word like others. */
static bool takes_any_word(const char *name)
{
    static const char *const names[] = {":", "[", "echo", "eval", "exec", "false", "test", "true"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

int builtin_run(struct shell *shell, const struct builtin *builtin, int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0 && !takes_any_word(builtin->name)) {
        struct text text = {0};
        text_format(&text, "usage: %s %s\n", builtin->name, builtin->help);
        return builtin_write(shell, builtin->name, &text);
    }
    return builtin->run(shell, argc, argv);
}

bool parse_number(const char *text, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && errno == 0;
}
