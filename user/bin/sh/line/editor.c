/* Editing one line. */
#include "editor.h"

#include "line.h"
#include <string.h>

#define CONTROL(letter) ((letter)&0x1f)
#define KEY_DELETE      0x7f

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Columns that text takes: one per character, none for escape sequences. */
static size_t width(const char *text, size_t len)
{
    size_t columns = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\033' && i + 1 < len && text[i + 1] == '[') {
            for (i += 2; i < len && (text[i] < '@' || text[i] > '~'); i++)
                continue;
            continue;
        }
        columns += !is_continuation(text[i]);
    }
    return columns;
}

static size_t before(const struct editor *editor, size_t at)
{
    while (at > 0 && is_continuation(editor->line.data[--at]))
        continue;
    return at;
}

static size_t behind(const struct editor *editor, size_t at)
{
    if (at < editor->line.len)
        at++;
    while (at < editor->line.len && is_continuation(editor->line.data[at]))
        at++;
    return at;
}

/* Shows a control character as a question mark: the terminal must not act on it. */
static void show(struct editor *editor, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)editor->line.data[i];
        text_char(&editor->output, c < ' ' || c == KEY_DELETE ? '?' : (char)c);
    }
}

static void refresh(struct editor *editor)
{
    const char *prompt = editor->prompt;
    size_t room = width(prompt, strlen(prompt)), from = 0, to;

    room = editor->columns > room + 10 ? editor->columns - room - 1 : 10;
    while (width(text_get(&editor->line) + from, editor->cursor - from) > room)
        from = behind(editor, from);
    for (to = from; to < editor->line.len; to = behind(editor, to))
        if (width(editor->line.data + from, to - from) >= room)
            break;
    text_char(&editor->output, '\r');
    text_string(&editor->output, prompt);
    show(editor, from, to);
    text_string(&editor->output, "\033[K");
    size_t back = width(text_get(&editor->line) + editor->cursor,
                        to > editor->cursor ? to - editor->cursor : 0);
    if (back > 0)
        text_format(&editor->output, "\033[%zuD", back);
}

static void replace(struct editor *editor, size_t from, size_t to, const char *text, size_t len)
{
    struct text tail = {0};
    text_add(&tail, text_get(&editor->line) + to, editor->line.len - to);
    editor->line.len = from;
    text_add(&editor->line, text, len);
    text_add(&editor->line, text_get(&tail), tail.len);
    text_free(&tail);
    editor->cursor = from + len;
}

static void kill(struct editor *editor, size_t from, size_t to)
{
    if (from >= to)
        return;
    text_clear(&editor->killed);
    text_add(&editor->killed, editor->line.data + from, to - from);
    replace(editor, from, to, "", 0);
}

static void insert(struct editor *editor, char c)
{
    bool at_end = editor->cursor == editor->line.len;
    replace(editor, editor->cursor, editor->cursor, &c, 1);
    size_t used =
        width(editor->prompt, strlen(editor->prompt)) + width(editor->line.data, editor->line.len);
    if (at_end && used + 1 < editor->columns && (unsigned char)c >= ' ')
        text_char(&editor->output, c); /* what refresh would show, for one byte */
    else if (!is_continuation(c) || !at_end)
        refresh(editor);
    else
        refresh(editor);
}

static void move_in_history(struct editor *editor, bool older)
{
    size_t count = history_count();
    if (older ? editor->history == 0 : editor->history >= count)
        return;
    if (editor->history == count) {
        text_clear(&editor->typed);
        text_add(&editor->typed, text_get(&editor->line), editor->line.len);
    }
    editor->history += older ? (size_t)-1 : 1;
    const char *line =
        editor->history == count ? text_get(&editor->typed) : history_get(editor->history);
    replace(editor, 0, editor->line.len, line, strlen(line));
}

static size_t word_start(const struct editor *editor)
{
    size_t at = editor->cursor;
    while (at > 0 && editor->line.data[at - 1] == ' ')
        at--;
    while (at > 0 && editor->line.data[at - 1] != ' ')
        at--;
    return at;
}

static size_t word_end(const struct editor *editor)
{
    size_t at = editor->cursor;
    while (at < editor->line.len && editor->line.data[at] == ' ')
        at++;
    while (at < editor->line.len && editor->line.data[at] != ' ')
        at++;
    return at;
}

static void delete_forward(struct editor *editor)
{
    replace(editor, editor->cursor, behind(editor, editor->cursor), "", 0);
}

static void delete_backward(struct editor *editor)
{
    replace(editor, before(editor, editor->cursor), editor->cursor, "", 0);
}

/* The last byte of ESC [ n key. */
static void sequence_key(struct editor *editor, unsigned char key)
{
    switch (key) {
    case 'A':
    case 'B':
        move_in_history(editor, key == 'A');
        break;
    case 'C':
        editor->cursor = behind(editor, editor->cursor);
        break;
    case 'D':
        editor->cursor = before(editor, editor->cursor);
        break;
    case 'H':
        editor->cursor = 0;
        break;
    case 'F':
        editor->cursor = editor->line.len;
        break;
    case '~':
        if (editor->parameter == 1 || editor->parameter == 7)
            editor->cursor = 0;
        else if (editor->parameter == 4 || editor->parameter == 8)
            editor->cursor = editor->line.len;
        else if (editor->parameter == 3)
            delete_forward(editor);
        break;
    }
}

