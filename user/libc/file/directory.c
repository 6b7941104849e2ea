/* Reading directories: packed records from the server, a buffer full at a time. */
#include "fd.h"
#include "fsclient/fsclient.h"
#include "mode.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 4096

struct directory_stream {
    int fd;
    uint64_t cookie;    /* of the record behind those in the buffer */
    size_t at, len;     /* in the buffer */
    uint64_t at_cookie; /* of the record at at */
    struct dirent entry;
    _Alignas(8) char buffer[BUFFER_SIZE];
};

DIR *fdopendir(int fd)
{
    struct descriptor d;
    int error = fd_get(fd, &d);
    if (error || (d.mode && (d.mode & FS_IFMT) != FS_IFDIR)) {
        errno = error ? EBADF : ENOTDIR;
        return NULL;
    }
    DIR *directory = calloc(1, sizeof *directory);
    if (directory)
        directory->fd = fd;
    return directory;
}

DIR *opendir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *directory = fdopendir(fd);
    if (!directory)
        close(fd);
    return directory;
}

/* The record at directory->at, or NULL at the end (*error = 0) or on an error. */
static const struct fs_dirent *next_record(DIR *directory, int *error)
{
    *error = 0;
    if (directory->at == directory->len) {
        handle_t handle = fd_handle(directory->fd);
        int64_t n = handle < 0 ? handle
                               : fs_readdir(handle, directory->cookie, directory->buffer, BUFFER_SIZE);
        directory->at = directory->len = 0;
        if (n <= 0) {
            *error = (int)n;
            return NULL;
        }
        directory->len = (size_t)n;
    }
    const struct fs_dirent *record = (const struct fs_dirent *)(directory->buffer + directory->at);
    size_t left = directory->len - directory->at;
    if (left < sizeof *record || record->record_len > left || record->record_len % 8 != 0 ||
        record->record_len < sizeof *record + record->name_len + 1) {
        directory->at = directory->len;
        *error = -EPROTO;
        return NULL;
    }
    return record;
}

struct dirent *readdir(DIR *directory)
{
    int error;
    const struct fs_dirent *record = next_record(directory, &error);
    if (!record) {
        if (error)
            errno = -error;
        return NULL;
    }
    struct dirent *entry = &directory->entry;
    entry->d_ino = (ino_t)record->inode;
    entry->d_off = (off_t)record->next;
    entry->d_reclen = sizeof *entry;
    entry->d_type = record->type;
    memcpy(entry->d_name, record->name, record->name_len);
    entry->d_name[record->name_len] = '\0';
    directory->at += record->record_len;
    directory->cookie = directory->at_cookie = record->next;
    return entry;
}

int readdir_r(DIR *directory, struct dirent *entry, struct dirent **result)
{
    int before = errno;
    errno = 0;
    struct dirent *found = readdir(directory);
    int error = found ? 0 : errno;
    errno = before;
    if (found)
        *entry = *found;
    *result = found ? entry : NULL;
    return error;
}

int closedir(DIR *directory)
{
    int result = close(directory->fd);
    free(directory);
    return result;
}

void seekdir(DIR *directory, long position)
{
    directory->cookie = directory->at_cookie = (uint64_t)position;
    directory->at = directory->len = 0;
}

void rewinddir(DIR *directory)
{
    seekdir(directory, 0);
}

long telldir(DIR *directory)
{
    return (long)directory->at_cookie;
}

int dirfd(DIR *directory)
{
    return directory->fd;
}

int alphasort(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int scan_into(DIR *directory, struct dirent ***list,
                     int (*filter)(const struct dirent *))
{
    int count = 0, room = 0;
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(directory))) {
        if (filter && !filter(entry))
            continue;
        if (count == room) {
            room = room ? room * 2 : 16;
            struct dirent **grown = realloc(*list, (size_t)room * sizeof *grown);
            if (!grown)
                return -count - 1;
            *list = grown;
        }
        struct dirent *copy = malloc(sizeof *copy);
        if (!copy)
            return -count - 1;
        *copy = *entry;
        (*list)[count++] = copy;
    }
    return errno ? -count - 1 : count;
}

int scandir(const char *path, struct dirent ***list, int (*filter)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **))
{
    DIR *directory = opendir(path);
    if (!directory)
        return -1;
    *list = NULL;
    int count = scan_into(directory, list, filter);
    int error = errno;
    closedir(directory);
    if (count < 0) {
        for (int i = 0; i < -count - 1; i++)
            free((*list)[i]);
        free(*list);
        errno = error;
        return -1;
    }
    if (compare && count > 1)
        qsort(*list, (size_t)count, sizeof **list, (int (*)(const void *, const void *))compare);
    return count;
}
