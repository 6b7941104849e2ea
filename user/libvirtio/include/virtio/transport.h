/* The virtio-mmio transport, version 2 (VIRTIO 1.2, 4.2): reset, features, status, configuration.
 * It knows registers only, no system call; virtio/device.h puts the two together for drivers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Feature bits that belong to no device type. */
#define VIRTIO_F_INDIRECT_DESC (1ul << 28)
#define VIRTIO_F_EVENT_IDX     (1ul << 29)
#define VIRTIO_F_VERSION_1     (1ul << 32)

/* Device ids. */
enum {
    VIRTIO_ID_NET = 1,
    VIRTIO_ID_BLOCK = 2,
    VIRTIO_ID_CONSOLE = 3,
    VIRTIO_ID_ENTROPY = 4,
    VIRTIO_ID_GPU = 16,
    VIRTIO_ID_INPUT = 18,
};

enum { VIRTIO_INTERRUPT_QUEUE = 1, VIRTIO_INTERRUPT_CONFIG = 2 };

struct virtio_transport {
    uintptr_t base;    /* of the mapped registers */
    uint64_t features; /* negotiated */
};

/* virtio_probe: is there a device of this type? Resets it and says hello (ACKNOWLEDGE, DRIVER).
 * -ENODEV: other type, an empty slot, or a legacy (version 1) device; -EIO: it does not reset. */
int virtio_probe(struct virtio_transport *transport, uintptr_t base, uint32_t device_id);

/* virtio_negotiate: accepts what is both offered and wanted; VERSION_1 is always wanted and must be
 * offered. 0, or -ENOTSUP with the device marked as failed. */
int virtio_negotiate(struct virtio_transport *transport, uint64_t wanted);

/* virtio_queue_max: descriptors that the device can have in queue index, 0 = no such queue. */
uint16_t virtio_queue_max(struct virtio_transport *transport, unsigned index);

/* virtio_queue_attach: shows the device the three parts of a queue. */
void virtio_queue_attach(struct virtio_transport *transport, unsigned index, uint16_t size,
                         uint64_t descriptors, uint64_t available, uint64_t used);
void virtio_queue_notify(struct virtio_transport *transport, unsigned index);

/* virtio_go: DRIVER_OK; the device runs. */
void virtio_go(struct virtio_transport *transport);

/* virtio_reset: stops the device; once it returns 0, it touches no memory any more. -EIO. */
int virtio_reset(struct virtio_transport *transport);

/* virtio_interrupt_status: why it interrupts (VIRTIO_INTERRUPT_*), and acknowledges that. */
uint32_t virtio_interrupt_status(struct virtio_transport *transport);

/* virtio_needs_reset: the device has given up (DEVICE_NEEDS_RESET). */
bool virtio_needs_reset(struct virtio_transport *transport);

/* virtio_config_read: bytes of the device's configuration, all from one generation of it. 0, or
 * -EIO if it never stands still. */
int virtio_config_read(struct virtio_transport *transport, unsigned offset, void *buffer,
                       size_t length);
