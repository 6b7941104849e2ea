/* The line discipline: what the user types becomes lines, with echo and editing. Invariant: in
 * canonical mode every byte in ready lies before a mark, and the ring is never quite full, so a
 * mark at the head itself is an end of file; in raw mode there are no marks. */
#include "consoled/line_discipline.h"
#include "abi/errno.h"
#include "proto/console.h"
#include <string.h>

#define CONTROL(letter) ((letter)&0x1f)
#define BEL             CONTROL('G')
#define BACKSPACE       CONTROL('H')
#define DELETE          127
#define END_OF_FILE     CONTROL('D')
#define INTERRUPT       CONTROL('C')
#define QUIT            CONTROL('\\')
#define KILL            CONTROL('U')
#define WORD_ERASE      CONTROL('W')
#define REPRINT         CONTROL('R')
#define LITERAL         CONTROL('V')

#define READY_USABLE (LINE_READY_MAX - 1)
#define TAB_WIDTH    8

static bool canonical(const struct line_discipline *line)
{
    return line->mode & CON_MODE_CANONICAL;
}

/* ---- Finished input ------------------------------------------------------------------------- */

static size_t ready_room(const struct line_discipline *line)
{
    return READY_USABLE - line->ready_len;
}

static void ready_append(struct line_discipline *line, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        line->ready[(line->ready_head + line->ready_len) % LINE_READY_MAX] = bytes[i];
        line->ready_len++;
    }
}

static void mark_append(struct line_discipline *line)
{
    size_t end = (line->ready_head + line->ready_len) % LINE_READY_MAX;
    line->marks[(line->mark_head + line->mark_count++) % LINE_MARKS_MAX] = (uint16_t)end;
}

/* The bytes before the first mark. */
static size_t first_line_len(const struct line_discipline *line)
{
    return (line->marks[line->mark_head] + LINE_READY_MAX - line->ready_head) % LINE_READY_MAX;
}

/* In raw mode: what an earlier canonical mode left unfinished becomes input, as room allows. */
static void flush_unfinished(struct line_discipline *line)
{
    size_t count = line->line_len < ready_room(line) ? line->line_len : ready_room(line);
    ready_append(line, line->line, count);
    memmove(line->line, line->line + count, line->line_len - count);
    line->line_len -= count;
}

/* ---- Echo ----------------------------------------------------------------------------------- */

/* A piece of output is shown whole or not at all: half a sequence would be worse than none. */
static void show(struct line_discipline *line, const char *bytes, size_t count)
{
    if (!(line->mode & CON_MODE_ECHO) || count > LINE_OUTPUT_MAX - line->output_len)
        return;
    memcpy(line->output + line->output_len, bytes, count);
    line->output_len += count;
}

static void show_newline(struct line_discipline *line)
{
    if (line->mode & CON_MODE_CRNL)
        show(line, "\r\n", 2);
    else
        show(line, "\n", 1);
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == DELETE;
}

static void show_caret(struct line_discipline *line, char c)
{
    char text[2] = {'^', (char)(c ^ 0x40)};
    show(line, text, 2);
}

/* ---- Columns -------------------------------------------------------------------------------- */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* How many bytes the character at the start of text has; a broken one ends where it breaks. */
static size_t character_len(const char *text, size_t len)
{
    unsigned char first = (unsigned char)text[0];
    size_t expected = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    size_t n = 1;
    while (n < expected && n < len && is_continuation(text[n]))
        n++;
    return n;
}

/* The column behind the first len bytes of the line, which begins in column 0 for this purpose;
 * *last: where the last character of them starts. Tabs are shown as spaces, so that this is exact
 * wherever the line really began. */
static size_t column_of(const struct line_discipline *line, size_t len, size_t *last)
{
    size_t column = 0;
    *last = 0;
    for (size_t at = 0; at < len; at += character_len(line->line + at, len - at)) {
        *last = at;
        if (line->line[at] == '\t')
            column += TAB_WIDTH - column % TAB_WIDTH;
        else
            column += is_control(line->line[at]) ? 2 : 1;
    }
    return column;
}

/* Shows the bytes of the line from the offset at on. */
static void show_line(struct line_discipline *line, size_t at)
{
    static const char spaces[TAB_WIDTH] = "        ";
    size_t last;
    for (; at < line->line_len; at++) {
        char c = line->line[at];
        if (c == '\t')
            show(line, spaces, TAB_WIDTH - column_of(line, at, &last) % TAB_WIDTH);
        else if (is_control(c))
            show_caret(line, c);
        else
            show(line, &c, 1);
    }
}

/* ---- Editing -------------------------------------------------------------------------------- */

static void insert(struct line_discipline *line, char c)
{
    if (line->line_len == LINE_MAX_LEN) {
        show(line, &(char){BEL}, 1);
        return;
    }
    line->line[line->line_len++] = c;
    show_line(line, line->line_len - 1);
}

/* Shortens the line to len bytes, and the screen likewise. */
static void truncate_line(struct line_discipline *line, size_t len)
{
    size_t last;
    size_t columns = column_of(line, line->line_len, &last) - column_of(line, len, &last);
    bool fits = columns * 3 <= LINE_OUTPUT_MAX - line->output_len;
    line->line_len = len;
    for (size_t i = 0; fits && i < columns; i++)
        show(line, "\b \b", 3);
    if (!fits) { /* start again on a fresh line of the screen */
        show_newline(line);
        show_line(line, 0);
    }
}

static void erase_character(struct line_discipline *line)
{
    size_t last;
    column_of(line, line->line_len, &last);
    truncate_line(line, last);
}

