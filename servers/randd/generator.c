/* The random generator. Invariant: batch holds no byte that was given out, and key was never used
 * for output that is still to come. */
#include "generator.h"

#include "chacha20.h"
#include <string.h>

#define KEY_BYTES 32

_Static_assert(GENERATOR_BATCH % CHACHA20_BLOCK == 0, "whole blocks");

/* memset that the compiler may not leave out. */
static void wipe(void *memory, size_t length)
{
    memset(memory, 0, length);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* Replaces the key by the first bytes of its own key stream. The rest of the batch is output. */
static void next_batch(struct generator *generator)
{
    static const uint32_t nonce[3];
    for (uint32_t i = 0; i < GENERATOR_BATCH / CHACHA20_BLOCK; i++)
        chacha20_block(generator->key, i, nonce, generator->batch + i * CHACHA20_BLOCK);
    memcpy(generator->key, generator->batch, KEY_BYTES);
    wipe(generator->batch, KEY_BYTES);
    generator->left = GENERATOR_BATCH - KEY_BYTES;
}

static void discard(struct generator *generator)
{
    wipe(generator->batch, sizeof generator->batch);
    generator->left = 0;
}

void generator_init(struct generator *generator)
{
    memset(generator, 0, sizeof *generator);
}

void generator_mix(struct generator *generator, const void *bytes, size_t length, bool good)
{
    const uint8_t *from = bytes;
    for (size_t done = 0; done < length;) {
        uint8_t part[KEY_BYTES] = {0};
        size_t n = length - done < KEY_BYTES ? length - done : KEY_BYTES;
        memcpy(part, from + done, n);
        for (unsigned i = 0; i < KEY_BYTES; i++)
            ((uint8_t *)generator->key)[i] ^= part[i];
        next_batch(generator); /* one way: the old key cannot be had from the new one */
        wipe(part, sizeof part);
        done += n;
    }
    discard(generator);
    if (good && length > 0) {
        size_t missing = GENERATOR_SEED - generator->entropy;
        generator->entropy += length < missing ? length : missing;
        generator->generated = 0;
    }
}

void generator_fill(struct generator *generator, void *buffer, size_t length)
{
    uint8_t *to = buffer;
    generator->generated += length;
    while (length > 0) {
        if (generator->left == 0)
            next_batch(generator);
        size_t n = length < generator->left ? length : generator->left;
        uint8_t *from = generator->batch + GENERATOR_BATCH - generator->left;
        memcpy(to, from, n);
        wipe(from, n);
        generator->left -= n;
        to += n;
        length -= n;
    }
}
