/* Patterns, texts and what must match where. */
#include "../regex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int passed, failed;

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (condition) {                                                                           \
            passed++;                                                                              \
        } else {                                                                                   \
            failed++;                                                                              \
            printf("line %d: ", __LINE__);                                                         \
            printf(__VA_ARGS__);                                                                   \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)

enum {
    B = 0,
    E = REGEX_EXTENDED,
    I = REGEX_IGNORE_CASE,
    F = REGEX_LITERAL,
    X = REGEX_WHOLE_LINE,
    W = REGEX_WORD
};

static const struct {
    unsigned flags;
    const char *pattern, *text;
    int start, end; /* -1: no match */
} matches[] = {
    {B, "", "abc", 0, 0},
    {B, "b", "abc", 1, 2},
    {B, "x", "abc", -1, -1},
    {B, "a*", "baaa", 0, 0},
    {B, "aa*", "baaa", 1, 4},
    {B, "*a", "b*a", 1, 3},
    {B, "\\(*a\\)", "*a", 0, 2},
    {B, "^*a", "*a", 0, 2},
    {B, "a\\{2\\}", "baaa", 1, 3},
    {B, "a\\{2,\\}", "baaa", 1, 4},
    {B, "a\\{0\\}b", "ab", 1, 2},
    {B, "a^b", "a^b", 0, 3},
    {B, "a$b", "a$b", 0, 3},
    {B, "a+", "aa+", 1, 3},
    {B, "a\\+", "baa", 1, 3},
    {B, "(a)", "(a)", 0, 3},
    {B, "a\\|b", "cb", 1, 2},
    {B, "\\(a\\|ab\\)\\(c\\|bcd\\)", "abcd", 0, 4},
    {B, "\\.", "a.", 1, 2},
    {B, ".", "", -1, -1},
    {B, "^$", "", 0, 0},
    {B, "^$", "a", -1, -1},
    {B, "[abc]", "xc", 1, 2},
    {B, "[^abc]", "abx", 2, 3},
    {B, "[]x]", "]", 0, 1},
    {B, "[^]x]", "]xy", 2, 3},
    {B, "[a-]", "-", 0, 1},
    {B, "[\\n]", "\\", 0, 1},
    {B, "[[.-.]a]", "-", 0, 1},
    {B, "[[=a=]]", "a", 0, 1},
    {B, "[[:digit:][:upper:]]*", "1A2b", 0, 3},
    {E, "a|ab|abc", "abcd", 0, 3},
    {E, "(a|ab)(c|bcd)(d*)", "abcd", 0, 4},
    {E, "(a*)*", "aab", 0, 2},
    {E, "(a*)+b", "aab", 0, 3},
    {E, "(|a)b", "ab", 0, 2},
    {E, "()", "x", 0, 0},
    {E, "a{1,2}", "aaa", 0, 2},
    {E, "(ab){2,3}", "xababab", 1, 7},
    {E, "xa{1,3}y", "xay", 0, 3},
    {E, "xa{2,3}y", "xay", -1, -1},
    {E, "xa{2,3}y", "xaay", 0, 4},
    {E, "a{,2}b", "aaab", 1, 4},
    {E, "a{x", "a{x", 0, 3},
    {E, "{", "{", 0, 1},
    {E, "a?b+c*", "aabbcc", 1, 6},
    {E, "^(a|b$)", "b", 0, 1},
    {E, "a|^b|c$", "xbc", 2, 3},
    {E, "x*$", "axx", 1, 3},
    {E, "\\bfoo\\b", "a foo b", 2, 5},
    {E, "\\bfoo\\b", "afoo", -1, -1},
    {E, "\\Boo", "foo", 1, 3},
    {E, "\\<o", "foo o", 4, 5},
    {E, "o\\>", "oo x", 1, 2},
    {E, "\\w+", "  a_1-", 2, 5},
    {E, "\\s\\S", "ab c", 2, 4},
    {I, "AbC", "xaBc", 1, 4},
    {I, "[a-c]", "B", 0, 1},
    {I, "[^a]", "Ab", 1, 2},
    {F, "a.b", "axb a.b", 4, 7},
    {F, "\\", "a\\", 1, 2},
    {E | X, "a|b", "ab", -1, -1},
    {E | X, "a|ab", "ab", 0, 2},
    {B | W, "oo", "foo oo", 4, 6},
    {E | W, "o|foo", "foo", 0, 3},
    {E | W, "fo|foo", "foo", 0, 3},
};

