/* The border between descriptors and handles, for libraries that make their own kinds of
 * descriptor (sockets), and for native programs that use both. */
#pragma once

#include "abi/handle.h"
#include <stdint.h>

/* fd_from_handle: the lowest free descriptor for a handle that answers the file protocol, or with
 * FS_O_SOCKET among the flags the socket protocol. Owns the handle on success. flags: FS_O_*;
 * mode: type and permissions. fd or -errno. */
int fd_from_handle(handle_t handle, uint32_t flags, uint32_t mode);

/* fd_to_handle: the handle behind a descriptor, which keeps it; or -EBADF. */
handle_t fd_to_handle(int fd);

/* fd_flags: the FS_O_* of a descriptor (FS_O_NONBLOCK among them), or -EBADF. */
int fd_flags(int fd);

/* path_resolve: a program's path or URI, seen from its working directory, as a URI without "."
 * and "..". uri has room for size bytes (1040 are enough). 0 or -errno. */
int path_resolve(const char *path, char *uri, unsigned long size);
