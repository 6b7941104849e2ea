/* The editor's parts: the buffer against a plain string, columns, keys, and whole sessions. */
#include "../editor.h"
#include "../file.h"
#include "../keys.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int passed, failed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition)                                                                             \
            passed++;                                                                              \
        else {                                                                                     \
            failed++;                                                                              \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
        }                                                                                          \
    } while (0)

static uint64_t seed = 1;
static unsigned random_below(unsigned limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % limit;
}

static struct position position_at(const struct buffer *buffer, size_t index)
{
    struct position at = {0, 0};
    while (index > buffer->lines[at.line].len) {
        index -= buffer->lines[at.line].len + 1;
        at.line++;
    }
    at.offset = index;
    return at;
}

static bool equals(const struct buffer *buffer, const char *model, size_t len)
{
    static char text[1 << 16];
    struct position at = {0, 0};
    size_t got = 0, n;
    while ((n = buffer_read(buffer, &at, text + got, 1 + random_below(40))) > 0)
        got += n;
    return got == len && memcmp(text, model, len) == 0 && buffer_size(buffer) == len;
}

/* Random changes, done to the buffer and to one flat string. */
static void test_buffer_model(void)
{
    static char model[1 << 16];
    size_t len = 0;
    struct buffer buffer;
    bool same = buffer_init(&buffer) == 0;

    for (int step = 0; step < 4000 && same; step++) {
        size_t index = random_below((unsigned)len + 1);
        struct position at = position_at(&buffer, index);
        if (random_below(5) < 3 && len < 4000) {
            char piece[24];
            size_t n = random_below(sizeof(piece));
            for (size_t i = 0; i < n; i++)
                piece[i] = "ab\ncd\xc3\xa9\n"[random_below(9)];
            same = buffer_insert(&buffer, &at, piece, n) == 0;
            memmove(model + index + n, model + index, len - index);
            memcpy(model + index, piece, n);
            len += n;
            struct position behind = position_at(&buffer, index + n);
            same = same && at.line == behind.line && at.offset == behind.offset;
        } else {
            size_t end = index + random_below((unsigned)(len - index < 30 ? len - index : 30) + 1);
            same = same && buffer_delete(&buffer, at, position_at(&buffer, end)) == 0;
            memmove(model + index, model + end, len - end);
            len -= end - index;
        }
        same = same && equals(&buffer, model, len);
    }
    CHECK(same);
    buffer_free(&buffer);
}

static void test_buffer_moves(void)
{
    struct buffer buffer;
    struct position at = {0, 0}, found;
    buffer_init(&buffer);
    buffer_insert(&buffer, &at, "a\xc3\xa9z\nb", 6);
    CHECK(at.line == 1 && at.offset == 1 && buffer.changed);
    at = (struct position){0, 0};
    at = buffer_right(&buffer, buffer_right(&buffer, at));
    CHECK(at.offset == 3);
    at = buffer_right(&buffer, buffer_right(&buffer, at));
    CHECK(at.line == 1 && at.offset == 0);
    at = buffer_right(&buffer, buffer_right(&buffer, at));
    CHECK(at.line == 1 && at.offset == 1);
    for (int i = 0; i < 3; i++)
        at = buffer_left(&buffer, at);
    CHECK(at.line == 0 && at.offset == 3);
    at = buffer_left(&buffer, at);
    CHECK(at.offset == 1);
    CHECK(buffer_find(&buffer, "b", 1, (struct position){0, 0}, &found) && found.line == 1);
    CHECK(buffer_find(&buffer, "a", 1, (struct position){1, 0}, &found) && found.line == 0);
    CHECK(buffer_find(&buffer, "a", 1, (struct position){0, 0}, &found) && found.offset == 0);
    CHECK(!buffer_find(&buffer, "x", 1, (struct position){0, 0}, &found));
    buffer_free(&buffer);
}

