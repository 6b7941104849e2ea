/* A child that is stepped through by its parent, and killed. */
#include "mortal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

void mortal_begin(void) { raise(SIGSTOP); }

/* A child that has come to its mortal_begin. */

static pid_t start(void (*body)(void *), void *argument, int *status)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(3);
        body(argument);
        _exit(0);
    }
    waitpid(pid, status, 0);
    return pid;
}

static void step(pid_t pid, int *status)
{
    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
    waitpid(pid, status, 0);
}

static void check_end_of_child(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    fprintf(stderr, "the child ended with status %x\n", (unsigned)status);
    exit(2);
}

struct run {
    void (*body)(void *);
    void *argument;
};

static void begin_at_once(void *run)
{
    mortal_begin();
    ((struct run *)run)->body(((struct run *)run)->argument);
}

unsigned long mortal_run(void (*body)(void *), void *argument, unsigned long steps)
{
    int status;
    unsigned long made = 0;
    struct run run = {body, argument};
    pid_t pid = start(begin_at_once, &run, &status);
    for (; made < steps && WIFSTOPPED(status); made++)
        step(pid, &status);
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return made;
    }
    check_end_of_child(status);
    return made - 1;
}

static bool survives(bool (*survivor)(void *), void *argument, void *memory, const void *left,
                     size_t size)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (mmap(memory, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0) == MAP_FAILED)
            _exit(3);
        memcpy(memory, left, size);
        _exit(survivor(argument) ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

unsigned mortal_stores(void (*body)(void *), bool (*survivor)(void *), void *argument, void *memory,
                       size_t size, unsigned *failed)
{
    int status;
    unsigned deaths = 0;
    char *left = malloc(size);
    if (!left)
        exit(2);
    *failed = 0;
    pid_t pid = start(body, argument, &status);
    memcpy(left, memory, size);
    while (WIFSTOPPED(status)) {
        step(pid, &status);
        if (memcmp(left, memory, size) == 0)
            continue;
        memcpy(left, memory, size);
        deaths++;
        *failed += !survives(survivor, argument, memory, left, size);
    }
    check_end_of_child(status);
    free(left);
    return deaths;
}
