/* Making sockets, connecting them, and what they tell about themselves. A socket is a descriptor
 * whose handle speaks the socket protocol (FS_O_SOCKET). */
#include "socket.h"

#include "cairn/syscall.h"
#include "netclient/netclient.h"
#include "proto/fs.h"
#include "sockaddr.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MILLISECOND      1000000ul
#define LINGER_PAUSE_MAX (16 * MILLISECOND)

int socket_get(int fd, struct descriptor *descriptor)
{
    int error = fd_get(fd, descriptor);
    return error || descriptor->is_socket ? error : -ENOTSOCK;
}

handle_t socket_handle(int fd)
{
    struct descriptor d;
    int error = socket_get(fd, &d);
    return error ? error : d.handle;
}

/* A descriptor for a new socket; flags: SOCK_NONBLOCK, SOCK_CLOEXEC. */
static int install(handle_t handle, int flags)
{
    struct descriptor d = {.handle = handle,
                           .flags = FS_O_READ | FS_O_WRITE | FS_O_SOCKET |
                                    (flags & SOCK_NONBLOCK ? FS_O_NONBLOCK : 0),
                           .mode = SOCKET_MODE,
                           .close_on_exec = (flags & SOCK_CLOEXEC) != 0,
                           .is_socket = true};
    int fd = fd_install(&d, 0);
    if (fd < 0)
        handle_close(handle);
    return fd;
}

int socket(int family, int type, int protocol)
{
    if (family != AF_INET && family != AF_INET6)
        return (int)libc_error(-EAFNOSUPPORT);
    if (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC | 0xf) || protocol < 0)
        return (int)libc_error(-EINVAL);
    handle_t handle =
        net_socket((unsigned)family, (unsigned)(type & ~SOCK_CLOEXEC), (unsigned)protocol);
    if (handle == -ENOENT) /* nobody serves net: */
        handle = -ENETDOWN;
    return (int)libc_error(handle < 0 ? handle : install(handle, type));
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    struct net_address native;
    handle_t handle = socket_handle(fd);
    int error = handle < 0 ? handle : sockaddr_take(address, size, &native);
    return (int)libc_error(error ? error : net_bind(handle, &native));
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    struct net_address native;
    handle_t handle = socket_handle(fd);
    int error = handle < 0 ? handle : sockaddr_take(address, size, &native);
    return (int)libc_error(error ? error : net_connect(handle, &native, NO_DEADLINE));
}

int listen(int fd, int backlog)
{
    handle_t handle = socket_handle(fd);
    return (int)libc_error(handle < 0 ? handle : net_listen(handle, backlog));
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    struct net_address peer;
    handle_t handle = socket_handle(fd);
    if (handle < 0)
        return (int)libc_error(handle);
    if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return (int)libc_error(-EINVAL);
    handle_t made = net_accept(handle, (unsigned)flags & NET_NONBLOCK, NO_DEADLINE, &peer);
    int made_fd = made < 0 ? made : install(made, flags);
    if (made_fd >= 0 && address && size)
        sockaddr_give(&peer, address, size);
    return (int)libc_error(made_fd);
}

int accept(int fd, struct sockaddr *address, socklen_t *size)
{
    return accept4(fd, address, size, 0);
}

int shutdown(int fd, int how)
{
    handle_t handle = socket_handle(fd);
    if (handle >= 0 && (how < SHUT_RD || how > SHUT_RDWR))
        handle = -EINVAL;
    return (int)libc_error(handle < 0 ? handle : net_shutdown(handle, (unsigned)how));
}

/* ---- Names and options -------------------------------------------------------------------- */

static int name_of(int fd, int (*ask)(handle_t socket, struct net_address *address),
                   struct sockaddr *address, socklen_t *size)
{
    struct net_address native;
    handle_t handle = socket_handle(fd);
    int error = handle < 0 ? handle : ask(handle, &native);
    if (!error)
        sockaddr_give(&native, address, size);
    return (int)libc_error(error);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
    return name_of(fd, net_local, address, size);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
    return name_of(fd, net_peer, address, size);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    handle_t handle = socket_handle(fd);
    if (handle < 0)
        return (int)libc_error(handle);
    size_t length = *size < NET_OPTION_MAX ? *size : NET_OPTION_MAX;
    int error = net_get_option(handle, level, name, value, &length);
    if (!error)
        *size = (socklen_t)length;
    return (int)libc_error(error);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    struct descriptor d;
    int error = socket_get(fd, &d);
    if (!error)
        error = net_set_option(d.handle, level, name, value, size);
    if (!error && level == SOL_SOCKET && name == SO_LINGER && !d.lingers) {
        d.lingers = true;
        fd_update(fd, &d);
    }
    return (int)libc_error(error);
}

/* Only what was sent is waited for, and nothing ended: another copy of the descriptor may go on. */
void socket_linger(const struct descriptor *d)
{
    struct linger linger;
    size_t size = sizeof linger;
    if (net_get_option(d->handle, SOL_SOCKET, SO_LINGER, &linger, &size) || !linger.l_onoff)
        return;
    uint64_t now = (uint64_t)clock_now(), pause = MILLISECOND;
    const uint64_t end = now + (uint64_t)linger.l_linger * 1000 * MILLISECOND;
    struct net_status_reply status;
    while (now < end && net_status(d->handle, &status) >= 0 && status.unsent > 0) {
        sleep_until(now + pause < end ? now + pause : end);
        pause = pause < LINGER_PAUSE_MAX ? pause * 2 : pause;
        now = (uint64_t)clock_now();
    }
}
