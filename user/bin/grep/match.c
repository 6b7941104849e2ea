/* Running programs over text. regex_find advances a list of threads, one per state at most;
 * regex_test, which needs no positions, remembers such lists as states of a deterministic
 * automaton that is built as the text demands it and thrown away when it grows too large. */
#include "program.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NONE            SIZE_MAX
#define STATES_MAX      1024
#define STATE_BYTES_MAX (1u << 20) /* in lists of threads; the tables come on top */
#define BUCKETS         1024

struct thread {
    uint32_t place; /* of an instruction that consumes, asserts the end, or is the match */
    size_t start;   /* where its match would begin */
};

struct list {
    struct thread *threads;
    uint32_t count;
};

struct state {
    struct state *next[256]; /* NULL: not built yet */
    struct state *chain;     /* in its bucket */
    bool accepts, accepts_at_end;
    uint32_t count;
    uint32_t places[];
};

struct regex {
    struct program program;
    struct list now, then;
    uint32_t *marks; /* marks[place] == mark: already in the list being made */
    uint32_t mark;
    uint32_t *stack; /* for walks along splits and jumps: two entries per instruction suffice */
    bool has_first;  /* a match consumes a byte, and its first one is in first */
    struct byte_set first;
    struct state *buckets[BUCKETS], *initial; /* initial: at offset 0 */
    size_t state_count, state_bytes;
};

/* What an assertion can see: the bytes on both sides, -1 at the ends of the text. */
struct place_in_text {
    int before, behind;
};

static bool is_word(int byte)
{
    return byte >= 0 && (isalnum(byte) || byte == '_');
}

static bool holds(enum assertion assertion, struct place_in_text at)
{
    bool before = is_word(at.before), behind = is_word(at.behind);
    switch (assertion) {
    case AT_START:
        return at.before < 0;
    case AT_END:
        return at.behind < 0;
    case AT_WORD_START:
        return !before && behind;
    case AT_WORD_END:
        return before && !behind;
    case AT_BOUNDARY:
        return before != behind;
    case AT_NO_BOUNDARY:
        return before == behind;
    case AT_NO_WORD_BEFORE:
        return !before;
    case AT_NO_WORD_BEHIND:
        return !behind;
    }
    return false;
}

/* begin_list: what is added from now on is compared only with itself. */
static void begin_list(struct regex *regex, struct list *list)
{
    list->count = 0;
    if (++regex->mark == 0) {
        memset(regex->marks, 0, regex->program.length * sizeof(uint32_t));
        regex->mark = 1;
    }
}

/* add: the thread at place and whatever it reaches without consuming. The first thread at a
 * place stays, so lists are ordered by start if threads are added in that order. */
static void add(struct regex *regex, struct list *list, uint32_t from, size_t start,
                struct place_in_text at)
{
    uint32_t depth = 0;
    regex->stack[depth++] = from;
    while (depth > 0) {
        uint32_t place = regex->stack[--depth];
        const struct instruction *code = &regex->program.code[place];
        if (regex->marks[place] == regex->mark)
            continue;
        regex->marks[place] = regex->mark;
        if (code->op == OP_SPLIT) {
            regex->stack[depth++] = (uint32_t)((int32_t)place + code->y);
            regex->stack[depth++] = (uint32_t)((int32_t)place + code->x);
        } else if (code->op == OP_JUMP) {
            regex->stack[depth++] = (uint32_t)((int32_t)place + code->x);
        } else if (code->op == OP_ASSERT && holds((enum assertion)code->value, at)) {
            regex->stack[depth++] = place + 1;
        } else if (code->op != OP_ASSERT || code->value == AT_END) {
            list->threads[list->count++] = (struct thread){place, start};
        }
    }
}

static bool consumes(const struct regex *regex, uint32_t place, unsigned char byte)
{
    const struct instruction *code = &regex->program.code[place];
    return (code->op == OP_BYTE && code->value == byte) ||
           (code->op == OP_SET && set_has(&regex->program.sets[code->value], byte));
}

/* ---- With positions ---- */

