/* Where the cursor of a terminal on the other side of a wire must be, judged by what was sent to
 * it: printable characters, the usual control characters, and the CSI sequences that move. */
#pragma once

#include <stddef.h>

struct cursor {
    unsigned rows, columns; /* of the screen */
    unsigned row, column;   /* from 0; column == columns: the next character wraps */
    unsigned saved_row, saved_column;
    enum { CURSOR_TEXT, CURSOR_ESCAPE, CURSOR_CSI } state;
    unsigned parameters[2];
    unsigned parameter_count;
};

void cursor_init(struct cursor *cursor, unsigned rows, unsigned columns);
void cursor_resize(struct cursor *cursor, unsigned rows, unsigned columns);
void cursor_track(struct cursor *cursor, const char *bytes, size_t count);
