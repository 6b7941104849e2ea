/* Takes a word apart: quotes, tilde, arithmetic and command substitution. */
#include "expansion.h"

#include "arithmetic.h"
#include "pattern.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *expand_inner(struct expansion *e, const char *text, size_t len, unsigned flags,
                   struct arena *arena)
{
    struct marked marked = {0};
    struct expansion inner = {.shell = e->shell, .out = &marked};
    char *result = NULL;
    if (expand_text(&inner, text, len, flags))
        result = marked_plain(&marked, arena);
    marked_free(&marked);
    return result;
}

static enum mark value_mark(unsigned flags)
{
    return flags & EXPAND_QUOTED ? MARK_QUOTED : MARK_SPLIT;
}

static bool expand_arithmetic(struct expansion *e, const char *text, size_t len, unsigned flags)
{
    struct arena *arena = &e->shell->scratch;
    struct arena_mark mark = arena_mark(arena);
    int64_t value;
    char digits[24];
    bool ok = false;

    char *expression = expand_inner(e, text, len, EXPAND_QUOTED, arena);
    if (expression != NULL) {
        const char *error = arithmetic_evaluate(&e->shell->variables, expression, &value);
        ok = error == NULL;
        if (ok) {
            snprintf(digits, sizeof(digits), "%lld", (long long)value);
            marked_string(e->out, digits, value_mark(flags));
        } else {
            complain(e->shell, "arithmetic: \"%s\": %s", expression, error);
        }
    }
    arena_release(arena, mark);
    return ok;
}

static bool expand_command(struct expansion *e, const char *command, unsigned flags)
{
    struct text output = {0};
    bool ok = e->shell->substitute(e->shell, command, &output);
    size_t len = output.len;
    while (len > 0 && output.data[len - 1] == '\n')
        len--;
    for (size_t i = 0; i < len; i++)
        if (output.data[i] != '\0')
            marked_add(e->out, output.data[i], value_mark(flags));
    text_free(&output);
    return ok;
}

static bool expand_backquotes(struct expansion *e, const char *text, size_t len, unsigned flags)
{
    struct text command = {0};
    const char *escaped = flags & EXPAND_QUOTED && !(flags & EXPAND_HERE) ? "$`\\\"" : "$`\\";
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && i + 1 < len && strchr(escaped, text[i + 1]) != NULL)
            i++;
        text_char(&command, text[i]);
    }
    bool ok = expand_command(e, text_get(&command), flags);
    text_free(&command);
    return ok;
}

static bool bad_word(struct expansion *e)
{
    complain(e->shell, "bad substitution");
    return false;
}

/* At a '$': the index behind what it begins. */
static bool expand_dollar(struct expansion *e, struct scan *scan, size_t at, unsigned flags,
                          size_t *end)
{
    const char *text = scan->text;
    ssize_t behind = scan_dollar(scan, at, flags & EXPAND_QUOTED);
    if (behind < 0)
        return bad_word(e);
    *end = (size_t)behind;
    if (*end == at + 1) {
        marked_add(e->out, '$', flags & EXPAND_QUOTED ? MARK_QUOTED : MARK_PLAIN);
        return true;
    }
    if (text[at + 1] == '{')
        return expand_parameter(e, scan, at, flags, end);
    if (text[at + 1] != '(')
        return expand_simple_parameter(e, text + at + 1, *end - at - 1, flags);
    if (at + 2 < scan->len && text[at + 2] == '(' && scan_arithmetic(scan, at) == behind)
        return expand_arithmetic(e, text + at + 3, *end - at - 5, flags);
    struct arena_mark mark = arena_mark(&e->shell->scratch);
    const char *command = arena_copy(&e->shell->scratch, text + at + 2, *end - at - 3);
    bool ok = expand_command(e, command, flags);
    arena_release(&e->shell->scratch, mark);
    return ok;
}

static bool expand_double_quotes(struct expansion *e, const char *text, size_t len, unsigned flags)
{
    size_t before = e->out->len;
    e->empty_at = false;
    if (!expand_text(e, text, len, (flags & EXPAND_HERE) | EXPAND_QUOTED))
        return false;
    if (e->out->len == before && !e->empty_at)
        marked_add(e->out, '\0', MARK_EMPTY);
    return true;
}

/* ~ and ~/...: the home directory. Other users do not exist. */
static bool expand_tilde(struct expansion *e, const char *text, size_t len, unsigned flags)
{
    bool alone = len == 1 || text[1] == '/' || (text[1] == ':' && flags & EXPAND_ASSIGN);
    const char *home = variable_get(&e->shell->variables, "HOME");
    if (!alone || home == NULL)
        return false;
    marked_string(e->out, home, MARK_QUOTED);
    if (*home == '\0')
        marked_add(e->out, '\0', MARK_EMPTY);
    return true;
}

