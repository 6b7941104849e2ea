/* The terminal on the kernel's UART, by KCON_READ and KCON_WRITE; neither of them waits. */
#include "consoled/driver/uart.h"

#include "abi/kernel_services.h"
#include "cairn/names.h"
#include "cairn/syscall.h"
#include "consoled/keep.h"
#include "proto/ns.h"
#include <string.h>

#define POLL_IDLE     15000000ul /* ns until the next look */
#define POLL_BUSY     1000000ul  /* while input keeps coming: the UART holds 16 bytes only */
#define NAME_DEADLINE 1000000000ul
#define READ_MAX      (MESSAGE_DATA_MAX - sizeof(int64_t))

static struct {
    struct console_port console; /* first */
    handle_t channel;
} uart;

static bool receive(void)
{
    if (port_room(&uart.console.port) < READ_MAX)
        return false;
    struct message m = {.type = KCON_READ};
    if (channel_call(uart.channel, &m) < 0)
        return false;
    int64_t n = (int64_t)m.words[0];
    if (n <= 0 || (uint64_t)n > READ_MAX)
        return false;
    port_receive(&uart.console.port, m.data + sizeof(int64_t), (size_t)n);
    return true;
}

static bool transmit(void)
{
    struct message m = {.type = KCON_WRITE};
    size_t n = port_output(&uart.console.port, (char *)m.data, MESSAGE_DATA_MAX);
    m.len = (uint16_t)n;
    bool sent = n > 0 && channel_call(uart.channel, &m) == 0;
    port_answer(&uart.console.port);
    return sent;
}

static void pump(struct console_port *console)
{
    bool moved = true;
    while (moved) {
        moved = port_work(&console->port);
        moved |= transmit();
    }
    keep_port(0, &console->port);
}

uint64_t uart_tick(void)
{
    if (!uart.channel)
        return 0;
    bool busy = false;
    while (receive()) {
        busy = true;
        pump(&uart.console);
    }
    pump(&uart.console);
    return (uint64_t)clock_now() + (busy ? POLL_BUSY : POLL_IDLE);
}

int uart_start(void)
{
    char rest[NS_URI_MAX];
    handle_t channel = name_wait("sys:console", rest, (uint64_t)clock_now() + NAME_DEADLINE);
    if (channel < 0)
        return channel;
    uart.channel = channel;
    uart.console.pump = pump;
    console_terminal(&uart.console);
    return 0;
}
