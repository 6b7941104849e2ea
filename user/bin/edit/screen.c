/* Columns, rows, and the difference to what is shown. */
#include "screen.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void output_add(struct output *output, const char *bytes, size_t len)
{
    if (output->capacity - output->len < len) {
        size_t capacity = output->capacity * 2 > output->len + len ? output->capacity * 2
                                                                   : output->len + len + 64;
        char *grown = realloc(output->bytes, capacity);
        if (grown == NULL)
            return;
        output->bytes = grown;
        output->capacity = capacity;
    }
    if (len > 0)
        memcpy(output->bytes + output->len, bytes, len);
    output->len += len;
}

void output_add_string(struct output *output, const char *string)
{
    output_add(output, string, strlen(string));
}

/* The character at offset: its length in bytes, and its code (UINT32_MAX: a byte that is no
 * UTF-8). */
static size_t character(const struct line *line, size_t offset, uint32_t *code)
{
    const unsigned char *at = (const unsigned char *)line->bytes + offset;
    size_t left = line->len - offset, len = 1;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    *code = at[0];
    if (at[0] < 0x80)
        return 1;
    len = at[0] >= 0xf0 && at[0] < 0xf8 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc0 ? 2 : 0;
    if (at[0] >= 0xf8 || len == 0 || len > left) {
        *code = UINT32_MAX;
        return 1;
    }
    *code = at[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            *code = UINT32_MAX;
            return 1;
        }
        *code = *code << 6 | (at[i] & 0x3f);
    }
    if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)) {
        *code = UINT32_MAX;
        return 1;
    }
    return len;
}

static bool in_ranges(uint32_t code, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1])
            return true;
    return false;
}

/* Columns that a character takes when it starts at column. */
static size_t character_width(uint32_t code, size_t column)
{
    static const uint32_t wide[][2] = {{0x1100, 0x115f},  {0x2e80, 0x303e}, {0x3041, 0xa4cf},
                                       {0xac00, 0xd7a3},  {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
                                       {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1faff},
                                       {0x20000, 0x3fffd}};
    static const uint32_t none[][2] = {{0x300, 0x36f}, {0x200b, 0x200f}, {0xfe00, 0xfe0f}};
    if (code == '\t')
        return TAB_WIDTH - column % TAB_WIDTH;
    if (code < ' ' || code == 0x7f)
        return 2; /* ^X */
    if (code < 0x300 || code == UINT32_MAX)
        return 1;
    if (in_ranges(code, none, sizeof(none) / sizeof(none[0])))
        return 0;
    return in_ranges(code, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

size_t column_of(const struct line *line, size_t offset)
{
    size_t column = 0;
    uint32_t code;
    for (size_t at = 0; at < offset && at < line->len;) {
        size_t len = character(line, at, &code);
        column += character_width(code, column);
        at += len;
    }
    return column;
}

size_t offset_at(const struct line *line, size_t column)
{
    size_t at = 0, now = 0;
    uint32_t code;
    while (at < line->len) {
        size_t len = character(line, at, &code), width = character_width(code, now);
        if (now + width > column)
            break;
        now += width;
        at += len;
    }
    return at;
}

/* One character, all of which fits. */
static void draw(struct output *row, const struct line *line, size_t at, size_t len, uint32_t code,
                 size_t width)
{
    char control[] = {'^', (char)(code ^ 0x40)};
    if (code == '\t')
        for (size_t i = 0; i < width; i++)
            output_add(row, " ", 1);
    else if (code < ' ' || code == 0x7f)
        output_add(row, control, 2);
    else if (code == UINT32_MAX || (code >= 0x80 && code < 0xa0))
        output_add(row, "?", 1);
    else
        output_add(row, line->bytes + at, len);
}

void layout_line(struct output *row, const struct line *line, size_t left, size_t columns)
{
    size_t column = 0;
    uint32_t code;
    for (size_t at = 0; at < line->len && column < left + columns;) {
        size_t len = character(line, at, &code), width = character_width(code, column);
        size_t end = column + width;
        if (column >= left && end <= left + columns)
            draw(row, line, at, len, code, width);
        else if (end > left) /* cut by a border of the window */
            for (size_t i = column > left ? column : left; i < end && i < left + columns; i++)
                output_add(row, " ", 1);
        column = end;
        at += len;
    }
}

int screen_resize(struct screen *screen, size_t rows, size_t columns)
{
    struct output *shown = calloc(rows, sizeof(*shown));
    if (shown == NULL)
        return -ENOMEM;
    screen_free(screen);
    *screen = (struct screen){rows, columns, shown, rows};
    return 0;
}

void screen_cursor(struct output *terminal, size_t row, size_t column)
{
    char sequence[40];
    snprintf(sequence, sizeof(sequence), "\033[%zu;%zuH", row + 1, column + 1);
    output_add_string(terminal, sequence);
}

void screen_row(struct screen *screen, struct output *terminal, size_t row,
                const struct output *text)
{
    struct output *shown = &screen->shown[row];
    if (shown->bytes != NULL && shown->len == text->len &&
        (text->len == 0 || memcmp(shown->bytes, text->bytes, text->len) == 0))
        return;
    screen_cursor(terminal, row, 0);
    output_add(terminal, text->bytes, text->len);
    output_add_string(terminal, "\033[0m\033[K");
    shown->len = 0;
    output_add(shown, text->bytes, text->len);
    if (shown->bytes == NULL) /* so that an empty row counts as shown */
        shown->bytes = malloc(1);
}

void screen_free(struct screen *screen)
{
    for (size_t i = 0; i < screen->shown_rows; i++)
        free(screen->shown[i].bytes);
    free(screen->shown);
    *screen = (struct screen){0};
}
