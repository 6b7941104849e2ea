/* What a request asks for, out of its text: pure functions on strings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_MAX_HTTPD 1024
#define DATE_SIZE      30

/* request_path: the file that a target means, relative to the served folder and beginning with
 * "./", in PATH_MAX_HTTPD bytes. 0, or the status that refuses it: 400 not a path, or with a byte
 * that no name has; 403 it leads out of the folder; 414 too long. */
int request_path(const char *target, char *path);

/* Dates as HTTP has them (RFC 9110 5.6.7), in seconds since 1970. Of the three ways to write one,
 * only the one that is not obsolete is read; others count as not there. */
char *date_format(int64_t time, char text[DATE_SIZE]);
bool date_parse(const char *text, int64_t *time);

/* request_range: a Range field (RFC 9110 14.2) for a file of this size. Several ranges at once are
 * not served, which the RFC allows: RANGE_NONE, send everything. */
enum range { RANGE_NONE, RANGE_PART, RANGE_IMPOSSIBLE };
enum range request_range(const char *text, uint64_t size, uint64_t *from, uint64_t *length);

/* Text into HTML, and names into URLs: the bytes that must not be there as they are are replaced.
 * Both return the length, or 0 if size (with the zero) is too small. */
size_t escape_html(const char *text, char *to, size_t size);
size_t escape_url(const char *text, char *to, size_t size);

/* content_type: by the name's ending. */
const char *content_type(const char *name);
