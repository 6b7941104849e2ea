/* The text being edited: lines of bytes. The text is the lines joined by newlines, so a text that
 * ends with a newline has an empty last line, and every file comes back as it was. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct line {
    char *bytes;
    size_t len, capacity;
};

struct buffer {
    struct line *lines;
    size_t count, capacity; /* count >= 1 */
    bool changed;           /* since the last load or save */
};

struct position {
    size_t line, offset; /* offset in bytes, <= the line's len */
};

/* buffer_init: an empty text. All that return int: 0 or -ENOMEM, and then nothing has changed
 * (buffer_insert: a part may have been inserted; *at is behind it). */
int buffer_init(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

/* buffer_insert: bytes, with newlines in them or not, at a position, which moves behind them. */
int buffer_insert(struct buffer *buffer, struct position *at, const char *bytes, size_t len);

/* buffer_delete: what lies between two positions, from <= to. */
int buffer_delete(struct buffer *buffer, struct position from, struct position to);

/* buffer_left, buffer_right: the neighbouring position, one character (UTF-8) away, over line ends;
 * the same position at the ends of the text. */
struct position buffer_left(const struct buffer *buffer, struct position at);
struct position buffer_right(const struct buffer *buffer, struct position at);

/* buffer_find: the first occurrence of needle behind 'from', going on at the top. */
bool buffer_find(const struct buffer *buffer, const char *needle, size_t len, struct position from,
                 struct position *found);

/* buffer_read: copies the text from *at on, at most size bytes, and moves *at; returns the bytes
 * copied, 0 at the end. */
size_t buffer_read(const struct buffer *buffer, struct position *at, char *bytes, size_t size);

/* buffer_size: bytes of the whole text. */
size_t buffer_size(const struct buffer *buffer);
