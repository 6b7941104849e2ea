/* The working directory, and from a program's path to the server that has it. */
#pragma once

#include "abi/handle.h"
#include "path.h"

/* A URI has room for "fs:root:" before a path of full length. */
#define LIBC_URI_MAX (LIBC_PATH_MAX + 16)

/* cwd_uri: the URI of a path, seen from the working directory. 0 or -errno. */
int cwd_uri(const char *path, char *uri);

/* cwd_start: the working directory that the process was started in; may be NULL. */
void cwd_start(const char *cwd);

/* cwd_copy: the working directory as a path or URI. 0, or -ERANGE. */
int cwd_copy(char *buffer, size_t size);
int cwd_set(const char *path);
