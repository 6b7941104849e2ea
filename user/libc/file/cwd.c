/* The working directory: a string of this process, known to no server. */
#include "cwd.h"

#include "cairn/thread.h"
#include <string.h>

static struct mutex lock;
static char cwd[LIBC_PATH_MAX] = "/";

int cwd_uri(const char *path, char *uri)
{
    mutex_lock(&lock);
    int error = path_to_uri(cwd, path, uri, LIBC_URI_MAX);
    mutex_unlock(&lock);
    return error;
}

void cwd_start(const char *start)
{
    if (start && path_absolute("/", start, cwd, sizeof cwd) != 0)
        strcpy(cwd, "/");
}

int cwd_copy(char *buffer, size_t size)
{
    mutex_lock(&lock);
    size_t len = strlen(cwd);
    bool fits = len < size;
    if (fits)
        memcpy(buffer, cwd, len + 1);
    mutex_unlock(&lock);
    return fits ? 0 : -ERANGE;
}

int cwd_set(const char *path)
{
    char next[LIBC_PATH_MAX];
    mutex_lock(&lock);
    int error = path_absolute(cwd, path, next, sizeof next);
    if (!error)
        strcpy(cwd, next);
    mutex_unlock(&lock);
    return error;
}
