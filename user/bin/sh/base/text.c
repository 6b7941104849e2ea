/* Growing strings on malloc. */
#include "text.h"

#include "arena.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct text *text, size_t more)
{
    if (text->capacity - text->len > more)
        return;
    size_t capacity =
        text->capacity * 2 > text->len + more + 1 ? text->capacity * 2 : text->len + more + 1;
    if (capacity < 64)
        capacity = 64;
    text->data = must_realloc(text->data, capacity);
    text->capacity = capacity;
}

void text_add(struct text *text, const char *bytes, size_t len)
{
    reserve(text, len);
    if (len > 0)
        memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_char(struct text *text, char c)
{
    text_add(text, &c, 1);
}

void text_format(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int need = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (need < 0)
        return;
    reserve(text, (size_t)need);
    va_start(arguments, format);
    vsnprintf(text->data + text->len, (size_t)need + 1, format, arguments);
    va_end(arguments);
    text->len += (size_t)need;
}

void text_quoted(struct text *text, const char *string)
{
    text_char(text, '\'');
    for (; *string != '\0'; string++) {
        if (*string == '\'')
            text_string(text, "'\\''");
        else
            text_char(text, *string);
    }
    text_char(text, '\'');
}

const char *text_get(const struct text *text)
{
    return text->data != NULL ? text->data : "";
}

void text_clear(struct text *text)
{
    text->len = 0;
    if (text->data != NULL)
        text->data[0] = '\0';
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}
