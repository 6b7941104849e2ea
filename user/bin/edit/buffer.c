/* An array of lines, each its own allocation. Invariant: there is at least one line, and no line
 * contains a newline. */
#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
    buffer->lines = calloc(16, sizeof(struct line));
    if (buffer->lines == NULL)
        return -ENOMEM;
    buffer->capacity = 16;
    buffer->count = 1;
    return 0;
}

void buffer_free(struct buffer *buffer)
{
    for (size_t i = 0; i < buffer->count; i++)
        free(buffer->lines[i].bytes);
    free(buffer->lines);
    *buffer = (struct buffer){0};
}

static int reserve(struct line *line, size_t len)
{
    if (len <= line->capacity)
        return 0;
    size_t capacity = line->capacity * 2 > len ? line->capacity * 2 : len;
    char *bytes = realloc(line->bytes, capacity);
    if (bytes == NULL)
        return -ENOMEM;
    line->bytes = bytes;
    line->capacity = capacity;
    return 0;
}

/* Bytes without newlines. */
static int insert_bytes(struct buffer *buffer, struct position at, const char *bytes, size_t len)
{
    struct line *line = &buffer->lines[at.line];
    if (len == 0)
        return 0;
    if (reserve(line, line->len + len) < 0)
        return -ENOMEM;
    memmove(line->bytes + at.offset + len, line->bytes + at.offset, line->len - at.offset);
    memcpy(line->bytes + at.offset, bytes, len);
    line->len += len;
    return 0;
}

/* A line end: what is behind the position becomes a line of its own. */
static int split_line(struct buffer *buffer, struct position at)
{
    struct line *line = &buffer->lines[at.line], tail = {0};
    size_t len = line->len - at.offset;
    if (buffer->count == buffer->capacity) {
        size_t capacity = buffer->capacity * 2;
        struct line *lines = realloc(buffer->lines, capacity * sizeof(struct line));
        if (lines == NULL)
            return -ENOMEM;
        buffer->lines = lines;
        buffer->capacity = capacity;
        line = &lines[at.line];
    }
    if (reserve(&tail, len) < 0)
        return -ENOMEM;
    if (len > 0)
        memcpy(tail.bytes, line->bytes + at.offset, len);
    tail.len = len;
    line->len = at.offset;
    memmove(line + 2, line + 1, (buffer->count - at.line - 1) * sizeof(struct line));
    line[1] = tail;
    buffer->count++;
    return 0;
}

int buffer_insert(struct buffer *buffer, struct position *at, const char *bytes, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t piece = newline != NULL ? (size_t)(newline - bytes) : len;
        if (insert_bytes(buffer, *at, bytes, piece) < 0)
            return -ENOMEM;
        buffer->changed = true;
        at->offset += piece;
        if (newline == NULL)
            break;
        if (split_line(buffer, *at) < 0)
            return -ENOMEM;
        *at = (struct position){at->line + 1, 0};
        bytes += piece + 1;
        len -= piece + 1;
    }
    return 0;
}

int buffer_delete(struct buffer *buffer, struct position from, struct position to)
{
    struct line *first = &buffer->lines[from.line], *last = &buffer->lines[to.line];
    size_t rest = last->len - to.offset;
    if (from.line == to.line && from.offset == to.offset)
        return 0;
    if (reserve(first, from.offset + rest) < 0)
        return -ENOMEM;
    if (rest > 0)
        memmove(first->bytes + from.offset, last->bytes + to.offset, rest);
    first->len = from.offset + rest;
    for (size_t i = from.line + 1; i <= to.line; i++)
        free(buffer->lines[i].bytes);
    memmove(first + 1, last + 1, (buffer->count - to.line - 1) * sizeof(struct line));
    buffer->count -= to.line - from.line;
    buffer->changed = true;
    return 0;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

struct position buffer_left(const struct buffer *buffer, struct position at)
{
    if (at.offset == 0) {
        if (at.line > 0)
            at = (struct position){at.line - 1, buffer->lines[at.line - 1].len};
        return at;
    }
    do
        at.offset--;
    while (at.offset > 0 && is_continuation(buffer->lines[at.line].bytes[at.offset]));
    return at;
}

struct position buffer_right(const struct buffer *buffer, struct position at)
{
    const struct line *line = &buffer->lines[at.line];
    if (at.offset == line->len) {
        if (at.line + 1 < buffer->count)
            at = (struct position){at.line + 1, 0};
        return at;
    }
    do
        at.offset++;
    while (at.offset < line->len && is_continuation(line->bytes[at.offset]));
    return at;
}

static bool find_in_line(const struct line *line, const char *needle, size_t len, size_t from,
                         size_t *offset)
{
    for (size_t i = from; i + len <= line->len; i++)
        if (memcmp(line->bytes + i, needle, len) == 0) {
            *offset = i;
            return true;
        }
    return false;
}

bool buffer_find(const struct buffer *buffer, const char *needle, size_t len, struct position from,
                 struct position *found)
{
    if (len == 0)
        return false;
    /* the line where it starts comes again at the end, from its beginning */
    for (size_t i = 0; i <= buffer->count; i++) {
        size_t line = (from.line + i) % buffer->count;
        if (find_in_line(&buffer->lines[line], needle, len, i == 0 ? from.offset + 1 : 0,
                         &found->offset)) {
            found->line = line;
            return true;
        }
    }
    return false;
}

size_t buffer_read(const struct buffer *buffer, struct position *at, char *bytes, size_t size)
{
    size_t used = 0;
    while (used < size) {
        const struct line *line = &buffer->lines[at->line];
        size_t piece = line->len - at->offset;
        if (piece > size - used)
            piece = size - used;
        if (piece > 0)
            memcpy(bytes + used, line->bytes + at->offset, piece);
        used += piece;
        at->offset += piece;
        if (used == size || at->line + 1 == buffer->count)
            break;
        bytes[used++] = '\n';
        *at = (struct position){at->line + 1, 0};
    }
    return used;
}

size_t buffer_size(const struct buffer *buffer)
{
    size_t size = buffer->count - 1;
    for (size_t i = 0; i < buffer->count; i++)
        size += buffer->lines[i].len;
    return size;
}
