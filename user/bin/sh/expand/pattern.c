/* Matching with one point to return to: at a mismatch, only the latest * needs to take more. */
#include "pattern.h"

#include <ctype.h>
#include <string.h>

static bool special(struct span pattern, size_t at, char c)
{
    return pattern.chars[at] == c && pattern.marks[at] != MARK_QUOTED;
}

static bool in_class(const char *name, size_t len, unsigned char c)
{
    static const struct {
        const char *name;
        int (*test)(int);
    } classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank},
                   {"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
                   {"lower", islower}, {"print", isprint}, {"punct", ispunct},
                   {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strlen(classes[i].name) == len && memcmp(classes[i].name, name, len) == 0)
            return c < 128 && classes[i].test(c) != 0;
    return false;
}

/* [:name:] at 'at': the index behind it, or 0 if there is none. */
static size_t class_end(struct span pattern, size_t at)
{
    if (at + 1 >= pattern.len || pattern.chars[at + 1] != ':')
        return 0;
    for (size_t i = at + 2; i + 1 < pattern.len; i++)
        if (pattern.chars[i] == ':' && pattern.chars[i + 1] == ']')
            return i + 2;
    return 0;
}

/* A bracket expression that starts at 'at'. Returns the index behind it and whether c is in it; 0
 * if it is not closed and so stands for itself. */
static size_t match_bracket(struct span pattern, size_t at, unsigned char c, bool *matches)
{
    size_t i = at + 1;
    bool negated = i < pattern.len && (special(pattern, i, '!') || special(pattern, i, '^'));
    bool found = false;

    i += negated;
    for (size_t first = i; i < pattern.len; i++) {
        if (i > first && special(pattern, i, ']')) {
            *matches = found != negated;
            return i + 1;
        }
        size_t end = special(pattern, i, '[') ? class_end(pattern, i) : 0;
        if (end > 0) {
            found = found || in_class(pattern.chars + i + 2, end - i - 4, c);
            i = end - 1;
            continue;
        }
        if (special(pattern, i, '\\') && i + 1 < pattern.len)
            i++;
        unsigned char low = (unsigned char)pattern.chars[i], high = low;
        if (i + 2 < pattern.len && special(pattern, i + 1, '-') && !special(pattern, i + 2, ']')) {
            i += 2;
            if (special(pattern, i, '\\') && i + 1 < pattern.len)
                i++;
            high = (unsigned char)pattern.chars[i];
        }
        found = found || (c >= low && c <= high);
    }
    return 0;
}

/* One element of the pattern, other than *, against one byte: the index behind it, 0 = no. */
static size_t match_one(struct span pattern, size_t at, char c)
{
    bool matches;
    if (special(pattern, at, '?'))
        return at + 1;
    if (special(pattern, at, '[')) {
        size_t end = match_bracket(pattern, at, (unsigned char)c, &matches);
        if (end > 0)
            return matches ? end : 0;
    }
    if (special(pattern, at, '\\') && at + 1 < pattern.len)
        at++;
    return pattern.chars[at] == c ? at + 1 : 0;
}

bool pattern_match(struct span pattern, const char *text, size_t len)
{
    size_t at = 0, in = 0, star = 0, star_in = 0;
    bool have_star = false;

    for (;;) {
        if (at < pattern.len && special(pattern, at, '*')) {
            have_star = true;
            star = ++at;
            star_in = in;
            continue;
        }
        if (in == len && at == pattern.len)
            return true;
        size_t next = in < len && at < pattern.len ? match_one(pattern, at, text[in]) : 0;
        if (next > 0) {
            at = next;
            in++;
        } else if (have_star && star_in < len) {
            at = star;
            in = ++star_in;
        } else {
            return false;
        }
    }
}

/* A '[' that no ']' closes stands for itself: the name of test does, in every script. */
bool pattern_active(struct span pattern)
{
    bool ignored;
    for (size_t i = 0; i < pattern.len; i++) {
        if (special(pattern, i, '*') || special(pattern, i, '?'))
            return true;
        if (special(pattern, i, '[') && match_bracket(pattern, i, 'x', &ignored) > 0)
            return true;
    }
    return false;
}
