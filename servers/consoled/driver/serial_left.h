/* The memory of a virtio-serial port's queues and buffers, kept for the driver to come. */
#pragma once

#include "consoled/port/port.h"
#include "virtio/device.h"

#define SERIAL_BUFFERS     PORT_BUFFERS /* in each direction */
#define SERIAL_BUFFER_SIZE 4096

struct serial_memory {
    struct dma_buffer buffers; /* to receive, then to send */
    struct dma_buffer *receive, *transmit; /* of the queues */
};

/* What a driver before has left in the buffers to send: in this order. */
struct serial_unsent {
    struct {
        uint32_t buffer, length;
    } parts[SERIAL_BUFFERS];
    unsigned count;
};

/* serial_left_adopt: maps what was kept for port number, if it was, and finds out what the device,
 * which is reset now, had received and not sent. The queues' memory may be used again afterwards.
 * False: nothing was kept. */
bool serial_left_adopt(struct virtio_device *device, unsigned number, struct serial_memory *memory,
                       struct port_received *received, struct serial_unsent *unsent);

/* serial_left_keep: keeps the memory of port number. 0 or -errno. */
int serial_left_keep(unsigned number, const struct serial_memory *memory);
