/* Loading, and saving by way of a second file that is renamed at the end. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK       8192
#define PATH_LENGTH 1040

static int read_into(struct buffer *buffer, int fd)
{
    char *block = malloc(BLOCK);
    struct position at = {0, 0};
    int error = block == NULL ? -ENOMEM : 0;
    while (error == 0) {
        ssize_t n = read(fd, block, BLOCK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            error = -errno;
        if (n <= 0)
            break;
        error = buffer_insert(buffer, &at, block, (size_t)n);
    }
    free(block);
    return error;
}

int file_load(struct buffer *buffer, const char *path)
{
    struct buffer loaded;
    int error = buffer_init(&loaded);
    if (error < 0)
        return error;
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        error = -errno;
    else {
        error = read_into(&loaded, fd);
        close(fd);
    }
    if (error < 0 && error != -ENOENT) {
        buffer_free(&loaded);
        return error;
    }
    loaded.changed = false;
    buffer_free(buffer);
    *buffer = loaded;
    return error;
}

static int write_text(const struct buffer *buffer, int fd)
{
    char *block = malloc(BLOCK);
    struct position at = {0, 0};
    size_t len;
    int error = block == NULL ? -ENOMEM : 0;
    while (error == 0 && (len = buffer_read(buffer, &at, block, BLOCK)) > 0)
        for (size_t done = 0; done < len && error == 0;) {
            ssize_t n = write(fd, block + done, len - done);
            if (n > 0)
                done += (size_t)n;
            else if (n < 0 && errno != EINTR)
                error = -errno;
            else if (n == 0)
                error = -ENOSPC;
        }
    free(block);
    return error;
}

static int write_file(const struct buffer *buffer, const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (fd < 0)
        return -errno;
    int error = write_text(buffer, fd);
    /* things that are no files cannot be synced, and need not be */
    if (error == 0 && fsync(fd) < 0 && errno != EINVAL && errno != ENOTTY && errno != ENOSYS &&
        errno != EROFS)
        error = -errno;
    if (close(fd) < 0 && error == 0)
        error = -errno;
    return error;
}

int file_save(const struct buffer *buffer, const char *path)
{
    char second[PATH_LENGTH];
    struct stat status;
    mode_t mode = 0666;

    if (lstat(path, &status) == 0) {
        if (!S_ISREG(status.st_mode))
            return S_ISDIR(status.st_mode) ? -EISDIR : write_file(buffer, path, mode);
        if (access(path, W_OK) < 0)
            return -errno;
        mode = status.st_mode & 07777;
    }
    if (snprintf(second, sizeof(second), "%s.new", path) >= (int)sizeof(second))
        return -ENAMETOOLONG;
    int error = write_file(buffer, second, mode);
    if (error == 0 && rename(second, path) < 0)
        error = -errno;
    if (error < 0)
        unlink(second);
    return error;
}
