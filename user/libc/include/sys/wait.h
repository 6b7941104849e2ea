/* Waiting for children. A status is (exit status << 8), or the number of the signal that ended it. */
#pragma once

#include <sys/types.h>

#define WNOHANG 1
#define WUNTRACED 2  /* nothing stops on Cairn */
#define WCONTINUED 8

#define WIFEXITED(status) (((status) & 0x7f) == 0)
#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WIFSIGNALED(status) (((status) & 0x7f) != 0)
#define WTERMSIG(status) ((status) & 0x7f)
#define WIFSTOPPED(status) ((void)(status), 0)
#define WSTOPSIG(status) WEXITSTATUS(status)
#define WIFCONTINUED(status) ((void)(status), 0)
#define WCOREDUMP(status) ((void)(status), 0)

pid_t wait(int *status);
/* pid > 0: that child; -1: any; 0: any of the own process group; < -1: any of group -pid. */
pid_t waitpid(pid_t pid, int *status, int options);

/* The time in usage is that of the child and of the children that it had waited for. */
struct rusage;
pid_t wait3(int *status, int options, struct rusage *usage);
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);
