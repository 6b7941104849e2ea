/* The naive line discipline: records of whole lines instead of a ring, and the echo judged by
 * what a terminal shows in the end instead of byte by byte. */
#include "line_model.h"
#include "abi/errno.h"
#include "consoled/line_discipline.h"
#include "proto/console.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS    64
#define RECORD_MAX 8300
#define COLUMNS    9000

/* What can be read: in order, each record one line (or end of file, when empty). */
static struct {
    struct {
        char text[RECORD_MAX];
        size_t len;
    } records[RECORDS];
    size_t count;
    char line[LINE_MAX_LEN];
    size_t len;
    bool literal;
} model;

/* The row that the cursor is in: cells hold the first byte of what is shown there. */
static struct {
    char cells[COLUMNS];
    size_t column;
    bool lost; /* echo too long for the output buffer: no judgement before the next new line */
} screen;

static size_t stored(void)
{
    size_t total = 0;
    for (size_t i = 0; i < model.count; i++)
        total += model.records[i].len;
    return total;
}

static bool record_add(const char *text, size_t len, bool newline)
{
    if (model.count == RECORDS || stored() + len + newline > LINE_READY_MAX - 1)
        return false;
    memcpy(model.records[model.count].text, text, len);
    if (newline)
        model.records[model.count].text[len++] = '\n';
    model.records[model.count++].len = len;
    return true;
}

static void cut_character(void)
{
    while (model.len > 0 && (model.line[model.len - 1] & 0xc0) == 0x80)
        model.len--;
    if (model.len > 0)
        model.len--;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static void clear(void)
{
    model.count = model.len = 0;
    model.literal = false;
}

/* One byte; false: not taken. */
static bool model_type(char c)
{
    if (!model.literal && (c == 3 || c == 28)) {
        clear();
        return true;
    }
    if (!model.literal && c == '\r')
        c = '\n';
    if (model.literal) {
        model.literal = false;
    } else if (c == '\n') {
        if (!record_add(model.line, model.len, true))
            return false;
        model.len = 0;
        return true;
    } else if (c == 4) {
        if (!record_add(model.line, model.len, false))
            return false;
        model.len = 0;
        memset(screen.cells, ' ', sizeof screen.cells); /* what is typed next begins here */
        screen.column = 0;
        return true;
    } else if (c == 8 || c == 127) {
        cut_character();
        return true;
    } else if (c == 21) {
        model.len = 0;
        return true;
    } else if (c == 23) {
        while (model.len && blank(model.line[model.len - 1]))
            model.len--;
        while (model.len && !blank(model.line[model.len - 1]))
            model.len--;
        return true;
    } else if (c == 18) {
        return true;
    } else if (c == 22) {
        model.literal = true;
        return true;
    }
    if (model.len < LINE_MAX_LEN)
        model.line[model.len++] = c;
    return true;
}

static long model_read(char *buffer, size_t count)
{
    if (model.count == 0)
        return -EAGAIN;
    if (count == 0)
        return 0;
    size_t n = model.records[0].len < count ? model.records[0].len : count;
    memcpy(buffer, model.records[0].text, n);
    model.records[0].len -= n;
    memmove(model.records[0].text, model.records[0].text + n, model.records[0].len);
    if (model.records[0].len == 0)
        memmove(&model.records[0], &model.records[1], --model.count * sizeof model.records[0]);
    return (long)n;
}

static void put_cell(char c)
{
    if (screen.column < COLUMNS)
        screen.cells[screen.column++] = c;
}

/* The terminal: bytes of echo onto the row. Returns false for a byte it should not get. */
static bool terminal(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char c = bytes[i];
        if (c == '\n') {
            memset(screen.cells, ' ', sizeof screen.cells);
        } else if (c == '\r') {
            screen.column = 0;
        } else if (c == '\b') {
            if (screen.column == 0)
                return false; /* erased what it never showed */
            screen.column--;
        } else if (c == 7) {
            continue;
        } else if ((unsigned char)c < ' ' || c == 127) {
            return false;
        } else if ((c & 0xc0) != 0x80) {
            put_cell(c);
        }
    }
    return true;
}

