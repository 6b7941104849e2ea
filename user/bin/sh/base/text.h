/* A string that grows. All zero = empty; data is NUL-terminated once something was added. */
#pragma once

#include <stddef.h>

struct text {
    char *data;
    size_t len, capacity;
};

void text_add(struct text *text, const char *bytes, size_t len);
void text_string(struct text *text, const char *string);
void text_char(struct text *text, char c);
__attribute__((format(printf, 2, 3))) void text_format(struct text *text, const char *format, ...);

/* text_quoted: string as a word that the shell reads back as itself. */
void text_quoted(struct text *text, const char *string);

/* text_get: the string, "" if nothing was ever added. */
const char *text_get(const struct text *text);
void text_clear(struct text *text);
void text_free(struct text *text);
