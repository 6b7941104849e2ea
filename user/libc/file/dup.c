/* Copies of descriptors, their flags, and pipes. */
#include "cairn/posix.h"
#include "cairn/syscall.h"
#include "cwd.h"
#include "fd.h"
#include "fsclient/fsclient.h"
#include "mode.h"
#include "proto/pipe.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static int copy_of(int fd, struct descriptor *copy)
{
    int error = fd_get(fd, copy);
    if (error)
        return error;
    int64_t handle = handle_dup(copy->handle, RIGHTS_ALL);
    if (handle < 0)
        return (int)handle;
    copy->handle = (handle_t)handle;
    copy->close_on_exec = false;
    return 0;
}

static int dup_above(int fd, int minimum, bool close_on_exec)
{
    struct descriptor copy;
    int error = copy_of(fd, &copy);
    if (error)
        return error;
    copy.close_on_exec = close_on_exec;
    int result = fd_install(&copy, minimum);
    if (result < 0)
        handle_close(copy.handle);
    return result;
}

int dup(int fd)
{
    return (int)libc_error(dup_above(fd, 0, false));
}

static int dup_onto(int fd, int to, bool close_on_exec)
{
    struct descriptor copy;
    if (to < 0 || to >= FD_MAX)
        return -EBADF;
    int error = copy_of(fd, &copy);
    if (error)
        return error;
    copy.close_on_exec = close_on_exec;
    return fd_place(&copy, to);
}

int dup2(int fd, int to)
{
    if (fd == to)
        return (int)libc_error(fd_handle(fd) < 0 ? -EBADF : to);
    return (int)libc_error(dup_onto(fd, to, false));
}

int dup3(int fd, int to, int flags)
{
    return (int)libc_error(fd == to ? -EINVAL : dup_onto(fd, to, (flags & O_CLOEXEC) != 0));
}

static int posix_flags(const struct descriptor *d)
{
    int flags = O_RDONLY;
    if (d->flags & FS_O_WRITE)
        flags = d->flags & FS_O_READ ? O_RDWR : O_WRONLY;
    if (d->flags & FS_O_APPEND)
        flags |= O_APPEND;
    if (d->flags & FS_O_NONBLOCK)
        flags |= O_NONBLOCK;
    if (d->flags & FS_O_SYNC)
        flags |= O_SYNC;
    return flags;
}

/* The server does the not blocking and appending if it can; else not blocking is done here. */
static int set_flags(int fd, struct descriptor *d, int flags)
{
    const unsigned changeable = FS_O_NONBLOCK | FS_O_APPEND;
    unsigned wanted = libc_open_flags(flags) & changeable;
    if (wanted == (d->flags & changeable))
        return 0;
    int64_t result = fs_word_call(d->handle, FS_SET_FLAGS, wanted);
    d->nonblocking = result < 0 && (wanted & FS_O_NONBLOCK);
    if (result < 0 && ((wanted ^ d->flags) & FS_O_APPEND))
        return -EINVAL;
    d->flags = (d->flags & ~changeable) | wanted;
    return fd_update(fd, d);
}

static int control(int fd, int command, long argument)
{
    struct descriptor d;
    int error = fd_get(fd, &d);
    if (error)
        return error;
    switch (command) {
    case F_DUPFD:
        return dup_above(fd, (int)argument, false);
    case F_DUPFD_CLOEXEC:
        return dup_above(fd, (int)argument, true);
    case F_GETFD:
        return d.close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
        d.close_on_exec = (argument & FD_CLOEXEC) != 0;
        return fd_update(fd, &d);
    case F_GETFL:
        return posix_flags(&d);
    case F_SETFL:
        return set_flags(fd, &d, (int)argument);
    default:
        return -EINVAL;
    }
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return (int)libc_error(control(fd, command, argument));
}

/* Two handles come with one reply, so either both descriptors are made or none. */
static int make_pipe(int fds[2], int flags)
{
    char rest[LIBC_PATH_MAX];
    struct message m;
    int error;
    for (int tries = 0;; tries++) {
        handle_t server = fs_locate("pipe:", rest, sizeof rest);
        if (server < 0)
            return server;
        m = (struct message){.type = PIPE_CREATE, .len = 8};
        error = channel_call(server, &m);
        if (!error && m.words[0] != 0)
            error = (int)m.words[0];
        if (!fs_retry("pipe:", error, tries))
            break;
    }
    if (error)
        return error;
    if (m.handle_count != 2)
        return -EPROTO;
    struct descriptor ends[2];
    for (int i = 0; i < 2; i++)
        ends[i] = (struct descriptor){.handle = m.handles[i],
                                      .flags = i ? FS_O_WRITE : FS_O_READ,
                                      .mode = FS_IFIFO | 0600,
                                      .close_on_exec = (flags & O_CLOEXEC) != 0};
    fds[0] = fd_install(&ends[0], 0);
    fds[1] = fds[0] < 0 ? fds[0] : fd_install(&ends[1], 0);
    if (fds[1] >= 0)
        return 0;
    if (fds[0] >= 0)
        fd_remove(fds[0], &ends[0]);
    handle_close(ends[0].handle);
    handle_close(ends[1].handle);
    return -EMFILE;
}

int pipe2(int fds[2], int flags)
{
    int made[2];
    int error = make_pipe(made, flags);
    if (error)
        return (int)libc_error(error);
    memcpy(fds, made, sizeof made);
    if (flags & O_NONBLOCK) {
        fcntl(fds[0], F_SETFL, O_NONBLOCK);
        fcntl(fds[1], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

int pipe(int fds[2])
{
    return pipe2(fds, 0);
}

int fd_from_handle(handle_t handle, uint32_t flags, uint32_t mode)
{
    struct descriptor d = {.handle = handle,
                           .flags = flags,
                           .mode = mode,
                           .is_socket = (flags & FS_O_SOCKET) != 0};
    return fd_install(&d, 0);
}

handle_t fd_to_handle(int fd)
{
    return fd_handle(fd);
}

int fd_flags(int fd)
{
    struct descriptor d;
    int error = fd_get(fd, &d);
    return error ? error : (int)d.flags;
}

int path_resolve(const char *path, char *uri, unsigned long size)
{
    char full[LIBC_URI_MAX];
    int error = cwd_uri(path, full);
    if (!error && strlen(full) >= size)
        error = -ERANGE;
    if (!error)
        strcpy(uri, full);
    return error;
}
