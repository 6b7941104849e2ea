/* Tests of the line discipline: tables of keystrokes with what is read and what is echoed, then
 * limits, mode switches, and random typing against the naive model. */
#include "abi/errno.h"
#include "consoled/line_discipline.h"
#include "line_model.h"
#include "proto/console.h"
#include <stdio.h>
#include <string.h>

static int passed, failed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition) {                                                                           \
            passed++;                                                                              \
        } else {                                                                                   \
            failed++;                                                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
        }                                                                                          \
    } while (0)

static struct line_discipline line;

static size_t type(const char *keys)
{
    return line_input(&line, keys, strlen(keys));
}

/* reads: one read; its text, "EOF" or "-" when there is nothing. */
static const char *reads(size_t count)
{
    static char text[LINE_READY_MAX + 1];
    long n = line_read(&line, text, count < LINE_READY_MAX ? count : LINE_READY_MAX);
    if (n == -EAGAIN)
        return "-";
    if (n == 0)
        return "EOF";
    text[n] = 0;
    return text;
}

static bool same(const char *a, const char *b)
{
    if (strcmp(a, b) != 0)
        fprintf(stderr, "got '%s', expected '%s'\n", a, b);
    return strcmp(a, b) == 0;
}

/* echoed: what is in output; takes it away. */
static bool echoed(const char *expected)
{
    char text[LINE_OUTPUT_MAX + 1];
    memcpy(text, line.output, line.output_len);
    text[line.output_len] = 0;
    line.output_len = 0;
    return same(text, expected);
}

