/* Drives virtio-serial. Receive buffers go back to the device only when the port has taken what
 * was in them: that is the flow control. Transmit buffers are sent in order, several at a time. */
#include "consoled/driver/serial.h"

#include "abi/errno.h"
#include "abi/memory.h"
#include "cairn/syscall.h"
#include "consoled/consoled.h"
#include "consoled/driver/serial_control.h"
#include "virtio/device.h"
#include <string.h>

#define VIRTIO_CONSOLE_F_SIZE      (1ul << 0)
#define VIRTIO_CONSOLE_F_MULTIPORT (1ul << 1)
enum { CONFIG_COLUMNS = 0, CONFIG_ROWS = 2 };

#define BUFFERS       8 /* in each direction */
#define BUFFER_SIZE   4096
#define CONTROL_QUEUE 2

/* A stretch of received bytes that the port has not taken yet. */
struct received {
    unsigned buffer;
    uint32_t at, length;
};

struct serial_port {
    struct console_port console; /* first */
    bool exists;
    struct virtio_queue receive, transmit;
    struct dma_buffer memory;          /* BUFFERS to receive, then BUFFERS to send */
    uint8_t buffer_numbers[BUFFERS];   /* their addresses are the queues' cookies */
    struct received received[BUFFERS]; /* ring */
    unsigned received_head, received_count;
    uint32_t transmit_free; /* bit per buffer */
};

static struct {
    struct virtio_device device;
    struct serial_control control;
    bool multiport;
    struct serial_port ports[PORTS_MAX];
} serial;

static unsigned queue_number(unsigned port)
{
    return port == 0 ? 0 : CONTROL_QUEUE + 2 * port; /* 5.3.2 */
}

static char *buffer_at(struct serial_port *port, unsigned index)
{
    return (char *)port->memory.address + (size_t)index * BUFFER_SIZE;
}

static int queue_buffer(struct serial_port *port, struct virtio_queue *queue, unsigned index,
                        uint32_t length, bool in)
{
    struct virtqueue_segment segment = {port->memory.physical + (uint64_t)index * BUFFER_SIZE,
                                        length};
    return virtqueue_add(&queue->ring, &segment, !in, in, &port->buffer_numbers[index % BUFFERS]);
}

/* ---- Moving bytes ------------------------------------------------------------------------- */

/* Notes which buffers the device has finished with. */
static void collect(struct serial_port *port)
{
    void *cookie;
    uint32_t length;
    int taken;
    while ((taken = virtqueue_take(&port->receive.ring, &cookie, &length)) == 1) {
        unsigned tail = (port->received_head + port->received_count++) % BUFFERS;
        port->received[tail] = (struct received){*(uint8_t *)cookie, 0, length};
    }
    if (taken == 0)
        while ((taken = virtqueue_take(&port->transmit.ring, &cookie, &length)) == 1)
            port->transmit_free |= 1u << *(uint8_t *)cookie;
    if (taken < 0)
        console_fail("the serial device misbehaves");
}

/* Hands received bytes to the port; true if any moved. */
static bool receive(struct serial_port *port)
{
    bool moved = false;
    while (port->received_count > 0) {
        struct received *r = &port->received[port->received_head];
        size_t room = port_room(&port->console.port), n = r->length - r->at;
        n = n < room ? n : room;
        if (n > 0) {
            port_receive(&port->console.port, buffer_at(port, r->buffer) + r->at, n);
            r->at += (uint32_t)n;
            moved = true;
        }
        if (r->at < r->length)
            break;
        queue_buffer(port, &port->receive, r->buffer, BUFFER_SIZE, true);
        port->received_head = (port->received_head + 1) % BUFFERS;
        port->received_count--;
    }
    return moved;
}

/* Fills free transmit buffers; true if any was. */
static bool transmit(struct serial_port *port)
{
    bool moved = false;
    while (port->transmit_free) {
        unsigned index = (unsigned)__builtin_ctz(port->transmit_free);
        size_t n = port_output(&port->console.port, buffer_at(port, BUFFERS + index), BUFFER_SIZE);
        if (n == 0)
            break;
        if (queue_buffer(port, &port->transmit, BUFFERS + index, (uint32_t)n, false) == 0)
            port->transmit_free &= ~(1u << index);
        moved = true;
    }
    return moved;
}

static void pump(struct console_port *console)
{
    struct serial_port *port = (struct serial_port *)console;
    bool moved = true;
    while (moved) {
        moved = port_work(&console->port);
        moved |= receive(port);
        moved |= transmit(port);
    }
    virtqueue_kick(&port->receive.ring);
    virtqueue_kick(&port->transmit.ring);
}

/* ---- Ports coming and going --------------------------------------------------------------- */

static void control_send(unsigned port, unsigned event, unsigned value)
{
    if (serial.multiport)
        serial_control_send(&serial.control, port, event, value);
}

