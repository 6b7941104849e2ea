/* The spawn block: header, handle entries, string offsets, strings. Invariant: every offset lies
 * inside the block and every string ends with NUL inside it. */
#include "spawn_block.h"

#include <string.h>

static size_t count(const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

int64_t spawn_block_size(const struct spawn_options *options)
{
    size_t argc = count(options->argv), envc = count(options->envp);
    if (options->handle_count > SPAWN_HANDLES_MAX)
        return -E2BIG;
    size_t size = sizeof(struct spawn_block) + (argc + envc) * sizeof(uint32_t);
    for (size_t i = 0; i < argc && size <= SPAWN_BLOCK_MAX; i++)
        size += strlen(options->argv[i]) + 1;
    for (size_t i = 0; i < envc && size <= SPAWN_BLOCK_MAX; i++)
        size += strlen(options->envp[i]) + 1;
    if (options->cwd)
        size += strlen(options->cwd) + 1;
    for (size_t i = 0; i < options->handle_count; i++)
        if (options->handles[i].name)
            size += strlen(options->handles[i].name) + 1;
    return size <= SPAWN_BLOCK_MAX ? (int64_t)size : -E2BIG;
}

static uint32_t put_string(struct spawn_block *block, size_t *at, const char *text)
{
    if (!text)
        return 0;
    uint32_t offset = (uint32_t)*at;
    size_t len = strlen(text) + 1;
    memcpy((char *)block + offset, text, len);
    *at += len;
    return offset;
}

void spawn_block_build(struct spawn_block *block, size_t size, const struct spawn_options *options)
{
    size_t argc = count(options->argv), envc = count(options->envp);
    size_t at = sizeof *block + (argc + envc) * sizeof(uint32_t);

    memset(block, 0, sizeof *block);
    block->magic = SPAWN_MAGIC;
    block->length = (uint32_t)size;
    block->argc = (uint32_t)argc;
    block->envc = (uint32_t)envc;
    block->handle_count = (uint32_t)options->handle_count;
    for (size_t i = 0; i < argc; i++)
        block->strings[i] = put_string(block, &at, options->argv[i]);
    for (size_t i = 0; i < envc; i++)
        block->strings[argc + i] = put_string(block, &at, options->envp[i]);
    block->cwd = put_string(block, &at, options->cwd);
    for (size_t i = 0; i < options->handle_count; i++) {
        struct spawn_entry *entry = &block->handles[i];
        entry->id = options->handles[i].id;
        entry->flags = options->handles[i].flags;
        entry->name = put_string(block, &at, options->handles[i].name);
    }
}
