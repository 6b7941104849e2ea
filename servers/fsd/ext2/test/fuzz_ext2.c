/* Fuzz target: the input is a list of changes to the hand-made image (damage_apply), so the
 * fuzzer need not find out what a file system looks like. */
#include "damage.h"
#include "make_image.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t pristine[MADE_SIZE];
    if (!pristine[1024 + 56])
        make_image(pristine);
    uint8_t *image = malloc(MADE_SIZE);
    memcpy(image, pristine, MADE_SIZE);
    damage_apply(image, MADE_SIZE, data, size);
    damage_work(image, MADE_SIZE);
    free(image);
    return 0;
}