static void erase_word(struct line_discipline *line)
{
    size_t len = line->line_len;
    while (len > 0 && (line->line[len - 1] == ' ' || line->line[len - 1] == '\t'))
        len--;
    while (len > 0 && line->line[len - 1] != ' ' && line->line[len - 1] != '\t')
        len--;
    truncate_line(line, len);
}

/* finish: what is on the line, and then end (count bytes), can be read. False: no room yet. */
static bool finish(struct line_discipline *line, const char *end, size_t count)
{
    if (line->mark_count == LINE_MARKS_MAX || line->line_len + count > ready_room(line))
        return false;
    if (line->line_len + count == 0)
        line->end_of_file++;
    ready_append(line, line->line, line->line_len);
    ready_append(line, end, count);
    mark_append(line);
    line->line_len = 0;
    return true;
}

/* ---- Input ---------------------------------------------------------------------------------- */

void line_interrupted(struct line_discipline *line)
{
    line->line_len = line->ready_len = line->ready_head = 0;
    line->mark_count = line->mark_head = 0;
    line->end_of_file = 0;
    line->literal = false;
}

static bool is_signal(const struct line_discipline *line, char c)
{
    return (line->mode & CON_MODE_SIGNAL) && (c == INTERRUPT || c == QUIT);
}

static void signal_input(struct line_discipline *line, char c)
{
    line_interrupted(line);
    if (c == INTERRUPT)
        line->interrupt = true;
    else
        line->quit = true;
    show_caret(line, c);
    show_newline(line);
}

/* One byte in canonical mode; false: it must wait until something is read. */
static bool canonical_input(struct line_discipline *line, char c)
{
    if (line->literal) {
        line->literal = false;
        insert(line, c);
        return true;
    }
    if (c == '\r' && (line->mode & CON_MODE_CRNL))
        c = '\n';
    switch (c) {
    case '\n':
        if (!finish(line, "\n", 1))
            return false;
        show_newline(line);
        return true;
    case END_OF_FILE:
        return finish(line, NULL, 0);
    case BACKSPACE:
    case DELETE:
        erase_character(line);
        return true;
    case KILL:
        truncate_line(line, 0);
        return true;
    case WORD_ERASE:
        erase_word(line);
        return true;
    case REPRINT:
        show_caret(line, c);
        show_newline(line);
        show_line(line, 0);
        return true;
    case LITERAL:
        line->literal = true;
        show(line, "^\b", 2);
        return true;
    default:
        insert(line, c);
        return true;
    }
}

static bool raw_input(struct line_discipline *line, char c)
{
    flush_unfinished(line);
    if (ready_room(line) == 0)
        return false;
    if (c == '\r' && (line->mode & CON_MODE_CRNL))
        c = '\n';
    ready_append(line, &c, 1);
    if (c == '\n')
        show_newline(line);
    else if (is_control(c) && c != '\t')
        show_caret(line, c);
    else
        show(line, &c, 1);
    return true;
}

/* The next ^C or ^\ in bytes, or count. It reaches through a full buffer, whose contents it
 * throws away together with all that was typed before it. */
static size_t next_signal(const struct line_discipline *line, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_signal(line, bytes[i]))
            return i;
        if (canonical(line) && bytes[i] == LITERAL)
            i++;
    }
    return count;
}

size_t line_input(struct line_discipline *line, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!line->literal && is_signal(line, bytes[i])) {
            signal_input(line, bytes[i]);
        } else if (!(canonical(line) ? canonical_input : raw_input)(line, bytes[i])) {
            size_t skip = next_signal(line, bytes + i, count - i);
            if (skip == count - i)
                return i;
            i += skip;
            signal_input(line, bytes[i]);
        }
    }
    return count;
}

/* ---- The other sides ------------------------------------------------------------------------ */

void line_init(struct line_discipline *line, unsigned mode)
{
    memset(line, 0, sizeof *line);
    line->mode = mode;
}

void line_set_mode(struct line_discipline *line, unsigned mode)
{
    bool was = canonical(line);
    line->mode = mode;
    if (was && !canonical(line)) {
        line->mark_count = line->mark_head = 0;
        line->end_of_file = 0;
        line->literal = false;
        flush_unfinished(line);
    } else if (!was && canonical(line) && line->ready_len > 0) {
        mark_append(line); /* what was typed raw is one line to the readers to come */
    }
}

bool line_readable(const struct line_discipline *line)
{
    return canonical(line) ? line->mark_count > 0 : line->ready_len > 0;
}

long line_read(struct line_discipline *line, char *buffer, size_t count)
{
    if (!line_readable(line))
        return -EAGAIN;
    if (count == 0)
        return 0;
    size_t available = canonical(line) ? first_line_len(line) : line->ready_len;
    if (count > available)
        count = available;
    for (size_t i = 0; i < count; i++)
        buffer[i] = line->ready[(line->ready_head + i) % LINE_READY_MAX];
    line->ready_head = (line->ready_head + count) % LINE_READY_MAX;
    line->ready_len -= count;
    if (canonical(line) && count == available) {
        line->mark_head = (line->mark_head + 1) % LINE_MARKS_MAX;
        line->mark_count--;
        if (available == 0)
            line->end_of_file--;
    }
    if (!canonical(line))
        flush_unfinished(line);
    return (long)count;
}

size_t line_process_output(const struct line_discipline *line, const char *in, size_t count,
                           char *out, size_t size, size_t *filled)
{
    size_t used = 0, n = 0;
    for (; used < count; used++) {
        bool newline = in[used] == '\n' && (line->mode & CON_MODE_CRNL);
        if (n + 1 + newline > size)
            break;
        if (newline)
            out[n++] = '\r';
        out[n++] = in[used];
    }
    *filled = n;
    return used;
}
