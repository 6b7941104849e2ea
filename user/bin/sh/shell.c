/* Starting the shell: options, environment, where commands come from. */
#include "shell.h"

#include "builtin/builtin.h"
#include "os.h"
#include "run/interactive.h"
#include "run/launch.h"
#include "run/run.h"
#include "syntax/scan.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: sh [-efinux] [-c command [name] | file] [arguments]\n"
    "Run commands from a string, a file, or standard input.\n"
    "  -c  commands are in the first argument      -i  prompt, even if input is no terminal\n"
    "  -e  end when a command fails                -f  no pathname expansion\n"
    "  -n  only check the syntax                   -u  unset variables are errors\n"
    "  -x  print commands before they run          -s  commands come from standard input\n"
    "Type help in the shell for the commands that it carries out itself.\n";

static void import_environment(struct shell *shell)
{
    extern char **environ;
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        size_t len = equals != NULL ? (size_t)(equals - *entry) : 0;
        if (len == 0 || name_length(*entry, len) != len)
            continue;
        char *name = arena_copy(&shell->scratch, *entry, len);
        variable_set(&shell->variables, name, equals + 1);
        variable_find(&shell->variables, name)->exported = true;
    }
}

static void set_defaults(struct shell *shell)
{
    static const char *const defaults[][2] = {{"PATH", "/bin"}, {"PS2", "> "}, {"PS4", "+ "}};
    char directory[1024];
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        if (variable_get(&shell->variables, defaults[i][0]) == NULL)
            variable_set(&shell->variables, defaults[i][0], defaults[i][1]);
    variable_find(&shell->variables, "PATH")->exported = true;
    variable_set(&shell->variables, "IFS", " \t\n"); /* never from the environment */
    variable_find(&shell->variables, "IFS")->exported = false;
    if (getcwd(directory, sizeof(directory)) != NULL)
        variable_set(&shell->variables, "PWD", directory);
}

static void shell_free(struct shell *shell)
{
    while (shell->jobs != NULL)
        job_free(shell, shell->jobs);
    while (shell->functions != NULL)
        function_unset(shell, shell->functions->name);
    restore_variables(shell, &shell->locals);
    for (int signal = 0; signal < TRAPS; signal++)
        free(shell->traps[signal]);
    variables_free(&shell->variables);
    positional_free(&shell->positional);
    arena_free(&shell->scratch);
}

static int shell_end(struct shell *shell)
{
    run_exit_trap(shell);
    int status = shell->status & 0xff;
    shell_free(shell);
    return status;
}

/* Descriptor, bytes of state, $$, $!, $?, options, $0: see run/subshell.c. */
static int run_as_subshell(struct shell *shell, char **argv)
{
    struct text script = {0};
    char buffer[1024];
    int fd = atoi(argv[0]), at = 0;
    size_t state = (size_t)atol(argv[1]);
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) != 0)
        if (n > 0)
            text_add(&script, buffer, (size_t)n);
        else if (errno != EINTR)
            break;
    close(fd);
    shell->name = argv[6];
    if (n < 0 || script.len < state) {
        complain(shell, "subshell: the state of the shell did not arrive");
        text_free(&script);
        shell->status = 2;
        return shell_end(shell);
    }
    run_text(shell, text_get(&script), state);
    shell->pid = atoi(argv[2]);
    shell->last_background = atoi(argv[3]);
    shell->status = atoi(argv[4]);
    if (argv[5][0] != '\0') {
        struct text options = {0};
        text_format(&options, "-%s", argv[5]);
        set_options(shell, 1, &options.data, &at);
        text_free(&options);
    }
    run_text(shell, text_get(&script) + state, script.len - state);
    text_free(&script);
    return shell_end(shell);
}

static int run_script(struct shell *shell, const char *path)
{
    struct text script = {0};
    int error = read_script(path, &script);
    if (error != 0) {
        complain(shell, "%s: %s", path, strerror(-error));
        shell->status = error == -ENOENT ? 127 : 126;
        return shell_end(shell);
    }
    shell->name = path;
    run_text(shell, text_get(&script), script.len);
    text_free(&script);
    return shell_end(shell);
}

struct invocation {
    bool command, interactive, from_stdin;
};

/* Options of the program: those of set, and -c -i -s, which may stand together with them. */
static bool parse_options(struct shell *shell, int argc, char **argv, int *at,
                          struct invocation *how)
{
    while (*at < argc && (argv[*at][0] == '-' || argv[*at][0] == '+') && argv[*at][1] != '\0' &&
           strcmp(argv[*at], "--") != 0) {
        char rest[16];
        size_t used = 1;
        for (const char *letter = argv[*at] + 1; *letter != '\0'; letter++) {
            how->command = how->command || *letter == 'c';
            how->interactive = how->interactive || *letter == 'i';
            how->from_stdin = how->from_stdin || *letter == 's';
            if (strchr("cis", *letter) == NULL && used < sizeof(rest) - 1)
                rest[used++] = *letter;
        }
        rest[0] = argv[*at][0];
        rest[used] = '\0';
        char *words[] = {rest, *at + 1 < argc ? argv[*at + 1] : NULL};
        int taken = 0;
        if (used > 1 && !set_options(shell, strchr(rest, 'o') != NULL ? 2 : 1, words, &taken))
            return false;
        *at += taken > 1 ? 2 : 1;
    }
    if (*at < argc && (strcmp(argv[*at], "--") == 0 || strcmp(argv[*at], "-") == 0))
        *at += 1;
    return true;
}

static int run_with(struct shell *shell, int argc, char **argv, int at, struct invocation how)
{
    const char *command = NULL, *file = NULL;
    if (how.command) {
        if (at == argc) {
            complain(shell, "-c needs a command");
            return 2;
        }
        command = argv[at++];
        if (at < argc)
            shell->name = argv[at++];
    } else if (at < argc && !how.from_stdin) {
        file = argv[at++];
    }
    positional_set(&shell->positional, argv + at, argc - at);
    const char *plain = variable_get(&shell->variables, "CAIRN_PLAIN");
    bool reads = command == NULL && file == NULL;
    shell->interactive =
        how.interactive || (reads && isatty(STDIN_FILENO) && isatty(STDERR_FILENO));
    shell->plain = plain != NULL && *plain != '\0' && *plain != '0';
    os_start(shell->interactive);
    if (file != NULL)
        return run_script(shell, file);
    if (command != NULL)
        run_text(shell, command, strlen(command));
    else
        run_input(shell);
    return shell_end(shell);
}

int shell_main(int argc, char **argv)
{
    struct shell shell = {.name = argc > 0 ? argv[0] : "sh", .pid = getpid(), .line = 1};
    struct invocation how = {0};
    int at = 1;

    shell.stack_base = __builtin_frame_address(0);
    shell.substitute = command_output;
    arena_alloc(&shell.scratch, 1); /* its first block stays: each command begins in it */
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return write(STDOUT_FILENO, help, sizeof(help) - 1) < 0;
    import_environment(&shell);
    set_defaults(&shell);
    if (argc == 2 + SUBSHELL_ARGUMENTS && strcmp(argv[1], SUBSHELL_OPTION) == 0) {
        os_start(false);
        return run_as_subshell(&shell, argv + 2);
    }
    if (!parse_options(&shell, argc, argv, &at, &how)) {
        complain(&shell, "bad option");
        (void)!write(STDERR_FILENO, help, strcspn(help, "\n") + 1);
        shell_free(&shell);
        return 2;
    }
    return run_with(&shell, argc, argv, at, how);
}
