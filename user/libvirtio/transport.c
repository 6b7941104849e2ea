/* The virtio-mmio transport: what a driver says to a device's registers, and in which order. */
#include "virtio/transport.h"

#include "abi/errno.h"
#include "registers.h"

#define RESET_TRIES  100000
#define CONFIG_TRIES 100

static uint32_t get(struct virtio_transport *transport, unsigned offset)
{
    return register_read(transport->base, offset);
}

static void set(struct virtio_transport *transport, unsigned offset, uint32_t value)
{
    register_write(transport->base, offset, value);
}

static void add_status(struct virtio_transport *transport, uint32_t bits)
{
    set(transport, VIRTIO_STATUS, get(transport, VIRTIO_STATUS) | bits);
}

int virtio_reset(struct virtio_transport *transport)
{
    set(transport, VIRTIO_STATUS, 0);
    for (unsigned i = 0; i < RESET_TRIES; i++)
        if (get(transport, VIRTIO_STATUS) == 0)
            return 0;
    return -EIO;
}

int virtio_probe(struct virtio_transport *transport, uintptr_t base, uint32_t device_id)
{
    *transport = (struct virtio_transport){.base = base};
    if (get(transport, VIRTIO_MAGIC) != VIRTIO_MAGIC_VALUE ||
        get(transport, VIRTIO_VERSION) != VIRTIO_MMIO_VERSION ||
        get(transport, VIRTIO_DEVICE_ID) != device_id)
        return -ENODEV;
    int error = virtio_reset(transport);
    if (error)
        return error;
    add_status(transport, VIRTIO_STATUS_ACKNOWLEDGE);
    add_status(transport, VIRTIO_STATUS_DRIVER);
    return 0;
}

/* exercise 5.1 */
int virtio_negotiate(struct virtio_transport *transport, uint64_t wanted)
{
    uint64_t offered = 0;
    wanted |= VIRTIO_F_VERSION_1;
    for (unsigned half = 0; half < 2; half++) {
        set(transport, VIRTIO_DEVICE_FEATURES_SELECT, half);
        offered |= (uint64_t)get(transport, VIRTIO_DEVICE_FEATURES) << (32 * half);
    }
    transport->features = offered & wanted;
    if (!(transport->features & VIRTIO_F_VERSION_1))
        goto failed;
    for (unsigned half = 0; half < 2; half++) {
        set(transport, VIRTIO_DRIVER_FEATURES_SELECT, half);
        set(transport, VIRTIO_DRIVER_FEATURES, (uint32_t)(transport->features >> (32 * half)));
    }
    add_status(transport, VIRTIO_STATUS_FEATURES_OK);
    if (get(transport, VIRTIO_STATUS) & VIRTIO_STATUS_FEATURES_OK)
        return 0;
failed:
    add_status(transport, VIRTIO_STATUS_FAILED);
    return -ENOTSUP;
}
/* end 5.1 */

uint16_t virtio_queue_max(struct virtio_transport *transport, unsigned index)
{
    set(transport, VIRTIO_QUEUE_SELECT, index);
    uint32_t max = get(transport, VIRTIO_QUEUE_SIZE_MAX);
    return max > 32768 ? 32768 : (uint16_t)max;
}

static void set_address(struct virtio_transport *transport, unsigned offset, uint64_t physical)
{
    set(transport, offset, (uint32_t)physical);
    set(transport, offset + 4, (uint32_t)(physical >> 32));
}

void virtio_queue_attach(struct virtio_transport *transport, unsigned index, uint16_t size,
                         uint64_t descriptors, uint64_t available, uint64_t used)
{
    set(transport, VIRTIO_QUEUE_SELECT, index);
    set(transport, VIRTIO_QUEUE_SIZE, size);
    set_address(transport, VIRTIO_QUEUE_DESCRIPTORS, descriptors);
    set_address(transport, VIRTIO_QUEUE_AVAILABLE, available);
    set_address(transport, VIRTIO_QUEUE_USED, used);
    set(transport, VIRTIO_QUEUE_READY, 1);
}

void virtio_queue_notify(struct virtio_transport *transport, unsigned index)
{
    set(transport, VIRTIO_QUEUE_NOTIFY, index);
}

void virtio_go(struct virtio_transport *transport)
{
    add_status(transport, VIRTIO_STATUS_DRIVER_OK);
}

uint32_t virtio_interrupt_status(struct virtio_transport *transport)
{
    uint32_t status = get(transport, VIRTIO_INTERRUPT_STATUS);
    if (status)
        set(transport, VIRTIO_INTERRUPT_ACK, status);
    return status;
}

bool virtio_needs_reset(struct virtio_transport *transport)
{
    return get(transport, VIRTIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET;
}

/* The fields have different widths, but a device must allow access by bytes to any of them; the
 * generation tells whether two bytes belong together (2.5.1). */
int virtio_config_read(struct virtio_transport *transport, unsigned offset, void *buffer,
                       size_t length)
{
    uint8_t *bytes = buffer;
    for (unsigned tries = 0; tries < CONFIG_TRIES; tries++) {
        uint32_t before = get(transport, VIRTIO_CONFIG_GENERATION);
        for (size_t i = 0; i < length; i++)
            bytes[i] = register_read8(transport->base, VIRTIO_CONFIG + offset + (unsigned)i);
        if (get(transport, VIRTIO_CONFIG_GENERATION) == before)
            return 0;
    }
    return -EIO;
}
