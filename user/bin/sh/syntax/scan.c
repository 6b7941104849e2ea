/* Finds the ends of quotes, parameters and substitutions; reads no byte behind text[len - 1]. */
#include "scan.h"

#include "parser.h"
#include <string.h>

bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name_char(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

size_t name_length(const char *text, size_t len)
{
    size_t n = 0;
    if (len == 0 || !is_name_start(text[0]))
        return 0;
    while (n < len && is_name_char(text[n]))
        n++;
    return n;
}

bool is_reserved_word(const char *word)
{
    static const char *const words[] = {"!",    "{",    "}",     "case", "do",  "done",
                                        "elif", "else", "esac",  "fi",   "for", "if",
                                        "in",   "then", "until", "while"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

bool is_special_parameter(char c)
{
    return c != '\0' && strchr("@*#?-$!", c) != NULL;
}

static ssize_t fail(struct scan *scan, const char *message)
{
    scan->message = message;
    return SCAN_ERROR;
}

ssize_t scan_single_quotes(struct scan *scan, size_t at)
{
    const char *end = memchr(scan->text + at + 1, '\'', scan->len - at - 1);
    return end != NULL ? end - scan->text + 1 : SCAN_INCOMPLETE;
}

ssize_t scan_backquotes(struct scan *scan, size_t at)
{
    for (at++; at < scan->len; at++) {
        if (scan->text[at] == '`')
            return (ssize_t)at + 1;
        if (scan->text[at] == '\\')
            at++;
    }
    return SCAN_INCOMPLETE;
}

ssize_t scan_double_quotes(struct scan *scan, size_t at)
{
    at++;
    while (at < scan->len) {
        ssize_t next = (ssize_t)at + 1;
        switch (scan->text[at]) {
        case '"':
            return next;
        case '\\':
            next = (ssize_t)at + 2;
            break;
        case '$':
            next = scan_dollar(scan, at, true);
            break;
        case '`':
            next = scan_backquotes(scan, at);
            break;
        }
        if (next < 0)
            return next;
        at = (size_t)next;
    }
    return SCAN_INCOMPLETE;
}

/* Parentheses are counted without looking into nested substitutions, so that the decision costs
 * one pass. */
ssize_t scan_arithmetic(struct scan *scan, size_t at)
{
    int depth = 0;
    for (at += 3; at < scan->len; at++) {
        ssize_t end;
        switch (scan->text[at]) {
        case '(':
            depth++;
            break;
        case ')':
            if (depth > 0) {
                depth--;
                break;
            }
            if (at + 1 == scan->len)
                return SCAN_INCOMPLETE;
            return scan->text[at + 1] == ')' ? (ssize_t)at + 2 : fail(scan, "missing '))'");
        case '\\':
            at++;
            break;
        case '\'':
            end = scan_single_quotes(scan, at);
            if (end < 0)
                return end;
            at = (size_t)end - 1;
            break;
        }
    }
    return SCAN_INCOMPLETE;
}

/* The word of ${name op word}, up to the closing brace. quotes: ' quotes here. */
static ssize_t scan_braced_word(struct scan *scan, size_t at, bool quotes, bool in_double)
{
    while (at < scan->len && scan->text[at] != '}') {
        ssize_t next = (ssize_t)at + 1;
        switch (scan->text[at]) {
        case '\\':
            next = (ssize_t)at + 2;
            break;
        case '\'':
            if (quotes)
                next = scan_single_quotes(scan, at);
            break;
        case '"':
            next = scan_double_quotes(scan, at);
            break;
        case '$':
            next = scan_dollar(scan, at, in_double);
            break;
        case '`':
            next = scan_backquotes(scan, at);
            break;
        }
        if (next < 0)
            return next;
        at = (size_t)next;
    }
    return at < scan->len ? (ssize_t)at : SCAN_INCOMPLETE;
}

static size_t parameter_name(const char *text, size_t len)
{
    size_t n = name_length(text, len);
    if (n > 0 || len == 0)
        return n;
    while (n < len && text[n] >= '0' && text[n] <= '9')
        n++;
    return n > 0 ? n : is_special_parameter(text[0]);
}

ssize_t scan_parameter(struct scan *scan, size_t at, bool in_double, struct parameter *parameter)
{
    const char *text = scan->text;
    *parameter = (struct parameter){0};
    at += 2; /* ${ */
    if (at + 1 < scan->len && text[at] == '#') {
        size_t name = parameter_name(text + at + 1, scan->len - at - 1);
        size_t behind = at + 1 + name;
        if (name > 0 && behind < scan->len && text[behind] == '}') {
            parameter->length = true;
            at++;
        }
    }
    parameter->name = at;
    parameter->name_len = parameter_name(text + at, scan->len - at);
    at += parameter->name_len;
    if (at < scan->len && text[at] == ':') {
        parameter->colon = true;
        at++;
    }
    if (at < scan->len && strchr("-=?+#%", text[at]) != NULL && text[at] != '\0') {
        parameter->op = text[at++];
        if (strchr("#%", parameter->op) != NULL && at < scan->len && text[at] == parameter->op) {
            parameter->doubled = true;
            at++;
        }
    }
    bool pattern = parameter->op == '#' || parameter->op == '%';
    parameter->word = at;
    ssize_t end = scan_braced_word(scan, at, pattern || !in_double, in_double && !pattern);
    if (end < 0)
        return end;
    parameter->word_len = (size_t)end - at;
    parameter->bad = parameter->name_len == 0 || (parameter->colon && parameter->op == 0) ||
                     (parameter->colon && pattern) ||
                     (parameter->op == 0 && parameter->word_len > 0);
    return end + 1;
}

static ssize_t scan_construct(struct scan *scan, size_t at, bool in_double)
{
    const char *text = scan->text;
    if (at + 1 >= scan->len)
        return (ssize_t)at + 1;
    char next = text[at + 1];
    if (next == '{') {
        struct parameter ignored;
        return scan_parameter(scan, at, in_double, &ignored);
    }
    if (next == '(') {
        if (at + 2 < scan->len && text[at + 2] == '(') {
            ssize_t end = scan_arithmetic(scan, at);
            if (end != SCAN_ERROR)
                return end;
        }
        return parse_nested(scan, at + 2);
    }
    size_t name = name_length(text + at + 1, scan->len - at - 1);
    if (name == 0 && (is_special_parameter(next) || (next >= '0' && next <= '9')))
        name = 1;
    return (ssize_t)(at + 1 + name);
}

ssize_t scan_dollar(struct scan *scan, size_t at, bool in_double)
{
    if (scan->depth >= NESTING_MAX)
        return fail(scan, "nested too deeply");
    scan->depth++;
    ssize_t end = scan_construct(scan, at, in_double);
    scan->depth--;
    return end;
}
