/* test: evaluates a condition. The shell has the same as a builtin, and as [. */
#include "common/test_expression.h"

#include <err.h>
#include <stdio.h>

static const char usage[] =
    "usage: test EXPRESSION\n"
    "Files:   -e exists  -f file  -d directory  -h -L symbolic link  -s not empty  -r -w -x "
    "allowed\n"
    "         -b -c -p -S device, pipe, socket  -t FD is a terminal  A -nt B  A -ot B  A -ef B\n"
    "Strings: -n STRING  -z STRING  A = B  A != B  A '<' B  A '>' B\n"
    "Numbers: A -eq B  -ne -lt -le -gt -ge\n"
    "         ! EXPRESSION  EXPRESSION -a EXPRESSION  -o  ( EXPRESSION )\n"
    "Exit status: 0 true, 1 false, 2 error.\n";

int main(int argc, char **argv)
{
    const char *error, *word;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    int status = test_evaluate(argv + 1, argc - 1, &error, &word);
    if (error != NULL)
        warnx("%s: %s", word, error);
    return status;
}
