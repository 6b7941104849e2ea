/* A child that is stepped through by its parent, and killed. */
#include "mortal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

void *mortal_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return memory;
}

static void child(void (*body)(void *), void *argument)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        _exit(3);
    raise(SIGSTOP);
    body(argument);
    _exit(0);
}

unsigned long mortal_run(void (*body)(void *), void *argument, unsigned long steps)
{
    int status;
    unsigned long made = 0;
    pid_t pid = fork();
    if (pid == 0)
        child(body, argument);
    waitpid(pid, &status, 0);
    for (; made < steps && WIFSTOPPED(status); made++) {
        ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
        waitpid(pid, &status, 0);
    }
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return made;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "the child ended with status %x\n", (unsigned)status);
        exit(2);
    }
    return made - 1;
}
