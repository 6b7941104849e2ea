/* Bulk transfer on picolibc's buffered stream.
 *
 * Invariant: the fields are left as its own byte functions would leave them: dir says which way
 * the buffer is used, len and off what it holds, pos where the descriptor stands. */
#include "bulk.h"

#include <string.h>

struct __file_bufio *bulk_of(FILE *file)
{
    return file->flags & __SBUF ? (struct __file_bufio *)file : NULL;
}

/* With an empty buffer, what fills it at least once is not copied into it first. */
static size_t write_rest(struct __file_bufio *s, const char *data, size_t n)
{
    size_t done = 0;
    while (done < n) {
        if (s->len == 0 && n - done >= (size_t)s->size) {
            ssize_t moved = s->write(s->fd, data + done, n - done);
            if (moved <= 0)
                break;
            s->pos += moved;
            done += (size_t)moved;
            continue;
        }
        size_t room = (size_t)(s->size - s->len);
        size_t part = n - done < room ? n - done : room;
        memcpy(s->buf + s->len, data + done, part);
        s->len += (int)part;
        done += part;
        if (s->len == s->size && __bufio_flush((FILE *)s) < 0)
            break;
    }
    return done;
}

size_t bulk_write(struct __file_bufio *s, const char *data, size_t n)
{
    FILE *file = (FILE *)s;
    if (n == 0 || fputc(data[0], file) == EOF) /* turns a stream that was read around */
        return 0;
    __bufio_lock(file);
    size_t done = 1 + write_rest(s, data + 1, n - 1);
    if (done == n && (s->bflags & __BLBF) && memchr(data, '\n', n) && __bufio_flush(file) < 0)
        done = 0;
    __bufio_unlock(file);
    if (done < n)
        file->flags |= __SERR;
    return done;
}

const char *bulk_peek(struct __file_bufio *s, size_t *n)
{
    const FILE *file = (const FILE *)s;
    bool ready = s->dir == __SRD && s->off < s->len && file->unget == 0;
    *n = ready ? (size_t)(s->len - s->off) : 0;
    return s->buf + s->off;
}

void bulk_skip(struct __file_bufio *s, size_t n)
{
    s->off += (int)n;
}

size_t bulk_read(struct __file_bufio *s, char *data, size_t n)
{
    FILE *file = (FILE *)s;
    size_t done = 0;
    while (done < n) {
        size_t ready;
        const char *from = bulk_peek(s, &ready);
        if (ready > 0) {
            size_t part = ready < n - done ? ready : n - done;
            memcpy(data + done, from, part);
            bulk_skip(s, part);
            done += part;
            continue;
        }
        int c;
        if (s->dir == __SRD && file->unget == 0 && n - done >= (size_t)s->size) {
            ssize_t moved = s->read(s->fd, data + done, n - done);
            if (moved <= 0) {
                file->flags |= moved < 0 ? __SERR : __SEOF;
                break;
            }
            s->off = s->len = 0;
            s->pos += moved;
            done += (size_t)moved;
            continue;
        }
        if ((c = fgetc(file)) == EOF)
            break;
        data[done++] = (char)c;
    }
    return done;
}
