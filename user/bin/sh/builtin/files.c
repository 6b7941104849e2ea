/* cd and pwd. The working directory is a path or a URI; the C library keeps it. */
#include "../run/run.h"
#include "builtin.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PATH_LENGTH 1024

static void remember_directory(struct shell *shell, const char *old)
{
    char now[PATH_LENGTH];
    if (old != NULL)
        variable_set(&shell->variables, "OLDPWD", old);
    if (getcwd(now, sizeof(now)) != NULL)
        variable_set(&shell->variables, "PWD", now);
    else
        variable_unset(&shell->variables, "PWD");
}

int builtin_cd(struct shell *shell, int argc, char **argv)
{
    char old[PATH_LENGTH];
    struct text text = {0};
    int at = 1;
    bool show = false;

    while (at < argc && (strcmp(argv[at], "-L") == 0 || strcmp(argv[at], "-P") == 0 ||
                         strcmp(argv[at], "--") == 0))
        at++;
    if (argc > at + 1)
        return builtin_usage(shell, argv[0]);
    const char *target = at < argc ? argv[at] : variable_get(&shell->variables, "HOME");
    if (at < argc && strcmp(argv[at], "-") == 0) {
        target = variable_get(&shell->variables, "OLDPWD");
        show = true;
    }
    if (target == NULL) {
        complain(shell, "cd: %s is not set", show ? "OLDPWD" : "HOME");
        return 1;
    }
    if (*target == '\0')
        return 0;
    const char *before = getcwd(old, sizeof(old));
    target = arena_copy(&shell->scratch, target, strlen(target)); /* OLDPWD changes */
    if (chdir(target) < 0) {
        complain(shell, "cd: %s: %s", target, strerror(errno));
        return 1;
    }
    remember_directory(shell, before);
    if (!show)
        return 0;
    text_format(&text, "%s\n", target);
    return builtin_write(shell, argv[0], &text);
}

int builtin_pwd(struct shell *shell, int argc, char **argv)
{
    char now[PATH_LENGTH];
    struct text text = {0};
    if (argc > 1 && strcmp(argv[1], "-L") != 0 && strcmp(argv[1], "-P") != 0)
        return builtin_usage(shell, argv[0]);
    if (getcwd(now, sizeof(now)) == NULL) {
        complain(shell, "pwd: %s", strerror(errno));
        return 1;
    }
    text_format(&text, "%s\n", now);
    return builtin_write(shell, argv[0], &text);
}
