/* Texts for error numbers. strerror and perror live together, so that picolibc's perror, with
 * its other numbers, is never taken. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
    [0] = "Success",
    [EPERM] = "Operation not permitted",
    [ENOENT] = "No such file or directory",
    [ESRCH] = "No such process",
    [EINTR] = "Interrupted",
    [EIO] = "Input/output error",
    [ENXIO] = "No such device or address",
    [E2BIG] = "Argument list too long",
    [ENOEXEC] = "Not an executable",
    [EBADF] = "Bad file descriptor or handle",
    [ECHILD] = "No child to wait for",
    [EAGAIN] = "Try again",
    [ENOMEM] = "Out of memory",
    [EACCES] = "Permission denied",
    [EFAULT] = "Bad address",
    [ENOTBLK] = "Not a block device",
    [EBUSY] = "In use",
    [EEXIST] = "File exists",
    [EXDEV] = "Crosses file systems",
    [ENODEV] = "No such device",
    [ENOTDIR] = "Not a directory",
    [EISDIR] = "Is a directory",
    [EINVAL] = "Invalid argument",
    [ENFILE] = "Too many open files in the system",
    [EMFILE] = "Too many open files",
    [ENOTTY] = "Not a terminal",
    [ETXTBSY] = "Program file in use",
    [EFBIG] = "File too large",
    [ENOSPC] = "No space left on device",
    [ESPIPE] = "Not seekable",
    [EROFS] = "Read-only file system",
    [EMLINK] = "Too many links",
    [EPIPE] = "Broken pipe",
    [EDOM] = "Argument outside the function's domain",
    [ERANGE] = "Result too large",
    [EDEADLK] = "Would wait for itself",
    [ENAMETOOLONG] = "File name too long",
    [ENOLCK] = "No locks available",
    [ENOSYS] = "Not implemented",
    [ENOTEMPTY] = "Directory not empty",
    [ELOOP] = "Too many levels of symbolic links",
    [ENOMSG] = "No such message",
    [EIDRM] = "Identifier removed",
    [ENOSTR] = "Not a stream",
    [ENODATA] = "No data available",
    [ETIME] = "Timer expired",
    [ENOSR] = "No stream resources",
    [ENOLINK] = "Link severed",
    [EPROTO] = "Protocol error",
    [EMULTIHOP] = "Multiple hops attempted",
    [EBADMSG] = "Bad message",
    [EOVERFLOW] = "Value too large for its type",
    [EILSEQ] = "Invalid byte sequence",
    [EUSERS] = "Too many users",
    [ENOTSOCK] = "Not a socket",
    [EDESTADDRREQ] = "Destination address required",
    [EMSGSIZE] = "Message too long",
    [EPROTOTYPE] = "Wrong protocol for this socket",
    [ENOPROTOOPT] = "Protocol option not available",
    [EPROTONOSUPPORT] = "Protocol not supported",
    [ESOCKTNOSUPPORT] = "Socket type not supported",
    [EOPNOTSUPP] = "Operation not supported",
    [EPFNOSUPPORT] = "Protocol family not supported",
    [EAFNOSUPPORT] = "Address family not supported",
    [EADDRINUSE] = "Address already in use",
    [EADDRNOTAVAIL] = "Address not available",
    [ENETDOWN] = "Network is down",
    [ENETUNREACH] = "Network unreachable",
    [ENETRESET] = "Connection reset by the network",
    [ECONNABORTED] = "Connection aborted",
    [ECONNRESET] = "Connection reset by peer",
    [ENOBUFS] = "No buffer space available",
    [EISCONN] = "Already connected",
    [ENOTCONN] = "Not connected",
    [ESHUTDOWN] = "Socket has been shut down",
    [ETOOMANYREFS] = "Too many references",
    [ETIMEDOUT] = "Timed out",
    [ECONNREFUSED] = "Connection refused",
    [EHOSTDOWN] = "Host is down",
    [EHOSTUNREACH] = "No route to host",
    [EALREADY] = "Already in progress",
    [EINPROGRESS] = "Now in progress",
    [ESTALE] = "Stale handle or token",
    [EDQUOT] = "Quota exceeded",
    [ECANCELED] = "Canceled",
    [EOWNERDEAD] = "Owner died",
    [ENOTRECOVERABLE] = "State not recoverable",
    [EPEER] = "Server died, outcome unknown",
};

static const char *text_of(int number)
{
    if (number < 0 || (size_t)number >= sizeof texts / sizeof texts[0])
        return NULL;
    return texts[number];
}

char *strerror(int number)
{
    static __thread char unknown[32];
    const char *text = text_of(number);
    if (text)
        return (char *)text;
    snprintf(unknown, sizeof unknown, "Unknown error %d", number);
    return unknown;
}

/* The GNU form, which <string.h> declares for _GNU_SOURCE, and the POSIX one. */
#undef strerror_r
char *strerror_r(int number, char *buffer, size_t size)
{
    const char *text = text_of(number);
    if (text)
        return (char *)text;
    snprintf(buffer, size, "Unknown error %d", number);
    return buffer;
}

int __xpg_strerror_r(int number, char *buffer, size_t size);
int __xpg_strerror_r(int number, char *buffer, size_t size)
{
    const char *text = text_of(number);
    if (!text) {
        snprintf(buffer, size, "Unknown error %d", number);
        return EINVAL;
    }
    return strlcpy(buffer, text, size) < size ? 0 : ERANGE;
}

void perror(const char *prefix)
{
    const char *text = strerror(errno);
    if (prefix && *prefix)
        fprintf(stderr, "%s: %s\n", prefix, text);
    else
        fprintf(stderr, "%s\n", text);
}
