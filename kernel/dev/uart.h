/* The NS16550 UART of the kernel log and of the console of the early labs. */
#pragma once

#include <stdint.h>

/* uart_init: with the register base from the device tree; before that output goes through SBI. */
void uart_init(uint64_t physical_base);
void uart_put(char c);
int uart_get(void); /* the next byte, or -1 */