/* The first time that a port is there: its memory, and somebody to take its bytes. */
static int port_start(struct serial_port *port, unsigned number)
{
    if (!port->receive.device)
        return -ENXIO;
    int64_t error = dma_alloc(serial.device.handle, 2 * BUFFERS * BUFFER_SIZE, &port->memory);
    if (error)
        return (int)error;
    port->console.pump = pump;
    if (number == 0)
        console_terminal(&port->console);
    else
        port_init(&port->console.port, &client_backend, NULL);
    for (unsigned i = 0; i < BUFFERS; i++) {
        port->buffer_numbers[i] = (uint8_t)i;
        queue_buffer(port, &port->receive, i, BUFFER_SIZE, true);
    }
    port->transmit_free = (1u << BUFFERS) - 1;
    virtqueue_kick(&port->receive.ring);
    return 0;
}

static void port_add(unsigned number)
{
    struct serial_port *port = number < PORTS_MAX ? &serial.ports[number] : NULL;
    if (!port || (!port->memory.size && port_start(port, number) != 0)) {
        control_send(number, SERIAL_PORT_READY, 0);
        return;
    }
    port->exists = true;
    control_send(number, SERIAL_PORT_READY, 1);
}

static void port_name(unsigned number, const char *name)
{
    struct serial_port *port = &serial.ports[number];
    if (number == 0)
        return; /* the terminal has its name */
    console_serial(number, &port->console, name);
    control_send(number, SERIAL_PORT_OPEN, 1);
}

static void on_control(unsigned number, unsigned event, unsigned value, const uint8_t *rest,
                       size_t length)
{
    char name[PORT_NAME_MAX];
    if (event == SERIAL_PORT_ADD) {
        port_add(number);
        return;
    }
    if (number >= PORTS_MAX || !serial.ports[number].exists)
        return;
    struct console_port *console = &serial.ports[number].console;
    switch (event) {
    case SERIAL_PORT_REMOVE:
        serial.ports[number].exists = false;
        port_hang_up(&console->port, true);
        console_gone(number);
        break;
    case SERIAL_CONSOLE_PORT:
        control_send(number, SERIAL_PORT_OPEN, 1);
        break;
    case SERIAL_PORT_OPEN:
        if (number != 0) { /* a terminal without a viewer only waits for the next */
            port_hang_up(&console->port, !value);
            pump(console);
        }
        break;
    case SERIAL_PORT_NAME:
        if (length > 0 && length < sizeof name) {
            memcpy(name, rest, length);
            name[length] = '\0';
            port_name(number, name);
        }
        break;
    case SERIAL_RESIZE:
        if (length >= 4)
            console_size(console, rest[2] | (unsigned)rest[3] << 8,
                         rest[0] | (unsigned)rest[1] << 8);
        break;
    }
}

/* ---- The device --------------------------------------------------------------------------- */

static int add_queues(void)
{
    unsigned count = serial.multiport ? PORTS_MAX : 1;
    for (unsigned i = 0; i < count; i++) {
        struct serial_port *port = &serial.ports[i];
        int error = virtio_add_queue(&serial.device, &port->receive, queue_number(i), BUFFERS);
        if (!error)
            error = virtio_add_queue(&serial.device, &port->transmit, queue_number(i) + 1, BUFFERS);
        if (error == -ENXIO && i > 0) {
            port->receive.device = NULL; /* it has fewer ports */
            break;
        }
        if (error)
            return error;
    }
    return serial.multiport
               ? serial_control_start(&serial.control, &serial.device, CONTROL_QUEUE, on_control)
               : 0;
}

static void read_size(void)
{
    uint8_t size[4]; /* columns, rows: 16 bits each */
    if (virtio_has(&serial.device, VIRTIO_CONSOLE_F_SIZE) &&
        virtio_config_read(&serial.device.transport, CONFIG_COLUMNS, size, sizeof size) == 0)
        console_size(&serial.ports[0].console, size[CONFIG_ROWS] | (unsigned)size[3] << 8,
                     size[CONFIG_COLUMNS] | (unsigned)size[1] << 8);
}

int serial_start(handle_t device, handle_t channel, unsigned bit)
{
    int error = virtio_open(&serial.device, device, VIRTIO_ID_CONSOLE);
    if (!error)
        error = virtio_start_features(&serial.device,
                                      VIRTIO_CONSOLE_F_SIZE | VIRTIO_CONSOLE_F_MULTIPORT);
    if (error)
        return error;
    serial.multiport = virtio_has(&serial.device, VIRTIO_CONSOLE_F_MULTIPORT);
    error = add_queues();
    if (!error)
        error = virtio_run(&serial.device, channel, bit);
    if (error)
        return error;
    read_size();
    if (serial.multiport) {
        serial_control_post(&serial.control);
        serial_control_send(&serial.control, 0, SERIAL_DEVICE_READY, 1);
    } else {
        port_add(0);
    }
    return 0;
}

void serial_interrupt(void)
{
    if (virtio_interrupt_begin(&serial.device) & VIRTIO_INTERRUPT_CONFIG)
        read_size();
    if (serial.multiport)
        serial_control_receive(&serial.control);
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        if (!serial.ports[i].exists)
            continue;
        collect(&serial.ports[i]);
        pump(&serial.ports[i].console);
    }
}

bool serial_has_terminal(void)
{
    return serial.ports[0].exists;
}
