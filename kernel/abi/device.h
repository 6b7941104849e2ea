/* Device objects, as found in the device tree. */
#pragma once

#include <stdint.h>

#define DEVICE_NAME_MAX 32

/* Answer of DEVICE_ENUM. For virtio-mmio slots the kernel has read magic and device id. */
struct device_info {
    char compatible[DEVICE_NAME_MAX]; /* first "compatible" string, e.g. "virtio,mmio" */
    uint64_t base;                    /* physical address of the register window */
    uint64_t size;                    /* bytes */
    uint32_t irq;                     /* PLIC source, 0 = none */
    uint32_t virtio_id;               /* virtio device id (2 = block), 0 = none or empty slot */
    int32_t handle;                   /* DEVICE_ENUM's result: a new handle for the device */
    uint32_t pad;
};

/* Answer of DMA_ALLOC: a pinned, physically contiguous buffer mapped into the caller. */
struct dma_buffer {
    uint64_t address;  /* in the caller's address space */
    uint64_t physical; /* what the device must be told */
    uint64_t size;     /* bytes */
    int32_t memory;    /* handle of the memory object, to be shared or closed */
    uint32_t pad;
};
