/* What the editor asks in its last row, and what it does with the answers. */
#include "editor.h"

#include "file.h"
#include "keys.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ask(struct editor *editor, enum editor_mode mode, const char *initial)
{
    editor->mode = mode;
    snprintf(editor->input, sizeof(editor->input), "%s", initial);
    editor->input_len = strlen(editor->input);
}

const char *question_text(const struct editor *editor)
{
    static const char *const questions[] = {
        [MODE_EDIT] = "",
        [MODE_ASK_SAVE_NAME] = "Save as: ",
        [MODE_ASK_OPEN_NAME] = "Open: ",
        [MODE_ASK_SEARCH] = "Find: ",
        [MODE_ASK_LINE] = "Go to line: ",
        [MODE_CONFIRM_QUIT] = "Save the changes? (y)es (n)o (c)ancel ",
        [MODE_CONFIRM_OPEN] = "Forget the changes? (y)es (n)o ",
    };
    return questions[editor->mode];
}

static void save_as(struct editor *editor, const char *path)
{
    int error = file_save(&editor->buffer, path);
    if (error < 0) {
        editor->save_then_quit = false;
        say(editor, "not saved: %s: %s (the text is still here)", path, strerror(-error));
        return;
    }
    if (path != editor->path)
        snprintf(editor->path, sizeof(editor->path), "%s", path);
    editor->buffer.changed = false;
    say(editor, "%zu lines, %zu bytes saved",
        editor->buffer.count - (editor->buffer.lines[editor->buffer.count - 1].len == 0),
        buffer_size(&editor->buffer));
    editor->finished = editor->save_then_quit;
}

void save_now(struct editor *editor)
{
    if (editor->path[0] == '\0')
        ask(editor, MODE_ASK_SAVE_NAME, "");
    else
        save_as(editor, editor->path);
}

void ask_quit(struct editor *editor)
{
    editor->save_then_quit = false;
    if (editor->buffer.changed)
        ask(editor, MODE_CONFIRM_QUIT, "");
    else
        editor->finished = true;
}

void search_next(struct editor *editor)
{
    struct position found;
    size_t len = strlen(editor->search);
    if (len == 0) {
        ask(editor, MODE_ASK_SEARCH, "");
        return;
    }
    if (!buffer_find(&editor->buffer, editor->search, len, editor->cursor, &found)) {
        say(editor, "not found: %s", editor->search);
        return;
    }
    if (found.line < editor->cursor.line ||
        (found.line == editor->cursor.line && found.offset <= editor->cursor.offset))
        say(editor, "found above: the search went on at the top");
    editor->cursor = found;
    editor->wanted_column = column_of(&editor->buffer.lines[found.line], found.offset);
}

static void open_file(struct editor *editor, const char *path)
{
    int error = file_load(&editor->buffer, path);
    if (error < 0 && error != -ENOENT) {
        say(editor, "%s: %s", path, strerror(-error));
        return;
    }
    snprintf(editor->path, sizeof(editor->path), "%s", path);
    editor->cursor = (struct position){0, 0};
    editor->top = editor->left = editor->wanted_column = 0;
    say(editor, error == 0 ? "%zu lines" : "a new file", editor->buffer.count);
}

static void go_to_line(struct editor *editor)
{
    char *end;
    unsigned long line = strtoul(editor->input, &end, 10);
    if (end == editor->input || *end != '\0' || line == 0) {
        say(editor, "no line number");
        return;
    }
    editor->cursor.line = line <= editor->buffer.count ? line - 1 : editor->buffer.count - 1;
    editor->cursor.offset = editor->wanted_column = 0;
}

static void answer(struct editor *editor)
{
    enum editor_mode mode = editor->mode;
    char text[INPUT_MAX];

    memcpy(text, editor->input, sizeof(text));
    editor->mode = MODE_EDIT;
    if (text[0] == '\0') {
        editor->save_then_quit = false;
        return;
    }
    if (mode == MODE_ASK_SAVE_NAME)
        save_as(editor, text);
    else if (mode == MODE_ASK_OPEN_NAME)
        open_file(editor, text);
    else if (mode == MODE_ASK_LINE)
        go_to_line(editor);
    else {
        memcpy(editor->search, text, sizeof(text));
        search_next(editor);
    }
}

static void confirm(struct editor *editor, int key)
{
    bool quits = editor->mode == MODE_CONFIRM_QUIT;
    bool yes = key == 'y' || key == 'Y', no = key == 'n' || key == 'N';
    if (!yes && !no && key != 'c' && key != 'C')
        return;
    editor->mode = MODE_EDIT;
    if (quits && yes) {
        editor->save_then_quit = true;
        save_now(editor);
    } else if (quits && no) {
        editor->finished = true;
    } else if (yes) {
        ask(editor, MODE_ASK_OPEN_NAME, "");
    }
}

static void erase_character(struct editor *editor)
{
    while (editor->input_len > 0) {
        char c = editor->input[--editor->input_len];
        if (((unsigned char)c & 0xc0) != 0x80)
            break;
    }
    editor->input[editor->input_len] = '\0';
}

void question_key(struct editor *editor, int key)
{
    if (key == KEY_ESCAPE || key == KEY_CONTROL('C') || key == KEY_CONTROL('Q')) {
        editor->mode = MODE_EDIT;
        editor->save_then_quit = false;
        say(editor, "cancelled");
    } else if (editor->mode == MODE_CONFIRM_QUIT || editor->mode == MODE_CONFIRM_OPEN) {
        confirm(editor, key);
    } else if (key == '\r' || key == '\n') {
        answer(editor);
    } else if (key == KEY_BACKSPACE || key == KEY_CONTROL('H')) {
        erase_character(editor);
    } else if (key == KEY_CONTROL('U')) {
        editor->input_len = 0;
        editor->input[0] = '\0';
    } else if (key >= ' ' && key < 256 && editor->input_len + 1 < INPUT_MAX) {
        editor->input[editor->input_len++] = (char)key;
        editor->input[editor->input_len] = '\0';
    }
}
