/* consoled: the server of the terminal console: and of the named serial ports serial:NAME.
 *
 * One thread. Nothing here waits for a client: reads, and writes that find the line busy, are
 * answered later. The only call to another server is that of ^C to init, with a short deadline. */
#include "abi/errno.h"
#include "cairn/log.h"
#include "cairn/names.h"
#include "cairn/spawn.h"
#include "cairn/syscall.h"
#include "consoled/consoled.h"
#include "consoled/driver/serial.h"
#include "consoled/driver/uart.h"
#include "consoled/keep.h"
#include "proto/console.h"
#include "proto/fs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERMINAL          0
#define DEFAULT_ROWS      25
#define DEFAULT_COLUMNS   80
#define SERIAL_BIT        0
#define SIGNAL_DEADLINE   50000000ul  /* ns that ^C may take */
#define TERMINAL_DEADLINE 5000000000ul /* ns in which the device must tell of port 0 */
#define TERMINAL_POLL     250000ul     /* ns */
#define CLIENT_RIGHTS     (RIGHT_SEND | RIGHT_DUP | RIGHT_TRANSFER)

static struct {
    struct server server;
    struct console_port *ports[PORTS_MAX];
    struct line_discipline line;
    handle_t foreground;
    int *untaken;     /* a signal typed since the last read while there was no foreground job */
} consoled;

/* ---- What ports need ---------------------------------------------------------------------- */

static int client_copy_in(uint64_t token, uint64_t offset, void *buffer, size_t length)
{
    struct request request = {.token = token};
    return request_copy_in(&request, 0, offset, buffer, length);
}

static int client_copy_out(uint64_t token, uint64_t offset, const void *buffer, size_t length)
{
    struct request request = {.token = token};
    return request_copy_out(&request, 0, offset, buffer, length);
}

static int client_reply(uint64_t token, int64_t result)
{
    return server_reply(token, result, NULL, 0);
}

static bool client_waits(uint64_t token)
{
    char nothing = 0;
    return copy_out(token, 0, 0, &nothing, 0) != -ESTALE;
}

/* ^C: tells the foreground job. A job that is over, or one of an init that does not answer, is
 * not asked again. */
static void client_signal(struct port *port, int signal)
{
    (void)port;
    *consoled.untaken = consoled.foreground ? 0 : signal;
    if (!consoled.foreground)
        return;
    struct message m = {.type = PROC_JOB_SIGNAL, .len = 8, .words = {(uint64_t)signal}};
    int error =
        channel_call_deadline(consoled.foreground, &m, (uint64_t)clock_now() + SIGNAL_DEADLINE);
    if (error && error != -ETIMEDOUT)
        console_foreground(0);
}

static unsigned number_of(const struct port *port)
{
    unsigned number = 0;
    while (number < PORTS_MAX && &consoled.ports[number]->port != port)
        number++;
    return number;
}

static void client_given(const struct port *port, uint64_t token, size_t n)
{
    keep_given(number_of(port), port, token, n);
}

const struct port_backend client_backend = {
    client_copy_in, client_copy_out, client_reply, client_waits,
    client_signal,  client_given,    keep_written,
};

void console_foreground(handle_t job)
{
    if (consoled.foreground)
        handle_close(consoled.foreground);
    consoled.foreground = job;
    keep_foreground(job);
    /* ^C came when the shell had started the job and not yet told us: the user means this job. */
    if (job && *consoled.untaken)
        client_signal(NULL, *consoled.untaken);
}

void console_reading(void)
{
    *consoled.untaken = 0;
}

/* ---- Ports and their names ---------------------------------------------------------------- */

struct console_port *console_port_of(uint64_t badge)
{
    uint64_t number = badge ? (badge - 1) / 2 : TERMINAL;
    return number < PORTS_MAX ? consoled.ports[number] : NULL;
}

/* One session per port and mode is enough for all clients: they get copies of its handle. */
int64_t console_open(struct console_port *port, bool nonblock)
{
    handle_t *handle = &port->handles[nonblock];
    if (!*handle) {
        int64_t minted =
            handle_mint(consoled.server.channel, CLIENT_RIGHTS, BADGE(number_of(&port->port), nonblock));
        if (minted < 0)
            return minted;
        *handle = (handle_t)minted;
    }
    return handle_dup(*handle, CLIENT_RIGHTS);
}

static void publish(unsigned number, struct console_port *port, const char *name)
{
    consoled.ports[number] = port;
    int64_t handle = console_open(port, false);
    int error = handle < 0 ? (int)handle : name_register(name, (handle_t)handle);
    if (error)
        driver_log("consoled: cannot register %s (error %d)", name, -error);
    else
        snprintf(port->name, sizeof port->name, "%s", name);
    if (handle >= 0)
        handle_close((handle_t)handle);
}

void console_size(struct console_port *port, unsigned rows, unsigned columns)
{
    port->rows = rows ? rows : DEFAULT_ROWS;
    port->columns = columns ? columns : DEFAULT_COLUMNS;
    if (port->port.line)
        cursor_resize(&port->port.cursor, port->rows, port->columns);
}

