/* The memory that packets live in: one contiguous block, so that devices reach it by physical
 * addresses that are an offset away. */
#pragma once

#include "abi/handle.h"
#include "netd/stack/packet.h"

struct packet_memory {
    struct packet_pool pool;
    uint8_t *base;
    uint64_t physical; /* 0: no device reaches it (a machine that has only the loopback) */
};

/* packet_memory_create: count packets, for the use of any device of ours; device 0: of none.
 * -ENOMEM and what dma_alloc says. It stays for good. */
int packet_memory_create(struct packet_memory *memory, handle_t device, uint32_t count);

/* packet_physical: where a device finds the byte at data. */
static inline uint64_t packet_physical(const struct packet_memory *memory, const uint8_t *data)
{
    return memory->physical + (uint64_t)(data - memory->base);
}
