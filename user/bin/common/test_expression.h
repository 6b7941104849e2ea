/* The expressions of test(1) (POSIX.1-2017, XCU test), with -a, -o and parentheses. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_expression {
    char *const *words;
    int count, at;
    const char *error; /* what is wrong */
    const char *word;  /* where */
};

static inline bool test_fail(struct test_expression *t, const char *error, const char *word)
{
    if (t->error == NULL) {
        t->error = error;
        t->word = word;
    }
    t->at = t->count;
    return false;
}

static inline const char *test_peek(const struct test_expression *t, int ahead)
{
    return t->at + ahead < t->count ? t->words[t->at + ahead] : NULL;
}

static inline bool test_word_is(const char *word, const char *other)
{
    return word != NULL && strcmp(word, other) == 0;
}

static inline bool test_is_binary(const char *word)
{
    static const char *const operators[] = {"=",   "==",  "!=",  "<",   ">",   "-eq", "-ne",
                                            "-gt", "-ge", "-lt", "-le", "-nt", "-ot", "-ef"};
    for (size_t i = 0; word != NULL && i < sizeof(operators) / sizeof(operators[0]); i++)
        if (strcmp(word, operators[i]) == 0)
            return true;
    return false;
}

static inline long long test_integer(struct test_expression *t, const char *word)
{
    char *end;
    errno = 0;
    long long value = strtoll(word, &end, 10);
    while (*end == ' ' || *end == '\t')
        end++;
    if (end == word || *end != '\0' || errno != 0)
        test_fail(t, "not an integer", word);
    return value;
}

static inline bool test_compare_files(const char *left, const char *op, const char *right)
{
    struct stat a, b;
    bool have_a = stat(left, &a) == 0, have_b = stat(right, &b) == 0;
    if (op[1] == 'e')
        return have_a && have_b && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    if (op[1] == 'o')
        return have_b && (!have_a || a.st_mtime < b.st_mtime);
    return have_a && (!have_b || a.st_mtime > b.st_mtime);
}

static inline bool test_binary(struct test_expression *t, const char *left, const char *op,
                               const char *right)
{
    if (op[0] != '-') {
        int order = strcmp(left, right);
        return op[0] == '='   ? order == 0
               : op[0] == '!' ? order != 0
               : op[0] == '<' ? order < 0
                              : order > 0;
    }
    if (strcmp(op, "-nt") == 0 || strcmp(op, "-ot") == 0 || strcmp(op, "-ef") == 0)
        return test_compare_files(left, op, right);
    long long a = test_integer(t, left), b = test_integer(t, right);
    if (t->error != NULL)
        return false;
    switch (op[1] << 8 | op[2]) {
    case 'e' << 8 | 'q':
        return a == b;
    case 'n' << 8 | 'e':
        return a != b;
    case 'g' << 8 | 't':
        return a > b;
    case 'g' << 8 | 'e':
        return a >= b;
    case 'l' << 8 | 't':
        return a < b;
    default:
        return a <= b;
    }
}

static inline bool test_mode(const char *path, char op)
{
    struct stat status;
    if ((op == 'h' || op == 'L' ? lstat(path, &status) : stat(path, &status)) < 0)
        return false;
    switch (op) {
    case 'b':
        return S_ISBLK(status.st_mode);
    case 'c':
        return S_ISCHR(status.st_mode);
    case 'd':
        return S_ISDIR(status.st_mode);
    case 'f':
        return S_ISREG(status.st_mode);
    case 'g':
        return (status.st_mode & S_ISGID) != 0;
    case 'h':
    case 'L':
        return S_ISLNK(status.st_mode);
    case 'k':
        return (status.st_mode & S_ISVTX) != 0;
    case 'p':
        return S_ISFIFO(status.st_mode);
    case 'S':
        return S_ISSOCK(status.st_mode);
    case 's':
        return status.st_size > 0;
    case 'u':
        return (status.st_mode & S_ISUID) != 0;
    default: /* e */
        return true;
    }
}

static inline bool test_unary(struct test_expression *t, char op, const char *operand)
{
    switch (op) {
    case 'n':
        return *operand != '\0';
    case 'z':
        return *operand == '\0';
    case 't':
        return isatty((int)test_integer(t, operand)) != 0;
    case 'r':
        return access(operand, R_OK) == 0;
    case 'w':
        return access(operand, W_OK) == 0;
    case 'x':
        return access(operand, X_OK) == 0;
    default:
        return test_mode(operand, op);
    }
}

static inline bool test_or(struct test_expression *t, int depth);

static inline bool test_primary(struct test_expression *t, int depth)
{
    const char *word = test_peek(t, 0), *next = test_peek(t, 1);
    if (word == NULL)
        return test_fail(t, "argument expected", "");
    if (test_is_binary(next) && test_peek(t, 2) != NULL) {
        t->at += 3;
        return test_binary(t, word, next, t->words[t->at - 1]);
    }
    if (depth > 50)
        return test_fail(t, "nested too deeply", word);
    if (next != NULL && strcmp(word, "!") == 0) {
        t->at++;
        return !test_primary(t, depth + 1) && t->error == NULL;
    }
    if (next != NULL && strcmp(word, "(") == 0) {
        t->at++;
        bool result = test_or(t, depth + 1);
        if (!test_word_is(test_peek(t, 0), ")"))
            return test_fail(t, "missing", ")");
        t->at++;
        return result;
    }
    bool joins = t->count - t->at == 3 && (test_word_is(next, "-a") || test_word_is(next, "-o"));
    if (next != NULL && !joins && word[0] == '-' && word[1] != '\0' && word[2] == '\0' &&
        strchr("bcdefghLknprSstuwxz", word[1]) != NULL) {
        t->at += 2;
        return test_unary(t, word[1], next);
    }
    t->at++;
    return *word != '\0';
}

static inline bool test_and(struct test_expression *t, int depth)
{
    bool result = test_primary(t, depth);
    while (test_word_is(test_peek(t, 0), "-a")) {
        t->at++;
        result &= test_primary(t, depth);
    }
    return result;
}

static inline bool test_or(struct test_expression *t, int depth)
{
    bool result = test_and(t, depth);
    while (test_word_is(test_peek(t, 0), "-o")) {
        t->at++;
        result |= test_and(t, depth);
    }
    return result;
}

/* test_evaluate: 0 true, 1 false, 2 with what is wrong, and where. */
static inline int test_evaluate(char *const *words, int count, const char **error,
                                const char **word)
{
    struct test_expression t = {.words = words, .count = count};
    bool result = count > 0 && test_or(&t, 0);
    if (t.error == NULL && t.at < count)
        test_fail(&t, "unexpected", words[t.at]);
    *error = t.error;
    *word = t.word;
    return t.error != NULL ? 2 : !result;
}
