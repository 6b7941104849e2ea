/* The control queues of virtio-serial: messages about ports (VIRTIO 1.2, 5.3.6.2). */
#pragma once

#include "virtio/device.h"

enum serial_event {
    SERIAL_DEVICE_READY = 0,
    SERIAL_PORT_ADD = 1,
    SERIAL_PORT_REMOVE = 2,
    SERIAL_PORT_READY = 3,
    SERIAL_CONSOLE_PORT = 4,
    SERIAL_RESIZE = 5,
    SERIAL_PORT_OPEN = 6,
    SERIAL_PORT_NAME = 7,
};

typedef void serial_control_handler(unsigned port, unsigned event, unsigned value,
                                    const uint8_t *rest, size_t length);

#define SERIAL_CONTROL_MESSAGES 32 /* buffers in each direction */

struct serial_control {
    struct virtio_queue receive, transmit;
    struct dma_buffer memory;
    serial_control_handler *handler;
    uint8_t numbers[SERIAL_CONTROL_MESSAGES]; /* their addresses are the queues' cookies */
    uint32_t transmit_free;                   /* bit per buffer */
};

/* serial_control_start: sets up queues index and index + 1. 0 or -errno. */
int serial_control_start(struct serial_control *control, struct virtio_device *device,
                         unsigned index, serial_control_handler *handler);

/* serial_control_post: gives the device buffers; once it runs. */
void serial_control_post(struct serial_control *control);

/* serial_control_send: tells the device something. A message that finds no buffer is lost, which
 * needs a device that has not answered to SERIAL_CONTROL_MESSAGES before it. */
void serial_control_send(struct serial_control *control, unsigned port, unsigned event,
                         unsigned value);

/* serial_control_receive: calls the handler for each message that has come. */
void serial_control_receive(struct serial_control *control);
