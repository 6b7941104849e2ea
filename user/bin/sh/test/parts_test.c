/* The pure parts of the shell: parser, writer, arithmetic, patterns, fields, line editor. */
#include "../expand/arithmetic.h"
#include "../expand/pattern.h"
#include "../line/editor.h"
#include "../line/line.h"
#include "../syntax/parser.h"
#include "../syntax/unparse.h"
#include "scripts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static enum parse_status parse_text(const char *text, bool complete, struct arena *arena,
                                    struct parse *parse)
{
    *parse =
        (struct parse){.text = text, .len = strlen(text), .complete = complete, .first_line = 1};
    return parse_line(parse, arena);
}

static void test_parse_status(void)
{
    static const struct {
        const char *text;
        enum parse_status incomplete, complete;
        int line;
        const char *message;
    } cases[] = {
        {"echo a\n", PARSE_OK, PARSE_OK, 0, ""},
        {"", PARSE_END, PARSE_END, 0, ""},
        {"  # only a comment", PARSE_END, PARSE_END, 0, ""},
        {"if true", PARSE_INCOMPLETE, PARSE_INCOMPLETE, 1, "end of file"},
        {"echo 'a\nb", PARSE_INCOMPLETE, PARSE_INCOMPLETE, 1, "unterminated"},
        {"cat <<E\nbody\n", PARSE_INCOMPLETE, PARSE_OK, 0, ""},
        {"echo $(echo", PARSE_INCOMPLETE, PARSE_INCOMPLETE, 1, ""},
        {"a &&\n", PARSE_INCOMPLETE, PARSE_INCOMPLETE, 2, ""},
        {"a |\n", PARSE_INCOMPLETE, PARSE_INCOMPLETE, 2, ""},
        {"f()\n", PARSE_INCOMPLETE, PARSE_INCOMPLETE, 2, ""},
        {"echo a \\\n", PARSE_INCOMPLETE, PARSE_OK, 0, ""},
        {"done\n", PARSE_ERROR, PARSE_ERROR, 1, "unexpected 'done'"},
        {"if a\nthen b\nfi )\n", PARSE_ERROR, PARSE_ERROR, 3, "unexpected ')'"},
        {"if a\nfi\n", PARSE_ERROR, PARSE_ERROR, 2, "expected then"},
        {"for 1 in a; do b; done\n", PARSE_ERROR, PARSE_ERROR, 1, "variable name"},
        {"echo 10> x\n", PARSE_ERROR, PARSE_ERROR, 1, "above 9"},
        {"a | | b\n", PARSE_ERROR, PARSE_ERROR, 1, "unexpected '|'"},
        {"echo $(a;;)\n", PARSE_ERROR, PARSE_ERROR, 1, "command substitution"},
        {"> \n", PARSE_ERROR, PARSE_ERROR, 1, "unexpected newline"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct parse parse;
        CHECK(parse_text(cases[i].text, false, &arena, &parse) == cases[i].incomplete);
        CHECK(parse_text(cases[i].text, true, &arena, &parse) == cases[i].complete);
        CHECK(cases[i].line == 0 || parse.error_line == cases[i].line);
        CHECK(strstr(parse.message, cases[i].message) != NULL);
        arena_free(&arena);
    }
}

static void test_nesting(void)
{
    static const char *const openers[] = {"(", "{ ", "$(", "\"$(", "if ", "${x:-", "$((", "`"};
    for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
        struct text text = {0};
        struct arena arena = {0};
        struct parse parse;
        for (int depth = 0; depth < 20000; depth++)
            text_string(&text, openers[i]);
        enum parse_status status = parse_text(text.data, true, &arena, &parse);
        CHECK(status == PARSE_ERROR || status == PARSE_INCOMPLETE || *openers[i] == '`');
        arena_free(&arena);
        text_free(&text);
    }
}

/* All lines of a script, written out. False if it does not parse to its end. */
static bool rewrite(const char *script, struct text *text)
{
    struct parse parse = {.text = script, .len = strlen(script), .complete = true, .first_line = 1};
    struct arena arena = {0};
    enum parse_status status;
    while ((status = parse_line(&parse, &arena)) == PARSE_OK)
        if (parse.node != NULL)
            unparse(text, parse.node);
    arena_free(&arena);
    return status == PARSE_END;
}

