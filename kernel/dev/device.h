/* Devices as objects: an MMIO window and its interrupt, given to the process that drives it. */
#pragma once

#include "abi/device.h"
#include "lib/list.h"
#include "mm/object.h"
#include <stdbool.h>

struct channel;
struct process;
struct thread;

struct device {
    struct object object;
    struct device_info info;
    bool is_bus;             /* the handle for DEVICE_ENUM, not a device */
    struct process *driver;  /* who registered the interrupt; not referenced */
    struct channel *channel; /* referenced; NULL: irq_wait only */
    uint32_t bit;
    bool registered, pending; /* pending: claimed and not yet waited for */
    bool claimed;             /* not acknowledged yet */
    struct process *dma_user; /* has had DMA memory for it: reset when it dies */
    struct thread *waiter;    /* in irq_wait */
};

/* device_interrupt: a claimed interrupt; false if nobody is registered for it. */
bool device_interrupt(uint32_t irq);
