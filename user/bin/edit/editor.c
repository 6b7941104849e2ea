/* Moving and changing; drawing. */
#include "editor.h"

#include "file.h"
#include "keys.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BARS 2 /* rows at the bottom: status, message */

void say(struct editor *editor, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(editor->message, sizeof(editor->message), format, arguments);
    va_end(arguments);
}

static struct line *current_line(struct editor *editor)
{
    return &editor->buffer.lines[editor->cursor.line];
}

static void moved(struct editor *editor)
{
    editor->wanted_column = column_of(current_line(editor), editor->cursor.offset);
}

static void move_lines(struct editor *editor, size_t lines, bool down)
{
    size_t last = editor->buffer.count - 1, line = editor->cursor.line;
    if (down)
        editor->cursor.line = lines > last - line ? last : line + lines;
    else
        editor->cursor.line = lines > line ? 0 : line - lines;
    editor->cursor.offset = offset_at(current_line(editor), editor->wanted_column);
}

static size_t text_rows(const struct editor *editor)
{
    return editor->screen.rows > BARS ? editor->screen.rows - BARS : 1;
}

static bool move_key(struct editor *editor, int key)
{
    size_t page = text_rows(editor) > 1 ? text_rows(editor) - 1 : 1;
    switch (key) {
    case KEY_UP:
    case KEY_DOWN:
        move_lines(editor, 1, key == KEY_DOWN);
        return true;
    case KEY_PAGE_UP:
    case KEY_PAGE_DOWN:
        move_lines(editor, page, key == KEY_PAGE_DOWN);
        return true;
    case KEY_LEFT:
        editor->cursor = buffer_left(&editor->buffer, editor->cursor);
        break;
    case KEY_RIGHT:
        editor->cursor = buffer_right(&editor->buffer, editor->cursor);
        break;
    case KEY_HOME:
    case KEY_CONTROL('A'):
        editor->cursor.offset = 0;
        break;
    case KEY_END:
    case KEY_CONTROL('E'):
        editor->cursor.offset = current_line(editor)->len;
        break;
    case KEY_TOP:
        editor->cursor = (struct position){0, 0};
        break;
    case KEY_BOTTOM:
        editor->cursor.line = editor->buffer.count - 1;
        editor->cursor.offset = current_line(editor)->len;
        break;
    default:
        return false;
    }
    moved(editor);
    return true;
}

static void check(struct editor *editor, int error)
{
    if (error < 0)
        say(editor, "%s", strerror(-error));
    moved(editor);
}

static void delete_to(struct editor *editor, struct position other)
{
    struct position from = editor->cursor, to = other;
    if (other.line < from.line || (other.line == from.line && other.offset < from.offset)) {
        from = other;
        to = editor->cursor;
    }
    int error = buffer_delete(&editor->buffer, from, to);
    if (error == 0)
        editor->cursor = from;
    check(editor, error);
}

/* Takes the whole line out; several in a row are collected. */
static void cut_line(struct editor *editor, bool more)
{
    struct line *line = current_line(editor);
    bool last = editor->cursor.line + 1 == editor->buffer.count;
    if (!more)
        editor->cut.len = 0;
    output_add(&editor->cut, line->bytes, line->len);
    output_add(&editor->cut, "\n", 1);
    editor->cursor.offset = 0;
    delete_to(editor, last ? (struct position){editor->cursor.line, line->len}
                           : (struct position){editor->cursor.line + 1, 0});
    editor->cutting = true;
}

static void insert(struct editor *editor, const char *bytes, size_t len)
{
    check(editor, buffer_insert(&editor->buffer, &editor->cursor, bytes, len));
}

static bool change_key(struct editor *editor, int key, bool was_cutting)
{
    char byte = (char)key;
    switch (key) {
    case KEY_BACKSPACE:
    case KEY_CONTROL('H'):
        delete_to(editor, buffer_left(&editor->buffer, editor->cursor));
        return true;
    case KEY_DELETE:
    case KEY_CONTROL('D'):
        delete_to(editor, buffer_right(&editor->buffer, editor->cursor));
        return true;
    case KEY_CONTROL('K'):
        cut_line(editor, was_cutting);
        return true;
    case KEY_CONTROL('U'):
        insert(editor, editor->cut.bytes, editor->cut.len);
        return true;
    case '\r':
    case '\n':
        insert(editor, "\n", 1);
        return true;
    }
    if (key != '\t' && (key < ' ' || key > 255))
        return false;
    insert(editor, &byte, 1);
    return true;
}

static void command_key(struct editor *editor, int key)
{
    switch (key) {
    case KEY_CONTROL('S'):
        save_now(editor);
        break;
    case KEY_CONTROL('O'):
        ask(editor, MODE_ASK_SAVE_NAME, editor->path);
        break;
    case KEY_CONTROL('R'):
        ask(editor, editor->buffer.changed ? MODE_CONFIRM_OPEN : MODE_ASK_OPEN_NAME, "");
        break;
    case KEY_CONTROL('F'):
        ask(editor, MODE_ASK_SEARCH, editor->search);
        break;
    case KEY_CONTROL('G'):
    case KEY_FUNCTION_3:
        search_next(editor);
        break;
    case KEY_CONTROL('T'):
        ask(editor, MODE_ASK_LINE, "");
        break;
    case KEY_CONTROL('L'):
        screen_resize(&editor->screen, editor->screen.rows, editor->screen.columns);
        break;
    case KEY_CONTROL('Q'):
    case KEY_CONTROL('X'):
    case KEY_CONTROL('C'):
        ask_quit(editor);
        break;
    default:
        say(editor, "^S save  ^O save as  ^R open  ^Q quit  ^F find  ^G again  ^T line  "
                    "^K cut  ^U paste");
        break;
    }
}

