/* Cuts text into tokens. Keeps no state: what is a reserved word is the parser's to say. */
#include "lexer.h"

#include <string.h>

static const struct {
    const char *text;
    enum token_type type;
} operators[] = {
    /* longer ones first */
    {"<<-", TOKEN_HERE_TABS}, {"<<", TOKEN_HERE},        {"<&", TOKEN_LESS_AND},
    {"<>", TOKEN_LESS_GREAT}, {">>", TOKEN_APPEND},      {">&", TOKEN_GREAT_AND},
    {">|", TOKEN_CLOBBER},    {";;", TOKEN_SEMICOLON_2}, {"&&", TOKEN_AND_IF},
    {"||", TOKEN_OR_IF},      {"<", TOKEN_LESS},         {">", TOKEN_GREAT},
    {";", TOKEN_SEMICOLON},   {"&", TOKEN_AND},          {"|", TOKEN_PIPE},
    {"(", TOKEN_OPEN},        {")", TOKEN_CLOSE},        {"\n", TOKEN_NEWLINE},
};

/* Blanks, joined lines, and a comment. */
static int skip_blanks(const struct scan *scan, size_t *at)
{
    const char *text = scan->text;
    for (;;) {
        if (*at < scan->len && (text[*at] == ' ' || text[*at] == '\t'))
            *at += 1;
        else if (*at + 1 < scan->len && text[*at] == '\\' && text[*at + 1] == '\n')
            *at += 2;
        else
            break;
    }
    if (*at < scan->len && text[*at] == '#')
        while (*at < scan->len && text[*at] != '\n')
            *at += 1;
    return 0;
}

static bool ends_word(char c)
{
    return c == '\0' || strchr(" \t\n;&|<>()", c) != NULL;
}

static ssize_t scan_word(struct scan *scan, size_t at)
{
    while (at < scan->len && !ends_word(scan->text[at])) {
        ssize_t next = (ssize_t)at + 1;
        switch (scan->text[at]) {
        case '\\':
            next = at + 1 < scan->len ? (ssize_t)at + 2 : SCAN_INCOMPLETE;
            break;
        case '\'':
            next = scan_single_quotes(scan, at);
            break;
        case '"':
            next = scan_double_quotes(scan, at);
            break;
        case '$':
            next = scan_dollar(scan, at, false);
            break;
        case '`':
            next = scan_backquotes(scan, at);
            break;
        }
        if (next < 0)
            return next;
        at = (size_t)next;
    }
    return (ssize_t)at;
}

static bool is_number(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return len > 0;
}

int lex_token(struct scan *scan, size_t *at, struct token *token)
{
    skip_blanks(scan, at);
    token->start = token->end = *at;
    token->type = TOKEN_END;
    if (*at >= scan->len)
        return 0;
    if (scan->text[*at] == '\0') {
        scan->message = "a NUL byte in a script";
        return SCAN_ERROR;
    }
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t len = strlen(operators[i].text);
        if (scan->len - *at >= len && memcmp(scan->text + *at, operators[i].text, len) == 0) {
            token->type = operators[i].type;
            token->end = *at += len;
            return 0;
        }
    }
    ssize_t end = scan_word(scan, *at);
    if (end < 0)
        return (int)end;
    token->type = TOKEN_WORD;
    token->end = *at = (size_t)end;
    if (*at < scan->len && (scan->text[*at] == '<' || scan->text[*at] == '>') &&
        is_number(scan->text + token->start, token->end - token->start))
        token->type = TOKEN_IO_NUMBER;
    return 0;
}
