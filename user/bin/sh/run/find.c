/* Finding programs: PATH, words that are paths or URIs, and the programs of the boot archive. */
#include "launch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EACCES;
    return status.st_mode & 0111 ? 0 : -EACCES;
}

int find_program(const struct shell *shell, const char *name, struct text *path)
{
    const char *search = variable_get(&shell->variables, "PATH");
    int result = -ENOENT;

    if (strpbrk(name, "/:") != NULL) {
        text_string(path, name);
        result = check(name);
        return result == 0 || result == -EACCES ? result : -ENOENT;
    }
    while (search != NULL && *name != '\0') {
        size_t len = strcspn(search, ":");
        text_clear(path);
        text_add(path, search, len);
        if (len > 0)
            text_char(path, '/');
        text_string(path, name);
        int found = check(text_get(path));
        if (found == 0)
            return 0;
        if (found == -EACCES)
            result = found;
        search = search[len] == ':' ? search + len + 1 : NULL;
    }
    if (os_program_fallback() != NULL && *name != '\0') {
        text_clear(path);
        text_string(path, os_program_fallback());
        text_string(path, name);
        if (check(text_get(path)) == 0)
            return 0;
    }
    return result;
}
