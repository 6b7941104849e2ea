/* The random generator: ChaCha20 with fast key erasure. Every batch of output begins with the next
 * key, and what was given out is wiped at once, so that whoever reads the memory later cannot
 * compute what went before. Entropy is mixed in by running it through the same function. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GENERATOR_SEED  64  /* bytes of good entropy before the first output */
#define GENERATOR_BATCH 512 /* bytes made at a time, the next key included */

struct generator {
    uint32_t key[8];
    uint8_t batch[GENERATOR_BATCH]; /* the last left bytes are fresh, all others 0 */
    size_t left;
    size_t entropy;     /* bytes of good entropy seen, up to GENERATOR_SEED */
    uint64_t generated; /* bytes given out since the last good entropy */
};

void generator_init(struct generator *generator);

/* generator_mix: adds bytes to the state; good ones (from the device) count towards the seed,
 * others can do no harm. What was made before is not given out any more. */
void generator_mix(struct generator *generator, const void *bytes, size_t length, bool good);

static inline bool generator_seeded(const struct generator *generator)
{
    return generator->entropy >= GENERATOR_SEED;
}

/* generator_fill: only when seeded. */
void generator_fill(struct generator *generator, void *buffer, size_t length);
