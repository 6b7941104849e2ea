/* Paths as programs write them, to URIs as the system resolves them: pure string work. */
#pragma once

#include <stddef.h>

#define LIBC_PATH_MAX 1024

/* path_is_uri: whether a ':' stands before any '/', and not first. */
int path_is_uri(const char *path);

/* path_absolute: path, which may be relative to cwd (a path or URI itself), as an absolute
 * path or URI without "." and ".." and doubled slashes; ".." stops at the root. 0, or -ENOENT
 * (empty path), -ENAMETOOLONG. */
int path_absolute(const char *cwd, const char *path, char *out, size_t size);

/* path_to_uri: the same, and then "/x" as "fs:root:x"; a few paths under /dev as the name of their
 * server, and the names of channels that serve no files as that of the text about them. */
int path_to_uri(const char *cwd, const char *path, char *out, size_t size);
