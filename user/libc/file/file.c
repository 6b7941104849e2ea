/* Open, close, read, write and seek: descriptors in front of the file protocol. */
#include "../process/signal.h"
#include "cairn/syscall.h"
#include "fd.h"
#include "mode.h"
#include "target.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

unsigned libc_open_flags(int flags)
{
    static const struct {
        int posix;
        unsigned native;
    } map[] = {
        {O_CREAT, FS_O_CREATE},         {O_EXCL, FS_O_EXCLUSIVE},     {O_TRUNC, FS_O_TRUNCATE},
        {O_APPEND, FS_O_APPEND},        {O_DIRECTORY, FS_O_DIRECTORY}, {O_NOFOLLOW, FS_O_NOFOLLOW},
        {O_SYNC, FS_O_SYNC},            {O_NONBLOCK, FS_O_NONBLOCK},
    };
    int access = flags & O_ACCMODE;
    unsigned native = access == O_WRONLY ? FS_O_WRITE : FS_O_READ;
    if (access == O_RDWR)
        native |= FS_O_WRITE;
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (flags & map[i].posix)
            native |= map[i].native;
    return native;
}

static int open_target(struct target *target, unsigned flags, unsigned mode, bool close_on_exec)
{
    struct fs_open_reply reply;
    handle_t handle;
    int tries = 0;
    do
        handle = fs_open(target->root, target->path, flags, mode & ~libc_umask() & 07777, &reply);
    while (target_retry(target, handle, tries++));
    if (handle < 0)
        return handle;
    struct descriptor d = {
        .handle = handle, .flags = flags, .mode = reply.mode, .close_on_exec = close_on_exec};
    int fd = fd_install(&d, 0);
    if (fd < 0)
        handle_close(handle);
    return fd;
}

int libc_open(int directory, const char *path, int flags, unsigned mode)
{
    struct target target;
    int error = target_find(&target, directory, path);
    if (error)
        return error;
    return open_target(&target, libc_open_flags(flags), mode, (flags & O_CLOEXEC) != 0);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    return (int)libc_error(libc_open(AT_FDCWD, path, flags, mode));
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    return (int)libc_error(libc_open(directory, path, flags, mode));
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int close(int fd)
{
    struct descriptor d;
    int error = fd_remove(fd, &d);
    if (error)
        return (int)libc_error(error);
    if (d.lingers)
        socket_linger(&d);
    /* Not FS_CLOSE: a copy of the descriptor, here or in a child, may still be in use. */
    handle_close(d.handle);
    return 0;
}

/* For servers that know nothing of FS_O_NONBLOCK: ask first. */
static bool would_block(const struct descriptor *d, unsigned event)
{
    return d->nonblocking && fs_poll(d->handle, event) == 0;
}

static int64_t read_at(int fd, void *buffer, size_t n, uint64_t offset)
{
    struct descriptor d;
    int error = fd_get(fd, &d);
    if (error)
        return error;
    if (d.is_socket)
        return offset == FS_OFFSET_CURRENT ? socket_read(&d, buffer, n) : -ESPIPE;
    if (would_block(&d, FS_POLL_IN))
        return -EAGAIN;
    if (d.timed) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, d.tenths * 100) == 0)
            return 0;
    }
    return fs_read(d.handle, offset, buffer, n);
}

/* A write goes on until everything is written, an error comes, or the server can take no more
 * without waiting. */
static int64_t write_at(int fd, const void *buffer, size_t n, uint64_t offset)
{
    struct descriptor d;
    int error = fd_get(fd, &d);
    if (error)
        return error;
    if (d.is_socket)
        return offset == FS_OFFSET_CURRENT ? socket_write(&d, buffer, n) : -ESPIPE;
    size_t done = 0;
    do {
        if (would_block(&d, FS_POLL_OUT))
            return done ? (int64_t)done : -EAGAIN;
        uint64_t at = offset == FS_OFFSET_CURRENT ? offset : offset + done;
        int64_t moved = fs_write(d.handle, at, (const char *)buffer + done, n - done);
        if (moved == -EPIPE)
            signal_broken_pipe();
        if (moved < 0)
            return done ? (int64_t)done : moved;
        done += (size_t)moved;
        if (moved == 0)
            break;
    } while (done < n && !(d.flags & FS_O_NONBLOCK));
    return (int64_t)done;
}

ssize_t read(int fd, void *buffer, size_t n)
{
    return libc_error(read_at(fd, buffer, n, FS_OFFSET_CURRENT));
}

/* A server has no descriptors: what it prints goes to the kernel log. */
static int64_t write_log(const char *text, size_t n)
{
    size_t done = 0;
    while (done < n) {
        int64_t moved = debug_write(text + done, n - done);
        if (moved <= 0)
            return done ? (int64_t)done : moved;
        done += (size_t)moved;
    }
    return (int64_t)done;
}

ssize_t write(int fd, const void *buffer, size_t n)
{
    if (fd_log_output && (fd == 1 || fd == 2) && fd_handle(fd) < 0)
        return libc_error(write_log(buffer, n));
    return libc_error(write_at(fd, buffer, n, FS_OFFSET_CURRENT));
}

ssize_t pread(int fd, void *buffer, size_t n, off_t offset)
{
    return libc_error(offset < 0 ? -EINVAL : read_at(fd, buffer, n, (uint64_t)offset));
}

ssize_t pwrite(int fd, const void *buffer, size_t n, off_t offset)
{
    return libc_error(offset < 0 ? -EINVAL : write_at(fd, buffer, n, (uint64_t)offset));
}

off_t lseek(int fd, off_t offset, int whence)
{
    struct descriptor d;
    int error = fd_get(fd, &d);
    if (error || d.is_socket)
        return libc_error(error ? error : -ESPIPE);
    int64_t result = fs_seek(d.handle, offset, (unsigned)whence);
    /* A server without positions does not know the operation. */
    return libc_error(result == -ENOSYS || result == -ENOTTY ? -ESPIPE : result);
}
