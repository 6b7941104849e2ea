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
/* pid > 0: that child; all other values: any child. */
pid_t waitpid(pid_t pid, int *status, int options);
