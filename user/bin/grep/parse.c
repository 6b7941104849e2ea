/* Patterns to programs (POSIX, Base Definitions 9.3 and 9.4, with the usual \| \+ \? \w \b).
 *
 * Each function appends the code of what it parsed to the program; code of a finished part is
 * contiguous and jumps only within itself or to the place right behind it. */
#include "program.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX  200 /* nested groups: each costs stack */
#define REPEAT_MAX 32767
#define NO_LIMIT   UINT32_MAX

struct parser {
    const char *at, *end;
    unsigned flags;
    struct program *program;
    const char *error; /* the first one */
    int depth;
};

static const char out_of_memory[] = "out of memory", too_large[] = "regular expression too large";

static bool fail(struct parser *parser, const char *error)
{
    if (parser->error == NULL)
        parser->error = error;
    return false;
}

/* ---- Code ---- */

/* make_room: room for count instructions more. */
static bool make_room(struct parser *parser, size_t count)
{
    struct program *program = parser->program;
    if (count > PROGRAM_MAX - program->length)
        return fail(parser, too_large);
    if (program->length + count <= program->capacity)
        return true;
    size_t capacity = (program->length + count) * 2;
    void *code = realloc(program->code, capacity * sizeof(struct instruction));
    if (code == NULL)
        return fail(parser, out_of_memory);
    program->code = code;
    program->capacity = capacity;
    return true;
}

static bool emit(struct parser *parser, enum opcode op, uint32_t value, int32_t x, int32_t y)
{
    if (!make_room(parser, 1))
        return false;
    parser->program->code[parser->program->length++] = (struct instruction){op, value, x, y};
    return true;
}

/* insert: one instruction in front of the code that starts at place. */
static bool insert(struct parser *parser, size_t place, enum opcode op, int32_t x, int32_t y)
{
    struct program *program = parser->program;
    if (!make_room(parser, 1))
        return false;
    memmove(program->code + place + 1, program->code + place,
            (program->length - place) * sizeof(struct instruction));
    program->code[place] = (struct instruction){op, 0, x, y};
    program->length++;
    return true;
}

static bool emit_assertion(struct parser *parser, enum assertion assertion)
{
    if (assertion != AT_START && assertion != AT_END)
        parser->program->word_assertions = true;
    return emit(parser, OP_ASSERT, assertion, 0, 0);
}

static bool emit_set(struct parser *parser, struct byte_set set, bool negated)
{
    struct program *program = parser->program;
    for (int c = 'a'; c <= 'z' && (parser->flags & REGEX_IGNORE_CASE); c++) {
        int upper = toupper(c);
        if (set_has(&set, (unsigned char)c) || set_has(&set, (unsigned char)upper)) {
            set_put(&set, (unsigned char)c);
            set_put(&set, (unsigned char)upper);
        }
    }
    for (int i = 0; i < 8 && negated; i++)
        set.bits[i] = ~set.bits[i];
    if (program->set_count == program->set_capacity) {
        size_t capacity = program->set_capacity * 2 + 8;
        void *sets = realloc(program->sets, capacity * sizeof(set));
        if (sets == NULL)
            return fail(parser, out_of_memory);
        program->sets = sets;
        program->set_capacity = capacity;
    }
    program->sets[program->set_count] = set;
    return emit(parser, OP_SET, (uint32_t)program->set_count++, 0, 0);
}

static bool emit_byte(struct parser *parser, unsigned char byte)
{
    if (!(parser->flags & REGEX_IGNORE_CASE) || !isalpha(byte))
        return emit(parser, OP_BYTE, byte, 0, 0);
    struct byte_set set = {{0}};
    set_put(&set, byte);
    return emit_set(parser, set, false);
}

