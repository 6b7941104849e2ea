/* Checks spawn blocks. Whatever passes can be read by the new process without further checks. */

#include "block.h"
#include "abi/errno.h"
#include <stdbool.h>

#define ENTRY_FD_FIRST SPAWN_FD(0)
#define ENTRY_FD_LAST  SPAWN_FD(255)

static bool entry_id_valid(uint32_t id)
{
    if (id == SPAWN_ENDPOINT)
        return false;
    return (id >= SPAWN_NAMESPACE && id <= SPAWN_ENDPOINT + HANDLE_BLOCK) ||
           (id >= ENTRY_FD_FIRST && id <= ENTRY_FD_LAST);
}

/* A process has one of each descriptor, endpoint and namespace, but any number of the rest. */
static bool entry_id_unique(uint32_t id)
{
    return id >= SPAWN_ENDPOINT || id == SPAWN_NAMESPACE;
}

static int check_entries(const struct spawn_block *block, uint32_t first_string)
{
    if (block->handle_count > SPAWN_HANDLES_MAX)
        return -E2BIG;
    for (uint32_t i = 0; i < block->handle_count; i++) {
        const struct spawn_entry *entry = &block->handles[i];
        if (!entry_id_valid(entry->id))
            return -EINVAL;
        if (entry->name != 0 && (entry->name < first_string || entry->name >= block->length))
            return -EINVAL;
        for (uint32_t j = 0; j < i && entry_id_unique(entry->id); j++)
            if (block->handles[j].id == entry->id)
                return -EINVAL;
    }
    return 0;
}

int spawn_block_check(const struct spawn_block *block, size_t len)
{
    if (len < sizeof *block || block->magic != SPAWN_MAGIC || block->length != len)
        return -EINVAL;
    if (len > SPAWN_BLOCK_MAX)
        return -E2BIG;

    uint64_t count = (uint64_t)block->argc + block->envc;
    uint64_t first_string = sizeof *block + count * sizeof(uint32_t);
    if (first_string > len)
        return -EINVAL;
    /* One NUL at the very end terminates whatever string an offset leads to. */
    if (first_string < len && ((const char *)block)[len - 1] != '\0')
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++)
        if (block->strings[i] < first_string || block->strings[i] >= len)
            return -EINVAL;
    if (block->cwd != 0 && (block->cwd < first_string || block->cwd >= len))
        return -EINVAL;
    return check_entries(block, (uint32_t)first_string);
}