void console_terminal(struct console_port *port)
{
    if (consoled.ports[TERMINAL])
        return; /* there is one: the UART, after a long wait */
    /* Input that is not typed by a person, but piped in, is not echoed. */
    line_init(&consoled.line, getenv("CAIRN_PLAIN") ? CON_MODE_COOKED & ~(unsigned)CON_MODE_ECHO
                                                    : CON_MODE_COOKED);
    port_init(&port->port, &client_backend, &consoled.line);
    console_size(port, port->rows, port->columns);
    cursor_init(&port->port.cursor, port->rows, port->columns);
    keep_adopt(TERMINAL, &port->port);
    cursor_resize(&port->port.cursor, port->rows, port->columns);
    publish(TERMINAL, port, "console:");
}

void console_serial(unsigned number, struct console_port *port, const char *name)
{
    char uri[PORT_NAME_MAX];
    if (port->name[0] != '\0')
        return; /* told twice */
    if (snprintf(uri, sizeof uri, "serial:%s", name) >= (int)sizeof uri)
        return;
    publish(number, port, uri);
}

_Noreturn void console_fail(const char *what)
{
    driver_log("consoled: %s", what);
    process_exit(1);
}

void console_gone(unsigned number)
{
    struct console_port *port = consoled.ports[number];
    if (!port || number == TERMINAL || port->name[0] == '\0')
        return;
    name_unregister(port->name);
    port->name[0] = '\0';
}

/* ---- The server --------------------------------------------------------------------------- */

#define FILE_OPERATION(number)                           \
    {                                                    \
        .type = (number), .handle = console_file_request \
    }
#define TERMINAL_OPERATION(number, words)                                            \
    {                                                                                \
        .type = (number), .min_len = 8 * (words), .handle = console_terminal_request \
    }
static const struct server_operation operations[] = {
    FILE_OPERATION(FS_READ),
    FILE_OPERATION(FS_WRITE),
    FILE_OPERATION(FS_OPEN),
    FILE_OPERATION(FS_CLOSE),
    FILE_OPERATION(FS_STAT),
    FILE_OPERATION(FS_FSTAT),
    FILE_OPERATION(FS_POLL),
    FILE_OPERATION(FS_SEEK),
    FILE_OPERATION(FS_FSYNC),
    FILE_OPERATION(FS_READDIR),
    FILE_OPERATION(FS_FTRUNCATE),
    TERMINAL_OPERATION(CON_WRITE, 1),
    TERMINAL_OPERATION(CON_CLEAR, 0),
    TERMINAL_OPERATION(CON_SET_CURSOR, 2),
    TERMINAL_OPERATION(CON_GET_CURSOR, 0),
    TERMINAL_OPERATION(CON_SET_COLORS, 2),
    TERMINAL_OPERATION(CON_GET_SIZE, 0),
    TERMINAL_OPERATION(CON_SHOW_CURSOR, 0),
    TERMINAL_OPERATION(CON_HIDE_CURSOR, 0),
    TERMINAL_OPERATION(CON_SET_MODE, 1),
    TERMINAL_OPERATION(CON_GET_MODE, 0),
    TERMINAL_OPERATION(CON_SET_FOREGROUND, 0),
};

static void on_pulse(struct server *server, uint64_t bits)
{
    (void)server;
    if (bits & 1ul << SERIAL_BIT)
        serial_interrupt();
}

static void use_uart(void)
{
    int error = uart_start();
    if (error)
        driver_log("consoled: no terminal: neither virtio-serial port 0 nor sys:console (error %d)",
                   -error);
    else
        driver_log("consoled: no virtio-serial port 0; the terminal is the UART");
}

static uint64_t on_tick(struct server *server)
{
    (void)server;
    return uart_tick();
}

static bool start_serial(void)
{
    if (!serial_start)
        return false;
    for (unsigned n = 0;; n++) {
        handle_t device = start_handle(SPAWN_DEVICE, n);
        if (device < 0)
            return false;
        int error = serial_start(device, consoled.server.channel, SERIAL_BIT);
        if (!error)
            return true;
        if (error != -ENODEV)
            driver_log("consoled: device %u is no usable virtio-serial (error %d)", n, -error);
    }
}

/* Nobody is served before the device has told of port 0: whoever waited while one consoled was
 * dead would hear from the next that there is no terminal. */
static void await_terminal(void)
{
    uint64_t give_up = (uint64_t)clock_now() + TERMINAL_DEADLINE;
    for (;;) {
        serial_interrupt();
        if (serial_has_terminal())
            return;
        if ((uint64_t)clock_now() >= give_up)
            break;
        sleep_until((uint64_t)clock_now() + TERMINAL_POLL);
    }
    use_uart();
}

int main(void)
{
    consoled.server = (struct server){.channel = start_handle(SPAWN_SERVICE, 0),
                                      .operations = operations,
                                      .operation_count = sizeof operations / sizeof operations[0],
                                      .pulse = on_pulse,
                                      .tick = on_tick};
    if (consoled.server.channel < 0 || !keep_start())
        return 1;
    consoled.untaken = kept_untaken();
    consoled.foreground = kept_foreground();
    if (start_serial())
        await_terminal();
    else
        use_uart();
    return server_run(&consoled.server) < 0;
}
