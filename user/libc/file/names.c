/* Making, removing and renaming names, and links. */
#include "fd.h"
#include "mode.h"
#include "target.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int unlinkat(int directory, const char *path, int flags)
{
    uint32_t operation = flags & AT_REMOVEDIR ? FS_RMDIR : FS_UNLINK;
    return (int)libc_error(target_operation(directory, path, operation, 0, 0, 0));
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* picolibc's only knows how to unlink. */
int remove(const char *path)
{
    int64_t result = target_operation(AT_FDCWD, path, FS_UNLINK, 0, 0, 0);
    if (result == -EISDIR)
        result = target_operation(AT_FDCWD, path, FS_RMDIR, 0, 0, 0);
    return (int)libc_error(result);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    unsigned bits = mode & ~libc_umask() & 07777;
    return (int)libc_error(target_operation(directory, path, FS_MKDIR, 0, bits, 0));
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

/* Both names must be the same server's; it sees both relative to one root. */
static int two_names(uint32_t operation, int old_directory, const char *old, int new_directory,
                     const char *new)
{
    struct target from, to;
    int64_t result = target_find(&from, old_directory, old);
    if (result >= 0)
        result = target_find(&to, new_directory, new);
    if (result >= 0 && from.root != to.root)
        result = -EXDEV;
    if (result < 0)
        return (int)libc_error(result);
    int tries = 0;
    do {
        result = fs_two_paths(from.root, operation, from.path, to.path);
    } while (target_retry(&from, result, tries++));
    return (int)libc_error(result);
}

int renameat(int old_directory, const char *old, int new_directory, const char *new)
{
    return two_names(FS_RENAME, old_directory, old, new_directory, new);
}

int rename(const char *old, const char *new)
{
    return renameat(AT_FDCWD, old, AT_FDCWD, new);
}

int linkat(int old_directory, const char *old, int new_directory, const char *new, int flags)
{
    (void)flags;
    return two_names(FS_LINK, old_directory, old, new_directory, new);
}

int link(const char *old, const char *new)
{
    return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int symlinkat(const char *text, int directory, const char *path)
{
    struct target target;
    int64_t result = target_find(&target, directory, path);
    int tries = 0;
    if (result >= 0)
        do
            result = fs_two_paths(target.root, FS_SYMLINK, text, target.path);
        while (target_retry(&target, result, tries++));
    return (int)libc_error(result);
}

int symlink(const char *text, const char *path)
{
    return symlinkat(text, AT_FDCWD, path);
}

ssize_t readlinkat(int directory, const char *restrict path, char *restrict buffer, size_t size)
{
    struct target target;
    int64_t result = target_find(&target, directory, path);
    int tries = 0;
    if (result >= 0)
        do
            result = fs_readlink(target.root, target.path, buffer, size);
        while (target_retry(&target, result, tries++));
    return libc_error(result);
}

ssize_t readlink(const char *restrict path, char *restrict buffer, size_t size)
{
    return readlinkat(AT_FDCWD, path, buffer, size);
}
