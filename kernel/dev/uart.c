/* The NS16550 UART, polled: output waits until it has left, input is asked for. */
#include "dev/uart.h"
#include "dev/sbi.h"
#include "mm/layout.h"

enum { UART_DATA = 0, UART_FIFO_CONTROL = 2, UART_LINE_STATUS = 5 };
enum { LINE_DATA_READY = 0x01, LINE_IDLE = 0x40 };

static volatile uint8_t *uart;

void uart_init(uint64_t physical_base)
{
    uart = phys_to_virt(physical_base);
    uart[UART_FIFO_CONTROL] = 1;
}

void uart_put(char c)
{
    if (!uart) {
        sbi_putchar(c);
        return;
    }
    if (c == '\n')
        uart_put('\r');
    uart[UART_DATA] = (uint8_t)c;
    while (!(uart[UART_LINE_STATUS] & LINE_IDLE)) /* what is in it at power-off is lost */
        ;
}

int uart_get(void)
{
    if (!uart || !(uart[UART_LINE_STATUS] & LINE_DATA_READY))
        return -1;
    return uart[UART_DATA];
}
