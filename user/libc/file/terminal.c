/* termios and the terminal ioctls, on the modes that consoled knows (proto/console.h). */
#include "fd.h"
#include "fsclient/fsclient.h"
#include "proto/console.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* What the console has no notion of, kept as the program last set it. */
static struct termios kept = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = CS8 | CREAD | CLOCAL,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN,
    .c_cc = {[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1},
    .c_ispeed = B38400,
    .c_ospeed = B38400,
};

static const struct {
    unsigned mode;
    tcflag_t local;
} local_modes[] = {{CON_MODE_CANONICAL, ICANON}, {CON_MODE_ECHO, ECHO}, {CON_MODE_SIGNAL, ISIG}};
#define LOCAL_MODES (sizeof local_modes / sizeof local_modes[0])

static int64_t console_mode(int fd)
{
    handle_t handle = fd_handle(fd);
    if (handle < 0)
        return handle;
    int64_t mode = fs_word_call(handle, CON_GET_MODE, 0);
    return mode == -ENOSYS || mode == -EINVAL ? -ENOTTY : mode;
}

int tcgetattr(int fd, struct termios *termios)
{
    int64_t mode = console_mode(fd);
    if (mode < 0)
        return (int)libc_error(mode);
    *termios = kept;
    for (size_t i = 0; i < LOCAL_MODES; i++) {
        termios->c_lflag &= ~local_modes[i].local;
        if (mode & local_modes[i].mode)
            termios->c_lflag |= local_modes[i].local;
    }
    termios->c_iflag &= ~(tcflag_t)ICRNL;
    if (mode & CON_MODE_CRNL)
        termios->c_iflag |= ICRNL;
    return 0;
}

int tcsetattr(int fd, int when, const struct termios *termios)
{
    struct descriptor d;
    unsigned mode = termios->c_iflag & ICRNL ? CON_MODE_CRNL : 0;
    int error = fd_get(fd, &d);
    if (error)
        return (int)libc_error(error);
    if (when < TCSANOW || when > TCSAFLUSH)
        return (int)libc_error(-EINVAL);
    for (size_t i = 0; i < LOCAL_MODES; i++)
        if (termios->c_lflag & local_modes[i].local)
            mode |= local_modes[i].mode;
    int64_t result = fs_word_call(d.handle, CON_SET_MODE, mode);
    if (result < 0)
        return (int)libc_error(result == -ENOSYS ? -ENOTTY : result);
    kept = *termios;
    d.timed = !(termios->c_lflag & ICANON) && termios->c_cc[VMIN] == 0;
    d.tenths = termios->c_cc[VTIME];
    return (int)libc_error(fd_update(fd, &d));
}

void cfmakeraw(struct termios *termios)
{
    termios->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    termios->c_oflag &= ~(tcflag_t)OPOST;
    termios->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    termios->c_cflag = (termios->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    termios->c_cc[VMIN] = 1;
    termios->c_cc[VTIME] = 0;
}

/* Output is on the terminal when write returns; there is no line to wait for, hold or break. */
static int terminal_only(int fd)
{
    int64_t mode = console_mode(fd);
    return (int)libc_error(mode < 0 ? mode : 0);
}

int tcdrain(int fd)
{
    return terminal_only(fd);
}

int tcflush(int fd, int queue)
{
    (void)queue;
    return terminal_only(fd);
}

int tcflow(int fd, int action)
{
    (void)action;
    return terminal_only(fd);
}

int tcsendbreak(int fd, int duration)
{
    (void)duration;
    return terminal_only(fd);
}

speed_t cfgetispeed(const struct termios *termios)
{
    return termios->c_ispeed;
}

speed_t cfgetospeed(const struct termios *termios)
{
    return termios->c_ospeed;
}

int cfsetispeed(struct termios *termios, speed_t speed)
{
    termios->c_ispeed = speed;
    return 0;
}

int cfsetospeed(struct termios *termios, speed_t speed)
{
    termios->c_ospeed = speed;
    return 0;
}

char *ttyname(int fd)
{
    return isatty(fd) ? "console:" : NULL;
}

int ttyname_r(int fd, char *buffer, size_t size)
{
    if (!isatty(fd))
        return errno;
    return strlcpy(buffer, "console:", size) < size ? 0 : ERANGE;
}

static int window_size(int fd, struct winsize *size)
{
    handle_t handle = fd_handle(fd);
    struct message m = {.type = CON_GET_SIZE, .len = 8};
    int64_t result = handle < 0 ? handle : channel_call(handle, &m);
    if (result == 0)
        result = (int64_t)m.words[0];
    if (result == 0)
        *size = (struct winsize){(unsigned short)m.words[1], (unsigned short)m.words[2], 0, 0};
    return (int)(result == -ENOSYS ? -ENOTTY : result);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int flags;
    switch (request) {
    case TIOCGWINSZ:
        return (int)libc_error(window_size(fd, argument));
    case FIONBIO:
        flags = fcntl(fd, F_GETFL);
        if (flags < 0)
            return -1;
        return fcntl(fd, F_SETFL, *(int *)argument ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
    case FIONREAD:
        return socket_readable(fd, argument);
    case FIOCLEX:
        return fcntl(fd, F_SETFD, FD_CLOEXEC);
    case FIONCLEX:
        return fcntl(fd, F_SETFD, 0);
    default:
        return (int)libc_error(fd_handle(fd) < 0 ? -EBADF : -ENOTTY);
    }
}