static size_t expand_backslash(struct expansion *e, const char *text, size_t len, unsigned flags)
{
    const char *escapes = flags & EXPAND_HERE ? "$`\\\n" : "$`\"\\\n";
    if (len < 2 || (flags & EXPAND_QUOTED && strchr(escapes, text[1]) == NULL)) {
        marked_add(e->out, '\\', MARK_QUOTED);
        return 1;
    }
    if (text[1] != '\n')
        marked_add(e->out, text[1], MARK_QUOTED);
    return 2;
}

/* A quoted piece or a substitution at 'at'; *end stays at 'at' if there is none. */
static bool expand_construct(struct expansion *e, struct scan *scan, size_t at, unsigned flags,
                             size_t *end)
{
    const char *text = scan->text;
    ssize_t behind;
    switch (text[at]) {
    case '\\':
        *end = at + expand_backslash(e, text + at, scan->len - at, flags);
        return true;
    case '$':
        return expand_dollar(e, scan, at, flags, end);
    case '`':
        behind = scan_backquotes(scan, at);
        if (behind < 0)
            return bad_word(e);
        *end = (size_t)behind;
        return expand_backquotes(e, text + at + 1, *end - at - 2, flags);
    case '"':
        if (flags & EXPAND_HERE)
            return true;
        behind = scan_double_quotes(scan, at);
        if (behind < 0)
            return bad_word(e);
        *end = (size_t)behind;
        return expand_double_quotes(e, text + at + 1, *end - at - 2, flags);
    case '\'':
        if (flags & EXPAND_QUOTED)
            return true;
        behind = scan_single_quotes(scan, at);
        if (behind < 0)
            return bad_word(e);
        *end = (size_t)behind;
        for (size_t i = at + 1; i + 1 < *end; i++)
            marked_add(e->out, text[i], MARK_QUOTED);
        if (*end == at + 2)
            marked_add(e->out, '\0', MARK_EMPTY);
        return true;
    case '~':
        if ((flags & EXPAND_TILDE && at == 0) ||
            (flags & EXPAND_ASSIGN && at > 0 && text[at - 1] == ':'))
            *end = at + expand_tilde(e, text + at, scan->len - at, flags);
        return true;
    }
    return true;
}

bool expand_text(struct expansion *e, const char *text, size_t len, unsigned flags)
{
    struct scan scan = {.text = text, .len = len};
    enum mark mark = flags & EXPAND_QUOTED  ? MARK_QUOTED
                     : flags & EXPAND_SPLIT ? MARK_SPLIT
                                            : MARK_PLAIN;
    for (size_t at = 0; at < len;) {
        size_t end = at;
        if (!expand_construct(e, &scan, at, flags, &end))
            return false;
        if (end == at)
            marked_add(e->out, text[end++], mark);
        at = end;
    }
    return true;
}

struct collector {
    struct shell *shell;
    struct strings *result;
    struct arena *arena;
};

static void collect_field(void *context, struct span field)
{
    struct collector *collector = context;
    if (!collector->shell->noglob && pattern_active(field) &&
        glob_expand(field, collector->result, collector->arena) > 0)
        return;
    strings_add(collector->result, (char *)field.chars, collector->arena);
}

bool expand_words(struct shell *shell, const struct word *words, struct arena *arena,
                  struct strings *result)
{
    struct collector collector = {shell, result, arena};
    bool ok = true;
    for (const struct word *word = words; word != NULL && ok; word = word->next) {
        struct marked marked = {0};
        struct expansion e = {.shell = shell, .out = &marked, .fields = true};
        ok = expand_text(&e, word->text, strlen(word->text), EXPAND_TILDE);
        if (ok)
            fields_split(&marked, variable_get(&shell->variables, "IFS"), arena, collect_field,
                         &collector);
        marked_free(&marked);
    }
    return ok;
}

static char *expand_one(struct shell *shell, const char *text, unsigned flags, struct arena *arena)
{
    struct expansion e = {.shell = shell};
    return expand_inner(&e, text, strlen(text), flags, arena);
}

char *expand_string(struct shell *shell, const char *word, struct arena *arena)
{
    return expand_one(shell, word, EXPAND_TILDE, arena);
}

char *expand_assignment(struct shell *shell, const char *word, struct arena *arena)
{
    return expand_one(shell, word, EXPAND_TILDE | EXPAND_ASSIGN, arena);
}

char *expand_here(struct shell *shell, const char *body, struct arena *arena)
{
    return expand_one(shell, body, EXPAND_QUOTED | EXPAND_HERE, arena);
}

bool expand_pattern(struct shell *shell, const char *word, struct marked *pattern)
{
    struct expansion e = {.shell = shell, .out = pattern};
    return expand_text(&e, word, strlen(word), EXPAND_TILDE);
}

bool expand_has_effects(const char *word)
{
    return strstr(word, "$((") != NULL || (strstr(word, "${") != NULL && strchr(word, '=') != NULL);
}
