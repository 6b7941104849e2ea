/* Redirections, with the saved descriptors out of a script's reach. */
#include "redirect.h"

#include "../expand/expand.h"
#include "launch.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HERE_PIPE_MAX 4096 /* a longer here-document is written by a process of its own */

enum { UNTOUCHED = -1, WAS_CLOSED = -2 };

void redirect_begin(struct redirect_frame *frame)
{
    for (int fd = 0; fd < REDIRECT_FDS; fd++)
        frame->saved[fd] = UNTOUCHED;
}

int redirect_fd(struct redirect_frame *frame, int fd, int source)
{
    if (frame->saved[fd] == UNTOUCHED) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, FD_PRIVATE);
        if (copy < 0 && errno != EBADF)
            return -errno;
        frame->saved[fd] = copy >= 0 ? copy : WAS_CLOSED;
    }
    if (source < 0)
        close(fd);
    else if (source != fd && dup2(source, fd) < 0)
        return -errno;
    return 0;
}

void redirect_undo(struct redirect_frame *frame)
{
    for (int fd = 0; fd < REDIRECT_FDS; fd++) {
        if (frame->saved[fd] >= 0) {
            dup2(frame->saved[fd], fd);
            close(frame->saved[fd]);
        } else if (frame->saved[fd] == WAS_CLOSED) {
            close(fd);
        }
        frame->saved[fd] = UNTOUCHED;
    }
}

void redirect_keep(struct redirect_frame *frame)
{
    for (int fd = 0; fd < REDIRECT_FDS; fd++) {
        if (frame->saved[fd] >= 0)
            close(frame->saved[fd]);
        frame->saved[fd] = UNTOUCHED;
    }
}

int private_pipe(int ends[2])
{
    int low[2];
    if (pipe(low) < 0)
        return -errno;
    ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, FD_PRIVATE);
    ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, FD_PRIVATE);
    int error = ends[0] < 0 || ends[1] < 0 ? -errno : 0;
    close(low[0]);
    close(low[1]);
    if (error != 0) {
        close(ends[0]);
        close(ends[1]);
    }
    return error;
}

/* The read end of a pipe that holds, or will hold, the body. */
static int open_here(struct shell *shell, const struct redirect *redirect)
{
    int ends[2], error;
    const char *body = redirect->body;

    if (!redirect->quoted) {
        body = expand_here(shell, body, &shell->scratch);
        if (body == NULL)
            return -EINVAL;
    }
    error = private_pipe(ends);
    if (error != 0)
        return error;
    size_t len = strlen(body);
    if (len > HERE_PIPE_MAX)
        error = launch_writer(shell, body, ends[1]);
    else if (len > 0 && write(ends[1], body, len) != (ssize_t)len)
        error = -EIO;
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        return error;
    }
    return ends[0];
}

static int open_target(const struct redirect *redirect, const char *target)
{
    static const int flags[] = {
        [REDIRECT_IN] = O_RDONLY,
        [REDIRECT_OUT] = O_WRONLY | O_CREAT | O_TRUNC,
        [REDIRECT_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
        [REDIRECT_READ_WRITE] = O_RDWR | O_CREAT,
    };
    int fd = open(target, flags[redirect->type] | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    if (fd >= FD_PRIVATE)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_PRIVATE);
    int error = errno;
    close(fd);
    return high >= 0 ? high : -error;
}

static bool report(const struct shell *shell, const char *what, int error)
{
    complain(shell, "%s: %s", what, strerror(-error));
    return false;
}

static bool duplicate(struct shell *shell, struct redirect_frame *frame, int fd, const char *target)
{
    if (strcmp(target, "-") == 0)
        return redirect_fd(frame, fd, -1) == 0;
    if (target[0] < '0' || target[0] > '9' || target[1] != '\0')
        return report(shell, target, -EBADF);
    int source = target[0] - '0';
    if (fcntl(source, F_GETFD) < 0)
        return report(shell, target, -EBADF);
    int error = redirect_fd(frame, fd, source);
    return error == 0 || report(shell, target, error);
}

static bool apply_one(struct shell *shell, struct redirect_frame *frame,
                      const struct redirect *redirect)
{
    int source, error;

    if (redirect->type == REDIRECT_HERE) {
        source = open_here(shell, redirect);
        if (source == -EINVAL)
            return false; /* the expansion has said why */
        if (source < 0)
            return report(shell, "here-document", source);
    } else {
        char *target = expand_string(shell, redirect->target, &shell->scratch);
        if (target == NULL)
            return false;
        if (redirect->type == REDIRECT_DUP_IN || redirect->type == REDIRECT_DUP_OUT)
            return duplicate(shell, frame, redirect->fd, target);
        source = open_target(redirect, target);
        if (source < 0)
            return report(shell, target, source);
    }
    error = redirect_fd(frame, redirect->fd, source);
    close(source);
    return error == 0 || report(shell, redirect->target, error);
}

bool redirect_apply(struct shell *shell, struct redirect_frame *frame,
                    const struct redirect *redirects)
{
    for (; redirects != NULL; redirects = redirects->next)
        if (!apply_one(shell, frame, redirects))
            return false;
    return true;
}
