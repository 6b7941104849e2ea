/* Makes the pool of packets: their bytes in DMA memory, what is known of them on the heap. */
#include "netd/driver/packet_memory.h"

#include "abi/device.h"
#include "abi/errno.h"
#include "cairn/syscall.h"
#include <stdlib.h>
#include <unistd.h>

int packet_memory_create(struct packet_memory *memory, handle_t device, uint32_t count)
{
    struct dma_buffer buffer;
    struct packet *packets = calloc(count, sizeof *packets);
    if (!packets)
        return -ENOMEM;
    if (device > 0) {
        int64_t error = dma_alloc(device, (uint64_t)count * PACKET_SIZE, &buffer);
        if (error) {
            free(packets);
            return (int)error;
        }
        memory->base = (uint8_t *)buffer.address;
        memory->physical = buffer.physical;
    } else {
        void *end = sbrk((ptrdiff_t)count * PACKET_SIZE); /* not touched before it is used */
        if (end == (void *)-1) {
            free(packets);
            return -ENOMEM;
        }
        memory->base = end;
        memory->physical = 0;
    }
    packet_pool_init(&memory->pool, packets, memory->base, count);
    return 0;
}
