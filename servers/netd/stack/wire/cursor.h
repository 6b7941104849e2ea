/* The one way to read bytes that came from outside: a cursor that does not leave its buffer.
 *
 * A read behind the end sets `failed`, moves nothing and gives zeros; so a parser reads a whole
 * structure and asks cursor_ok once, before it believes any of it. Numbers are in network order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
    const uint8_t *at, *end;
    bool failed;
};

static inline struct cursor cursor_over(const void *data, size_t length)
{
    return (struct cursor){data, (const uint8_t *)data + length, false};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static inline bool cursor_ok(const struct cursor *cursor) { return !cursor->failed; }

/* cursor_take: a pointer to the next length bytes, or NULL. */
static inline const uint8_t *cursor_take(struct cursor *cursor, size_t length)
{
    const uint8_t *taken = cursor->at;
    if (cursor->failed || length > cursor_left(cursor)) {
        cursor->failed = true;
        return NULL;
    }
    cursor->at += length;
    return taken;
}

static inline void cursor_bytes(struct cursor *cursor, void *to, size_t length)
{
    const uint8_t *from = cursor_take(cursor, length);
    if (from)
        memcpy(to, from, length);
    else
        memset(to, 0, length);
}

static inline uint8_t cursor_u8(struct cursor *cursor)
{
    const uint8_t *b = cursor_take(cursor, 1);
    return b ? b[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *cursor)
{
    const uint8_t *b = cursor_take(cursor, 2);
    return b ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *cursor)
{
    const uint8_t *b = cursor_take(cursor, 4);
    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

/* cursor_sub: a cursor over the next length bytes, which are skipped; a failed one if they are not
 * there. */
static inline struct cursor cursor_sub(struct cursor *cursor, size_t length)
{
    const uint8_t *taken = cursor_take(cursor, length);
    return taken ? cursor_over(taken, length) : (struct cursor){NULL, NULL, true};
}

/* Writing goes to memory of ours, whose size the caller knows. */
static inline uint8_t *put_u8(uint8_t *at, uint8_t value)
{
    *at = value;
    return at + 1;
}

static inline uint8_t *put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static inline uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    return put_u16(put_u16(at, (uint16_t)(value >> 16)), (uint16_t)value);
}

static inline uint8_t *put_bytes(uint8_t *at, const void *from, size_t length)
{
    memcpy(at, from, length);
    return at + length;
}
