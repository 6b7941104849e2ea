/* The parser's view of the token stream: one token of lookahead, and the bodies of
 * here-documents, which are taken out of the stream at each newline. */
#include "parser_core.h"

#include <stdio.h>
#include <string.h>

static void fail(struct parser *parser, int how, const char *message)
{
    if (parser->failed != 0)
        return;
    parser->failed = how;
    parser->failed_at = parser->have_token ? parser->token.start : parser->at;
    snprintf(parser->message, sizeof(parser->message), "%s", message);
}

/* One body: the lines up to the delimiter. */
static void read_here_body(struct parser *parser, struct redirect *here, bool strip)
{
    const char *text = parser->scan.text, *delimiter = word_unquoted(parser->arena, here->target);
    size_t len = parser->scan.len, want = strlen(delimiter), used = 0;
    char *body = arena_alloc(parser->arena, len - parser->at + 2); /* and a newline, a NUL */

    for (;;) {
        size_t start = parser->at;
        if (start >= len) {
            if (!parser->complete)
                fail(parser, SCAN_INCOMPLETE, "unterminated here-document");
            break;
        }
        const char *newline = memchr(text + start, '\n', len - start);
        size_t end = newline != NULL ? (size_t)(newline - text) : len;
        parser->at = newline != NULL ? end + 1 : len;
        while (strip && start < end && text[start] == '\t')
            start++;
        if (end - start == want && memcmp(text + start, delimiter, want) == 0)
            break;
        if (newline == NULL && !parser->complete) {
            fail(parser, SCAN_INCOMPLETE, "unterminated here-document");
            break;
        }
        memcpy(body + used, text + start, end - start);
        used += end - start;
        body[used++] = '\n';
    }
    body[used] = '\0';
    if (memchr(body, '\0', used) != NULL)
        fail(parser, SCAN_ERROR, "a NUL byte in a script");
    here->body = body;
}

static void read_here_bodies(struct parser *parser)
{
    for (struct here *here = parser->here_first; here != NULL; here = here->next)
        if (parser->failed == 0)
            read_here_body(parser, here->redirect, here->strip_tabs);
    parser->here_first = NULL;
    parser->here_last = &parser->here_first;
}

static void expect_here_body(struct parser *parser, struct redirect *redirect, bool strip_tabs)
{
    struct here *here = arena_alloc(parser->arena, sizeof(*here));
    if (strchr(redirect->target, '\n') != NULL)
        fail(parser, SCAN_ERROR, "a newline in the delimiter of a here-document");
    redirect->quoted = word_is_quoted(redirect->target);
    redirect->body = "";
    *here = (struct here){.redirect = redirect, .strip_tabs = strip_tabs};
    *parser->here_last = here;
    parser->here_last = &here->next;
}

enum token_type peek(struct parser *parser)
{
    if (parser->failed != 0)
        return TOKEN_END;
    if (!parser->have_token) {
        int result = lex_token(&parser->scan, &parser->at, &parser->token);
        if (result != 0) {
            fail(parser, result,
                 result == SCAN_ERROR ? parser->scan.message
                                      : "unterminated quote or substitution");
            return TOKEN_END;
        }
        parser->have_token = true;
        enum token_type type = parser->token.type;
        if (parser->here_first != NULL && (type == TOKEN_NEWLINE || type == TOKEN_END))
            read_here_bodies(parser);
    }
    return parser->failed != 0 ? TOKEN_END : parser->token.type;
}

void take(struct parser *parser)
{
    parser->have_token = false;
}

static size_t token_len(const struct parser *parser)
{
    return parser->token.end - parser->token.start;
}

bool at_word(struct parser *parser, const char *word)
{
    return peek(parser) == TOKEN_WORD && token_len(parser) == strlen(word) &&
           memcmp(parser->scan.text + parser->token.start, word, strlen(word)) == 0;
}

bool take_word(struct parser *parser, const char *word)
{
    if (!at_word(parser, word))
        return false;
    take(parser);
    return true;
}

const char *peek_text(struct parser *parser)
{
    enum token_type type = peek(parser);
    if (type == TOKEN_END)
        return "end of file";
    if (type == TOKEN_NEWLINE)
        return "newline";
    return arena_copy(parser->arena, parser->scan.text + parser->token.start, token_len(parser));
}

