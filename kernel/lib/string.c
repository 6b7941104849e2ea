/* Memory and string functions. Words are moved that are aligned on both sides; where source and
 * destination differ, each is put together from two. */
#include "lib/string.h"
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    for (; n && (uintptr_t)d & 7; n--)
        *d++ = *s++;
    unsigned shift = (unsigned)((uintptr_t)s & 7) * 8;
    if (shift == 0) {
#pragma GCC unroll 8
        for (; n >= 8; n -= 8, d += 8, s += 8)
            *(uint64_t *)d = *(const uint64_t *)s;
    }
    const uint64_t *word = (const uint64_t *)((uintptr_t)s & ~7ul);
#pragma GCC unroll 8
    for (; n >= 16; n -= 8, d += 8, s += 8, word++)
        *(uint64_t *)d = word[0] >> shift | word[1] << (64 - shift);
    while (n--)
        *d++ = *s++;
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    uint8_t *d = to;
    for (; n && (uintptr_t)d & 7; n--)
        *d++ = (uint8_t)byte;
    uint64_t word = 0x0101010101010101ul * (uint8_t)byte;
#pragma GCC unroll 8
    for (; n >= 8; n -= 8, d += 8)
        *(uint64_t *)d = word;
    while (n--)
        *d++ = (uint8_t)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
    }
    return 0;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

size_t strlen(const char *s) { return strnlen(s, SIZE_MAX); }

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

void string_copy(char *to, const char *from, size_t size)
{
    size_t n = strnlen(from, size - 1);
    memcpy(to, from, n);
    to[n] = 0;
}
