/* env: shows or changes the environment of a command. */
#include "common/utility.h"

#include <spawn.h>
#include <sys/wait.h>

static const char usage[] = "usage: env [-i] [-u NAME]... [NAME=VALUE]... [COMMAND [ARGUMENT]...]\n"
                            "Run COMMAND in the changed environment, or print that environment.\n"
                            "  -i  begin with an empty one\n"
                            "  -u  without NAME\n"
                            "  -0  end each line with NUL instead of newline\n";

extern char **environ;

static int run(char **argv)
{
    pid_t pid;
    int status, error = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (error != 0) {
        warnx("%s: %s", argv[0], strerror(error));
        return error == ENOENT ? 127 : 126;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            err(125, "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    static char *nothing[] = {NULL};
    char delimiter = '\n';
    int option;

    utility_start(usage, 125);
    while ((option = utility_option(argc, argv, "+iu:0")) != -1) {
        if (option == 'i')
            environ = nothing;
        else if (option == '0')
            delimiter = '\0';
        else if (unsetenv(optarg) < 0)
            err(125, "%s", optarg);
    }
    if (optind < argc && strcmp(argv[optind], "-") == 0) {
        environ = nothing;
        optind++;
    }
    for (; optind < argc && strchr(argv[optind], '=') != NULL; optind++) {
        char *equals = strchr(argv[optind], '=');
        char *name = must_copy(argv[optind]);
        name[equals - argv[optind]] = '\0';
        if (setenv(name, equals + 1, 1) < 0)
            err(125, "%s", argv[optind]);
        free(name);
    }
    if (optind < argc)
        return run(argv + optind);
    for (char **entry = environ; *entry != NULL; entry++) {
        output_text(*entry);
        output_char(delimiter);
    }
    return 0;
}
