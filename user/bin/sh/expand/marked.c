/* Marked text, and field splitting. */
#include "marked.h"

#include <stdlib.h>
#include <string.h>

void marked_add(struct marked *marked, char c, enum mark mark)
{
    if (marked->len == marked->capacity) {
        marked->capacity = marked->capacity > 0 ? marked->capacity * 2 : 32;
        marked->chars = must_realloc(marked->chars, marked->capacity);
        marked->marks = must_realloc(marked->marks, marked->capacity);
    }
    marked->chars[marked->len] = c;
    marked->marks[marked->len++] = (unsigned char)mark;
}

void marked_string(struct marked *marked, const char *string, enum mark mark)
{
    while (*string != '\0')
        marked_add(marked, *string++, mark);
}

void marked_free(struct marked *marked)
{
    free(marked->chars);
    free(marked->marks);
    *marked = (struct marked){0};
}

char *marked_plain(const struct marked *marked, struct arena *arena)
{
    char *plain = arena_alloc(arena, marked->len + 1), *to = plain;
    for (size_t i = 0; i < marked->len; i++)
        if (marked->marks[i] != MARK_BREAK && marked->marks[i] != MARK_EMPTY)
            *to++ = marked->chars[i];
    *to = '\0';
    return plain;
}

struct span marked_span(const struct marked *marked)
{
    return (struct span){marked->chars, marked->marks, marked->len};
}

/* The field under construction. */
struct splitter {
    struct marked field;
    bool exists;      /* it has a byte, or is a quoted nothing */
    bool after_space; /* white space ended the last field: a separator now ends no other */
    struct arena *arena;
    field_function *emit;
    void *context;
};

static void end_field(struct splitter *splitter)
{
    struct marked *field = &splitter->field;
    char *chars = arena_copy(splitter->arena, field->len > 0 ? field->chars : "", field->len);
    unsigned char *marks = arena_alloc(splitter->arena, field->len + 1);
    if (field->len > 0)
        memcpy(marks, field->marks, field->len);
    splitter->emit(splitter->context, (struct span){chars, marks, field->len});
    field->len = 0;
    splitter->exists = false;
}

static void separator(struct splitter *splitter, char c)
{
    bool space = c == ' ' || c == '\t' || c == '\n';
    if (splitter->exists) {
        end_field(splitter);
        splitter->after_space = space;
    } else if (!space) {
        if (!splitter->after_space)
            end_field(splitter);
        splitter->after_space = false;
    }
}

void fields_split(const struct marked *marked, const char *ifs, struct arena *arena,
                  field_function *field, void *context)
{
    struct splitter splitter = {.arena = arena, .emit = field, .context = context};
    if (ifs == NULL)
        ifs = " \t\n";
    for (size_t i = 0; i < marked->len; i++) {
        char c = marked->chars[i];
        switch ((enum mark)marked->marks[i]) {
        case MARK_BREAK:
            if (splitter.exists)
                end_field(&splitter);
            splitter.after_space = false;
            continue;
        case MARK_EMPTY:
            splitter.exists = true;
            continue;
        case MARK_SPLIT:
            if (c != '\0' && strchr(ifs, c) != NULL) {
                separator(&splitter, c);
                continue;
            }
            break;
        case MARK_PLAIN:
        case MARK_QUOTED:
            break;
        }
        marked_add(&splitter.field, c, (enum mark)marked->marks[i]);
        splitter.exists = true;
    }
    if (splitter.exists)
        end_field(&splitter);
    marked_free(&splitter.field);
}
