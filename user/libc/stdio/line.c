/* getline and getdelim: a line of any length. */
#include "bulk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct line {
    char *text;
    size_t len, size;
};

static bool append(struct line *line, const char *data, size_t n)
{
    if (line->len + n + 1 > line->size) {
        size_t size = line->size ? line->size * 2 : 128;
        while (size < line->len + n + 1)
            size *= 2;
        char *grown = realloc(line->text, size);
        if (!grown) {
            errno = ENOMEM;
            return false;
        }
        line->text = grown;
        line->size = size;
    }
    memcpy(line->text + line->len, data, n);
    line->len += n;
    return true;
}

/* Appends what the stream has up to the delimiter. 1 = more may follow, 0 = done, -1 = error. */
static int take(struct line *line, int delimiter, FILE *file)
{
    struct __file_bufio *stream = bulk_of(file);
    size_t ready = 0;
    const char *from = stream ? bulk_peek(stream, &ready) : NULL;
    if (ready == 0) {
        int c = fgetc(file);
        char byte = (char)c;
        if (c == EOF)
            return 0;
        return append(line, &byte, 1) ? c != delimiter : -1;
    }
    const char *end = memchr(from, delimiter, ready);
    size_t n = end ? (size_t)(end - from) + 1 : ready;
    if (!append(line, from, n))
        return -1;
    bulk_skip(stream, n);
    return end == NULL;
}

ssize_t getdelim(char **restrict text, size_t *restrict size, int delimiter, FILE *restrict file)
{
    struct line line = {.text = *text, .size = *text ? *size : 0};
    int more;
    do
        more = take(&line, delimiter, file);
    while (more > 0);
    *text = line.text;
    *size = line.size;
    if (more < 0 || line.len == 0)
        return -1;
    line.text[line.len] = '\0';
    return (ssize_t)line.len;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict file)
{
    return getdelim(line, size, '\n', file);
}
