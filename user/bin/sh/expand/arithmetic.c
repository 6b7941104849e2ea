/* Precedence climbing. Overflow wraps; operands that && || ?: leave out are parsed only. */
#include "arithmetic.h"

#include "../syntax/scan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arithmetic {
    struct variables *variables;
    const char *at;
    const char *error;
    int depth;
    int skip; /* > 0: parse without effects */
};

static const struct {
    char text[3];
    uint8_t precedence;
} binaries[] = {
    {"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<=", 7}, {">=", 7},
    {"<<", 8}, {">>", 8}, {"|", 3},  {"^", 4},  {"&", 5},  {"<", 7},
    {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};

static int64_t assignment(struct arithmetic *a);

static int64_t fail(struct arithmetic *a, const char *message)
{
    if (a->error == NULL)
        a->error = message;
    a->at = ""; /* nothing more to parse */
    return 0;
}

static char blank(struct arithmetic *a)
{
    while (*a->at == ' ' || *a->at == '\t' || *a->at == '\n')
        a->at++;
    return *a->at;
}

static bool take_char(struct arithmetic *a, char c)
{
    if (blank(a) != c)
        return false;
    a->at++;
    return true;
}

/* A constant as C writes it; the digits end at anything that is no letter or digit. */
static int64_t constant(struct arithmetic *a)
{
    char *end;
    int64_t value = (int64_t)strtoull(a->at, &end, 0);
    if (end == a->at || is_name_char(*end))
        return fail(a, "bad number");
    a->at = end;
    return value;
}

static int64_t variable_value(struct arithmetic *a, const char *name)
{
    const char *text = variable_get(a->variables, name);
    char *end;
    if (text == NULL || a->skip > 0)
        return 0;
    while (*text == ' ' || *text == '\t' || *text == '\n')
        text++;
    if (*text == '\0')
        return 0;
    bool negative = *text == '-';
    text += *text == '-' || *text == '+';
    uint64_t value = strtoull(text, &end, 0);
    while (*end == ' ' || *end == '\t' || *end == '\n')
        end++;
    if (*text < '0' || *text > '9' || *end != '\0')
        return fail(a, "a variable in it is not a number");
    return (int64_t)(negative ? 0 - value : value);
}

static void assign(struct arithmetic *a, const char *name, int64_t value)
{
    char text[24];
    if (a->skip > 0 || a->error != NULL)
        return;
    snprintf(text, sizeof(text), "%lld", (long long)value);
    if (!variable_set(a->variables, name, text))
        fail(a, "a variable in it is read-only");
}

static int64_t apply(struct arithmetic *a, const char *op, int64_t x, int64_t y)
{
    uint64_t ux = (uint64_t)x, uy = (uint64_t)y;
    bool doubled = op[1] == op[0], or_equal = op[1] == '=';
    switch (op[0]) {
    case '|':
        return x | y;
    case '^':
        return x ^ y;
    case '&':
        return x & y;
    case '=':
        return x == y;
    case '!':
        return x != y;
    case '<':
        return doubled ? (int64_t)(ux << (uy & 63)) : or_equal ? x <= y : x < y;
    case '>':
        return doubled ? x >> (uy & 63) : or_equal ? x >= y : x > y;
    case '+':
        return (int64_t)(ux + uy);
    case '-':
        return (int64_t)(ux - uy);
    case '*':
        return (int64_t)(ux * uy);
    }
    if (a->skip > 0)
        return 0;
    if (y == 0)
        return fail(a, "division by zero");
    if (y == -1) /* the smallest number has no opposite */
        return op[0] == '/' ? (int64_t)(0 - ux) : 0;
    return op[0] == '/' ? x / y : x % y;
}

/* A name, with an increment or an assignment behind it. assigned: an assignment was there. */
static int64_t name_expression(struct arithmetic *a)
{
    static const char *const operators[] = {
        "<<=", ">>=", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "="};
    char name[128];
    size_t len = name_length(a->at, strlen(a->at));

    if (len >= sizeof(name))
        return fail(a, "name too long");
    memcpy(name, a->at, len);
    name[len] = '\0';
    a->at += len;
    char next = blank(a);
    if ((next == '+' || next == '-') && a->at[1] == next) {
        int64_t old = variable_value(a, name);
        a->at += 2;
        assign(a, name, next == '+' ? old + (old < INT64_MAX) : old - (old > INT64_MIN));
        return old;
    }
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t op = strlen(operators[i]);
        if (strncmp(a->at, operators[i], op) != 0 || (op == 1 && a->at[1] == '='))
            continue;
        a->at += op;
        int64_t value = assignment(a);
        if (op > 1)
            value = apply(a, (char[]){operators[i][0], op == 3 ? operators[i][1] : '\0', '\0'},
                          variable_value(a, name), value);
        assign(a, name, value);
        return value;
    }
    return variable_value(a, name);
}