static struct place_in_text look(const char *text, size_t length, size_t offset)
{
    return (struct place_in_text){offset > 0 ? (unsigned char)text[offset - 1] : -1,
                                  offset < length ? (unsigned char)text[offset] : -1};
}

/* take_match: the best match so far, after the threads at offset are known. */
static void take_match(const struct regex *regex, const struct list *list, size_t offset,
                       size_t *start, size_t *end)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct thread *thread = &list->threads[i];
        if (regex->program.code[thread->place].op == OP_MATCH &&
            (*start == NONE || thread->start <= *start)) {
            *start = thread->start;
            *end = offset;
        }
    }
}

bool regex_find(struct regex *regex, const char *text, size_t length, size_t from, size_t *start,
                size_t *end)
{
    struct list *now = &regex->now, *then = &regex->then, *swap;
    *start = NONE;
    begin_list(regex, now);
    for (size_t offset = from; offset <= length; offset++) {
        struct place_in_text at = look(text, length, offset);
        if (now->count == 0) {
            if (*start != NONE)
                break;
            while (regex->has_first && offset < length &&
                   !set_has(&regex->first, (unsigned char)text[offset]))
                offset++;
            if (regex->has_first && offset == length)
                break;
            at = look(text, length, offset);
        }
        if (*start == NONE)
            add(regex, now, 0, offset, at);
        take_match(regex, now, offset, start, end);
        if (offset == length)
            break;
        begin_list(regex, then);
        struct place_in_text next = look(text, length, offset + 1);
        for (uint32_t i = 0; i < now->count; i++) {
            const struct thread *thread = &now->threads[i];
            if ((*start == NONE || thread->start <= *start) &&
                consumes(regex, thread->place, (unsigned char)text[offset]))
                add(regex, then, thread->place + 1, thread->start, next);
        }
        swap = now, now = then, then = swap;
    }
    return *start != NONE;
}

/* ---- Without ---- */

static void forget_states(struct regex *regex)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct state *state = regex->buckets[i], *chain; state != NULL; state = chain) {
            chain = state->chain;
            free(state);
        }
    memset(regex->buckets, 0, sizeof(regex->buckets));
    regex->initial = NULL;
    regex->state_count = regex->state_bytes = 0;
}

/* reaches_match: from the threads of list, when the text ends here. */
static bool reaches_match(struct regex *regex, const struct list *from, int before)
{
    struct list *to = from == &regex->now ? &regex->then : &regex->now;
    begin_list(regex, to);
    for (uint32_t i = 0; i < from->count; i++)
        add(regex, to, from->threads[i].place, 0, (struct place_in_text){before, -1});
    for (uint32_t i = 0; i < to->count; i++)
        if (regex->program.code[to->threads[i].place].op == OP_MATCH)
            return true;
    return false;
}

/* state_of: the state that stands for a list of threads; NULL without memory. before: -1 if this
 * is the start of the text, anything else if not. */
static struct state *state_of(struct regex *regex, const struct list *list, int before)
{
    uint32_t hash = (uint32_t)(before < 0);
    for (uint32_t i = 0; i < list->count; i++)
        hash = (hash ^ list->threads[i].place) * 0x01000193u;
    struct state **bucket = &regex->buckets[hash % BUCKETS];
    for (struct state *state = *bucket; before >= 0 && state != NULL; state = state->chain) {
        uint32_t i = 0;
        while (state->count == list->count && i < list->count &&
               state->places[i] == list->threads[i].place)
            i++;
        if (i == list->count && i == state->count && state != regex->initial)
            return state;
    }
    size_t size = sizeof(struct state) + list->count * sizeof(uint32_t);
    struct state *state = calloc(1, size);
    if (state == NULL)
        return NULL;
    state->count = list->count;
    for (uint32_t i = 0; i < list->count; i++) {
        state->places[i] = list->threads[i].place;
        state->accepts |= regex->program.code[list->threads[i].place].op == OP_MATCH;
    }
    state->accepts_at_end = state->accepts || reaches_match(regex, list, before);
    state->chain = *bucket;
    *bucket = state;
    regex->state_count++;
    regex->state_bytes += list->count * sizeof(uint32_t);
    return state;
}

