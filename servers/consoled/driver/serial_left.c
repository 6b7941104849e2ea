/* Takes over from a consoled that died: what the device had received is still in the buffers, and
 * which of them hold what is in the queues. */
#include "consoled/driver/serial_left.h"

#include "abi/memory.h"
#include "cairn/kept.h"
#include "cairn/syscall.h"
#include "consoled/keep.h"
#include "virtio/left.h"

enum { BUFFERS_PLACE, RECEIVE_PLACE, TRANSMIT_PLACE, PLACES };
_Static_assert(PLACES == PLACES_A_PORT, "one place for each memory");

static unsigned place(unsigned number, unsigned which)
{
    return number * PLACES + which;
}

static bool memory_adopt(struct virtio_device *device, unsigned number, unsigned which,
                         struct dma_buffer *buffer)
{
    struct memory_info info;
    handle_t memory = kept_get(place(number, which));
    if (memory < 0)
        return false;
    int64_t physical = -1, at = memory_info(memory, &info);
    if (at == 0)
        at = memory_map(0, memory, 0, 0, info.size, PROT_READ | PROT_WRITE);
    if (at > 0)
        physical = virt_to_phys(device->handle, (uint64_t)at);
    if (physical < 0) {
        handle_close(memory);
        return false;
    }
    *buffer = (struct dma_buffer){
        .address = (uint64_t)at, .physical = (uint64_t)physical, .size = info.size, .memory = memory};
    return true;
}

/* The number of the buffer at this address, from 0; SERIAL_BUFFERS or more: none of the half that
 * begins with first. */
static uint64_t buffer_number(const struct serial_memory *memory, uint64_t physical, unsigned first)
{
    return (physical - memory->buffers.physical) / SERIAL_BUFFER_SIZE - first;
}

static void find_received(const struct serial_memory *memory, struct port_received *received)
{
    struct virtqueue_left left[SERIAL_BUFFERS];
    unsigned count =
        virtqueue_left_finished((void *)memory->receive->address, SERIAL_BUFFERS, received->taken,
                                left, SERIAL_BUFFERS - received->count);
    for (unsigned i = 0; i < count; i++) {
        uint64_t buffer = buffer_number(memory, left[i].physical, 0);
        if (buffer >= SERIAL_BUFFERS || left[i].length > SERIAL_BUFFER_SIZE)
            continue;
        unsigned tail = (received->head + received->count++) % SERIAL_BUFFERS;
        received->parts[tail].buffer = (uint32_t)buffer;
        received->parts[tail].at = 0;
        received->parts[tail].length = left[i].length;
    }
}

static void find_unsent(const struct serial_memory *memory, struct serial_unsent *unsent)
{
    struct virtqueue_left left[SERIAL_BUFFERS];
    unsigned count = virtqueue_left_waiting((void *)memory->transmit->address, SERIAL_BUFFERS, left,
                                            SERIAL_BUFFERS);
    for (unsigned i = 0; i < count; i++) {
        uint64_t buffer = buffer_number(memory, left[i].physical, SERIAL_BUFFERS);
        if (buffer >= SERIAL_BUFFERS || left[i].length == 0 || left[i].length > SERIAL_BUFFER_SIZE)
            continue;
        unsent->parts[unsent->count].buffer = SERIAL_BUFFERS + (uint32_t)buffer;
        unsent->parts[unsent->count++].length = left[i].length;
    }
}

bool serial_left_adopt(struct virtio_device *device, unsigned number, struct serial_memory *memory,
                       struct port_received *received, struct serial_unsent *unsent)
{
    *received = keep_received(number);
    if (!memory_adopt(device, number, BUFFERS_PLACE, &memory->buffers))
        return false;
    if (!memory_adopt(device, number, RECEIVE_PLACE, memory->receive) ||
        !memory_adopt(device, number, TRANSMIT_PLACE, memory->transmit)) {
        dma_free(device->handle, memory->buffers.memory);
        memory->buffers.size = 0;
        *received = (struct port_received){0};
        return false;
    }
    if (received->active)
        find_received(memory, received);
    find_unsent(memory, unsent);
    /* The queues begin anew: from here on they say nothing about what was before. */
    received->taken = received->active = 0;
    keep_driver(number, received);
    return true;
}

int serial_left_keep(unsigned number, const struct serial_memory *memory)
{
    int error = kept_put(place(number, BUFFERS_PLACE), memory->buffers.memory);
    if (!error)
        error = kept_put(place(number, RECEIVE_PLACE), memory->receive->memory);
    return error ? error : kept_put(place(number, TRANSMIT_PLACE), memory->transmit->memory);
}
