/* Error numbers of Cairn's interfaces: Linux's values, so host tests and peers agree. What only
 * programs and sockets use is in libc's errno.h. */
#pragma once

#define EPERM 1         /* operation not permitted */
#define ENOENT 2        /* no such name */
#define ESRCH 3         /* no such process */
#define EINTR 4         /* interrupted */
#define EIO 5           /* device error */
#define ENXIO 6         /* no such device */
#define E2BIG 7         /* argument list or message too long */
#define ENOEXEC 8       /* not an executable */
#define EBADF 9         /* bad handle or file descriptor */
#define ECHILD 10       /* no child to wait for */
#define EAGAIN 11       /* try again */
#define EWOULDBLOCK EAGAIN
#define ENOMEM 12       /* out of memory or over the memory quota */
#define EACCES 13       /* the handle lacks a right */
#define EFAULT 14       /* bad address */
#define EBUSY 16        /* in use */
#define EEXIST 17       /* exists already */
#define EXDEV 18        /* crosses file systems */
#define ENODEV 19       /* no such device */
#define ENOTDIR 20      /* not a directory */
#define EISDIR 21       /* is a directory */
#define EINVAL 22       /* invalid argument */
#define ENFILE 23       /* a table of the system is full */
#define EMFILE 24       /* the process's handle or descriptor table is full */
#define ENOTTY 25       /* not a terminal; operation unknown to this object */
#define EFBIG 27        /* file too large */
#define ENOSPC 28       /* no space left on device */
#define ESPIPE 29       /* not seekable */
#define EROFS 30        /* read-only file system */
#define EMLINK 31       /* too many links */
#define EPIPE 32        /* no reader */
#define ERANGE 34
#define EDEADLK 35      /* the call would close a circle of waiting threads */
#define ENAMETOOLONG 36
#define ENOSYS 38       /* no such call */
#define ENOTEMPTY 39    /* directory not empty */
#define ELOOP 40        /* too many symbolic links */
#define ENODATA 61
#define EPROTO 71       /* malformed data */
#define EOVERFLOW 75
#define EMSGSIZE 90     /* message or request too long */
#define EOPNOTSUPP 95
#define ENOTSUP EOPNOTSUPP
#define ENOBUFS 105
#define ESHUTDOWN 108
#define ETIMEDOUT 110   /* the deadline passed */
#define ESTALE 116      /* reply token or handle of something that is over */
#define EDQUOT 122      /* over a quota other than memory */
#define ECANCELED 125
#define EPEER 133       /* Cairn's own: the server died; whether it acted is unknown */
