/* Parameters: $name and ${name op word} (POSIX.1-2017, XCU 2.5 and 2.6.2). */
#include "expansion.h"

#include "pattern.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum mark value_mark(unsigned flags)
{
    return flags & EXPAND_QUOTED ? MARK_QUOTED : MARK_SPLIT;
}

/* The value of any parameter but @ and *; NULL if it is not set. number is room for digits. */
static const char *parameter_value(const struct shell *shell, const char *name, char number[24])
{
    long value;
    if (is_name_start(name[0]))
        return variable_get(&shell->variables, name);
    switch (name[0]) {
    case '#':
        value = shell->positional.count;
        break;
    case '?':
        value = shell->status;
        break;
    case '$':
        value = shell->pid;
        break;
    case '!':
        if (shell->last_background == 0)
            return NULL;
        value = shell->last_background;
        break;
    case '-':
        shell_options(shell, number);
        return number;
    default:
        value = strtol(name, NULL, 10);
        if (value == 0)
            return shell->name;
        return value <= shell->positional.count ? shell->positional.values[value - 1] : NULL;
    }
    snprintf(number, 24, "%ld", value);
    return number;
}

/* $@ and $*. Quoted, @ makes a field of each parameter and * one of all; unquoted, both make
 * fields that are split further. */
static void expand_positional(struct expansion *e, bool star, unsigned flags)
{
    const struct positional *positional = &e->shell->positional;
    const char *ifs = variable_get(&e->shell->variables, "IFS");
    bool quoted = flags & EXPAND_QUOTED, joined = !e->fields || (star && quoted);

    for (int i = 0; i < positional->count; i++) {
        if (i > 0 && !joined)
            marked_add(e->out, '\0', MARK_BREAK);
        else if (i > 0 && !star)
            marked_add(e->out, ' ', MARK_QUOTED);
        else if (i > 0 && (ifs == NULL || *ifs != '\0'))
            marked_add(e->out, ifs == NULL ? ' ' : *ifs, MARK_QUOTED);
        if (quoted && positional->values[i][0] == '\0')
            marked_add(e->out, '\0', MARK_EMPTY);
        marked_string(e->out, positional->values[i], value_mark(flags));
    }
    if (positional->count == 0 && !star)
        e->empty_at = true;
}

static bool unset_error(struct expansion *e, const char *name)
{
    complain(e->shell, "%s: parameter not set", name);
    return false;
}

bool expand_simple_parameter(struct expansion *e, const char *text, size_t len, unsigned flags)
{
    struct arena *arena = &e->shell->scratch;
    struct arena_mark mark = arena_mark(arena);
    char number[24];
    bool ok = true;

    if (len == 1 && (*text == '@' || *text == '*')) {
        expand_positional(e, *text == '*', flags);
        return true;
    }
    const char *name = arena_copy(arena, text, len);
    const char *value = parameter_value(e->shell, name, number);
    if (value != NULL)
        marked_string(e->out, value, value_mark(flags));
    else if (e->shell->nounset)
        ok = unset_error(e, name);
    arena_release(arena, mark);
    return ok;
}

/* Cuts the shortest or longest match of a pattern off one end. */
static void emit_trimmed(struct expansion *e, const char *value, const struct parameter *p,
                         struct span pattern, unsigned flags)
{
    size_t len = strlen(value), from = 0, to = len;
    bool front = p->op == '#', found = false;
    for (size_t i = 0; i <= len && !found; i++) {
        size_t cut = p->doubled ? len - i : i;
        if (front && pattern_match(pattern, value, cut)) {
            from = cut;
            found = true;
        } else if (!front && pattern_match(pattern, value + len - cut, cut)) {
            to = len - cut;
            found = true;
        }
    }
    for (size_t i = from; i < to; i++)
        marked_add(e->out, value[i], value_mark(flags));
}