void editor_handle(struct editor *editor, int key)
{
    bool was_cutting = editor->cutting;
    editor->message[0] = '\0';
    editor->cutting = false;
    if (editor->mode != MODE_EDIT)
        question_key(editor, key);
    else if (!move_key(editor, key) && !change_key(editor, key, was_cutting))
        command_key(editor, key);
}

/* The window follows the cursor. */
static void scroll(struct editor *editor)
{
    size_t rows = text_rows(editor), columns = editor->screen.columns;
    size_t column = column_of(current_line(editor), editor->cursor.offset);
    if (editor->cursor.line < editor->top)
        editor->top = editor->cursor.line;
    if (editor->cursor.line >= editor->top + rows)
        editor->top = editor->cursor.line - rows + 1;
    if (column < editor->left)
        editor->left = column > columns / 2 ? column - columns / 2 : 0;
    if (column >= editor->left + columns)
        editor->left = column - columns / 2;
}

static void draw_status(struct editor *editor, struct output *terminal)
{
    struct output row = {0};
    char left[1200], right[80];
    size_t columns = editor->screen.columns;
    int place =
        snprintf(right, sizeof(right), "line %zu of %zu, column %zu ", editor->cursor.line + 1,
                 editor->buffer.count, column_of(current_line(editor), editor->cursor.offset) + 1);
    int name =
        snprintf(left, sizeof(left), " %s%s", editor->path[0] != '\0' ? editor->path : "(no name)",
                 editor->buffer.changed ? " (changed)" : "");
    size_t room = (size_t)place < columns ? columns - (size_t)place : 0;
    output_add_string(&row, "\033[7m");
    struct line shown = {left, (size_t)name < sizeof(left) ? (size_t)name : sizeof(left) - 1, 0};
    layout_line(&row, &shown, 0, room);
    for (size_t i = column_of(&shown, shown.len); i < room; i++)
        output_add(&row, " ", 1);
    output_add(&row, right, (size_t)place < columns ? (size_t)place : columns);
    if (editor->screen.rows >= BARS)
        screen_row(&editor->screen, terminal, editor->screen.rows - 2, &row);
    free(row.bytes);
}

/* The last row: a question, or a message. Returns where the cursor of a question is. */
static size_t draw_message(struct editor *editor, struct output *terminal)
{
    struct output row = {0};
    const char *question = question_text(editor);
    struct line input = {editor->input, editor->input_len, INPUT_MAX};
    size_t columns = editor->screen.columns, used = strlen(question), end, from = 0;

    if (editor->mode == MODE_EDIT) {
        struct line message = {editor->message, strlen(editor->message), 0};
        layout_line(&row, &message, 0, columns);
    } else {
        output_add(&row, question, used < columns ? used : columns);
        used = used < columns ? used : columns - 1;
        end = column_of(&input, input.len);
        if (end >= columns - used)
            from = end - (columns - used) + 1;
        layout_line(&row, &input, from, columns - used);
        used += end - from;
    }
    screen_row(&editor->screen, terminal, editor->screen.rows - 1, &row);
    free(row.bytes);
    return used < columns ? used : columns - 1;
}

void editor_draw(struct editor *editor, struct output *terminal)
{
    scroll(editor);
    output_add_string(terminal, "\033[?25l");
    for (size_t i = 0; i < text_rows(editor) && i < editor->screen.rows; i++) {
        struct output row = {0};
        size_t line = editor->top + i;
        if (line < editor->buffer.count)
            layout_line(&row, &editor->buffer.lines[line], editor->left, editor->screen.columns);
        else
            output_add_string(&row, "~");
        screen_row(&editor->screen, terminal, i, &row);
        free(row.bytes);
    }
    draw_status(editor, terminal);
    size_t input_column = draw_message(editor, terminal);
    if (editor->mode == MODE_EDIT)
        screen_cursor(terminal, editor->cursor.line - editor->top,
                      column_of(current_line(editor), editor->cursor.offset) - editor->left);
    else
        screen_cursor(terminal, editor->screen.rows - 1, input_column);
    output_add_string(terminal, "\033[?25h");
}

int editor_open(struct editor *editor, const char *path, size_t rows, size_t columns)
{
    *editor = (struct editor){0};
    if (buffer_init(&editor->buffer) < 0)
        return -ENOMEM;
    if (screen_resize(&editor->screen, rows > BARS ? rows : BARS + 1, columns > 8 ? columns : 8) <
        0) {
        buffer_free(&editor->buffer);
        return -ENOMEM;
    }
    say(editor, "^S save  ^Q quit  ^F find");
    if (path == NULL)
        return 0;
    int error = file_load(&editor->buffer, path);
    if (error == 0 || error == -ENOENT)
        snprintf(editor->path, sizeof(editor->path), "%s", path);
    if (error == -ENOENT)
        say(editor, "a new file");
    else if (error < 0)
        say(editor, "%s: %s", path, strerror(-error));
    return 0;
}

void editor_free(struct editor *editor)
{
    buffer_free(&editor->buffer);
    screen_free(&editor->screen);
    free(editor->cut.bytes);
    editor->cut = (struct output){0};
}