static int64_t primary(struct arithmetic *a)
{
    char c = blank(a);
    int64_t value;

    if (a->depth > NESTING_MAX)
        return fail(a, "nested too deeply");
    if ((c == '+' || c == '-') && a->at[1] == c && is_name_start(a->at[2])) {
        char name[128];
        a->at += 2;
        size_t len = name_length(a->at, strlen(a->at));
        if (len >= sizeof(name))
            return fail(a, "name too long");
        memcpy(name, a->at, len);
        name[len] = '\0';
        a->at += len;
        value = apply(a, c == '+' ? "+" : "-", variable_value(a, name), 1);
        assign(a, name, value);
        return value;
    }
    if (c == '-' || c == '+' || c == '!' || c == '~') {
        a->at++;
        a->depth++;
        value = primary(a);
        a->depth--;
        return c == '-'   ? (int64_t)(0 - (uint64_t)value)
               : c == '!' ? !value
               : c == '~' ? ~value
                          : value;
    }
    if (c == '(') {
        a->at++;
        a->depth++;
        value = assignment(a);
        a->depth--;
        return take_char(a, ')') ? value : fail(a, "missing ')'");
    }
    if (is_name_start(c))
        return name_expression(a);
    if (c >= '0' && c <= '9')
        return constant(a);
    return fail(a, c == '\0' ? "it ends too early" : "syntax error");
}

static int64_t binary(struct arithmetic *a, unsigned least)
{
    int64_t left = primary(a);
    for (;;) {
        const char *op = NULL;
        unsigned precedence = 0;
        blank(a);
        for (size_t i = 0; i < sizeof(binaries) / sizeof(binaries[0]) && op == NULL; i++)
            if (strncmp(a->at, binaries[i].text, strlen(binaries[i].text)) == 0) {
                op = binaries[i].text;
                precedence = binaries[i].precedence;
            }
        if (op == NULL || precedence < least)
            return left;
        a->at += strlen(op);
        bool short_cut = (precedence == 1 && left != 0) || (precedence == 2 && left == 0);
        a->skip += short_cut;
        int64_t right = binary(a, precedence + 1);
        a->skip -= short_cut;
        if (precedence == 1)
            left = left != 0 || right != 0;
        else if (precedence == 2)
            left = left != 0 && right != 0;
        else
            left = apply(a, op, left, right);
    }
}

/* The conditional operator; assignments are found by name_expression. */
static int64_t assignment(struct arithmetic *a)
{
    if (a->depth > NESTING_MAX)
        return fail(a, "nested too deeply");
    a->depth++;
    int64_t value = binary(a, 1);
    if (take_char(a, '?')) {
        bool chosen = value != 0;
        a->skip += !chosen;
        int64_t yes = assignment(a);
        a->skip -= !chosen;
        if (!take_char(a, ':'))
            fail(a, "missing ':'");
        a->skip += chosen;
        int64_t no = assignment(a);
        a->skip -= chosen;
        value = chosen ? yes : no;
    }
    a->depth--;
    return value;
}

const char *arithmetic_evaluate(struct variables *variables, const char *text, int64_t *result)
{
    struct arithmetic a = {.variables = variables, .at = text};
    *result = 0;
    if (blank(&a) == '\0')
        return NULL;
    *result = assignment(&a);
    if (a.error == NULL && blank(&a) != '\0')
        fail(&a, "syntax error");
    return a.error;
}