/* Every script of the table, written out and read again, is the same script. */
static void test_round_trips(void)
{
    for (size_t i = 0; i < common_script_count; i++) {
        struct text once = {0}, twice = {0};
        if (rewrite(common_scripts[i], &once)) { /* some have errors, which is their point */
            CHECK(rewrite(text_get(&once), &twice));
            CHECK(strcmp(text_get(&once), text_get(&twice)) == 0);
        }
        text_free(&once);
        text_free(&twice);
    }
}

static void test_unparse(void)
{
    static const struct {
        const char *text, *brief;
    } cases[] = {
        {"sleep 1|cat >f&&b||! c", "sleep 1 | cat 1> f && b || ! c"},
        {"if a;then b;elif c;then d;else e;fi", "if a; then b; elif c; then d; else e; fi"},
        {"while a;do b;done<f", "while a; do b; done 0< f"},
        {"for i in a b;do c&d;done", "for i in a b; do c & d; done"},
        {"case x in a|b)c;;esac", "case x in (a | b) c ;; esac"},
        {"f(){ a;}", "f() { a; }"},
        {"x=1 y= a 'b c' \"$d\"", "x=1 y= a 'b c' \"$d\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct text text = {0};
        struct parse parse;
        CHECK(parse_text(cases[i].text, true, &arena, &parse) == PARSE_OK);
        unparse_short(&text, parse.node);
        CHECK(strcmp(text_get(&text), cases[i].brief) == 0);
        if (strcmp(text_get(&text), cases[i].brief) != 0)
            printf("%s\n%s\n", text.data, cases[i].brief);
        text_free(&text);
        arena_free(&arena);
    }
}

static void test_arithmetic(void)
{
    static const struct {
        const char *text;
        long long value;
        bool ok;
    } cases[] = {
        {"", 0, true},
        {"1+2*3-4/2%3", 5, true},
        {"-9223372036854775807-1", INT64_MIN, true},
        {"(-9223372036854775807-1)/-1", INT64_MIN, true},
        {"(-9223372036854775807-1)%-1", 0, true},
        {"1<<64", 1, true},
        {"2*(3+4)*(5)", 70, true},
        {"1 ? 2 ? 3 : 4 : 5", 3, true},
        {"0 || 0 && 1", 0, true},
        {"1 || 1/0", 1, true},
        {"0 && 1/0", 0, true},
        {"v = 5, 1", 0, false},
        {"v == 0 && !v", 1, true},
        {"08", 0, false},
        {"1 2", 0, false},
        {"(1", 0, false},
        {"1 +", 0, false},
        {"1 ? 2", 0, false},
        {"5 % 0", 0, false},
        {"1 = 2", 0, false},
        {"1 << 2 < 5 == 1", 1, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct variables variables = {0};
        int64_t value;
        const char *error = arithmetic_evaluate(&variables, cases[i].text, &value);
        CHECK((error == NULL) == cases[i].ok);
        CHECK(!cases[i].ok || value == cases[i].value);
        variables_free(&variables);
    }
}

static bool matches(const char *pattern, const char *text)
{
    struct marked marked = {0};
    marked_string(&marked, pattern, MARK_PLAIN);
    bool result = pattern_match(marked_span(&marked), text, strlen(text));
    marked_free(&marked);
    return result;
}

static void test_patterns(void)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*c", "abbbc", true},
        {"a*c", "abbb", false},
        {"*a*b*", "xaybz", true},
        {"?", "", false},
        {"?", "a", true},
        {"??", "a", false},
        {"[abc]", "b", true},
        {"[a-c]", "d", false},
        {"[!a-c]", "d", true},
        {"[^a]", "b", true},
        {"[]]", "]", true},
        {"[!]]", "]", false},
        {"[a-]", "-", true},
        {"[", "[", true},
        {"[a", "[a", true},
        {"[[:digit:]x]", "5", true},
        {"[[:digit:]x]", "x", true},
        {"[[:nope:]]", "n", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a\\", "a\\", true},
        {"[\\]]", "]", true},
        {"***a", "aaa", true},
        {"[z-a]", "m", false},
        {"a[b]c", "abc", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(matches(cases[i].pattern, cases[i].text) == cases[i].matches);
        if (matches(cases[i].pattern, cases[i].text) != cases[i].matches)
            printf("%s %s\n", cases[i].pattern, cases[i].text);
    }
    /* no exponential time */
    char text[2001];
    memset(text, 'a', 2000);
    text[2000] = '\0';
    CHECK(!matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

static struct editor editor;

static enum editor_result type(const char *keys)
{
    enum editor_result result = EDITOR_MORE;
    for (; *keys != '\0' && result == EDITOR_MORE; keys++)
        result = editor_key(&editor, (unsigned char)*keys);
    return result;
}

static bool line_is(const char *keys, const char *line, size_t cursor)
{
    editor_start(&editor, "$ ", 80);
    type(keys);
    bool same = strcmp(text_get(&editor.line), line) == 0 && editor.cursor == cursor;
    if (!same)
        printf("\"%s\" at %zu\n", text_get(&editor.line), editor.cursor);
    return same;
}

static void test_editor(void)
{
    CHECK(line_is("abc", "abc", 3));
    CHECK(line_is("abc\033[D\033[DX", "aXbc", 2));
    CHECK(line_is("abc\001X\005Y", "XabcY", 5));
    CHECK(line_is("abc\033[H\033[3~", "bc", 0));
    CHECK(line_is("abc\033OH\033OFd", "abcd", 4));
    CHECK(line_is("ab\177c\010d", "ad", 2));
    CHECK(line_is("one two\027x", "one x", 5));
    CHECK(line_is("one two\025x", "x", 1));
    CHECK(line_is("one two\001\013x\031", "xone two", 8));
    CHECK(line_is("\303\251\303\251\033[D\177", "\303\251", 0));
    CHECK(line_is("ab\033[D\004", "a", 1));
    CHECK(line_is("one two\033bX", "one Xtwo", 5));
    CHECK(line_is("ab\033[99;99Zc", "abc", 3));
    editor_start(&editor, "$ ", 80);
    CHECK(type("a\r") == EDITOR_LINE);
    editor_start(&editor, "$ ", 80);
    CHECK(type("\004") == EDITOR_END);
    editor_start(&editor, "$ ", 80);
    CHECK(type("abc\003") == EDITOR_INTERRUPT);
}

static void test_history(void)
{
    history_add("first\n");
    history_add("second");
    history_add("second");
    history_add("   ");
    CHECK(history_count() == 2);
    CHECK(line_is("\033[A", "second", 6));
    CHECK(line_is("\033[A\033[A\033[A", "first", 5));
    CHECK(line_is("new\033[A\033[A\033[B\033[B", "new", 3));
    CHECK(line_is("\020\020\016x", "secondx", 7));
    for (int i = 0; i < 600; i++) {
        char line[16];
        snprintf(line, sizeof(line), "line %d", i);
        history_add(line);
    }
    CHECK(history_count() == 500 && strcmp(history_get(499), "line 599") == 0);
    history_clear();
    CHECK(history_count() == 0 && history_get(0) == NULL);
}

static void test_completion(void)
{
    char *one[] = {(char *)"echo", NULL}, *two[] = {(char *)"foobar", (char *)"foobaz", NULL};
    struct strings single = {one, 1, 1}, several = {two, 2, 2}, none = {0};
    editor_start(&editor, "$ ", 80);
    CHECK(type("ec\t") == EDITOR_COMPLETE);
    editor_complete(&editor, 0, &single);
    CHECK(strcmp(editor.line.data, "echo ") == 0 && editor.cursor == 5);
    type("fo\t");
    editor_complete(&editor, 5, &several);
    CHECK(strcmp(editor.line.data, "echo fooba") == 0);
    text_clear(&editor.output);
    editor_complete(&editor, 5, &several);
    CHECK(strstr(text_get(&editor.output), "foobaz") == NULL);
    editor_complete(&editor, 5, &several);
    CHECK(strstr(text_get(&editor.output), "foobaz") != NULL);
    editor_complete(&editor, 5, &none);
    CHECK(strcmp(editor.line.data, "echo fooba") == 0);
}

/* A line longer than the terminal is wide: never more than a row is written. */
static void test_long_line(void)
{
    editor_start(&editor, "$ ", 20);
    text_clear(&editor.output);
    for (int i = 0; i < 200; i++) {
        editor_key(&editor, (unsigned char)('a' + i % 26));
        CHECK(editor.output.len < 40);
        text_clear(&editor.output);
    }
    type("\001");
    CHECK(strncmp(editor.output.data, "\r$ abcdefghijklmnopq", 20) == 0);
}

int main(void)
{
    test_parse_status();
    test_nesting();
    test_round_trips();
    test_unparse();
    test_arithmetic();
    test_patterns();
    test_editor();
    test_history();
    test_completion();
    test_long_line();
    editor_free(&editor);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
