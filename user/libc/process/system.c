/* system and popen: a command line for sh. */
#include "cairn/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL "/bin/sh"

static int start_shell(const char *command, const posix_spawn_file_actions_t *actions, pid_t *pid)
{
    char *argv[] = {"sh", "-c", (char *)command, NULL};
    return posix_spawn(pid, SHELL, actions, NULL, argv, environ);
}

int system(const char *command)
{
    pid_t pid;
    int status;
    if (!command)
        return access(SHELL, X_OK) == 0;
    fflush(stdout);
    fflush(stderr);
    errno = start_shell(command, NULL, &pid);
    if (errno || waitpid(pid, &status, 0) < 0)
        return -1;
    return status;
}

/* Open streams to commands, so that pclose knows whom to wait for. */
struct command {
    struct command *next;
    FILE *file;
    pid_t pid;
};
static struct mutex lock;
static struct command *commands;

static int connect(const char *line, int ends[2], int child, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawn_file_actions_adddup2(&actions, ends[child], child);
    if (!error)
        error = start_shell(line, &actions, pid);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

FILE *popen(const char *line, const char *mode)
{
    int ends[2];
    int child = mode[0] == 'r' ? 1 : 0; /* the child's end, and its descriptor */
    if (mode[0] != 'r' && mode[0] != 'w') {
        errno = EINVAL;
        return NULL;
    }
    struct command *c = malloc(sizeof *c);
    if (!c)
        return NULL;
    if (pipe2(ends, O_CLOEXEC) < 0)
        goto free_command;
    fflush(stdout);
    int error = connect(line, ends, child, &c->pid);
    close(ends[child]);
    if (error) {
        errno = error;
        goto close_end;
    }
    c->file = fdopen(ends[1 - child], mode);
    if (!c->file)
        goto close_end; /* the command sees end of file, or EPIPE */
    mutex_lock(&lock);
    c->next = commands;
    commands = c;
    mutex_unlock(&lock);
    return c->file;

close_end:
    close(ends[1 - child]);
free_command:
    free(c);
    return NULL;
}

int pclose(FILE *file)
{
    int status = -1;
    mutex_lock(&lock);
    struct command **link = &commands;
    while (*link && (*link)->file != file)
        link = &(*link)->next;
    struct command *c = *link;
    if (c)
        *link = c->next;
    mutex_unlock(&lock);
    if (!c) {
        errno = ECHILD;
        return -1;
    }
    fclose(file);
    if (waitpid(c->pid, &status, 0) < 0)
        status = -1;
    free(c);
    return status;
}
