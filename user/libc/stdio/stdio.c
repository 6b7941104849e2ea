/* The standard streams, and fopen and fdopen with buffers of a page.
 *
 * picolibc's buffered stream does the work; this file supplies the descriptor calls below it and
 * keeps the list of open streams, so that exit can flush them. stdout starts line buffered and
 * becomes fully buffered once its first write has shown that it is no terminal. */
#include "../../libcairn/thread.h"
#include "../file/fd.h"
#include "../start/start.h"
#include "../thread/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio-bufio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 4096

/* In picolibc, but not declared in its headers. */
int __posix_sflags(const char *mode, int *open_flags);

struct stream {
    struct __file_bufio file;
    struct stream *next, **link; /* in the list of open streams */
    char buffer[];
};

static struct mutex list_lock;
static struct stream *streams;

static char stdin_buffer[1024], stdout_buffer[1024], stderr_buffer[256];
static ssize_t standard_read(int fd, void *buffer, size_t n);
static ssize_t standard_write(int fd, const void *buffer, size_t n);

static struct __file_bufio in = FDEV_SETUP_BUFIO(0, stdin_buffer, sizeof stdin_buffer,
                                                 standard_read, write, lseek, close, __SRD, 0);
static struct __file_bufio out = FDEV_SETUP_BUFIO(1, stdout_buffer, sizeof stdout_buffer, read,
                                                  standard_write, lseek, close, __SWR, __BLBF);
static struct __file_bufio err = FDEV_SETUP_BUFIO(2, stderr_buffer, sizeof stderr_buffer, read,
                                                  write, lseek, close, __SWR, __BLBF);

FILE *const stdin = (FILE *)&in;
FILE *const stdout = (FILE *)&out;
FILE *const stderr = (FILE *)&err;

/* A program that asks a question and waits for the answer wants the question seen. */
static ssize_t standard_read(int fd, void *buffer, size_t n)
{
    if (out.len > 0 && (out.bflags & __BLBF))
        fflush(stdout);
    fflush(stderr);
    return read(fd, buffer, n);
}

static ssize_t standard_write(int fd, const void *buffer, size_t n)
{
    static bool decided;
    if (!decided) {
        decided = true;
        if (!isatty(fd))
            out.bflags &= (uint8_t)~__BLBF;
    }
    return write(fd, buffer, n);
}

/* picolibc's does not know NULL, "all of them". */
int fflush(FILE *file)
{
    if (!file) {
        stdio_flush_all();
        return 0;
    }
    return file->flush ? file->flush(file) : 0;
}

/* Flushes and closes what lies below a stream; what remains is its memory. */
static int close_below(struct __file_bufio *file)
{
    int flushed = __bufio_flush((FILE *)file);
    if (file->bflags & __BALL)
        free(file->buf);
    file->bflags &= (uint8_t)~__BALL;
    __lock_close(file->lock);
    int closed = file->fd < 0 ? 0 : close(file->fd);
    file->fd = -1;
    return flushed || closed ? EOF : 0;
}

static int stream_close(FILE *file)
{
    struct stream *s = (struct stream *)file;
    mutex_lock(&list_lock);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    mutex_unlock(&list_lock);
    int result = close_below(&s->file);
    free(s);
    return result;
}

static int standard_close(FILE *file)
{
    return close_below((struct __file_bufio *)file);
}

/* The byte functions below printf, fputc and fgetc: while there is one thread, a byte into or out of
 * a buffer with room needs neither lock nor call. */
static int stream_put(char c, FILE *file)
{
    struct __file_bufio *s = (struct __file_bufio *)file;
    if (threads_exist || s->dir != __SWR || s->len + 1 >= s->size ||
        (c == '\n' && (s->bflags & __BLBF)))
        return __bufio_put(c, file);
    s->buf[s->len++] = c;
    return (unsigned char)c;
}

static int stream_get(FILE *file)
{
    struct __file_bufio *s = (struct __file_bufio *)file;
    if (threads_exist || s->dir != __SRD || s->off >= s->len)
        return __bufio_get(file);
    return (unsigned char)s->buf[s->off++];
}

static void use_byte_functions(struct __file_bufio *s)
{
    s->xfile.cfile.file.put = stream_put;
    s->xfile.cfile.file.get = stream_get;
}

void stdio_start(void)
{
    struct __file_bufio *standard[] = {&in, &out, &err};
    for (int i = 0; i < 3; i++) {
        standard[i]->xfile.cfile.close = standard_close;
        standard[i]->lock = lock_standard(i);
        use_byte_functions(standard[i]);
    }
}

static FILE *stream_open(int fd, int flags, off_t position)
{
    struct stream *s = malloc(sizeof *s + BUFFER_SIZE);
    if (!s)
        return NULL;
    s->file = (struct __file_bufio)FDEV_SETUP_BUFIO(fd, s->buffer, BUFFER_SIZE, read, write, lseek,
                                                    close, 0, 0);
    s->file.xfile.cfile.file.flags |= (uint8_t)flags;
    s->file.xfile.cfile.close = stream_close;
    use_byte_functions(&s->file);
    s->file.pos = position;
    s->file.bflags = isatty(fd) ? __BLBF : 0;
    __bufio_lock_init((FILE *)&s->file);
    mutex_lock(&list_lock);
    s->next = streams;
    s->link = &streams;
    if (streams)
        streams->link = &s->next;
    streams = s;
    mutex_unlock(&list_lock);
    return (FILE *)&s->file;
}

FILE *fdopen(int fd, const char *mode)
{
    int open_flags, flags = __posix_sflags(mode, &open_flags);
    struct descriptor d;
    if (flags == 0)
        return NULL;
    if (fd_get(fd, &d) < 0) {
        errno = EBADF;
        return NULL;
    }
    off_t position = lseek(fd, 0, open_flags & O_APPEND ? SEEK_END : SEEK_CUR);
    return stream_open(fd, flags, position > 0 ? position : 0);
}

FILE *fopen(const char *path, const char *mode)
{
    int open_flags, flags = __posix_sflags(mode, &open_flags);
    if (flags == 0)
        return NULL;
    if (strchr(mode, 'x'))
        open_flags |= O_EXCL;
    if (strchr(mode, 'e'))
        open_flags |= O_CLOEXEC;
    int fd = open(path, open_flags, 0666);
    if (fd < 0)
        return NULL;
    off_t position = open_flags & O_APPEND ? lseek(fd, 0, SEEK_END) : 0;
    FILE *file = stream_open(fd, flags, position > 0 ? position : 0);
    if (!file)
        close(fd);
    return file;
}

void stdio_flush_all(void)
{
    fflush(stdout);
    fflush(stderr);
    mutex_lock(&list_lock);
    for (struct stream *s = streams; s; s = s->next)
        if (s->file.dir == __SWR) /* what was read ahead is nobody's loss */
            fflush((FILE *)&s->file);
    mutex_unlock(&list_lock);
}
