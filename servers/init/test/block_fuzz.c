/* Fuzzes the check of spawn blocks: what it accepts is read here as a new process would. */

#include "init/core/block.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_string(const struct spawn_block *block, uint32_t offset)
{
    return strlen((const char *)block + offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spawn_block *block = malloc(size + (size == 0));
    size_t total = 0;

    if (block == NULL)
        return 0;
    memcpy(block, data, size);
    if (size >= sizeof *block) { /* the fixed words are found soon enough; save the time */
        block->magic = SPAWN_MAGIC;
        block->length = (uint32_t)size;
        block->argc &= 0x7f;
        block->envc &= 0x7f;
        block->handle_count &= 0x3f;
    }
    if (spawn_block_check(block, size) == 0) {
        for (uint32_t i = 0; i < block->argc + block->envc; i++)
            total += read_string(block, block->strings[i]);
        if (block->cwd != 0)
            total += read_string(block, block->cwd);
        for (uint32_t i = 0; i < block->handle_count; i++)
            if (block->handles[i].name != 0)
                total += read_string(block, block->handles[i].name);
    }
    free(block);
    return total == SIZE_MAX ? -1 : 0;
}
