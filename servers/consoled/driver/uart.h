/* The terminal on the kernel's own UART, where there is no virtio-serial: polled. */
#pragma once

#include <stdint.h>

/* uart_start: 0, or -errno when there is no sys:console. It announces the terminal to main. */
int uart_start(void);

/* uart_tick: asks for input; when to come again (ns since boot), 0 = it was not started. */
uint64_t uart_tick(void);
