/* Path folding. Invariant: what leaves here has no "." or ".." segment and no empty one, so that
 * no server ever has to interpret them. */
#include "path.h"

#include "abi/errno.h"
#include <string.h>

#define ROOT_URI "fs:root:"

int path_is_uri(const char *path)
{
    size_t len = strcspn(path, ":/");
    return len > 0 && path[len] == ':';
}

/* Where the part that segments are folded in begins: behind the '/' of a path, or behind the
 * last ':' before the first '/' of a URI ("fs:root:etc/motd"). */
static size_t root_length(const char *name)
{
    if (!path_is_uri(name))
        return name[0] == '/' ? 1 : 0;
    size_t len = 0;
    for (size_t i = 0; name[i] && name[i] != '/'; i++)
        if (name[i] == ':')
            len = i + 1;
    return len;
}

struct builder {
    char *out;
    size_t size, len;
    size_t root; /* never shrinks below */
};

static int append_segment(struct builder *b, const char *segment, size_t len)
{
    int separator = b->len > b->root;
    if (b->len + (size_t)separator + len >= b->size)
        return -ENAMETOOLONG;
    if (separator)
        b->out[b->len++] = '/';
    memcpy(b->out + b->len, segment, len);
    b->len += len;
    return 0;
}

static void drop_segment(struct builder *b)
{
    while (b->len > b->root && b->out[b->len - 1] != '/')
        b->len--;
    if (b->len > b->root)
        b->len--;
}

static int append_path(struct builder *b, const char *path)
{
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 2 && path[0] == '.' && path[1] == '.') {
            drop_segment(b);
        } else if (len > 0 && !(len == 1 && path[0] == '.')) {
            int error = append_segment(b, path, len);
            if (error)
                return error;
        }
        path += len;
        path += *path == '/';
    }
    return 0;
}

/* Takes over the root of name and returns the rest of name, or NULL if it does not fit. */
static const char *start_from(struct builder *b, const char *name)
{
    b->root = b->len = root_length(name);
    if (b->len >= b->size)
        return NULL;
    memcpy(b->out, name, b->len);
    return name + b->len;
}

int path_absolute(const char *cwd, const char *path, char *out, size_t size)
{
    struct builder b = {.out = out, .size = size};
    if (path[0] == '\0')
        return -ENOENT;
    int error = 0;
    if (path[0] != '/' && !path_is_uri(path)) {
        const char *rest = start_from(&b, cwd && cwd[0] ? cwd : "/");
        if (!rest)
            return -ENAMETOOLONG;
        error = append_path(&b, rest);
    } else {
        path = start_from(&b, path);
        if (!path)
            return -ENAMETOOLONG;
    }
    if (!error)
        error = append_path(&b, path);
    if (error)
        return error;
    out[b.len] = '\0';
    return 0;
}

/* Files that are found elsewhere. First the few device files that programs expect by these paths:
 * they are names of servers here; nsd could alias them, but then no client might keep what it once
 * learned about all of fs:root:. Then the channels that the kernel and init serve to programs and
 * not as files: who reads their names gets the text about the same thing. */
static const struct {
    const char *path, *uri;
} elsewhere[] = {
    {"/dev/null", "null:"},       {"/dev/zero", "zero:"},      {"/dev/tty", "console:"},
    {"/dev/random", "random:"},   {"/dev/urandom", "random:"}, {"sys:facts", "sys:scheduler"},
    {"sys:stats", "sys:ipc"},     {"sys:clock", "time:"},      {"sys:console", "sys:log"},
    {"sys:process", "proc:list"},
};

int path_to_uri(const char *cwd, const char *path, char *out, size_t size)
{
    const size_t prefix = sizeof ROOT_URI - 1;
    int error = path_absolute(cwd, path, out, size);
    if (error)
        return error;
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        if (strcmp(out, elsewhere[i].path) != 0)
            continue;
        if (strlen(elsewhere[i].uri) >= size)
            return -ENAMETOOLONG;
        strcpy(out, elsewhere[i].uri);
        return 0;
    }
    if (out[0] != '/')
        return 0;
    size_t len = strlen(out);
    if (len - 1 + prefix >= size)
        return -ENAMETOOLONG;
    memmove(out + prefix, out + 1, len);
    memcpy(out, ROOT_URI, prefix);
    return 0;
}