void *unexpected(struct parser *parser)
{
    char message[sizeof(parser->message)];
    enum token_type type = peek(parser);
    const char *text = peek_text(parser);
    if (type == TOKEN_END)
        snprintf(message, sizeof(message), "unexpected end of file");
    else
        snprintf(message, sizeof(message),
                 type == TOKEN_NEWLINE ? "unexpected %s" : "unexpected '%.60s'", text);
    fail(parser, type == TOKEN_END ? SCAN_INCOMPLETE : SCAN_ERROR, message);
    return NULL;
}

void *expected(struct parser *parser, const char *what)
{
    char message[sizeof(parser->message)];
    enum token_type type = peek(parser);
    const char *text = peek_text(parser);
    snprintf(message, sizeof(message), "unexpected %.60s (expected %s)", text, what);
    fail(parser, type == TOKEN_END ? SCAN_INCOMPLETE : SCAN_ERROR, message);
    return NULL;
}

void skip_newlines(struct parser *parser)
{
    while (peek(parser) == TOKEN_NEWLINE)
        take(parser);
}

struct node *new_node(struct parser *parser, enum node_type type)
{
    struct node *node = arena_alloc(parser->arena, sizeof(*node));
    const char *text = parser->scan.text;
    size_t at = parser->have_token ? parser->token.start : parser->at;
    for (; parser->line_at < at; parser->line_at++)
        parser->line += text[parser->line_at] == '\n';
    node->type = type;
    node->line = parser->line;
    return node;
}

struct word *new_word(struct parser *parser)
{
    struct word *word = arena_alloc(parser->arena, sizeof(*word));
    const char *start = parser->scan.text + parser->token.start;
    if (memchr(start, '\0', token_len(parser)) != NULL)
        fail(parser, SCAN_ERROR, "a NUL byte in a script");
    word->text = arena_copy(parser->arena, start, token_len(parser));
    take(parser);
    return word;
}

bool word_is_quoted(const char *word)
{
    return strpbrk(word, "\\'\"") != NULL;
}

char *word_unquoted(struct arena *arena, const char *word)
{
    char *result = arena_alloc(arena, strlen(word) + 1), *to = result;
    char quote = '\0';
    for (; *word != '\0'; word++) {
        if (quote == '\0' && (*word == '\'' || *word == '"'))
            quote = *word;
        else if (quote != '\0' && *word == quote)
            quote = '\0';
        else if (*word == '\\' && word[1] != '\0' &&
                 (quote == '\0' || (quote == '"' && strchr("$`\"\\", word[1]) != NULL)))
            *to++ = *++word;
        else
            *to++ = *word;
    }
    *to = '\0';
    return result;
}

static bool redirect_type(enum token_type token, enum redirect_type *type)
{
    static const enum redirect_type types[] = {
        [TOKEN_LESS] = REDIRECT_IN,
        [TOKEN_HERE] = REDIRECT_HERE,
        [TOKEN_HERE_TABS] = REDIRECT_HERE,
        [TOKEN_LESS_AND] = REDIRECT_DUP_IN,
        [TOKEN_LESS_GREAT] = REDIRECT_READ_WRITE,
        [TOKEN_GREAT] = REDIRECT_OUT,
        [TOKEN_APPEND] = REDIRECT_APPEND,
        [TOKEN_GREAT_AND] = REDIRECT_DUP_OUT,
        [TOKEN_CLOBBER] = REDIRECT_OUT,
    };
    if (token < TOKEN_LESS)
        return false;
    *type = types[token];
    return true;
}

bool parse_redirect(struct parser *parser, struct redirect ***last)
{
    enum redirect_type type;
    int fd = -1;

    if (peek(parser) == TOKEN_IO_NUMBER) {
        const char *digits = parser->scan.text + parser->token.start;
        fd = token_len(parser) == 1 ? digits[0] - '0' : 10;
        if (fd > 9) {
            fail(parser, SCAN_ERROR, "descriptor number above 9");
            return false;
        }
        take(parser);
    }
    enum token_type token = peek(parser);
    if (!redirect_type(token, &type))
        return false;
    take(parser);
    if (peek(parser) != TOKEN_WORD && peek(parser) != TOKEN_IO_NUMBER) {
        unexpected(parser);
        return false;
    }
    struct redirect *redirect = arena_alloc(parser->arena, sizeof(*redirect));
    redirect->type = type;
    redirect->target = new_word(parser)->text;
    redirect->fd = fd >= 0 ? fd : token < TOKEN_GREAT ? 0 : 1;
    if (type == REDIRECT_HERE)
        expect_here_body(parser, redirect, token == TOKEN_HERE_TABS);
    **last = redirect;
    *last = &redirect->next;
    return parser->failed == 0;
}
