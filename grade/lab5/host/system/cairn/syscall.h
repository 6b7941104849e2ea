/* The few system calls that a disk's driver makes, as functions that command.c answers. */
#pragma once

#include "abi/device.h"
#include "abi/errno.h"
#include "abi/handle.h"
#include <stddef.h>
#include <stdint.h>

int64_t clock_now(void);
int64_t dma_alloc(handle_t device, uint64_t size, struct dma_buffer *buffer);
int64_t dma_free(handle_t device, handle_t memory);
int64_t copy_in(uint64_t token, uint64_t window, uint64_t offset, void *buffer, size_t length);
int64_t copy_out(uint64_t token, uint64_t window, uint64_t offset, const void *buffer,
                 size_t length);