/* start_state: nothing consumed yet at the start of the text. */
static struct state *start_state(struct regex *regex)
{
    if (regex->initial == NULL) {
        begin_list(regex, &regex->now);
        add(regex, &regex->now, 0, 0, (struct place_in_text){-1, 0});
        regex->initial = state_of(regex, &regex->now, -1);
    }
    return regex->initial;
}

/* step: the state behind one byte. A match may begin behind it, too. */
static struct state *step(struct regex *regex, struct state *state, unsigned char byte)
{
    const struct place_in_text middle = {0, 0}; /* neither start nor end is known to be here */
    begin_list(regex, &regex->now);
    for (uint32_t i = 0; i < state->count; i++)
        if (consumes(regex, state->places[i], byte))
            add(regex, &regex->now, state->places[i] + 1, 0, middle);
    add(regex, &regex->now, 0, 0, middle);
    bool full = regex->state_count >= STATES_MAX || regex->state_bytes >= STATE_BYTES_MAX;
    if (full)
        forget_states(regex); /* state is gone: it learns no successor */
    struct state *next = state_of(regex, &regex->now, 0);
    if (!full)
        state->next[byte] = next;
    return next;
}

bool regex_test(struct regex *regex, const char *text, size_t length)
{
    size_t start, end;
    struct state *state = regex->program.word_assertions ? NULL : start_state(regex);
    for (size_t i = 0; i < length && state != NULL && !state->accepts; i++) {
        struct state *next = state->next[(unsigned char)text[i]];
        state = next != NULL ? next : step(regex, state, (unsigned char)text[i]);
    }
    if (state == NULL) /* word assertions, or no memory for states */
        return regex_find(regex, text, length, 0, &start, &end);
    return state->accepts_at_end;
}

/* ---- Life ---- */

/* find_first: which bytes a match can begin with. Assertions are taken to hold. */
static void find_first(struct regex *regex)
{
    const struct program *program = &regex->program;
    uint32_t depth = 0;
    begin_list(regex, &regex->now);
    regex->stack[depth++] = 0;
    regex->has_first = true;
    while (depth > 0) {
        uint32_t place = regex->stack[--depth];
        const struct instruction *code = &program->code[place];
        if (regex->marks[place] == regex->mark)
            continue;
        regex->marks[place] = regex->mark;
        if (code->op == OP_SPLIT)
            regex->stack[depth++] = (uint32_t)((int32_t)place + code->y);
        if (code->op == OP_SPLIT || code->op == OP_JUMP)
            regex->stack[depth++] = (uint32_t)((int32_t)place + code->x);
        else if (code->op == OP_ASSERT)
            regex->stack[depth++] = place + 1;
        else if (code->op == OP_MATCH)
            regex->has_first = false;
        else if (code->op == OP_BYTE)
            set_put(&regex->first, (unsigned char)code->value);
        for (int i = 0; i < 8 && code->op == OP_SET; i++)
            regex->first.bits[i] |= program->sets[code->value].bits[i];
    }
}

const char *regex_compile(struct regex **out, const struct regex_pattern *patterns, size_t count,
                          unsigned flags)
{
    struct regex *regex = calloc(1, sizeof(*regex));
    if (regex == NULL)
        return "out of memory";
    const char *error = program_parse(&regex->program, patterns, count, flags);
    if (error == NULL) {
        size_t length = regex->program.length;
        regex->now.threads = calloc(length, sizeof(struct thread));
        regex->then.threads = calloc(length, sizeof(struct thread));
        regex->marks = calloc(length, sizeof(uint32_t));
        regex->stack = calloc(2 * length + 2, sizeof(uint32_t));
        if (!regex->now.threads || !regex->then.threads || !regex->marks || !regex->stack)
            error = "out of memory";
    }
    if (error != NULL) {
        regex_free(regex);
        return error;
    }
    find_first(regex);
    *out = regex;
    return NULL;
}

void regex_free(struct regex *regex)
{
    forget_states(regex);
    program_free(&regex->program);
    free(regex->now.threads);
    free(regex->then.threads);
    free(regex->marks);
    free(regex->stack);
    free(regex);
}
