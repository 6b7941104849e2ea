/* Drives virtio-serial. Receive buffers go back to the device only when the port has taken what
 * was in them: that is the flow control. Transmit buffers are sent in order, several at a time. */
#include "consoled/driver/serial.h"

#include "abi/errno.h"
#include "abi/memory.h"
#include "cairn/syscall.h"
#include "consoled/driver/serial_control.h"
#include "consoled/driver/serial_left.h"
#include "consoled/keep.h"
#include "virtio/device.h"
#include <string.h>

#define VIRTIO_CONSOLE_F_SIZE      (1ul << 0)
#define VIRTIO_CONSOLE_F_MULTIPORT (1ul << 1)
enum { CONFIG_COLUMNS = 0, CONFIG_ROWS = 2 };

#define BUFFERS       SERIAL_BUFFERS
#define BUFFER_SIZE   SERIAL_BUFFER_SIZE
#define CONTROL_QUEUE 2

struct serial_port {
    struct console_port console; /* first */
    bool exists;
    struct virtio_queue receive, transmit;
    struct serial_memory memory;
    uint8_t buffer_numbers[BUFFERS]; /* their addresses are the queues' cookies */
    uint32_t transmit_free;          /* bit per buffer */
    bool adopted;                    /* from a consoled before: */
    struct port_received left;
    struct serial_unsent unsent;
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

static unsigned number_of(const struct serial_port *port)
{
    return (unsigned)(port - serial.ports);
}

static char *buffer_at(struct serial_port *port, unsigned index)
{
    return (char *)port->memory.buffers.address + (size_t)index * BUFFER_SIZE;
}

static int queue_buffer(struct serial_port *port, struct virtio_queue *queue, unsigned index,
                        uint32_t length, bool in)
{
    struct virtqueue_segment segment = {
        port->memory.buffers.physical + (uint64_t)index * BUFFER_SIZE, length};
    return virtqueue_add(&queue->ring, &segment, !in, in, &port->buffer_numbers[index % BUFFERS]);
}

/* ---- Moving bytes ------------------------------------------------------------------------- */

/* Notes which buffers the device has finished with. */
static void collect(struct serial_port *port)
{
    struct port_received *received = &port->console.port.received;
    void *cookie;
    uint32_t length;
    int taken;
    while ((taken = virtqueue_take(&port->receive.ring, &cookie, &length)) == 1) {
        unsigned tail = (received->head + received->count++) % BUFFERS;
        received->parts[tail].buffer = *(uint8_t *)cookie;
        received->parts[tail].at = 0;
        received->parts[tail].length = length;
        received->taken++;
    }
    if (taken == 0)
        while ((taken = virtqueue_take(&port->transmit.ring, &cookie, &length)) == 1)
            port->transmit_free |= 1u << *(uint8_t *)cookie;
    if (taken < 0)
        console_fail("the serial device misbehaves");
}

/* Hands received bytes to the port; true if any moved. A buffer goes back to the device when it is
 * kept that its bytes have moved. */
static bool receive(struct serial_port *port)
{
    struct port_received *received = &port->console.port.received;
    unsigned empty[BUFFERS], empty_count = 0;
    bool moved = false;
    while (received->count > 0) {
        uint32_t buffer = received->parts[received->head].buffer;
        uint32_t at = received->parts[received->head].at;
        uint32_t length = received->parts[received->head].length;
        size_t room = port_room(&port->console.port), n = length - at;
        n = n < room ? n : room;
        received->parts[received->head].at += (uint32_t)n;
        if (n > 0) {
            port_receive(&port->console.port, buffer_at(port, buffer) + at, n);
            moved = true;
        }
        if (at + n < length)
            break;
        empty[empty_count++] = buffer;
        received->head = (received->head + 1) % BUFFERS;
        received->count--;
    }
    if (empty_count > 0)
        keep_port(number_of(port), &port->console.port);
    for (unsigned i = 0; i < empty_count; i++)
        queue_buffer(port, &port->receive, empty[i], BUFFER_SIZE, true);
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
    virtqueue_kick(&port->transmit.ring);
    port_answer(&port->console.port);
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
    keep_port(number_of(port), &port->console.port);
}

/* ---- Ports coming and going --------------------------------------------------------------- */

static void control_send(unsigned port, unsigned event, unsigned value)
{
    if (serial.multiport)
        serial_control_send(&serial.control, port, event, value);
}

/* Gives the device the buffers to receive into, but for those that hold what was received before,
 * and sends what was not sent. */
static void fill_queues(struct serial_port *port)
{
    struct port_received *received = &port->console.port.received;
    uint32_t full = 0;
    *received = port->left;
    received->active = true;
    keep_port(number_of(port), &port->console.port);
    for (unsigned i = 0; i < received->count; i++)
        full |= 1u << received->parts[(received->head + i) % BUFFERS].buffer;
    port->transmit_free = (1u << BUFFERS) - 1;
    for (unsigned i = 0; i < BUFFERS; i++) {
        port->buffer_numbers[i] = (uint8_t)i;
        if (!(full >> i & 1))
            queue_buffer(port, &port->receive, i, BUFFER_SIZE, true);
    }
    for (unsigned i = 0; i < port->unsent.count; i++) {
        uint32_t buffer = port->unsent.parts[i].buffer;
        port->transmit_free &= ~(1u << (buffer - BUFFERS));
        queue_buffer(port, &port->transmit, buffer, port->unsent.parts[i].length, false);
    }
    virtqueue_kick(&port->receive.ring);
    virtqueue_kick(&port->transmit.ring);
}

/* The first time that a port is there: its memory, and somebody to take its bytes. */
static int port_start(struct serial_port *port, unsigned number)
{
    if (!port->receive.device)
        return -ENXIO;
    if (!port->adopted) {
        int64_t error =
            dma_alloc(serial.device.handle, 2 * BUFFERS * BUFFER_SIZE, &port->memory.buffers);
        if (!error)
            error = serial_left_keep(number, &port->memory);
        if (error)
            return (int)error;
    }
    port->console.pump = pump;
    if (number == 0) {
        console_terminal(&port->console);
    } else {
        port_init(&port->console.port, &client_backend, NULL);
        keep_adopt(number, &port->console.port);
    }
    fill_queues(port);
    return 0;
}

static void port_add(unsigned number)
{
    struct serial_port *port = number < PORTS_MAX ? &serial.ports[number] : NULL;
    if (!port || (!port->console.pump && port_start(port, number) != 0)) {
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
        port->memory.receive = &port->receive.memory;
        port->memory.transmit = &port->transmit.memory;
        port->adopted =
            serial_left_adopt(&serial.device, i, &port->memory, &port->left, &port->unsent);
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
