/* What this process was started with: the spawn block, or for init the kernel's first words. */
#include "abi/kernel_services.h"
#include "cairn/spawn.h"

static const void *argument;

void start_block_set(const struct spawn_block *block)
{
    argument = block;
}

const struct spawn_block *start_block(void)
{
    const struct spawn_block *block = argument;
    return block && block->magic == SPAWN_MAGIC ? block : NULL;
}

const struct first_process_info *start_first_process(void)
{
    const struct first_process_info *info = argument;
    return info && info->magic == FIRST_PROCESS_MAGIC ? info : NULL;
}

handle_t start_handle(uint32_t id, unsigned n)
{
    const struct spawn_block *block = start_block();
    if (!block)
        return -ENOENT;
    for (uint32_t i = 0; i < block->handle_count && i < SPAWN_HANDLES_MAX; i++)
        if (block->handles[i].id == id && block->handles[i].handle > 0 && n-- == 0)
            return block->handles[i].handle;
    return -ENOENT;
}

const char *start_string(uint32_t offset)
{
    const struct spawn_block *block = start_block();
    return block && offset > 0 && offset < block->length ? (const char *)block + offset : NULL;
}
