/* The shell's system layer on a POSIX host, for tests: the same mechanisms (spawn, no fork in
 * the shell itself), so that what is tested is what runs on Cairn. */
#include "../os.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void note_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

void os_start(bool interactive)
{
    signal(SIGPIPE, SIG_IGN);
    if (!interactive)
        return;
    struct sigaction action = {.sa_handler = note_interrupt};
    sigaction(SIGINT, &action, NULL);
    signal(SIGTTOU, SIG_IGN);
}

bool os_interrupted(void)
{
    bool was = interrupted;
    interrupted = 0;
    return was;
}

bool os_interrupt_newline(void)
{
    return true;
}

int os_spawn(const char *path, char *const *argv, char *const *envp, int leader)
{
    posix_spawnattr_t attributes;
    sigset_t defaults;
    pid_t pid;
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGTTOU);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, leader);
    posix_spawnattr_setflags(&attributes, leader == OS_SAME_JOB
                                              ? POSIX_SPAWN_SETSIGDEF
                                              : POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    int error = posix_spawn(&pid, path, NULL, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    return error == 0 ? pid : -error;
}

int os_wait(int pid, bool nohang, struct os_end *end)
{
    int status, result = waitpid(pid, &status, nohang ? WNOHANG : 0);
    if (result <= 0)
        return result == 0 ? 0 : -errno;
    *end = (struct os_end){0};
    if (WIFSIGNALED(status)) {
        end->signal = WTERMSIG(status);
        end->status = 128 + end->signal;
        snprintf(end->message, sizeof(end->message), "%s", strsignal(end->signal));
    } else {
        end->status = WEXITSTATUS(status);
    }
    return result;
}

int os_kill(int pid, int number)
{
    return kill(pid, number) < 0 ? -errno : 0;
}

void os_foreground(int leader)
{
    tcsetpgrp(STDIN_FILENO, leader > 0 ? leader : getpgrp());
}

const char *os_shell_path(void)
{
    return "/proc/self/exe";
}

const char *os_program_fallback(void)
{
    return NULL;
}

size_t os_stack_limit(void)
{
    return 1 << 20;
}
