/* Many bytes at once through a buffered stream; picolibc's own functions go byte by byte. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio-bufio.h>
#include <stdio.h>

/* bulk_of: the buffered stream behind file, or NULL for other kinds (strings, callbacks). */
struct __file_bufio *bulk_of(FILE *file);

/* bulk_write: the bytes written, less than n after an error. */
size_t bulk_write(struct __file_bufio *stream, const char *data, size_t n);

/* bulk_peek: what lies read and unread in the buffer; *n = 0 if nothing does: then the next byte
 * comes from fgetc, which fills the buffer. bulk_skip takes n bytes of it. */
const char *bulk_peek(struct __file_bufio *stream, size_t *n);
void bulk_skip(struct __file_bufio *stream, size_t n);

/* bulk_read: whole requests straight into the caller's memory when the buffer is empty. */
size_t bulk_read(struct __file_bufio *stream, char *data, size_t n);
