/* The name table against its naive model, on random operations. */
#include "name_model.h"
#include <stdio.h>

static uint64_t state;

static uint8_t random_byte(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)(state >> 56);
}

int main(void)
{
    static uint8_t bytes[8000];
    size_t steps = 0;
    int passed = 0, failed = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        state = seed;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = random_byte();
        if (name_model_run(bytes, sizeof bytes, &steps)) {
            passed++;
        } else {
            fprintf(stderr, "seed %d fails\n", (int)seed);
            failed++;
        }
    }
    printf("%zu operations\n%d passed, %d failed\n", steps, passed, failed);
    return failed != 0;
}
