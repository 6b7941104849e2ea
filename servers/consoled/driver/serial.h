/* The virtio-serial device (VIRTIO 1.2, 5.3) with its ports: port 0 is the terminal, named ports
 * are byte streams.
 *
 * The functions are weak: a consoled that is built without this driver finds them to be null, and
 * takes the UART. */
#pragma once

#include "abi/handle.h"
#include <stdbool.h>

/* serial_start: 0 or -errno (-ENODEV: another device). Interrupts pulse the bit of channel; ports
 * are announced to main as the device tells of them. */
int serial_start(handle_t device, handle_t channel, unsigned bit) __attribute__((weak));
void serial_interrupt(void) __attribute__((weak));

/* serial_has_terminal: port 0 exists. */
bool serial_has_terminal(void) __attribute__((weak));
