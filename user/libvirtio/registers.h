/* Register layout of virtio over MMIO, version 2 (VIRTIO 1.2, 4.2.2), and how it is accessed. */
#pragma once

#include <stdint.h>

enum virtio_register {
    VIRTIO_MAGIC = 0x000, /* "virt" */
    VIRTIO_VERSION = 0x004,
    VIRTIO_DEVICE_ID = 0x008,
    VIRTIO_DEVICE_FEATURES = 0x010,
    VIRTIO_DEVICE_FEATURES_SELECT = 0x014,
    VIRTIO_DRIVER_FEATURES = 0x020,
    VIRTIO_DRIVER_FEATURES_SELECT = 0x024,
    VIRTIO_QUEUE_SELECT = 0x030,
    VIRTIO_QUEUE_SIZE_MAX = 0x034,
    VIRTIO_QUEUE_SIZE = 0x038,
    VIRTIO_QUEUE_READY = 0x044,
    VIRTIO_QUEUE_NOTIFY = 0x050,
    VIRTIO_INTERRUPT_STATUS = 0x060,
    VIRTIO_INTERRUPT_ACK = 0x064,
    VIRTIO_STATUS = 0x070,
    VIRTIO_QUEUE_DESCRIPTORS = 0x080, /* low half; the high half 4 behind, so for the next two */
    VIRTIO_QUEUE_AVAILABLE = 0x090,
    VIRTIO_QUEUE_USED = 0x0a0,
    VIRTIO_CONFIG_GENERATION = 0x0fc,
    VIRTIO_CONFIG = 0x100,
};

#define VIRTIO_MAGIC_VALUE  0x74726976u
#define VIRTIO_MMIO_VERSION 2

enum virtio_status {
    VIRTIO_STATUS_ACKNOWLEDGE = 1,
    VIRTIO_STATUS_DRIVER = 2,
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
    VIRTIO_STATUS_NEEDS_RESET = 64,
    VIRTIO_STATUS_FAILED = 128,
};

/* On the host, the test's device answers instead. */
#ifdef __riscv
static inline uint32_t register_read(uintptr_t base, unsigned offset)
{
    return *(volatile uint32_t *)(base + offset);
}
static inline void register_write(uintptr_t base, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(base + offset) = value;
}
static inline uint8_t register_read8(uintptr_t base, unsigned offset)
{
    return *(volatile uint8_t *)(base + offset);
}
#else
uint32_t register_read(uintptr_t base, unsigned offset);
void register_write(uintptr_t base, unsigned offset, uint32_t value);
uint8_t register_read8(uintptr_t base, unsigned offset);
#endif