static void test_matches(void)
{
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        struct regex_pattern pattern = {matches[i].pattern, strlen(matches[i].pattern)};
        const char *text = matches[i].text;
        size_t start = 0, end = 0, length = strlen(text);
        struct regex *regex;
        const char *error = regex_compile(&regex, &pattern, 1, matches[i].flags);
        CHECK(error == NULL, "%s: %s", pattern.text, error);
        if (error != NULL)
            continue;
        bool found = regex_find(regex, text, length, 0, &start, &end);
        CHECK(found == (matches[i].start >= 0) &&
                  (!found || ((int)start == matches[i].start && (int)end == matches[i].end)),
              "'%s' in '%s': %d, %zu to %zu", pattern.text, text, found, start, end);
        for (int again = 0; again < 2; again++) /* the second time, from states that are known */
            CHECK(regex_test(regex, text, length) == found, "'%s' in '%s': test says %d",
                  pattern.text, text, !found);
        regex_free(regex);
    }
}

static void test_errors(void)
{
    static const struct {
        unsigned flags;
        const char *pattern;
    } wrong[] = {
        {B, "\\("},        {B, "a\\)"},       {E, "("},
        {E, "(a"},         {B, "["},          {B, "[]"},
        {B, "[a"},         {B, "[[:alpha]"},  {B, "[[:foo:]]"},
        {B, "[b-a]"},      {B, "[[.ab.]]"},   {B, "a\\{1"},
        {B, "a\\{2,1\\}"}, {E, "a{2,1}"},     {E, "a{40000}"},
        {B, "\\"},         {B, "\\(a\\)\\1"}, {E, "((a{200}){200}){200}"},
    };
    struct regex *regex;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct regex_pattern pattern = {wrong[i].pattern, strlen(wrong[i].pattern)};
        CHECK(regex_compile(&regex, &pattern, 1, wrong[i].flags) != NULL, "'%s' is accepted",
              pattern.text);
    }
    static char deep[100000];
    memset(deep, '(', sizeof(deep));
    struct regex_pattern pattern = {deep, sizeof(deep)};
    CHECK(regex_compile(&regex, &pattern, 1, E) != NULL, "deep nesting is accepted");
    memset(deep, '*', sizeof(deep));
    CHECK(regex_compile(&regex, &pattern, 1, B) != NULL, "an endless pattern is accepted");
}

/* test_several: alternatives from a list, and the empty list. */
static void test_several(void)
{
    struct regex_pattern patterns[] = {{"one", 3}, {"t.o", 3}, {"", 0}};
    struct regex *regex;
    size_t start, end;
    CHECK(regex_compile(&regex, patterns, 2, X) == NULL, "two patterns");
    CHECK(regex_find(regex, "two", 3, 0, &start, &end) && start == 0 && end == 3, "the second");
    CHECK(!regex_test(regex, "onetwo", 6), "both in one line");
    regex_free(regex);
    CHECK(regex_compile(&regex, patterns, 0, B) == NULL, "no pattern");
    CHECK(!regex_test(regex, "", 0) && !regex_test(regex, "a", 1), "no pattern matches nothing");
    regex_free(regex);
    CHECK(regex_compile(&regex, patterns, 3, B) == NULL, "with an empty one");
    CHECK(regex_test(regex, "zzz", 3), "the empty pattern matches");
    regex_free(regex);
}

/* test_effort: what takes a backtracking matcher for ever. */
static void test_effort(void)
{
    static const char *const hard[] = {
        "(a*)*b",   "(a|aa)+$",        "(a?){30}a{30}b", "(.*)(.*)(.*)(.*)x",
        "(x+x+)+y", "((((a+)+)+)+)+b", "\\b(a|a|a)*\\bc"};
    static char text[20001];
    memset(text, 'a', sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
        struct regex_pattern pattern = {hard[i], strlen(hard[i])};
        struct regex *regex;
        size_t start, end;
        CHECK(regex_compile(&regex, &pattern, 1, E) == NULL, "%s", hard[i]);
        clock_t before = clock();
        regex_test(regex, text, sizeof(text) - 1);
        regex_find(regex, text, sizeof(text) - 1, 0, &start, &end);
        double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
        CHECK(seconds < 10, "'%s' took %.1f s", hard[i], seconds);
        regex_free(regex);
    }
}

int main(void)
{
    test_matches();
    test_errors();
    test_several();
    test_effort();
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
