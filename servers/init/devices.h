/* The devices of this machine, as the kernel found them. */
#pragma once

#include "abi/device.h"
#include <stddef.h>

#define DEVICES_MAX 64

/* devices_find_all: enumerates them, once. */
void devices_find_all(void);

size_t devices_count(void);

/* devices_get: the index-th, virtio devices by descending address: QEMU fills its slots from the
 * last one down, so its first drive is the first block device here. */
const struct device_info *devices_get(size_t index);
