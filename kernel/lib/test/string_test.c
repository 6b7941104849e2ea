/* Tests the kernel's memory functions byte by byte: every alignment of both sides, every length up
 * to some words, and nothing written besides. */

#include "check.h"
#include "lib/string.h" /* under names of its own: tests.mk */
#include <stdint.h>
#include <stdlib.h>

#define LONGEST 200u
#define SIZE    (LONGEST + 24)

static void blank(uint8_t *to)
{
    for (unsigned i = 0; i < SIZE; i++)
        to[i] = 0xee;
}

/* The source is a block of its own, so that reading outside of it is noticed. */
static void copies(unsigned to_offset, unsigned from_offset, unsigned n)
{
    static _Alignas(8) uint8_t to[SIZE];
    uint8_t *block = malloc(from_offset + n + 1), *from = block + from_offset;
    uint8_t *at = to + 8 + to_offset;
    unsigned wrong = 0;
    for (unsigned i = 0; i < n; i++)
        from[i] = (uint8_t)(i * 7 + 1);
    blank(to);
    CHECK(memcpy(at, from, n) == at);
    for (unsigned i = 0; i < SIZE; i++) {
        unsigned place = i - 8 - to_offset;
        wrong += to[i] != (place < n ? (uint8_t)(place * 7 + 1) : 0xee);
    }
    CHECK(wrong == 0);
    free(block);
}

static void sets(unsigned offset, unsigned n)
{
    static _Alignas(8) uint8_t to[SIZE];
    unsigned wrong = 0;
    blank(to);
    CHECK(memset(to + 8 + offset, 0x1c5, n) == to + 8 + offset);
    for (unsigned i = 0; i < SIZE; i++)
        wrong += to[i] != (i - 8 - offset < n ? 0xc5 : 0xee);
    CHECK(wrong == 0);
}

int main(void)
{
    for (unsigned n = 0; n <= LONGEST; n++) {
        for (unsigned to = 0; to < 8; to++) {
            for (unsigned from = 0; from < 8; from++)
                copies(to, from, n);
            sets(to, n);
        }
    }
    char short_copy[4] = "zzz";
    string_copy(short_copy, "abcdef", sizeof short_copy);
    CHECK(strcmp(short_copy, "abc") == 0);
    CHECK(strcmp("a", "b") < 0 && strcmp("b", "a") > 0);
    CHECK(memcmp("a\xff", "a\x01", 2) > 0);
    CHECK(memcmp("ab", "ac", 1) == 0);
    CHECK(strlen("") == 0 && strnlen("abc", 2) == 2);
    return report();
}
