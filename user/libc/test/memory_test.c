/* memcpy, memmove and memset against a byte-by-byte reference, at all alignments. */
#include "../../libcairn/test/check.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 400

static unsigned char area[SIZE], expected[SIZE];

static void fill(unsigned char *p)
{
    for (int i = 0; i < SIZE; i++)
        p[i] = (unsigned char)(i * 7 + 3);
}

static int same(void)
{
    for (int i = 0; i < SIZE; i++)
        if (area[i] != expected[i])
            return 0;
    return 1;
}

static void reference_move(unsigned char *to, const unsigned char *from, size_t n)
{
    unsigned char copy[SIZE];
    for (size_t i = 0; i < n; i++)
        copy[i] = from[i];
    for (size_t i = 0; i < n; i++)
        to[i] = copy[i];
}

static void test_memmove(void)
{
    unsigned wrong = 0;
    for (size_t to = 100; to < 109; to++)
        for (size_t from = 20; from < 190; from++)
            for (size_t n = 0; n < 150; n += n < 40 ? 1 : 13) {
                fill(area);
                fill(expected);
                reference_move(expected + to, expected + from, n);
                wrong += memmove(area + to, area + from, n) != area + to || !same();
            }
    CHECK(wrong == 0);
}

static void test_memcpy(void)
{
    unsigned wrong = 0;
    for (size_t to = 0; to < 9; to++)
        for (size_t from = 0; from < 9; from++)
            for (size_t n = 0; n < 150; n++) {
                fill(area);
                fill(expected);
                reference_move(expected + 200 + to, expected + from, n);
                wrong += memcpy(area + 200 + to, area + from, n) != area + 200 + to || !same();
            }
    CHECK(wrong == 0);
}

static void test_memset(void)
{
    unsigned wrong = 0;
    for (size_t at = 50; at < 60; at++)
        for (size_t n = 0; n < 200; n++) {
            fill(area);
            fill(expected);
            for (size_t i = 0; i < n; i++)
                expected[at + i] = 0xab;
            wrong += memset(area + at, 0x1ab, n) != area + at || !same();
        }
    CHECK(wrong == 0);
}

int main(void)
{
    test_memmove();
    test_memcpy();
    test_memset();
    return report();
}