/* repeat: the code from start on, at least low and at most high times. */
static bool repeat(struct parser *parser, size_t start, uint32_t low, uint32_t high)
{
    struct program *program = parser->program;
    size_t length = program->length - start;
    int32_t size = (int32_t)length;

    if (high == 0) {
        program->length = start;
        return true;
    }
    if (low == 0 && high == NO_LIMIT)
        return insert(parser, start, OP_SPLIT, 1, size + 2) &&
               emit(parser, OP_JUMP, 0, -(size + 1), 0);
    if (low == 1 && high == NO_LIMIT)
        return emit(parser, OP_SPLIT, 0, -size, 1);
    uint32_t optional = high == NO_LIMIT ? 0 : high - low, copies = high == NO_LIMIT ? low : high;
    uint64_t need = (uint64_t)(copies - 1) * length + optional + 1;
    if (need > PROGRAM_MAX)
        return fail(parser, too_large);
    if (!make_room(parser, (size_t)need))
        return false;
    if (low == 0) /* the first copy, which is there already, is optional, too */
        insert(parser, start, OP_SPLIT, 1, (int32_t)high * (size + 1));
    size_t body = start + (low == 0);
    for (uint32_t i = 1; i < copies; i++) {
        if (i >= low)
            emit(parser, OP_SPLIT, 0, 1, (int32_t)(high - i) * (size + 1));
        memcpy(program->code + program->length, program->code + body,
               length * sizeof(struct instruction));
        program->length += length;
    }
    return high != NO_LIMIT || emit(parser, OP_SPLIT, 0, -size, 1);
}

/* ---- Bracket expressions ---- */

static const struct {
    const char *name;
    int (*is)(int);
} classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
               {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
               {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};

static void set_put_class(struct byte_set *set, int (*is)(int))
{
    for (int c = 0; c < 256; c++)
        if (is(c))
            set_put(set, (unsigned char)c);
}

static int is_word(int c)
{
    return isalnum(c) || c == '_';
}

/* parse_named: [:alpha:], [=a=] or [.a.] at the parser's place; kind is the second character.
 * byte is set for the last two, -1 for a class. */
static bool parse_named(struct parser *parser, struct byte_set *set, char kind, int *byte)
{
    const char *name = parser->at + 2, *stop = name;
    while (stop + 1 < parser->end && !(stop[0] == kind && stop[1] == ']'))
        stop++;
    if (stop + 1 >= parser->end)
        return fail(parser, "unmatched [, [^, [:, [., or [=");
    size_t length = (size_t)(stop - name);
    parser->at = stop + 2;
    *byte = -1;
    if (kind != ':') {
        if (length != 1)
            return fail(parser, "invalid collation character");
        *byte = (unsigned char)*name;
        return true;
    }
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strlen(classes[i].name) == length && memcmp(classes[i].name, name, length) == 0) {
            set_put_class(set, classes[i].is);
            return true;
        }
    return fail(parser, "invalid character class name");
}

/* parse_element: one byte of a bracket expression, or a class (byte -1, already in set). */
static bool parse_element(struct parser *parser, struct byte_set *set, int *byte)
{
    const char *at = parser->at;
    if (at == parser->end)
        return fail(parser, "unmatched [, [^, [:, [., or [=");
    if (at[0] == '[' && at + 1 < parser->end && (at[1] == ':' || at[1] == '=' || at[1] == '.'))
        return parse_named(parser, set, at[1], byte);
    *byte = (unsigned char)*parser->at++;
    return true;
}

/* parse_bracket: behind the "[". */
static bool parse_bracket(struct parser *parser)
{
    struct byte_set set = {{0}};
    bool negated = parser->at < parser->end && *parser->at == '^';
    parser->at += negated;
    for (bool first = true;; first = false) {
        int low, high;
        if (!first && parser->at < parser->end && *parser->at == ']')
            break;
        if (!parse_element(parser, &set, &low))
            return false;
        if (low < 0)
            continue;
        high = low;
        if (parser->end - parser->at >= 2 && parser->at[0] == '-' && parser->at[1] != ']') {
            parser->at++;
            if (!parse_element(parser, &set, &high))
                return false;
            if (high < low)
                return fail(parser, "invalid range end");
        }
        for (int c = low; c <= high; c++)
            set_put(&set, (unsigned char)c);
    }
    parser->at++;
    return emit_set(parser, set, negated);
}

/* ---- Atoms, repetitions, alternatives ---- */

/* looking_at: an operator, which basic expressions write with a backslash. */
static bool looking_at(const struct parser *parser, char operator)
{
    const char *at = parser->at;
    if (parser->flags & REGEX_EXTENDED)
        return at < parser->end && *at == operator;
    return parser->end - at >= 2 && at[0] == '\\' && at[1] == operator;
}

static void skip_operator(struct parser *parser)
{
    parser->at += parser->flags & REGEX_EXTENDED ? 1 : 2;
}

static bool parse_alternatives(struct parser *parser);