static bool expand_trim(struct expansion *e, const char *value, const struct parameter *p,
                        const char *word, unsigned flags)
{
    struct marked pattern = {0};
    struct expansion inner = {.shell = e->shell, .out = &pattern};
    bool ok = expand_text(&inner, word, p->word_len, EXPAND_TILDE);
    if (ok)
        emit_trimmed(e, value, p, marked_span(&pattern), flags);
    marked_free(&pattern);
    return ok;
}

static bool assign_default(struct expansion *e, const char *name, const char *word, size_t len,
                           unsigned flags, struct arena *arena)
{
    if (!is_name_start(name[0])) {
        complain(e->shell, "%s: cannot assign in this way", name);
        return false;
    }
    char *value = expand_inner(e, word, len, (flags & ~EXPAND_SPLIT) | EXPAND_TILDE, arena);
    if (value == NULL)
        return false;
    if (!variable_set(&e->shell->variables, name, value)) {
        complain(e->shell, "%s: is read only", name);
        return false;
    }
    marked_string(e->out, value, value_mark(flags));
    return true;
}

/* The operators that look at whether the parameter is set. */
static bool expand_conditional(struct expansion *e, const struct parameter *p, const char *name,
                               const char *value, const char *word, unsigned flags,
                               struct arena *arena)
{
    bool given = value != NULL && !(p->colon && *value == '\0');
    unsigned inner =
        flags & EXPAND_QUOTED; /* double quotes in braces quote even in a here-document */
    if (!(flags & EXPAND_QUOTED))
        inner |= EXPAND_SPLIT | EXPAND_TILDE;

    if (p->op == '+')
        return !given || expand_text(e, word, p->word_len, inner);
    if (given) {
        if (*name == '@' || *name == '*')
            expand_positional(e, *name == '*', flags);
        else
            marked_string(e->out, value, value_mark(flags));
        return true;
    }
    if (p->op == '-')
        return expand_text(e, word, p->word_len, inner);
    if (p->op == '=')
        return assign_default(e, name, word, p->word_len, flags, arena);
    char *message = expand_inner(e, word, p->word_len, flags & ~EXPAND_SPLIT, arena);
    if (message != NULL)
        complain(e->shell, "%s: %s", name, *message != '\0' ? message : "parameter not set");
    return false;
}

bool expand_parameter(struct expansion *e, struct scan *scan, size_t at, unsigned flags,
                      size_t *end)
{
    struct parameter p;
    struct arena *arena = &e->shell->scratch;
    struct arena_mark mark = arena_mark(arena);
    char number[24];
    bool ok = true;

    ssize_t behind = scan_parameter(scan, at, flags & EXPAND_QUOTED, &p);
    if (behind < 0 || p.bad) {
        complain(e->shell, "bad substitution");
        return false;
    }
    *end = (size_t)behind;
    const char *name = arena_copy(arena, scan->text + p.name, p.name_len);
    const char *word = scan->text + p.word, *value;
    bool all = *name == '@' || *name == '*';
    if (all) {
        struct marked joined = {0};
        struct expansion inner = {.shell = e->shell, .out = &joined};
        expand_positional(&inner, true, EXPAND_QUOTED);
        value = e->shell->positional.count > 0 ? marked_plain(&joined, arena) : NULL;
        marked_free(&joined);
    } else {
        value = parameter_value(e->shell, name, number);
    }
    if (value == NULL && e->shell->nounset && !all && (p.op == 0 || strchr("#%", p.op) != NULL))
        ok = unset_error(e, name);
    else if (p.length) {
        snprintf(number, sizeof(number), "%zu",
                 all ? (size_t)e->shell->positional.count : strlen(value != NULL ? value : ""));
        marked_string(e->out, number, value_mark(flags));
    } else if (p.op == '#' || p.op == '%')
        ok = expand_trim(e, value != NULL ? value : "", &p, word, flags);
    else if (p.op != 0)
        ok = expand_conditional(e, &p, name, value, word, flags, arena);
    else if (all)
        expand_positional(e, *name == '*', flags);
    else if (value != NULL)
        marked_string(e->out, value, value_mark(flags));
    arena_release(arena, mark);
    return ok;
}
