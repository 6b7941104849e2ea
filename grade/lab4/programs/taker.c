/* Tells which handles it was given: one line for each entry of its spawn block. */
#include "../../../user/first/first.h"
#include "abi/handle.h"
#include "abi/memory.h"
#include "proto/process.h"

static uint64_t first_word(handle_t memory)
{
    int64_t address = memory_map(0, memory, 0, 0, PAGE_SIZE, PROT_READ);
    uint64_t word = address > 0 ? *(const uint64_t *)address : 0;
    if (address > 0)
        memory_unmap(0, (uint64_t)address, PAGE_SIZE);
    return word;
}

int64_t first_main(const void *argument, struct ipc_page *page)
{
    const struct spawn_block *block = argument;
    (void)page;
    say("taker %u has %u\n", block->pid, block->handle_count);
    for (uint32_t i = 0; i < block->handle_count && i < SPAWN_HANDLES_MAX; i++) {
        const struct spawn_entry *entry = &block->handles[i];
        struct handle_info info = {0};
        int64_t error = handle_info(entry->handle, &info);
        uint64_t secret = error == 0 && info.type == OBJECT_MEMORY ? first_word(entry->handle) : 0;
        say("entry %u %u: id %u place %u error %d type %u rights %x secret %lx\n", block->pid, i,
            entry->id, (unsigned)entry->handle & (HANDLES_MAX - 1), (int)error, info.type,
            info.rights, (unsigned long)secret);
    }
    return 0;
}
