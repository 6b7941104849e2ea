/* Where a path leads: the server's handle and what it is to be asked for. */
#pragma once

#include "cwd.h"
#include "fsclient/fsclient.h"

struct target {
    handle_t root;
    char path[LIBC_PATH_MAX + 1];
    char uri[LIBC_URI_MAX]; /* empty: relative to an open directory */
};

/* target_find: path as seen from directory (AT_FDCWD: the working directory). 0 or -errno. */
int target_find(struct target *target, int directory, const char *path);

/* target_retry: after result of the first try: finds the target again if its server has been
 * replaced; true if the operation is to be tried once more. */
int target_retry(struct target *target, int64_t result, int tries);

/* One operation of proto/fs.h on a path (fs_path_operation), with the retry. */
int64_t target_operation(int directory, const char *path, uint32_t operation, unsigned flags,
                         unsigned mode, uint64_t size);
