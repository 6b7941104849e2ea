/* Plays the registers of virtio devices to virtio_negotiate: a line of input is one device and
 * what the driver wants of it, a line of output what came of it. */
#include "registers.h"
#include "virtio/transport.h"

#include <stdio.h>

static struct {
    uint64_t offered, accepted, refused; /* FEATURES_OK does not stay if it takes one of refused */
    uint32_t device_half, driver_half;   /* selected */
    uint32_t status;
    unsigned late; /* features written when FEATURES_OK was set already */
} device;

uint32_t register_read(uintptr_t base, unsigned offset)
{
    (void)base;
    if (offset == VIRTIO_DEVICE_FEATURES)
        return device.device_half < 2 ? (uint32_t)(device.offered >> 32 * device.device_half) : 0;
    return offset == VIRTIO_STATUS ? device.status : 0;
}

static void write_features(uint32_t value)
{
    unsigned shift = 32 * device.driver_half;
    device.late += (device.status & VIRTIO_STATUS_FEATURES_OK) != 0;
    if (device.driver_half < 2)
        device.accepted = (device.accepted & ~(0xfffffffful << shift)) | (uint64_t)value << shift;
}

static void write_status(uint32_t value)
{
    bool agreed = (device.accepted & ~device.offered) == 0 &&
                  (device.accepted & device.refused) == 0 &&
                  (device.accepted & VIRTIO_F_VERSION_1) != 0;
    device.status = agreed ? value : value & ~(uint32_t)VIRTIO_STATUS_FEATURES_OK;
}

void register_write(uintptr_t base, unsigned offset, uint32_t value)
{
    (void)base;
    if (offset == VIRTIO_DEVICE_FEATURES_SELECT)
        device.device_half = value;
    else if (offset == VIRTIO_DRIVER_FEATURES_SELECT)
        device.driver_half = value;
    else if (offset == VIRTIO_DRIVER_FEATURES)
        write_features(value);
    else if (offset == VIRTIO_STATUS)
        write_status(value);
}

uint8_t register_read8(uintptr_t base, unsigned offset)
{
    (void)base;
    (void)offset;
    return 0;
}

int main(void)
{
    unsigned long offered, wanted, refused;
    unsigned selected;
    while (scanf("%lx %lx %lx %x", &offered, &wanted, &refused, &selected) == 4) {
        device.offered = offered;
        device.refused = refused;
        device.accepted = 0;
        device.device_half = device.driver_half = selected;
        device.status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;
        device.late = 0;
        struct virtio_transport transport = {.base = 0x1000};
        int result = virtio_negotiate(&transport, wanted);
        printf("%d %lx %lx %x %u\n", result, (unsigned long)transport.features,
               (unsigned long)device.accepted, device.status, device.late);
    }
    return 0;
}
