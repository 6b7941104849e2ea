/* Follows a terminal's cursor. Invariant: row < rows and column <= columns, whatever was sent. */
#include "consoled/port/cursor.h"

#include <string.h>

#define ESCAPE        27
#define TAB_WIDTH     8
#define PARAMETER_MAX 10000

static unsigned limit(unsigned value, unsigned max)
{
    return value < max ? value : max;
}

void cursor_init(struct cursor *cursor, unsigned rows, unsigned columns)
{
    memset(cursor, 0, sizeof *cursor);
    cursor_resize(cursor, rows, columns);
}

void cursor_resize(struct cursor *cursor, unsigned rows, unsigned columns)
{
    cursor->rows = rows ? rows : 1;
    cursor->columns = columns ? columns : 1;
    cursor->row = limit(cursor->row, cursor->rows - 1);
    cursor->column = limit(cursor->column, cursor->columns);
}

static void print(struct cursor *cursor)
{
    if (cursor->column == cursor->columns) {
        cursor->column = 0;
        cursor->row = limit(cursor->row + 1, cursor->rows - 1);
    }
    cursor->column++;
}

static void control(struct cursor *cursor, char c)
{
    switch (c) {
    case '\r':
        cursor->column = 0;
        break;
    case '\n':
        cursor->row = limit(cursor->row + 1, cursor->rows - 1);
        break;
    case '\b':
        cursor->column -= cursor->column > 0;
        break;
    case '\t':
        cursor->column = limit((cursor->column / TAB_WIDTH + 1) * TAB_WIDTH, cursor->columns - 1);
        break;
    case ESCAPE:
        cursor->state = CURSOR_ESCAPE;
        break;
    }
}

static void escape(struct cursor *cursor, char c)
{
    cursor->state = CURSOR_TEXT;
    if (c == '[') {
        cursor->state = CURSOR_CSI;
        cursor->parameters[0] = cursor->parameters[1] = cursor->parameter_count = 0;
    } else if (c == 'c') {
        cursor->row = cursor->column = 0;
    } else if (c == '7') {
        cursor->saved_row = cursor->row;
        cursor->saved_column = cursor->column;
    } else if (c == '8') {
        cursor->row = limit(cursor->saved_row, cursor->rows - 1);
        cursor->column = limit(cursor->saved_column, cursor->columns);
    }
}

static void move(struct cursor *cursor, char final)
{
    const unsigned *p = cursor->parameters;
    unsigned count = p[0] ? p[0] : 1;
    switch (final) {
    case 'A':
        cursor->row -= limit(count, cursor->row);
        break;
    case 'B':
        cursor->row = limit(cursor->row + count, cursor->rows - 1);
        break;
    case 'C':
        cursor->column = limit(cursor->column + count, cursor->columns - 1);
        break;
    case 'D':
        cursor->column -= limit(count, cursor->column);
        break;
    case 'G':
        cursor->column = limit(count, cursor->columns) - 1;
        break;
    case 'd':
        cursor->row = limit(count, cursor->rows) - 1;
        break;
    case 'H':
    case 'f':
        cursor->row = limit(count, cursor->rows) - 1;
        cursor->column = limit(p[1] ? p[1] : 1, cursor->columns) - 1;
        break;
    }
}

static void csi(struct cursor *cursor, char c)
{
    if (c >= '0' && c <= '9') {
        if (cursor->parameter_count < 2) {
            unsigned *p = &cursor->parameters[cursor->parameter_count];
            *p = limit(*p * 10 + (unsigned)(c - '0'), PARAMETER_MAX);
        }
    } else if (c == ';') {
        cursor->parameter_count = limit(cursor->parameter_count + 1, 2);
    } else if (c >= '@' && c <= '~') {
        cursor->state = CURSOR_TEXT;
        move(cursor, c);
    } /* else a private mark or an intermediate byte: no movement of ours */
}

void cursor_track(struct cursor *cursor, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (cursor->state == CURSOR_ESCAPE)
            escape(cursor, bytes[i]);
        else if (c < ' ')
            control(cursor, bytes[i]);
        else if (cursor->state == CURSOR_CSI)
            csi(cursor, bytes[i]);
        else if (c != 127 && (c & 0xc0) != 0x80) /* not the rest of a UTF-8 character */
            print(cursor);
    }
}
