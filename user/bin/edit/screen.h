/* What the terminal shows: lines laid out in columns, and only what changed is sent. */
#pragma once

#include "buffer.h"

#define TAB_WIDTH 8

/* Bytes for the terminal. On lack of memory it drops what does not fit. */
struct output {
    char *bytes;
    size_t len, capacity;
};
void output_add(struct output *output, const char *bytes, size_t len);
void output_add_string(struct output *output, const char *string);

/* column_of: the column where the byte at offset is shown. offset_at: the byte (start of a
 * character) shown at column or, if the line is shorter, its end. */
size_t column_of(const struct line *line, size_t offset);
size_t offset_at(const struct line *line, size_t column);

/* layout_line: what is visible of a line in a window of columns that starts at column left. */
void layout_line(struct output *row, const struct line *line, size_t left, size_t columns);

struct screen {
    size_t rows, columns;
    struct output *shown; /* per row, what the terminal shows now; NULL at first */
    size_t shown_rows;
};

/* screen_resize: a new size; everything will be sent again. 0 or -ENOMEM. */
int screen_resize(struct screen *screen, size_t rows, size_t columns);
/* screen_row: sends a row unless it is shown already. */
void screen_row(struct screen *screen, struct output *terminal, size_t row,
                const struct output *text);
void screen_cursor(struct output *terminal, size_t row, size_t column);
void screen_free(struct screen *screen);
