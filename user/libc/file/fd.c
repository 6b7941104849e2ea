/* The descriptor table. Invariant: handle == 0 marks a free entry; all access under the lock. */
#include "fd.h"

#include "abi/errno.h"
#include "cairn/syscall.h"
#include "cairn/thread.h"

static struct mutex lock;
static struct descriptor table[FD_MAX];
static int high; /* one behind the highest that was ever open */

static bool is_open(int fd)
{
    return fd >= 0 && fd < FD_MAX && table[fd].handle != 0;
}

static void put(int fd, const struct descriptor *descriptor)
{
    table[fd] = *descriptor;
    if (fd >= high)
        high = fd + 1;
}

int fd_get(int fd, struct descriptor *descriptor)
{
    mutex_lock(&lock);
    bool open = is_open(fd);
    if (open)
        *descriptor = table[fd];
    mutex_unlock(&lock);
    return open ? 0 : -EBADF;
}

handle_t fd_handle(int fd)
{
    struct descriptor d;
    return fd_get(fd, &d) < 0 ? -EBADF : d.handle;
}

int fd_end(void)
{
    mutex_lock(&lock);
    int end = high;
    mutex_unlock(&lock);
    return end;
}

int fd_install(const struct descriptor *descriptor, int minimum)
{
    int fd = minimum;
    if (minimum < 0 || minimum >= FD_MAX)
        return -EINVAL;
    mutex_lock(&lock);
    while (fd < FD_MAX && table[fd].handle != 0)
        fd++;
    if (fd < FD_MAX)
        put(fd, descriptor);
    mutex_unlock(&lock);
    return fd < FD_MAX ? fd : -EMFILE;
}

int fd_place(const struct descriptor *descriptor, int fd)
{
    if (fd < 0 || fd >= FD_MAX)
        return -EBADF;
    mutex_lock(&lock);
    handle_t old = table[fd].handle;
    put(fd, descriptor);
    mutex_unlock(&lock);
    if (old > 0)
        handle_close(old);
    return fd;
}

int fd_remove(int fd, struct descriptor *descriptor)
{
    mutex_lock(&lock);
    bool open = is_open(fd);
    if (open) {
        *descriptor = table[fd];
        table[fd] = (struct descriptor){0};
    }
    mutex_unlock(&lock);
    return open ? 0 : -EBADF;
}

int fd_update(int fd, const struct descriptor *descriptor)
{
    mutex_lock(&lock);
    bool same = is_open(fd) && table[fd].handle == descriptor->handle;
    if (same)
        table[fd] = *descriptor;
    mutex_unlock(&lock);
    return same ? 0 : -EBADF;
}
