/* memcpy, memmove and memset a word at a time: picolibc's, built for size, go byte by byte. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD sizeof(uint64_t)
#define MISALIGNED(p) ((uintptr_t)(p) & (WORD - 1))

typedef uint64_t __attribute__((may_alias)) word;

/* The loops below must not be recognized and turned into calls of themselves. */
#define NO_LOOP_CALLS __attribute__((optimize("no-tree-loop-distribute-patterns")))

static inline void copy_words(unsigned char *to, const unsigned char *from, size_t words)
{
    word *t = (word *)to;
    const word *f = (const word *)from;
    for (; words >= 8; words -= 8, t += 8, f += 8) {
        word w0 = f[0], w1 = f[1], w2 = f[2], w3 = f[3];
        word w4 = f[4], w5 = f[5], w6 = f[6], w7 = f[7];
        t[0] = w0, t[1] = w1, t[2] = w2, t[3] = w3;
        t[4] = w4, t[5] = w5, t[6] = w6, t[7] = w7;
    }
    while (words-- > 0)
        *t++ = *f++;
}

/* Aligned destination, misaligned source: each word is put together from two aligned ones. Reads
 * only words that hold a byte of the source, so never across into another page. */
static inline void copy_shifted(unsigned char *to, const unsigned char *from, size_t words)
{
    unsigned right = (unsigned)MISALIGNED(from) * 8, left = 64 - right;
    word *t = (word *)to;
    const word *f = (const word *)((uintptr_t)from & ~(WORD - 1));
    word low = *f++;
    while (words-- > 0) {
        word high = *f++;
        *t++ = low >> right | high << left;
        low = high;
    }
}

/* Upwards; right for an overlap, too, when the destination lies lower: what a step writes has
 * been read by then. */
NO_LOOP_CALLS static inline void copy_up(unsigned char *t, const unsigned char *f, size_t n)
{
    if (n >= 2 * WORD) {
        for (; MISALIGNED(t); n--)
            *t++ = *f++;
        size_t words = n / WORD;
        if (MISALIGNED(f))
            copy_shifted(t, f, words);
        else
            copy_words(t, f, words);
        t += words * WORD;
        f += words * WORD;
        n %= WORD;
    }
    while (n-- > 0)
        *t++ = *f++;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    copy_up(to, from, n);
    return to;
}

NO_LOOP_CALLS void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    if (t <= f || t >= f + n) {
        copy_up(t, f, n);
        return to;
    }
    t += n;
    f += n;
    if (MISALIGNED(t) == MISALIGNED(f)) {
        for (; n > 0 && MISALIGNED(t); n--)
            *--t = *--f;
        for (; n >= WORD; n -= WORD) {
            t -= WORD;
            f -= WORD;
            *(word *)t = *(const word *)f;
        }
    }
    while (n-- > 0)
        *--t = *--f;
    return to;
}

NO_LOOP_CALLS void *memset(void *to, int value, size_t n)
{
    unsigned char *t = to;
    if (n >= 2 * WORD) {
        word w = 0x0101010101010101ul * (unsigned char)value;
        for (; MISALIGNED(t); n--)
            *t++ = (unsigned char)value;
        for (; n >= 8 * WORD; n -= 8 * WORD, t += 8 * WORD) {
            word *p = (word *)t;
            p[0] = w, p[1] = w, p[2] = w, p[3] = w;
            p[4] = w, p[5] = w, p[6] = w, p[7] = w;
        }
        for (; n >= WORD; n -= WORD, t += WORD)
            *(word *)t = w;
    }
    while (n-- > 0)
        *t++ = (unsigned char)value;
    return to;
}