static bool parse_group(struct parser *parser)
{
    skip_operator(parser);
    if (++parser->depth > DEPTH_MAX)
        return fail(parser, "groups nested too deeply");
    if (!parse_alternatives(parser))
        return false;
    parser->depth--;
    if (!looking_at(parser, ')'))
        return fail(parser, "unmatched ( or \\(");
    skip_operator(parser);
    return true;
}

/* parse_escape: behind a backslash that is no operator. */
static bool parse_escape(struct parser *parser)
{
    static const struct {
        char letter;
        enum assertion assertion;
    } assertions[] = {{'<', AT_WORD_START},  {'>', AT_WORD_END}, {'b', AT_BOUNDARY},
                      {'B', AT_NO_BOUNDARY}, {'`', AT_START},    {'\'', AT_END}};
    if (parser->at == parser->end)
        return fail(parser, "trailing backslash");
    char letter = *parser->at++;
    for (size_t i = 0; i < sizeof(assertions) / sizeof(assertions[0]); i++)
        if (assertions[i].letter == letter)
            return emit_assertion(parser, assertions[i].assertion);
    if (letter == 'w' || letter == 'W' || letter == 's' || letter == 'S') {
        struct byte_set set = {{0}};
        set_put_class(&set, letter == 'w' || letter == 'W' ? is_word : isspace);
        return emit_set(parser, set, letter == 'W' || letter == 'S');
    }
    if (letter >= '1' && letter <= '9')
        return fail(parser, "back-references are not supported");
    return emit_byte(parser, (unsigned char)letter);
}

/* ends_here: in a basic expression, "$" is an anchor only where something ends. */
static bool ends_here(const struct parser *parser)
{
    return parser->at == parser->end || (parser->flags & REGEX_EXTENDED) ||
           looking_at(parser, ')') || looking_at(parser, '|');
}

/* parse_atom: one thing that can be repeated. first: nothing but an anchor came before it. */
static bool parse_atom(struct parser *parser, bool first, bool *anchor)
{
    bool extended = parser->flags & REGEX_EXTENDED;
    *anchor = false;
    if (looking_at(parser, '('))
        return parse_group(parser);
    char c = *parser->at++;
    if (c == '[')
        return parse_bracket(parser);
    if (c == '\\')
        return parse_escape(parser);
    if (c == '.')
        return emit_set(parser, (struct byte_set){{0}}, true);
    if (c == '^' && (extended || first)) {
        *anchor = true;
        return emit_assertion(parser, AT_START);
    }
    if (c == '$' && ends_here(parser))
        return emit_assertion(parser, AT_END);
    return emit_byte(parser, (unsigned char)c);
}

static bool parse_number(struct parser *parser, uint32_t *number)
{
    const char *first = parser->at;
    for (*number = 0; parser->at < parser->end && isdigit((unsigned char)*parser->at); parser->at++)
        if (*number <= REPEAT_MAX)
            *number = *number * 10 + (uint32_t)(*parser->at - '0');
    return parser->at > first;
}

/* parse_interval: {low}, {low,}, {,high} or {low,high}; false without an error if an extended
 * expression means a plain brace. */
static bool parse_interval(struct parser *parser, uint32_t *low, uint32_t *high)
{
    const char *brace = parser->at;
    skip_operator(parser);
    bool any = parse_number(parser, low);
    *high = *low;
    if (parser->at < parser->end && *parser->at == ',') {
        parser->at++;
        any = true;
        if (!parse_number(parser, high))
            *high = NO_LIMIT;
    }
    if (!any || !looking_at(parser, '}')) {
        parser->at = brace;
        return !(parser->flags & REGEX_EXTENDED) && fail(parser, "invalid content of \\{\\}");
    }
    if (*low > *high)
        return fail(parser, "invalid content of {}");
    if (*low > REPEAT_MAX || (*high != NO_LIMIT && *high > REPEAT_MAX))
        return fail(parser, too_large);
    skip_operator(parser);
    return true;
}

