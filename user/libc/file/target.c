/* From a program's path to a server: through the name system, or relative to an open directory. */
#include "target.h"

#include "fd.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A path below an open directory. ".." may not lead out of it, as nobody knows where that is. */
static int below_directory(struct target *target, int directory, const char *path)
{
    char folded[LIBC_PATH_MAX];
    target->root = fd_handle(directory);
    if (target->root < 0)
        return target->root;
    int depth = 0;
    for (const char *at = path; *at;) {
        size_t len = strcspn(at, "/");
        if (len == 2 && at[0] == '.' && at[1] == '.')
            depth--;
        else if (len > 0 && !(len == 1 && at[0] == '.'))
            depth++;
        if (depth < 0)
            return -EXDEV;
        at += len + (at[len] == '/');
    }
    int error = path_absolute("/", path, folded, sizeof folded);
    if (!error)
        strcpy(target->path, folded + 1);
    target->uri[0] = '\0';
    return error;
}

int target_find(struct target *target, int directory, const char *path)
{
    if (directory != AT_FDCWD && path[0] != '/' && !path_is_uri(path))
        return below_directory(target, directory, path);
    int error = cwd_uri(path, target->uri);
    if (error)
        return error;
    target->root = fs_locate(target->uri, target->path, sizeof target->path);
    return target->root < 0 ? target->root : 0;
}

int target_retry(struct target *target, int64_t result, int tries)
{
    if (result >= 0 || target->uri[0] == '\0' || !fs_retry(target->uri, result, tries))
        return 0;
    target->root = fs_locate(target->uri, target->path, sizeof target->path);
    return target->root >= 0;
}

int64_t target_operation(int directory, const char *path, uint32_t operation, unsigned flags,
                         unsigned mode, uint64_t size)
{
    struct target target;
    int64_t result = target_find(&target, directory, path);
    if (result < 0)
        return result;
    int tries = 0;
    do
        result = fs_path_operation(target.root, operation, target.path, flags, mode, size);
    while (target_retry(&target, result, tries++));
    return result;
}
