/* Running other programs and waiting for them, for find -exec and xargs. */
#pragma once

#include "utility.h"
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

/* run_program: starts argv[0], found through PATH, and waits. input: the descriptor that becomes
 * its standard input, or -1 for this program's. Its exit status, 128 + n after signal n, or
 * -errno if it did not start (-E2BIG: too many arguments). */
static inline int run_program(char **argv, int input)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;

    output_flush(); /* what was printed before comes before what the program prints */
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return -error;
    if (input >= 0)
        error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (error == 0)
        error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return -error;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
