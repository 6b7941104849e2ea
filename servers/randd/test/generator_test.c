/* Host test of the generator: ChaCha20 by the vectors of RFC 8439 (2.3.2, A.1), key erasure, and
 * mixing. */
#include "chacha20.h"
#include "check.h"
#include "generator.h"
#include <string.h>

struct vector {
    uint8_t key[32];
    uint32_t counter;
    uint8_t nonce[12];
    const char *block; /* hex */
};

static const struct vector vectors[] = {
    /* 2.3.2 */
    {{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
     1,
     {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0},
     "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
     "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"},
    /* A.1, 1 to 5 */
    {{0},
     0,
     {0},
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
     "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
    {{0},
     1,
     {0},
     "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
     "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
    {{[31] = 1},
     1,
     {0},
     "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
     "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
    {{0, 0xff},
     2,
     {0},
     "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
     "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"},
    {{0},
     0,
     {[11] = 2},
     "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
     "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d"},
};

static uint32_t little(const uint8_t *bytes)
{
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void test_vectors(void)
{
    for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint32_t key[8], nonce[3];
        uint8_t block[64];
        char hex[129];
        for (unsigned w = 0; w < 8; w++)
            key[w] = little(vectors[i].key + 4 * w);
        for (unsigned w = 0; w < 3; w++)
            nonce[w] = little(vectors[i].nonce + 4 * w);
        chacha20_block(key, vectors[i].counter, nonce, block);
        for (unsigned b = 0; b < 64; b++)
            snprintf(hex + 2 * b, 3, "%02x", block[b]);
        CHECK(strcmp(hex, vectors[i].block) == 0);
    }
}

static void seed(struct generator *g, uint8_t byte)
{
    uint8_t bytes[GENERATOR_SEED];
    memset(bytes, byte, sizeof bytes);
    generator_init(g);
    generator_mix(g, bytes, sizeof bytes, true);
}

static void test_seeding(void)
{
    struct generator g;
    uint8_t bytes[GENERATOR_SEED] = {1};
    generator_init(&g);
    CHECK(!generator_seeded(&g));
    generator_mix(&g, bytes, 0, true);
    generator_mix(&g, bytes, sizeof bytes, false);
    CHECK(!generator_seeded(&g)); /* foreign bytes count nothing */
    generator_mix(&g, bytes, GENERATOR_SEED - 1, true);
    CHECK(!generator_seeded(&g));
    generator_mix(&g, bytes, 1, true);
    CHECK(generator_seeded(&g));
    generator_mix(&g, bytes, sizeof bytes, true);
    CHECK(generator_seeded(&g) && g.entropy == GENERATOR_SEED);
}

/* The first output after a seed, computed from the block function alone. */
static void test_stream(void)
{
    static const uint32_t nonce[3];
    struct generator g;
    uint8_t out[1000], block[64], expected[1000];
    uint32_t key[8];
    seed(&g, 0x5c);
    memset(key, 0, sizeof key);
    for (unsigned round = 0; round < 2; round++) { /* 64 bytes of seed: twice 32 */
        for (unsigned i = 0; i < 32; i++)
            ((uint8_t *)key)[i] ^= 0x5c;
        chacha20_block(key, 0, nonce, block);
        memcpy(key, block, 32);
    }
    for (unsigned at = 0; at < sizeof out;) {
        uint8_t batch[GENERATOR_BATCH];
        for (unsigned i = 0; i < GENERATOR_BATCH / 64; i++)
            chacha20_block(key, i, nonce, batch + 64 * i);
        memcpy(key, batch, 32);
        unsigned n = sizeof out - at < GENERATOR_BATCH - 32 ? (unsigned)sizeof out - at
                                                            : GENERATOR_BATCH - 32;
        memcpy(expected + at, batch + 32, n);
        at += n;
    }
    generator_fill(&g, out, 3); /* in pieces of different size */
    generator_fill(&g, out + 3, 700);
    generator_fill(&g, out + 703, 297);
    CHECK(memcmp(out, expected, sizeof out) == 0);
    CHECK(g.generated == 1000);
}

static bool contains(const void *memory, size_t size, const void *part, size_t length)
{
    return memmem(memory, size, part, length) != NULL;
}

/* Nothing that was given out is left in the state, nor the key that made it. */
static void test_erasure(void)
{
    struct generator g;
    uint8_t out[300], key[32];
    seed(&g, 1);
    memcpy(key, g.key, sizeof key);
    generator_fill(&g, out, sizeof out);
    CHECK(!contains(&g, sizeof g, key, sizeof key));
    for (unsigned i = 0; i + 8 <= sizeof out; i++)
        CHECK(!contains(&g, sizeof g, out + i, 8));
}

static void test_mixing(void)
{
    struct generator a, b;
    uint8_t from_a[64], from_b[64], next[64];
    seed(&a, 1);
    seed(&b, 1);
    generator_fill(&a, from_a, 64);
    generator_fill(&b, from_b, 64);
    CHECK(memcmp(from_a, from_b, 64) == 0); /* the same seed, the same stream */
    memcpy(next, b.batch + GENERATOR_BATCH - b.left, sizeof next);
    generator_mix(&a, "x", 1, false);
    generator_fill(&a, from_a, 64);
    generator_fill(&b, from_b, 64);
    CHECK(memcmp(from_b, next, 64) == 0);
    CHECK(memcmp(from_a, from_b, 64) != 0); /* any byte changes all that follows */
    CHECK(a.generated == 128);
    generator_mix(&a, "x", 1, true);
    CHECK(a.generated == 0);
}

int main(void)
{
    test_vectors();
    test_seeding();
    test_stream();
    test_erasure();
    test_mixing();
    return check_summary();
}
