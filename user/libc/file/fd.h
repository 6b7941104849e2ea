/* The descriptor table: small numbers for badged handles. Files, directories, terminals, pipe
 * ends and sockets are all the same here: a handle that answers the file protocol. */
#pragma once

#include "abi/handle.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FD_MAX 1024

#define SOCKET_MODE (FS_IFSOCK | 0777u) /* what stat says of a socket */

struct descriptor {
    handle_t handle;
    uint32_t flags; /* FS_O_* */
    uint32_t mode;  /* type and permissions when it was opened, 0 = not known yet */
    bool close_on_exec;
    bool nonblocking; /* by polling first, because the server does not know how */
    bool is_socket; /* FS_O_SOCKET: its handle speaks the socket protocol (proto/net.h) */
    bool lingers; /* SO_LINGER was set on it: close may have to wait */
    bool timed; /* a terminal with VMIN = 0: reads wait at most so long */
    uint8_t tenths; /* VTIME */
};

/* fd_get: a copy of an entry; 0 or -EBADF. */
int fd_get(int fd, struct descriptor *descriptor);

/* fd_handle: just the handle, or -EBADF. */
handle_t fd_handle(int fd);

/* fd_end: no descriptor from there on is open. */
int fd_end(void);

/* fd_install: the lowest free number that is at least minimum; -EMFILE. Owns the handle on
 * success. fd_place: at this very number, closing what was there. */
int fd_install(const struct descriptor *descriptor, int minimum);
int fd_place(const struct descriptor *descriptor, int fd);

/* fd_remove: takes an entry out of the table without closing its handle. */
int fd_remove(int fd, struct descriptor *descriptor);

/* fd_update: changes flags, mode, close_on_exec and nonblocking of an open entry. */
int fd_update(int fd, const struct descriptor *descriptor);

/* socket_read, socket_write: what read and write are on a socket. */
int64_t socket_read(const struct descriptor *descriptor, void *buffer, size_t length);
int64_t socket_write(const struct descriptor *descriptor, const void *data, size_t length);

/* socket_linger: waits for what was sent to arrive, as long as SO_LINGER says. */
void socket_linger(const struct descriptor *descriptor);

/* socket_readable: FIONREAD: how many bytes a receive would find. 0, or -1 and errno. */
int socket_readable(int fd, int *bytes);

/* libc_error: -errno to POSIX: sets errno and returns -1, or passes result on. */
int64_t libc_error(int64_t result);

/* fd_log_output: the process was started without any descriptor, so that writes to 1 and 2 go to
 * the kernel log. */
extern bool fd_log_output;