/* parse_repetitions: all that follow the atom whose code starts at start. */
static bool parse_repetitions(struct parser *parser, size_t start)
{
    while (parser->at < parser->end) {
        uint32_t low = 0, high = NO_LIMIT;
        if (looking_at(parser, '{')) {
            if (!parse_interval(parser, &low, &high))
                return parser->error == NULL;
        } else if (*parser->at == '*') {
            parser->at++;
        } else if (looking_at(parser, '+') || looking_at(parser, '?')) {
            bool plus = looking_at(parser, '+');
            low = plus;
            high = plus ? NO_LIMIT : 1;
            skip_operator(parser);
        } else {
            break;
        }
        if (!repeat(parser, start, low, high))
            return false;
    }
    return true;
}

/* parse_branch: atoms up to an alternative, a closing parenthesis or the end. */
static bool parse_branch(struct parser *parser)
{
    bool first = true, anchor;
    while (parser->at < parser->end && !looking_at(parser, '|')) {
        if (looking_at(parser, ')')) {
            if (parser->depth > 0)
                break;
            if (!(parser->flags & REGEX_EXTENDED))
                return fail(parser, "unmatched ) or \\)");
        }
        size_t start = parser->program->length;
        if (!parse_atom(parser, first, &anchor))
            return false;
        first = first && anchor;
        /* in a basic expression, "*" behind "^" is a plain star: the next atom */
        bool plain_star = first && !(parser->flags & REGEX_EXTENDED);
        if (!plain_star && !parse_repetitions(parser, start))
            return false;
        first = false;
    }
    return true;
}

/* chain: connects the jumps behind finished alternatives, linked through y, to the end. */
static void chain(struct program *program, size_t last)
{
    while (last != SIZE_MAX) {
        struct instruction *jump = &program->code[last];
        size_t before = jump->y < 0 ? SIZE_MAX : (size_t)jump->y;
        jump->x = (int32_t)(program->length - last);
        last = before;
    }
}

/* begin_alternative: the code from start on is one alternative, another one follows. */
static bool begin_alternative(struct parser *parser, size_t *start, size_t *last)
{
    struct program *program = parser->program;
    int32_t size = (int32_t)(program->length - *start);
    if (!insert(parser, *start, OP_SPLIT, 1, size + 2) ||
        !emit(parser, OP_JUMP, 0, 0, *last == SIZE_MAX ? -1 : (int32_t)*last))
        return false;
    *last = program->length - 1;
    *start = program->length;
    return true;
}

static bool parse_alternatives(struct parser *parser)
{
    size_t start = parser->program->length, last = SIZE_MAX;
    while (parse_branch(parser)) {
        if (parser->at == parser->end || !looking_at(parser, '|')) {
            chain(parser->program, last);
            return true;
        }
        skip_operator(parser);
        if (!begin_alternative(parser, &start, &last))
            return false;
    }
    return false;
}

/* ---- Patterns ---- */

static bool parse_pattern(struct parser *parser, const struct regex_pattern *pattern)
{
    parser->at = pattern->text;
    parser->end = pattern->text + pattern->length;
    parser->depth = 0;
    if (!(parser->flags & REGEX_LITERAL))
        return parse_alternatives(parser);
    while (parser->at < parser->end)
        if (!emit_byte(parser, (unsigned char)*parser->at++))
            return false;
    return true;
}

const char *program_parse(struct program *program, const struct regex_pattern *patterns,
                          size_t count, unsigned flags)
{
    struct parser parser = {.flags = flags, .program = program};
    bool good = true;

    *program = (struct program){0};
    if (count == 0) /* a set without members: never */
        good = emit_set(&parser, (struct byte_set){{0}}, false);
    if (flags & REGEX_WHOLE_LINE)
        good = good && emit_assertion(&parser, AT_START);
    else if (flags & REGEX_WORD)
        good = good && emit_assertion(&parser, AT_NO_WORD_BEFORE);
    size_t start = program->length, last = SIZE_MAX;
    for (size_t i = 0; i < count && good; i++) {
        good = parse_pattern(&parser, &patterns[i]);
        if (good && i + 1 < count)
            good = begin_alternative(&parser, &start, &last);
    }
    if (good)
        chain(program, last);
    if (flags & REGEX_WHOLE_LINE)
        good = good && emit_assertion(&parser, AT_END);
    else if (flags & REGEX_WORD)
        good = good && emit_assertion(&parser, AT_NO_WORD_BEHIND);
    if (good && emit(&parser, OP_MATCH, 0, 0, 0))
        return NULL;
    program_free(program);
    return parser.error;
}

void program_free(struct program *program)
{
    free(program->code);
    free(program->sets);
    *program = (struct program){0};
}
