/* Scattered reads and gathered writes. Small vectors are gathered into one call, so that a line
 * written in parts stays in one piece in a pipe. */
#include "fd.h"
#include "proto/pipe.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t total(const struct iovec *vector, int count)
{
    size_t sum = 0;
    if (count < 0 || count > IOV_MAX)
        return libc_error(-EINVAL);
    for (int i = 0; i < count; i++)
        if (__builtin_add_overflow(sum, vector[i].iov_len, &sum) || (ssize_t)sum < 0)
            return libc_error(-EINVAL);
    return (ssize_t)sum;
}

/* offset < 0: at the descriptor's own. */
static ssize_t each(int fd, const struct iovec *vector, int count, off_t offset, bool writing)
{
    ssize_t done = 0;
    for (int i = 0; i < count; i++) {
        void *base = vector[i].iov_base;
        size_t len = vector[i].iov_len;
        ssize_t moved;
        if (len == 0)
            continue;
        if (writing)
            moved = offset < 0 ? write(fd, base, len) : pwrite(fd, base, len, offset + done);
        else
            moved = offset < 0 ? read(fd, base, len) : pread(fd, base, len, offset + done);
        if (moved < 0)
            return done ? done : -1;
        done += moved;
        if ((size_t)moved < len)
            break;
    }
    return done;
}

static ssize_t gather(int fd, const struct iovec *vector, int count, off_t offset)
{
    char buffer[PIPE_ATOMIC];
    size_t len = 0;
    for (int i = 0; i < count; i++) {
        memcpy(buffer + len, vector[i].iov_base, vector[i].iov_len);
        len += vector[i].iov_len;
    }
    return offset < 0 ? write(fd, buffer, len) : pwrite(fd, buffer, len, offset);
}

static ssize_t put(int fd, const struct iovec *vector, int count, off_t offset)
{
    ssize_t sum = total(vector, count);
    if (sum < 0)
        return -1;
    if (count > 1 && sum <= PIPE_ATOMIC)
        return gather(fd, vector, count, offset);
    return each(fd, vector, count, offset, true);
}

ssize_t readv(int fd, const struct iovec *vector, int count)
{
    return total(vector, count) < 0 ? -1 : each(fd, vector, count, -1, false);
}

ssize_t writev(int fd, const struct iovec *vector, int count)
{
    return put(fd, vector, count, -1);
}

ssize_t preadv(int fd, const struct iovec *vector, int count, off_t offset)
{
    if (offset < 0)
        return libc_error(-EINVAL);
    return total(vector, count) < 0 ? -1 : each(fd, vector, count, offset, false);
}

ssize_t pwritev(int fd, const struct iovec *vector, int count, off_t offset)
{
    return offset < 0 ? libc_error(-EINVAL) : put(fd, vector, count, offset);
}
