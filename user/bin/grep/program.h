/* The program that a pattern becomes: instructions of a nondeterministic automaton. Targets are
 * relative, so that a piece of program can be copied or moved (repetitions do). */
#pragma once

#include "regex.h"

#define PROGRAM_MAX 32768 /* instructions */

enum opcode {
    OP_BYTE,   /* consume one byte equal to value */
    OP_SET,    /* consume one byte in sets[value] */
    OP_SPLIT,  /* go on at both x and y */
    OP_JUMP,   /* go on at x */
    OP_ASSERT, /* go on if the condition value (enum assertion) holds here */
    OP_MATCH,
};

enum assertion {
    AT_START,
    AT_END,
    AT_WORD_START,
    AT_WORD_END,
    AT_BOUNDARY,
    AT_NO_BOUNDARY,
    AT_NO_WORD_BEFORE,
    AT_NO_WORD_BEHIND,
};

struct instruction {
    enum opcode op;
    uint32_t value;
    int32_t x, y;
};

struct byte_set {
    uint32_t bits[8];
};

static inline bool set_has(const struct byte_set *set, unsigned char byte)
{
    return set->bits[byte / 32] >> byte % 32 & 1;
}

static inline void set_put(struct byte_set *set, unsigned char byte)
{
    set->bits[byte / 32] |= 1u << byte % 32;
}

struct program {
    struct instruction *code;
    size_t length, capacity;
    struct byte_set *sets;
    size_t set_count, set_capacity;
    bool word_assertions; /* anything but AT_START and AT_END occurs */
};

/* program_parse: the patterns as one program. NULL or what is wrong. */
const char *program_parse(struct program *program, const struct regex_pattern *patterns,
                          size_t count, unsigned flags);
void program_free(struct program *program);