static void escape_key(struct editor *editor, unsigned char key)
{
    if (editor->escape == ESCAPE_START) {
        editor->escape = key == '[' ? ESCAPE_BRACKET : key == 'O' ? ESCAPE_O : ESCAPE_NONE;
        editor->parameter = 0;
        if (key == 'b')
            editor->cursor = word_start(editor);
        else if (key == 'f')
            editor->cursor = word_end(editor);
        else if (key == 'd')
            kill(editor, editor->cursor, word_end(editor));
        if (key == 'b' || key == 'f' || key == 'd')
            refresh(editor);
        return;
    }
    if (key >= '0' && key <= '9') {
        editor->parameter = (editor->parameter * 10 + key - '0') % 1000;
        return;
    }
    if (key == ';') {
        editor->parameter = 0;
        return;
    }
    editor->escape = ESCAPE_NONE;
    sequence_key(editor, key);
    refresh(editor);
}

static bool motion_key(struct editor *editor, unsigned char key)
{
    switch (key) {
    case CONTROL('A'):
        editor->cursor = 0;
        return true;
    case CONTROL('B'):
        editor->cursor = before(editor, editor->cursor);
        return true;
    case CONTROL('E'):
        editor->cursor = editor->line.len;
        return true;
    case CONTROL('F'):
        editor->cursor = behind(editor, editor->cursor);
        return true;
    case CONTROL('N'):
    case CONTROL('P'):
        move_in_history(editor, key == CONTROL('P'));
        return true;
    default:
        return false;
    }
}

static bool change_key(struct editor *editor, unsigned char key)
{
    switch (key) {
    case KEY_DELETE:
    case CONTROL('H'):
        delete_backward(editor);
        return true;
    case CONTROL('D'):
        delete_forward(editor);
        return true;
    case CONTROL('K'):
        kill(editor, editor->cursor, editor->line.len);
        return true;
    case CONTROL('U'):
        kill(editor, 0, editor->cursor);
        return true;
    case CONTROL('W'):
        kill(editor, word_start(editor), editor->cursor);
        return true;
    case CONTROL('Y'):
        replace(editor, editor->cursor, editor->cursor, text_get(&editor->killed),
                editor->killed.len);
        return true;
    case CONTROL('L'):
        text_string(&editor->output, "\033[H\033[2J");
        return true;
    default:
        return false;
    }
}

enum editor_result editor_key(struct editor *editor, unsigned char key)
{
    if (editor->escape != ESCAPE_NONE) {
        escape_key(editor, key);
        return EDITOR_MORE;
    }
    if (key == '\t')
        return EDITOR_COMPLETE;
    editor->tab_again = false;
    switch (key) {
    case '\r':
    case '\n':
        editor->cursor = editor->line.len;
        text_string(&editor->output, "\r\n");
        return EDITOR_LINE;
    case CONTROL('C'):
        text_string(&editor->output, "^C\r\n");
        return EDITOR_INTERRUPT;
    case CONTROL('D'):
        if (editor->line.len == 0)
            return EDITOR_END;
        break;
    case '\033':
        editor->escape = ESCAPE_START;
        return EDITOR_MORE;
    }
    if (motion_key(editor, key) || change_key(editor, key))
        refresh(editor);
    else if (key >= ' ')
        insert(editor, (char)key);
    return EDITOR_MORE;
}

static void list_matches(struct editor *editor, const struct strings *matches)
{
    size_t widest = 0, used = 0;
    for (size_t i = 0; i < matches->count; i++) {
        size_t columns = width(matches->items[i], strlen(matches->items[i]));
        widest = columns > widest ? columns : widest;
    }
    text_string(&editor->output, "\r\n");
    for (size_t i = 0; i < matches->count; i++) {
        if (used > 0 && used + widest + 2 > editor->columns) {
            text_string(&editor->output, "\r\n");
            used = 0;
        }
        text_string(&editor->output, matches->items[i]);
        for (size_t w = width(matches->items[i], strlen(matches->items[i])); w < widest + 2; w++)
            text_char(&editor->output, ' ');
        used += widest + 2;
    }
    text_string(&editor->output, "\r\n");
}

void editor_complete(struct editor *editor, size_t start, const struct strings *matches)
{
    if (matches->count == 0 || start > editor->cursor) {
        text_char(&editor->output, '\a');
        return;
    }
    const char *first = matches->items[0];
    size_t common = strlen(first), typed = editor->cursor - start;
    for (size_t i = 1; i < matches->count; i++)
        for (size_t j = 0; j < common; j++)
            if (matches->items[i][j] != first[j])
                common = j;
    while (common > 0 && matches->count > 1 && is_continuation(first[common]))
        common--;
    bool changes = common != typed || matches->count == 1;
    if (common >= typed || matches->count == 1)
        replace(editor, start, editor->cursor, first, common);
    if (matches->count == 1 && common > 0 && strchr("/:", first[common - 1]) == NULL &&
        editor->line.data[editor->cursor] != ' ')
        replace(editor, editor->cursor, editor->cursor, " ", 1);
    if (!changes && editor->tab_again)
        list_matches(editor, matches);
    else if (!changes)
        text_char(&editor->output, '\a');
    editor->tab_again = !changes;
    refresh(editor);
}

void editor_start(struct editor *editor, const char *prompt, size_t columns)
{
    editor->prompt = prompt;
    editor->columns = columns > 0 ? columns : 80;
    editor->cursor = 0;
    editor->escape = ESCAPE_NONE;
    editor->tab_again = false;
    editor->history = history_count();
    text_clear(&editor->line);
    text_clear(&editor->output);
    text_string(&editor->output, prompt);
}

void editor_free(struct editor *editor)
{
    text_free(&editor->line);
    text_free(&editor->output);
    text_free(&editor->killed);
    text_free(&editor->typed);
}
