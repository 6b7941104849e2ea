/* The ChaCha20 block function: additions, rotations and exclusive ors only, so constant time. */
#include "chacha20.h"

#include <string.h>

#define DOUBLE_ROUNDS 10

static inline uint32_t rotate_left(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static inline void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotate_left(*d ^ *a, 16);
    *c += *d;
    *b = rotate_left(*b ^ *c, 12);
    *a += *b;
    *d = rotate_left(*d ^ *a, 8);
    *c += *d;
    *b = rotate_left(*b ^ *c, 7);
}

void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                    uint8_t out[CHACHA20_BLOCK])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, x[16];
    memcpy(start + 4, key, 8 * sizeof *key);
    start[12] = counter;
    memcpy(start + 13, nonce, 3 * sizeof *nonce);
    memcpy(x, start, sizeof x);
    for (unsigned i = 0; i < DOUBLE_ROUNDS; i++) {
        for (unsigned column = 0; column < 4; column++)
            quarter_round(&x[column], &x[4 + column], &x[8 + column], &x[12 + column]);
        for (unsigned column = 0; column < 4; column++) /* the diagonals */
            quarter_round(&x[column], &x[4 + (column + 1) % 4], &x[8 + (column + 2) % 4],
                          &x[12 + (column + 3) % 4]);
    }
    for (unsigned i = 0; i < 16; i++) {
        uint32_t word = x[i] + start[i];
        for (unsigned byte = 0; byte < 4; byte++)
            out[4 * i + byte] = (uint8_t)(word >> (8 * byte));
    }
}
