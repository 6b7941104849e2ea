/* Sizes, permissions, times and working directory of files; flushing to the medium. */
#include "fd.h"
#include "mode.h"
#include "target.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

int truncate(const char *path, off_t size)
{
    if (size < 0)
        return (int)libc_error(-EINVAL);
    return (int)libc_error(target_operation(AT_FDCWD, path, FS_TRUNCATE, 0, 0, (uint64_t)size));
}

int ftruncate(int fd, off_t size)
{
    handle_t handle = fd_handle(fd);
    if (handle >= 0 && size < 0)
        handle = -EINVAL;
    return (int)libc_error(handle < 0 ? handle : fs_truncate_open(handle, (uint64_t)size));
}

int fsync(int fd)
{
    handle_t handle = fd_handle(fd);
    return (int)libc_error(handle < 0 ? handle : fs_fsync(handle));
}

int fdatasync(int fd)
{
    return fsync(fd);
}

void sync(void)
{
    struct target target;
    if (target_find(&target, AT_FDCWD, "/") == 0)
        fs_sync(target.root);
}

int fchmodat(int directory, const char *path, mode_t mode, int flags)
{
    (void)flags;
    return (int)libc_error(target_operation(directory, path, FS_CHMOD, 0, mode & 07777, 0));
}

int chmod(const char *path, mode_t mode)
{
    return fchmodat(AT_FDCWD, path, mode, 0);
}

/* An open file is its own root: the empty path names it. */
int fchmod(int fd, mode_t mode)
{
    handle_t handle = fd_handle(fd);
    return (int)libc_error(
        handle < 0 ? handle : fs_path_operation(handle, FS_CHMOD, "", 0, mode & 07777, 0));
}

/* There is one user: a change of owner to that one is no change, to another is not possible. */
int chown(const char *path, uid_t owner, gid_t group)
{
    if ((owner != 0 && owner != (uid_t)-1) || (group != 0 && group != (gid_t)-1))
        return (int)libc_error(-EPERM);
    return access(path, F_OK);
}

int lchown(const char *path, uid_t owner, gid_t group)
{
    return chown(path, owner, group);
}

int fchown(int fd, uid_t owner, gid_t group)
{
    if ((owner != 0 && owner != (uid_t)-1) || (group != 0 && group != (gid_t)-1))
        return (int)libc_error(-EPERM);
    return (int)libc_error(fd_handle(fd)) < 0 ? -1 : 0;
}

int faccessat(int directory, const char *path, int mode, int flags)
{
    struct target target;
    struct fs_stat stat;
    int tries = 0;
    int64_t result = target_find(&target, directory, path);
    unsigned native = flags & AT_SYMLINK_NOFOLLOW ? FS_STAT_NOFOLLOW : 0;
    if (result >= 0)
        do
            result = fs_stat(target.root, target.path, native, &stat);
        while (target_retry(&target, result, tries++));
    /* root may do everything but execute what nobody may execute */
    if (result >= 0 && (mode & X_OK) && !(stat.mode & 0111) && (stat.mode & FS_IFMT) == FS_IFREG)
        result = -EACCES;
    return (int)libc_error(result);
}

int access(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, 0);
}

/* The protocol knows only mtime; the access time goes along. 0 asks the server for "now". */
static int64_t mtime_of(const struct timespec times[2], uint64_t *ns)
{
    struct timespec now;
    const struct timespec *t = times ? &times[1] : NULL;
    if (!t || t->tv_nsec == UTIME_NOW) {
        clock_gettime(CLOCK_REALTIME, &now);
        t = &now;
    } else if (t->tv_nsec == UTIME_OMIT) {
        return 0;
    } else if (t->tv_nsec < 0 || t->tv_nsec >= 1000000000L || t->tv_sec < 0) {
        return -EINVAL;
    }
    *ns = (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
    return 1;
}

int utimensat(int directory, const char *path, const struct timespec times[2], int flags)
{
    uint64_t ns;
    int64_t result = mtime_of(times, &ns);
    unsigned native = flags & AT_SYMLINK_NOFOLLOW ? FS_STAT_NOFOLLOW : 0;
    if (result > 0)
        result = target_operation(directory, path, FS_UTIME, native, 0, ns);
    return (int)libc_error(result);
}

int futimens(int fd, const struct timespec times[2])
{
    uint64_t ns;
    int64_t result = mtime_of(times, &ns);
    handle_t handle = fd_handle(fd);
    if (handle < 0)
        result = handle;
    if (result > 0)
        result = fs_path_operation(handle, FS_UTIME, "", 0, 0, ns);
    return (int)libc_error(result);
}

int utimes(const char *path, const struct timeval times[2])
{
    struct timespec ts[2];
    for (int i = 0; times && i < 2; i++)
        ts[i] = (struct timespec){times[i].tv_sec, times[i].tv_usec * 1000};
    return utimensat(AT_FDCWD, path, times ? ts : NULL, 0);
}

int futimes(int fd, const struct timeval times[2])
{
    struct timespec ts[2];
    for (int i = 0; times && i < 2; i++)
        ts[i] = (struct timespec){times[i].tv_sec, times[i].tv_usec * 1000};
    return futimens(fd, times ? ts : NULL);
}

int utime(const char *path, const struct utimbuf *times)
{
    struct timespec ts[2];
    if (times) {
        ts[0] = (struct timespec){times->actime, 0};
        ts[1] = (struct timespec){times->modtime, 0};
    }
    return utimensat(AT_FDCWD, path, times ? ts : NULL, 0);
}