static void test_columns(void)
{
    static const struct {
        const char *text;
        size_t offset, column;
    } cases[] = {
        {"abc", 2, 2},           {"\tx", 1, 8},        {"ab\tx", 3, 8},
        {"\xc3\xa9x", 2, 1},     {"\x01x", 1, 2},      {"\xffx", 1, 1},
        {"\xe6\x97\xa5x", 3, 2}, {"e\xcc\x81x", 3, 1}, {"\xc3", 1, 1},
        {"\xc0\x80x", 2, 2},     {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct line line = {(char *)cases[i].text, strlen(cases[i].text), 0};
        CHECK(column_of(&line, cases[i].offset) == cases[i].column);
        CHECK(offset_at(&line, cases[i].column) == cases[i].offset);
    }
    struct line tab = {(char *)"a\tb", 3, 0};
    CHECK(offset_at(&tab, 5) == 1); /* inside the tab: before it */
    CHECK(offset_at(&tab, 100) == 3);
}

static bool lays_out(const char *text, size_t left, size_t columns, const char *wanted)
{
    struct line line = {(char *)text, strlen(text), 0};
    struct output row = {0};
    layout_line(&row, &line, left, columns);
    bool same =
        row.len == strlen(wanted) && (row.len == 0 || memcmp(row.bytes, wanted, row.len) == 0);
    free(row.bytes);
    return same;
}

static void test_layout(void)
{
    CHECK(lays_out("hello", 0, 80, "hello"));
    CHECK(lays_out("hello", 0, 3, "hel"));
    CHECK(lays_out("hello", 2, 2, "ll"));
    CHECK(lays_out("a\tb", 0, 80, "a       b"));
    CHECK(lays_out("a\tb", 4, 80, "    b"));
    CHECK(lays_out("\033[31m", 0, 80, "^[[31m"));
    CHECK(lays_out("\xe6\x97\xa5x", 1, 80, " x")); /* half of a wide character is a blank */
    CHECK(lays_out("ab\xe6\x97\xa5", 0, 3, "ab "));
    CHECK(lays_out("a\xff"
                   "b",
                   0, 80, "a?b"));
    CHECK(lays_out("", 0, 80, ""));
}

static int decode(const char *bytes)
{
    struct key_decoder decoder = {0};
    int key = KEY_NONE;
    for (; *bytes != '\0' && key == KEY_NONE; bytes++)
        key = key_decode(&decoder, (unsigned char)*bytes);
    return *bytes == '\0' ? (key == KEY_NONE ? key_timeout(&decoder) : key) : -1;
}

static void test_keys(void)
{
    static const struct {
        const char *bytes;
        int key;
    } cases[] = {{"a", 'a'},
                 {"\033[A", KEY_UP},
                 {"\033OB", KEY_DOWN},
                 {"\033[C", KEY_RIGHT},
                 {"\033[D", KEY_LEFT},
                 {"\033[H", KEY_HOME},
                 {"\033[4~", KEY_END},
                 {"\033[5~", KEY_PAGE_UP},
                 {"\033[6~", KEY_PAGE_DOWN},
                 {"\033[3~", KEY_DELETE},
                 {"\033[1;5H", KEY_TOP},
                 {"\033[1;5F", KEY_BOTTOM},
                 {"\033OR", KEY_FUNCTION_3},
                 {"\033[13~", KEY_FUNCTION_3},
                 {"\033[99999~", KEY_UNKNOWN},
                 {"\033", KEY_ESCAPE},
                 {"\033\033", KEY_ESCAPE},
                 {"\xc3", 0xc3},
                 {"\033[2~", KEY_INSERT},
                 {"\033x", KEY_UNKNOWN}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(decode(cases[i].bytes) == cases[i].key);
}

/* A session: keys are typed as a terminal sends them. */
static void type(struct editor *editor, const char *bytes)
{
    struct key_decoder decoder = {0};
    struct output terminal = {0};
    for (; *bytes != '\0'; bytes++) {
        int key = key_decode(&decoder, (unsigned char)*bytes);
        if (key != KEY_NONE)
            editor_handle(editor, key);
        editor_draw(editor, &terminal);
        terminal.len = 0;
    }
    int key = key_timeout(&decoder);
    if (key != KEY_NONE)
        editor_handle(editor, key);
    free(terminal.bytes);
}

static bool file_is(const char *path, const char *wanted)
{
    char text[4096];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t len = fread(text, 1, sizeof(text), file);
    fclose(file);
    return len == strlen(wanted) && memcmp(text, wanted, len) == 0;
}

static void test_sessions(const char *path)
{
    struct editor editor;
    struct stat status;
    CHECK(editor_open(&editor, path, 10, 40) == 0);
    CHECK(strcmp(editor.message, "a new file") == 0);
    type(&editor, "hello\rworld\r\x13");
    CHECK(file_is(path, "hello\nworld\n") && !editor.buffer.changed);
    type(&editor, "\033[A\033[A\033[4~!\x11");
    CHECK(editor.mode == MODE_CONFIRM_QUIT && !editor.finished);
    type(&editor, "c");
    CHECK(editor.mode == MODE_EDIT && !editor.finished);
    type(&editor, "\x11y");
    CHECK(editor.finished && file_is(path, "hello!\nworld\n"));
    editor_free(&editor);

    chmod(path, 0640);
    CHECK(editor_open(&editor, path, 10, 40) == 0);
    type(&editor, "\x06wor\r");
    CHECK(editor.cursor.line == 1 && editor.cursor.offset == 0);
    type(&editor, "\x0b\x15\x15\x14"
                  "1\rx\x7fy\x13");
    CHECK(file_is(path, "yhello!\nworld\nworld\n"));
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0640);
    type(&editor, "z\x11n");
    CHECK(editor.finished && file_is(path, "yhello!\nworld\nworld\n"));
    editor_free(&editor);
}

static void test_errors(const char *path)
{
    struct editor editor;
    char other[128];
    snprintf(other, sizeof(other), "%s-other", path);
    CHECK(editor_open(&editor, "/", 10, 40) == 0);
    CHECK(strstr(editor.message, "directory") != NULL && editor.path[0] == '\0');
    type(&editor, "text\x13/nonexistent/x\r");
    CHECK(strstr(editor.message, "not saved") != NULL && editor.buffer.changed);
    CHECK(editor.buffer.lines[0].len == 4);
    /* a device that is always full */
    type(&editor, "\x0f/dev/full\r");
    CHECK(strstr(editor.message, "No space") != NULL && editor.buffer.changed && !editor.finished);
    type(&editor, "\x11y/dev/full\r");
    CHECK(!editor.finished && editor.buffer.changed);
    type(&editor, "\x0f\033");
    CHECK(editor.mode == MODE_EDIT && strcmp(editor.message, "cancelled") == 0);
    char keys[200];
    snprintf(keys, sizeof(keys), "\x0f%s\r", other);
    type(&editor, keys);
    CHECK(file_is(other, "text") && strcmp(editor.path, other) == 0);
    type(&editor, "\x06nothing\r");
    CHECK(strstr(editor.message, "not found") != NULL);
    unlink(other);
    editor_free(&editor);
}

/* The new file cannot be written to its end: the old one stays, and nothing else. */
static void test_full_disk(const char *path)
{
    struct rlimit before, small;
    struct editor editor;
    char second[128];

    snprintf(second, sizeof(second), "%s.new", path);
    CHECK(editor_open(&editor, NULL, 10, 40) == 0);
    snprintf(editor.path, sizeof(editor.path), "%s", path);
    type(&editor, "old\x13");
    CHECK(file_is(path, "old"));
    type(&editor, " and new");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){5, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    type(&editor, "\x13");
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(strstr(editor.message, "not saved") != NULL && editor.buffer.changed);
    CHECK(file_is(path, "old") && access(second, F_OK) < 0);
    type(&editor, "\x13");
    CHECK(file_is(path, "old and new"));
    editor_free(&editor);
}

/* Long lines, tabs, more lines than rows: the cursor stays in the window. */
static void test_scrolling(void)
{
    struct editor editor;
    struct output terminal = {0};
    CHECK(editor_open(&editor, NULL, 6, 20) == 0);
    for (int i = 0; i < 30; i++)
        type(&editor, i % 3 == 0 ? "\tlong line that does not fit at all\r" : "short\r");
    bool inside = true;
    static const int keys[] = {
        KEY_UP,      KEY_DOWN,      KEY_LEFT,         KEY_RIGHT,       KEY_HOME, KEY_END,
        KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_TOP,          KEY_BOTTOM,      'x',      KEY_BACKSPACE,
        KEY_DELETE,  '\r',          KEY_CONTROL('K'), KEY_CONTROL('U')};
    for (int i = 0; i < 3000; i++) {
        editor_handle(&editor, keys[random_below(sizeof(keys) / sizeof(keys[0]))]);
        editor_draw(&editor, &terminal);
        terminal.len = 0;
        size_t column = column_of(&editor.buffer.lines[editor.cursor.line], editor.cursor.offset);
        inside = inside && editor.cursor.line >= editor.top &&
                 editor.cursor.line < editor.top + 4 && column >= editor.left &&
                 column < editor.left + 20;
    }
    CHECK(inside);
    /* nothing changed: only the cursor is sent */
    editor_draw(&editor, &terminal);
    CHECK(terminal.len < 40);
    free(terminal.bytes);
    editor_free(&editor);
}

static void test_round_trip(const char *path)
{
    static const char *const texts[] = {"", "\n", "a", "a\n", "a\n\n", "\r\n", "\xff\xfe\n\tx"};
    struct buffer buffer;
    buffer_init(&buffer);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        FILE *file = fopen(path, "w");
        fputs(texts[i], file);
        fclose(file);
        CHECK(file_load(&buffer, path) == 0 && !buffer.changed);
        CHECK(file_save(&buffer, path) == 0 && file_is(path, texts[i]));
    }
    CHECK(file_load(&buffer, "/nonexistent/x") == -ENOENT && buffer.count == 1);
    CHECK(file_save(&buffer, "/") == -EISDIR);
    buffer_free(&buffer);
}

int main(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/edit-test-%d", (int)getpid());
    test_buffer_model();
    test_buffer_moves();
    test_columns();
    test_layout();
    test_keys();
    test_sessions(path);
    test_errors(path);
    unlink(path);
    test_full_disk(path);
    test_scrolling();
    test_round_trip(path);
    unlink(path);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