static void test_editing(void)
{
    static const struct {
        const char *keys, *first, *second; /* two reads */
        const char *echo;
    } cases[] = {
        {"ls\r", "ls\n", "-", "ls\r\n"},
        {"ls\n", "ls\n", "-", "ls\r\n"},
        {"ls", "-", "-", "ls"},
        {"\r\r", "\n", "\n", "\r\n\r\n"},
        {"a\rb\r", "a\n", "b\n", "a\r\nb\r\n"},
        /* erasing */
        {"lx\x7fs\r", "ls\n", "-", "lx\b \bs\r\n"},
        {"lx\bs\r", "ls\n", "-", "lx\b \bs\r\n"},
        {"\x7f\bok\r", "ok\n", "-", "ok\r\n"},
        {"a\x01\x7f\r", "a\n", "-", "a^A\b \b\b \b\r\n"},
        {"a\x1b[A\r", "a\x1b[A\n", "-", "a^[[A\r\n"},
        {"\xc3\xa9\x7f\r", "\n", "-", "\xc3\xa9\b \b\r\n"},
        {"x\xe2\x82\xac\x7f\r", "x\n", "-", "x\xe2\x82\xac\b \b\r\n"},
        {"\xf0\x9f\x90\xa7y\x7f\x7f\r", "\n", "-", "\xf0\x9f\x90\xa7y\b \b\b \b\r\n"},
        {"e\xcc\x7f\x7f\r", "\n", "-", "e\xcc\b \b\b \b\r\n"}, /* broken UTF-8 */
        {"\x80\x80\x7f\r", "\x80\n", "-", "\x80\x80\b \b\r\n"},
        {"\tx\r", "\tx\n", "-", "        x\r\n"},
        {"ab\t\x7f\r", "ab\n", "-", "ab      \b \b\b \b\b \b\b \b\b \b\b \b\r\n"},
        {"1234567\t\x7f\r", "1234567\n", "-", "1234567 \b \b\r\n"},
        {"12345678\t\x7f\r", "12345678\n", "-",
         "12345678        \b \b\b \b\b \b\b \b\b \b\b \b\b \b\b \b\r\n"},
        {"\x01\xc3\xa9\t|\r", "\x01\xc3\xa9\t|\n", "-", "^A\xc3\xa9     |\r\n"},
        /* kill, word, reprint */
        {"abc\x15z\r", "z\n", "-", "abc\b \b\b \b\b \bz\r\n"},
        {"\x15\x17\r", "\n", "-", "\r\n"},
        {"cat foo\x17\r", "cat \n", "-", "cat foo\b \b\b \b\b \b\r\n"},
        {"cat foo  \x17\r", "cat \n", "-", "cat foo  \b \b\b \b\b \b\b \b\b \b\r\n"},
        {"a\t\x17\r", "\n", "-", "a       \b \b\b \b\b \b\b \b\b \b\b \b\b \b\b \b\r\n"},
        {"a\x02\x12z\r", "a\x02z\n", "-", "a^B^R\r\na^Bz\r\n"},
        {"1\t2\x12\r", "1\t2\n", "-", "1       2^R\r\n1       2\r\n"},
        /* literal */
        {"\x16\x03\r", "\x03\n", "-", "^\b^C\r\n"},
        {"\x16\x16\r", "\x16\n", "-", "^\b^V\r\n"},
        {"\x16\x7f\x7fx\r", "x\n", "-", "^\b^?\b \b\b \bx\r\n"},
        {"a\x16\nb\r", "a\nb\n", "-", "a^\b^Jb\r\n"},
        {"\x16\r\r", "\r\n", "-", "^\b^M\r\n"},
        {"\x16\x04\r", "\x04\n", "-", "^\b^D\r\n"},
        /* end of file */
        {"\x04", "EOF", "-", ""},
        {"a\x04", "a", "-", "a"},
        {"a\x04\x04", "a", "EOF", "a"},
        {"a\r\x04", "a\n", "EOF", "a\r\n"},
        {"\x04z\r", "EOF", "z\n", "z\r\n"},
        {"\x04\x04", "EOF", "EOF", ""},
        /* signals */
        {"ab\x03z\r", "z\n", "-", "ab^C\r\nz\r\n"},
        {"a\rb\x1c"
         "c\r",
         "c\n", "-", "a\r\nb^\\\r\nc\r\n"},
        {"\x04\x03", "-", "-", "^C\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        line_init(&line, CON_MODE_COOKED);
        CHECK(type(cases[i].keys) == strlen(cases[i].keys));
        CHECK(same(reads(100), cases[i].first));
        CHECK(same(reads(100), cases[i].second));
        CHECK(echoed(cases[i].echo));
        line_init(&line, CON_MODE_COOKED & ~CON_MODE_ECHO);
        CHECK(type(cases[i].keys) == strlen(cases[i].keys));
        CHECK(same(reads(100), cases[i].first) && line.output_len == 0);
    }
}

static void test_flags(void)
{
    line_init(&line, CON_MODE_CANONICAL | CON_MODE_ECHO); /* no CRNL, no signals */
    type("a\rb\x03\n");
    CHECK(same(reads(100), "a\rb\x03\n"));
    CHECK(echoed("a^Mb^C\n"));
    CHECK(!line.interrupt);

    line_init(&line, CON_MODE_COOKED);
    CHECK(!line.interrupt && !line.quit);
    type("x\x03");
    CHECK(line.interrupt && !line.quit && !line_readable(&line));
    line.interrupt = false;
    type("\x1c");
    CHECK(!line.interrupt && line.quit);
    type("done\runfinished");
    CHECK(line_readable(&line));
    line_interrupted(&line);
    CHECK(!line_readable(&line) && same(reads(9), "-"));
    type("\r");
    CHECK(same(reads(9), "\n"));
    type("\x04\x16");
    line_interrupted(&line);
    CHECK(line.end_of_file == 0);
    type("\x03");
    CHECK(line.interrupt);
}

static void test_reading(void)
{
    line_init(&line, CON_MODE_COOKED);
    CHECK(!line_readable(&line) && same(reads(10), "-"));
    type("hello\rx\r\x04");
    CHECK(line_readable(&line));
    CHECK(line_read(&line, NULL, 0) == 0 && line_readable(&line));
    CHECK(same(reads(2), "he") && same(reads(3), "llo") && same(reads(1), "\n"));
    CHECK(same(reads(1), "x") && same(reads(1), "\n"));
    CHECK(line.end_of_file == 1 && line_read(&line, NULL, 0) == 0 && line.end_of_file == 1);
    CHECK(same(reads(1), "EOF") && same(reads(1), "-") && line.end_of_file == 0);
    type("abc\x04");
    CHECK(same(reads(3), "abc") && same(reads(3), "-")); /* ^D behind text is no end of file */
}

static void test_raw(void)
{
    line_init(&line, 0);
    type("a\x7f\x04\r\x03\x16");
    CHECK(line_readable(&line) && same(reads(100), "a\x7f\x04\r\x03\x16"));
    CHECK(same(reads(100), "-") && line.output_len == 0 && !line.interrupt);

    line_init(&line, CON_MODE_ECHO | CON_MODE_CRNL | CON_MODE_SIGNAL);
    type("a\x7f\x04\r\t\xc3\xa9\x1b");
    CHECK(same(reads(3), "a\x7f\x04") && same(reads(100), "\n\t\xc3\xa9\x1b"));
    CHECK(echoed("a^?^D\r\n\t\xc3\xa9^["));
    type("b\x03"
         "c");
    CHECK(line.interrupt && same(reads(100), "c"));
}

static void test_mode_switch(void)
{
    /* the unfinished line becomes readable, marks and end of file go */
    line_init(&line, CON_MODE_COOKED);
    type("one\rtwo\r\x04thr");
    CHECK(same(reads(2), "on"));
    line_set_mode(&line, 0);
    CHECK(line_readable(&line) && same(reads(100), "e\ntwo\nthr") && same(reads(100), "-"));

    /* raw bytes left over are one line to canonical readers */
    type("left\x04");
    line_set_mode(&line, CON_MODE_COOKED);
    type("over\r");
    CHECK(same(reads(100), "left\x04") && same(reads(100), "over\n") && same(reads(100), "-"));
    line_set_mode(&line, 0);
    line_set_mode(&line, CON_MODE_COOKED);
    CHECK(!line_readable(&line));

    /* other bits keep the line; a pending ^V goes with canonical mode */
    type("ab\x16");
    line_set_mode(&line, CON_MODE_COOKED & ~CON_MODE_ECHO);
    type("\x03"
         "c\r");
    CHECK(same(reads(100), "ab\x03"
                           "c\n"));
    type("\x16");
    line_set_mode(&line, 0);
    line_set_mode(&line, CON_MODE_COOKED);
    type("\x03");
    CHECK(line.interrupt);
}

static void test_overfull_line(void)
{
    line_init(&line, CON_MODE_COOKED);
    for (int i = 0; i < LINE_MAX_LEN; i++)
        CHECK(type("x") == 1);
    line.output_len = 0;
    CHECK(type("yz") == 2 && echoed("\a\a"));
    CHECK(type("\x7f"
               "e\r") == 3 &&
          echoed("\b \be\r\n"));
    const char *text = reads(LINE_READY_MAX);
    CHECK(strlen(text) == LINE_MAX_LEN + 1 && strcmp(text + LINE_MAX_LEN - 2, "xe\n") == 0);

    /* a kill that has no room in the output starts a fresh line of the screen */
    for (int i = 0; i < LINE_MAX_LEN; i++) {
        type("\t");
        line.output_len = 0;
    }
    CHECK(type("\x15") == 1 && echoed("\r\n"));
    CHECK(type("a\r") == 2 && same(reads(100), "a\n"));
    type("ab cdef");
    line.output_len = LINE_OUTPUT_MAX - 8;
    type("\x17");
    CHECK(line.output_len == LINE_OUTPUT_MAX - 3 &&
          memcmp(line.output + LINE_OUTPUT_MAX - 8, "\r\nab ", 5) == 0);
    type("\x15");
    /* and what finds none at all is dropped whole */
    line.output_len = LINE_OUTPUT_MAX - 1;
    type("\x01"
         "b");
    CHECK(line.output_len == LINE_OUTPUT_MAX && line.output[LINE_OUTPUT_MAX - 1] == 'b');
    type("\x7f\x7f\r");
    CHECK(line.output_len == LINE_OUTPUT_MAX && same(reads(100), "\n"));
}

static void test_overfull_ready(void)
{
    char block[1000], out[1000];
    memset(block, 'b', sizeof block);
    line_init(&line, 0);
    size_t taken = 0;
    while (line_input(&line, block, sizeof block) == sizeof block)
        taken += sizeof block;
    CHECK(taken == 8000 && line.ready_len == LINE_READY_MAX - 1);
    CHECK(type("x") == 0 && strlen(reads(1)) == 1 && type("xy") == 1);
    line_set_mode(&line, CON_MODE_COOKED);
    CHECK(type("more\r") == 4); /* the line waits for room, its end does not fit */
    CHECK(line_read(&line, out, sizeof out) == sizeof out && type("\r") == 1);
    line_set_mode(&line, 0);
    CHECK(line.line_len == 0);
    while (type("0") == 1)
        ;
    CHECK(strlen(reads(4)) == 4);
    line_set_mode(&line, CON_MODE_COOKED);
    CHECK(type("more\r") == 4 && type("\x7f\r") == 2);
    line_set_mode(&line, 0);

    /* ^C gets through a full buffer, and what stood before it is gone */
    while (type("abcdefgh") == 8)
        ;
    CHECK(type("abcd\x03zz") == 0);
    line_set_mode(&line, CON_MODE_SIGNAL);
    CHECK(type("abcd\x03zz") == 7 && line.interrupt && !line.quit);
    CHECK(same(reads(100), "zz"));

    /* 64 unread lines are as full as many bytes; a quoted ^C is none */
    line_init(&line, CON_MODE_COOKED);
    for (int i = 0; i < 64; i++)
        CHECK(type("\r") == 1);
    line.output_len = 0;
    CHECK(type("\r") == 0 && type("a\x04") == 1 && type("b\r\x16\x03") == 1);
    CHECK(type("\r\x16\x03\x03ok\r") == 7 && line.interrupt && same(reads(100), "ok\n"));

    /* an unfinished line that does not fit when the mode changes follows as there is room */
    line_init(&line, 0);
    while (line_input(&line, block, sizeof block) == sizeof block)
        ;
    CHECK(strlen(reads(3)) == 3);
    line_set_mode(&line, CON_MODE_CANONICAL);
    type("12345");
    line_set_mode(&line, 0);
    CHECK(line.line_len == 2 && type("6") == 0);
    CHECK(line_read(&line, out, 1) == 1 && line.line_len == 1 && type("6") == 0);
    CHECK(line_read(&line, out, 2) == 2 && type("6") == 1 && line.ready_len == LINE_READY_MAX - 1);
    const char *tail = reads(LINE_READY_MAX);
    CHECK(same(tail + strlen(tail) - 7, "b123456"));
}

static void test_ring_wrap(void)
{
    line_init(&line, CON_MODE_COOKED & ~CON_MODE_ECHO);
    char keys[200], expected[201];
    for (int i = 0; i < 300; i++) {
        int len = i * 7 % 190;
        memset(keys, 'a' + i % 26, (size_t)len);
        keys[len] = '\r';
        keys[len + 1] = 0;
        strcpy(expected, keys);
        expected[len] = '\n';
        CHECK(type(keys) == (size_t)len + 1);
        CHECK(same(reads(200), expected));
    }
}

static void test_output(void)
{
    char out[16];
    size_t filled;
    line_init(&line, CON_MODE_COOKED);
    CHECK(line_process_output(&line, "a\nb", 3, out, sizeof out, &filled) == 3);
    CHECK(filled == 4 && memcmp(out, "a\r\nb", 4) == 0);
    CHECK(line_process_output(&line, "a\nb", 3, out, 2, &filled) == 1 && filled == 1);
    CHECK(line_process_output(&line, "a\nb", 3, out, 3, &filled) == 2 && filled == 3);
    CHECK(line_process_output(&line, "\n", 1, out, 1, &filled) == 0 && filled == 0);
    CHECK(line_process_output(&line, "", 0, out, 1, &filled) == 0 && filled == 0);
    line_init(&line, 0);
    CHECK(line_process_output(&line, "a\n\0b", 4, out, sizeof out, &filled) == 4);
    CHECK(filled == 4 && memcmp(out, "a\n\0b", 4) == 0);
}

static void test_random(void)
{
    static uint8_t keys[4000];
    uint64_t state = 1;
    for (int round = 0; round < 40; round++) {
        for (size_t i = 0; i < sizeof keys; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            keys[i] = (uint8_t)(state >> 56);
            if (round % 4 && keys[i] % 32 < 29 && keys[i] < 0xf0)
                keys[i] |= 0x80; /* mostly letters, so that lines grow */
            if (round % 4 == 2 && keys[i] >= 0xfd && (state >> 40) % 8)
                keys[i] = 'r'; /* few ends of lines */
        }
        CHECK(line_model_run(keys, sizeof keys));
    }
}

int main(void)
{
    test_editing();
    test_flags();
    test_reading();
    test_raw();
    test_mode_switch();
    test_overfull_line();
    test_overfull_ready();
    test_ring_wrap();
    test_output();
    test_random();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
