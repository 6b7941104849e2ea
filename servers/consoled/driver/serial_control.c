/* The control queues of virtio-serial. Receive buffers are plenty, because the device drops what
 * finds none: at the start it speaks of all its ports at once. */
#include "consoled/driver/serial_control.h"

#include "abi/memory.h"
#include "cairn/syscall.h"
#include <string.h>

#define RECEIVE_SIZE    128 /* bytes of one message: the header and a name */
#define TRANSMIT_OFFSET (SERIAL_CONTROL_MESSAGES * RECEIVE_SIZE)

struct control_message {
    uint32_t port;
    uint16_t event, value;
};

#define MEMORY_SIZE \
    (TRANSMIT_OFFSET + SERIAL_CONTROL_MESSAGES * sizeof(struct control_message) + PAGE_SIZE - 1)

int serial_control_start(struct serial_control *control, struct virtio_device *device,
                         unsigned index, serial_control_handler *handler)
{
    control->handler = handler;
    control->transmit_free = UINT32_MAX;
    for (unsigned i = 0; i < SERIAL_CONTROL_MESSAGES; i++)
        control->numbers[i] = (uint8_t)i;
    int error = virtio_add_queue(device, &control->receive, index, SERIAL_CONTROL_MESSAGES);
    if (!error)
        error = virtio_add_queue(device, &control->transmit, index + 1, SERIAL_CONTROL_MESSAGES);
    if (!error)
        error = (int)dma_alloc(device->handle, MEMORY_SIZE & ~(PAGE_SIZE - 1), &control->memory);
    return error;
}

static void post(struct serial_control *control, unsigned number)
{
    struct virtqueue_segment segment = {control->memory.physical + number * RECEIVE_SIZE,
                                        RECEIVE_SIZE};
    virtqueue_add(&control->receive.ring, &segment, 0, 1, &control->numbers[number]);
}

void serial_control_post(struct serial_control *control)
{
    for (unsigned i = 0; i < control->receive.ring.size; i++)
        post(control, i);
    virtqueue_kick(&control->receive.ring);
}

void serial_control_send(struct serial_control *control, unsigned port, unsigned event,
                         unsigned value)
{
    void *cookie;
    uint32_t length;
    while (virtqueue_take(&control->transmit.ring, &cookie, &length) == 1)
        control->transmit_free |= 1u << *(uint8_t *)cookie;
    if (!control->transmit_free)
        return;
    unsigned number = (unsigned)__builtin_ctz(control->transmit_free);
    uint64_t offset = TRANSMIT_OFFSET + number * sizeof(struct control_message);
    struct control_message *message = (void *)(control->memory.address + offset);
    *message = (struct control_message){port, (uint16_t)event, (uint16_t)value};
    struct virtqueue_segment segment = {control->memory.physical + offset, sizeof *message};
    if (virtqueue_add(&control->transmit.ring, &segment, 1, 0, &control->numbers[number]) == 0)
        control->transmit_free &= ~(1u << number);
    virtqueue_kick(&control->transmit.ring);
}

void serial_control_receive(struct serial_control *control)
{
    uint8_t bytes[RECEIVE_SIZE];
    struct control_message message;
    void *cookie;
    uint32_t length;
    while (virtqueue_take(&control->receive.ring, &cookie, &length) == 1) {
        unsigned number = *(uint8_t *)cookie;
        memcpy(bytes, (char *)control->memory.address + number * RECEIVE_SIZE, length);
        post(control, number);
        if (length < sizeof message)
            continue;
        memcpy(&message, bytes, sizeof message);
        control->handler(message.port, message.event, message.value, bytes + sizeof message,
                         length - sizeof message);
    }
    virtqueue_kick(&control->receive.ring);
}
