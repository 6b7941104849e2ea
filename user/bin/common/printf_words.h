/* printf(1): a format over words (POSIX.1-2017, XCU printf). */
#pragma once

#include "escapes.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct printf_words {
    const struct sink *sink;
    char *const *arguments; /* those not used yet */
    int left;
    bool used;       /* this round of the format has taken an argument */
    bool ended;      /* \c */
    bool failed;     /* an argument was no number; the output goes on */
    const char *bad; /* the first such argument, or the directive that is unknown */
    bool fatal;
};

static inline const char *printf_next(struct printf_words *state)
{
    state->used = true;
    if (state->left == 0)
        return NULL;
    state->left--;
    return *state->arguments++;
}

static inline void printf_check(struct printf_words *state, const char *text, const char *end)
{
    if (*text != '\0' && *end == '\0' && errno == 0)
        return;
    if (!state->failed)
        state->bad = text;
    state->failed = true;
}

/* A number, or 'c for the code of a character. */
static inline uint64_t printf_integer(struct printf_words *state)
{
    const char *text = printf_next(state);
    char *end;
    uint64_t value;
    if (text == NULL)
        return 0;
    if (*text == '\'' || *text == '"')
        return (unsigned char)text[1];
    errno = 0;
    if (strchr(text, '-') != NULL)
        value = (uint64_t)strtoll(text, &end, 0);
    else
        value = strtoull(text, &end, 0);
    printf_check(state, text, end);
    return value;
}

static inline double printf_double(struct printf_words *state)
{
    const char *text = printf_next(state);
    char *end;
    if (text == NULL)
        return 0;
    if (*text == '\'' || *text == '"')
        return (unsigned char)text[1];
    errno = 0;
    double value = strtod(text, &end);
    printf_check(state, text, end);
    return value;
}

/* A string in its field. */
static inline void printf_field(struct printf_words *state, const char *text, size_t len, int width,
                                bool left)
{
    size_t room = width > 0 ? (size_t)width : 0;
    for (size_t i = len; !left && i < room; i++)
        sink_write(state->sink, " ", 1);
    sink_write(state->sink, text, len);
    for (size_t i = len; left && i < room; i++)
        sink_write(state->sink, " ", 1);
}

static inline void printf_collect(void *context, const char *bytes, size_t len)
{
    char **at = context;
    memcpy(*at, bytes, len);
    *at += len;
}

static inline void printf_string(struct printf_words *state, char kind, int width, int precision,
                                 bool left)
{
    const char *text = printf_next(state);
    char *unescaped = NULL, *end;
    if (text == NULL)
        text = "";
    size_t len = strlen(text);
    if (kind == 'b') {
        unescaped = end = malloc(len + 1);
        if (unescaped == NULL) {
            state->fatal = true;
            return;
        }
        struct sink sink = {printf_collect, &end};
        state->ended = !escape_write(&sink, text);
        text = unescaped;
        len = (size_t)(end - unescaped);
    }
    if (kind == 'c' && len > 1)
        len = 1;
    if (precision >= 0 && (size_t)precision < len)
        len = (size_t)precision;
    printf_field(state, text, len, width, left);
    free(unescaped);
}

#define PRINTF_FIELD_MAX 4096 /* widths and precisions above this are cut */

static inline int printf_count(struct printf_words *state, const char **format)
{
    long value = 0;
    if (**format == '*') {
        *format += 1;
        value = (long)printf_integer(state);
    } else {
        while (**format >= '0' && **format <= '9') {
            value = value * 10 + (*(*format)++ - '0');
            value = value > PRINTF_FIELD_MAX ? PRINTF_FIELD_MAX : value;
        }
    }
    return (int)(value > PRINTF_FIELD_MAX    ? PRINTF_FIELD_MAX
                 : value < -PRINTF_FIELD_MAX ? -PRINTF_FIELD_MAX
                                             : value);
}

static inline void printf_number(struct printf_words *state, char kind, const char *flags,
                                 int width, int precision)
{
    char format[24], buffer[PRINTF_FIELD_MAX + 400];
    int len;
    if (strchr("eEfFgGaA", kind) != NULL) {
        snprintf(format, sizeof(format), "%%%s*.*%c", flags, kind);
        len = snprintf(buffer, sizeof(buffer), format, width, precision, printf_double(state));
    } else {
        snprintf(format, sizeof(format), "%%%s*.*ll%c", flags, kind);
        len = snprintf(buffer, sizeof(buffer), format, width, precision, printf_integer(state));
    }
    if (len > 0)
        sink_write(state->sink, buffer,
                   (size_t)len < sizeof(buffer) ? (size_t)len : sizeof(buffer) - 1);
}

/* A directive behind its %; the format moves behind it. */
static inline void printf_directive(struct printf_words *state, const char **format)
{
    const char *start = *format;
    char flags[8];
    size_t count = strspn(start, "-+ #0");
    int width, precision = -1;

    *format += count;
    snprintf(flags, sizeof(flags), "%.*s", (int)(count < 6 ? count : 6), start);
    width = printf_count(state, format);
    if (**format == '.') {
        *format += 1;
        precision = printf_count(state, format);
    }
    char kind = **format;
    bool left = strchr(flags, '-') != NULL || width < 0;
    if (kind == '%' && *format == start)
        sink_write(state->sink, "%", 1);
    else if (kind == 's' || kind == 'b' || kind == 'c')
        printf_string(state, kind, width < 0 ? -width : width, precision, left);
    else if (kind != '\0' && strchr("diouxXeEfFgGaA", kind) != NULL)
        printf_number(state, kind, flags, width, precision);
    else {
        state->fatal = true;
        state->bad = start - 1;
        return;
    }
    *format += 1;
}

/* printf_words: writes format once, and again while it uses up arguments. 0, or 1 with *bad = the
 * argument that is no number (the output is complete) or the directive that is unknown. */
static inline int printf_words(const struct sink *sink, const char *format, char *const *arguments,
                               int count, const char **bad)
{
    struct printf_words state = {.sink = sink, .arguments = arguments, .left = count};
    do {
        state.used = false;
        for (const char *at = format; *at != '\0' && !state.ended && !state.fatal;) {
            size_t plain = strcspn(at, "\\%");
            char c;
            sink_write(sink, at, plain);
            at += plain;
            if (*at == '%') {
                at++;
                printf_directive(&state, &at);
            } else if (*at == '\\') {
                at++;
                if (*at == 'c')
                    state.ended = true;
                else if (escape_read(&at, false, &c))
                    sink_write(sink, &c, 1);
                else
                    sink_write(sink, "\\", 1);
            }
        }
    } while (state.left > 0 && state.used && !state.ended && !state.fatal);
    *bad = state.bad;
    return state.failed || state.fatal;
}