/* Whether the row shows the line as it is now, and the cursor stands behind it. */
static bool row_shows_line(void)
{
    static char expected[COLUMNS];
    size_t n = 0;
    memset(expected, ' ', sizeof expected);
    for (size_t i = 0; i < model.len; i++) {
        char c = model.line[i];
        if (c == '\t') {
            n += 8 - n % 8;
        } else if ((unsigned char)c < ' ' || c == 127) {
            expected[n++] = '^';
            expected[n++] = (char)(c ^ 64);
        } else if ((c & 0xc0) != 0x80) {
            expected[n++] = c;
        }
    }
    size_t column = n;
    screen.lost = column > 0 && (screen.lost || column > LINE_OUTPUT_MAX / 3);
    if (screen.lost)
        return true;
    if (model.literal)
        expected[n] = '^';
    return screen.column == column && memcmp(screen.cells, expected, sizeof expected) == 0;
}

/* Byte of the stream -> keystroke; editing keys more often than chance has them. */
static size_t keystroke(uint8_t byte, char *keys)
{
    static const char *const texts[] = {"\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x90\xa7",
                                        "\x16\x03",
                                        "\x16\n",
                                        "\x16\x16",
                                        "\t",
                                        " ",
                                        "\x7f",
                                        "\b",
                                        "\x17",
                                        "\x15",
                                        "\x12",
                                        "\r",
                                        "\n",
                                        "\x04"};
    if (byte < 0xf0) {
        keys[0] = byte < 0x80 ? (char)byte : 'a' + byte % 26;
        return 1;
    }
    strcpy(keys, texts[byte - 0xf0]);
    return strlen(keys);
}

static bool type_keys(struct line_discipline *line, const char *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t taken = line_input(line, keys + i, 1);
        if (taken != model_type(keys[i]))
            return false;
        if (taken == 0)
            return true;
    }
    bool good = terminal(line->output, line->output_len);
    line->output_len = 0;
    return (good || screen.lost) && row_shows_line();
}

static bool read_both(struct line_discipline *line, size_t count)
{
    static char got[RECORD_MAX], expected[RECORD_MAX];
    long n = model_read(expected, count);
    return line_readable(line) == (n != -EAGAIN) && line_read(line, got, count) == n &&
           (n <= 0 || memcmp(got, expected, (size_t)n) == 0);
}

/* Away to raw mode and back: what there was becomes one line. */
static bool visit_raw(struct line_discipline *line)
{
    static char all[LINE_READY_MAX];
    size_t len = 0;
    if (stored() + model.len > LINE_READY_MAX - 1)
        return true;
    for (size_t i = 0; i < model.count; i++) {
        memcpy(all + len, model.records[i].text, model.records[i].len);
        len += model.records[i].len;
    }
    memcpy(all + len, model.line, model.len);
    len += model.len;
    line_set_mode(line, CON_MODE_COOKED & ~CON_MODE_CANONICAL);
    if (line_readable(line) != (len > 0))
        return false;
    line_set_mode(line, CON_MODE_COOKED);
    clear();
    if (len > 0)
        record_add(all, len, false);
    return type_keys(line, "\x12", 1); /* the row shows what is no longer the line: reprint */
}

/* The stream: 0xfe = read (next byte: how much), 0xff = another mode (next byte), else a key. */
bool line_model_run(const uint8_t *bytes, size_t count)
{
    struct line_discipline *line = malloc(sizeof *line);
    bool agree = true;
    memset(&model, 0, sizeof model);
    memset(&screen, 0, sizeof screen);
    memset(screen.cells, ' ', sizeof screen.cells);
    line_init(line, CON_MODE_COOKED);
    size_t i = 0;
    for (; agree && i < count; i++) {
        char keys[8];
        uint8_t next = i + 1 < count ? bytes[i + 1] : 0;
        if (bytes[i] == 0xfe && next >= 0x80) {
            i++;
            agree = read_both(line, (next & 0x7f) == 0x7f ? RECORD_MAX : (next & 0x7f) * 3u);
        } else if (bytes[i] == 0xff && next >= 0xc0) {
            i++;
            agree = visit_raw(line);
        } else {
            agree = type_keys(line, keys, keystroke(bytes[i], keys));
        }
        agree = agree && line->output_len <= LINE_OUTPUT_MAX && line->line_len == model.len &&
                line->ready_len == stored() && line->mark_count == model.count;
    }
    if (!agree)
        fprintf(stderr, "disagree at byte %zu (0x%02x)\n", i - 1, bytes[i - 1]);
    free(line);
    return agree;
}
