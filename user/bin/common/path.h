/* Paths and URIs as words: joining, last component, parent.
 *
 * "fs:root:etc/motd" is a URI: a ':' comes before any '/'. A word of that shape may also be a
 * file in the working directory; it is taken for one when such a file exists. */
#pragma once

#include "utility.h"
#include <sys/stat.h>

/* path_prefix: bytes of the URI prefix of path including its last ':', 0 if it is no URI. */
static inline size_t path_prefix(const char *path)
{
    size_t first = strcspn(path, "/");
    while (first > 0 && path[first - 1] != ':')
        first--;
    if (first == 0)
        return 0;
    size_t size = strlen(path) + 3;
    char *here = must_allocate(size);
    struct stat ignored;
    snprintf(here, size, "./%s", path);
    bool is_file = lstat(here, &ignored) == 0;
    free(here);
    return is_file ? 0 : first;
}

/* path_join: directory and name as one word, allocated. */
static inline char *path_join(const char *directory, const char *name)
{
    size_t length = strlen(directory);
    bool separate = length > 0 && directory[length - 1] != '/';
    if (separate && directory[length - 1] == ':' && path_prefix(directory) == length)
        separate = false;
    size_t size = length + strlen(name) + 2;
    char *joined = must_allocate(size);
    snprintf(joined, size, "%s%s%s", directory, separate ? "/" : "", name);
    return joined;
}

/* path_base: the last component, allocated: "a" of "x/a/" and "fs:root:a", "/" of "/". */
static inline char *path_base(const char *path)
{
    size_t end = strlen(path), prefix = path_prefix(path), start;

    if (prefix > 0 && prefix == end) { /* "proc:list:" is called list */
        end--;
        for (start = end; start > 0 && path[start - 1] != ':';)
            start--;
    } else {
        while (end > prefix + 1 && path[end - 1] == '/')
            end--;
        for (start = end; start > prefix && path[start - 1] != '/';)
            start--;
        if (start == end && end > 0) /* "/" */
            start--;
    }
    char *base = must_allocate(end - start + 1);
    memcpy(base, path + start, end - start);
    base[end - start] = '\0';
    return base;
}

/* path_parent: the directory that holds path, allocated: "." of "a", "fs:root:" of "fs:root:a". */
static inline char *path_parent(const char *path)
{
    size_t end = strlen(path);
    size_t prefix = path_prefix(path);
    while (end > prefix + 1 && path[end - 1] == '/')
        end--;
    while (end > prefix && path[end - 1] != '/')
        end--;
    while (end > prefix + 1 && path[end - 1] == '/')
        end--;
    if (end == 0)
        return must_copy(".");
    char *parent = must_allocate(end + 1);
    memcpy(parent, path, end);
    parent[end] = '\0';
    return parent;
}

/* path_is_dots: "." and "..", the names that a walk must not follow. */
static inline bool path_is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* same_file: two names of one file. Inode numbers alone do not tell: servers without files
 * answer 0, and a C library may keep only their low bits. */
static inline bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino != 0 && a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_mode == b->st_mode && a->st_size == b->st_size && a->st_mtime == b->st_mtime &&
           a->st_ctime == b->st_ctime;
}

/* path_claims_directory: a name such as "x/" may only stand for a directory. */
static inline bool path_claims_directory(const char *path)
{
    size_t length = strlen(path);
    return length > 1 && path[length - 1] == '/';
}

/* is_directory: what path leads to, through links. */
static inline bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}
