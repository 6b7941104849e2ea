/* Free space, the working directory, and what a path really names. */
#include "fd.h"
#include "target.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LINKS_MAX 40

static int fill(handle_t root, struct statvfs *to)
{
    struct fs_statfs_reply from;
    int error = fs_statfs(root, &from);
    if (error)
        return (int)libc_error(error);
    *to = (struct statvfs){.f_bsize = from.block_size,
                           .f_frsize = from.block_size,
                           .f_blocks = from.blocks,
                           .f_bfree = from.blocks_free,
                           .f_bavail = from.blocks_free,
                           .f_files = from.inodes,
                           .f_ffree = from.inodes_free,
                           .f_favail = from.inodes_free,
                           .f_flag = from.read_only ? ST_RDONLY : 0,
                           .f_namemax = from.name_max};
    memcpy(to->f_basetype, from.type, sizeof to->f_basetype - 1);
    return 0;
}

int statvfs(const char *restrict path, struct statvfs *restrict buffer)
{
    struct target target;
    int error = target_find(&target, AT_FDCWD, path);
    return error ? (int)libc_error(error) : fill(target.root, buffer);
}

int fstatvfs(int fd, struct statvfs *buffer)
{
    handle_t handle = fd_handle(fd);
    return handle < 0 ? (int)libc_error(handle) : fill(handle, buffer);
}

int chdir(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return -1;
    return (int)libc_error(S_ISDIR(st.st_mode) ? cwd_set(path) : -ENOTDIR);
}

char *getcwd(char *buffer, size_t size)
{
    char *own = NULL;
    if (!buffer) {
        size = size ? size : LIBC_PATH_MAX;
        buffer = own = malloc(size);
        if (!buffer)
            return NULL;
    }
    int error = cwd_copy(buffer, size);
    if (error == 0)
        return buffer;
    free(own);
    errno = -error;
    return NULL;
}

char *get_current_dir_name(void)
{
    return getcwd(NULL, 0);
}

/* Follows the link at done (an absolute path) whose text goes in front of rest. */
static int follow(char *done, const char *text, const char *rest, char *work)
{
    char *last = strrchr(done, '/');
    if (strlen(text) + 1 + strlen(rest) >= LIBC_PATH_MAX)
        return -ENAMETOOLONG;
    char joined[LIBC_PATH_MAX];
    strcpy(joined, text);
    if (*rest) {
        strcat(joined, "/");
        strcat(joined, rest);
    }
    strcpy(work, joined);
    if (text[0] == '/')
        strcpy(done, "");
    else if (last)
        *last = '\0';
    return 0;
}

/* Walks an absolute path segment by segment. done never ends with a '/'. */
static int walk(char *work, char *done)
{
    char segment[NAME_MAX + 1], text[LIBC_PATH_MAX];
    int links = 0;
    done[0] = '\0';
    while (*work) {
        size_t len = strcspn(work, "/");
        if (len > NAME_MAX || strlen(done) + len + 2 > LIBC_PATH_MAX)
            return -ENAMETOOLONG;
        memcpy(segment, work, len);
        segment[len] = '\0';
        memmove(work, work + len + (work[len] == '/'), strlen(work + len + (work[len] == '/')) + 1);
        if (len == 0 || strcmp(segment, ".") == 0)
            continue;
        if (strcmp(segment, "..") == 0) {
            char *last = strrchr(done, '/');
            if (last)
                *last = '\0';
            continue;
        }
        strcat(done, "/");
        strcat(done, segment);
        struct stat st;
        if (lstat(done, &st) < 0)
            return -errno;
        if (!S_ISLNK(st.st_mode)) {
            if (*work && !S_ISDIR(st.st_mode))
                return -ENOTDIR;
            continue;
        }
        ssize_t n = readlink(done, text, sizeof text - 1);
        if (n < 0)
            return -errno;
        text[n] = '\0';
        int error = ++links > LINKS_MAX ? -ELOOP : follow(done, text, work, work);
        if (error)
            return error;
    }
    if (done[0] == '\0')
        strcpy(done, "/");
    return 0;
}

/* A URI other than a path has no links that a client could follow: it is only folded. */
char *realpath(const char *restrict path, char *restrict resolved)
{
    char cwd[LIBC_PATH_MAX], work[LIBC_PATH_MAX], done[LIBC_PATH_MAX];
    int error = cwd_copy(cwd, sizeof cwd);
    if (!error)
        error = path_absolute(cwd, path, work, sizeof work);
    if (!error && work[0] == '/')
        error = walk(work, done);
    else if (!error)
        strcpy(done, work);
    if (error) {
        errno = -error;
        return NULL;
    }
    if (!resolved)
        return strdup(done);
    return strcpy(resolved, done);
}
