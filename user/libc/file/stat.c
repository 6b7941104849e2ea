/* What is known of a file, asked by path or by descriptor. */
#include "fd.h"
#include "mode.h"
#include "proto/console.h"
#include "target.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t mask = 022;

mode_t libc_umask(void)
{
    return mask;
}

mode_t umask(mode_t next)
{
    mode_t old = mask;
    mask = next & 0777;
    return old;
}

static struct timespec from_ns(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

void libc_stat(const struct fs_stat *from, struct stat *to)
{
    memset(to, 0, sizeof *to);
    to->st_dev = (dev_t)from->device;
    to->st_ino = (ino_t)from->inode;
    to->st_mode = (mode_t)from->mode;
    to->st_nlink = (nlink_t)from->links;
    to->st_uid = (uid_t)from->uid;
    to->st_gid = (gid_t)from->gid;
    to->st_size = (off_t)from->size;
    to->st_blocks = (blkcnt_t)from->blocks;
    to->st_blksize = (blksize_t)from->block_size;
    to->st_atim = from_ns(from->atime);
    to->st_mtim = from_ns(from->mtime);
    to->st_ctim = from_ns(from->ctime);
}

int fstatat(int directory, const char *restrict path, struct stat *restrict to, int flags)
{
    struct target target;
    struct fs_stat native;
    unsigned native_flags = flags & AT_SYMLINK_NOFOLLOW ? FS_STAT_NOFOLLOW : 0;
    int tries = 0;
    int error = target_find(&target, directory, path);
    if (!error)
        do
            error = fs_stat(target.root, target.path, native_flags, &native);
        while (target_retry(&target, error, tries++));
    if (error)
        return (int)libc_error(error);
    libc_stat(&native, to);
    return 0;
}

int stat(const char *restrict path, struct stat *restrict to)
{
    return fstatat(AT_FDCWD, path, to, 0);
}

int lstat(const char *restrict path, struct stat *restrict to)
{
    return fstatat(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *to)
{
    struct fs_stat native = {.mode = SOCKET_MODE, .links = 1};
    struct descriptor d;
    int error = fd_get(fd, &d);
    if (!error && !d.is_socket)
        error = fs_fstat(d.handle, &native);
    if (error)
        return (int)libc_error(error);
    libc_stat(&native, to);
    return 0;
}

int isatty(int fd)
{
    struct descriptor d;
    int error = fd_get(fd, &d);
    if (!error && d.mode == 0) {
        struct fs_stat native;
        error = fs_fstat(d.handle, &native);
        if (!error) {
            d.mode = native.mode;
            fd_update(fd, &d);
        }
    }
    if (error)
        return (int)libc_error(error) + 1;
    if ((d.mode & FS_IFMT) == FS_IFCHR && fs_word_call(d.handle, CON_GET_MODE, 0) >= 0)
        return 1;
    errno = ENOTTY;
    return 0;
}
