/* The disks that a file system can be on: one that blkd serves, or a piece of memory. */
#pragma once

#include "ext2/block_device.h"
#include <stdbool.h>
#include <stddef.h>

/* disk_open_block: the disk behind a URI such as block:virtio:0 (the string is kept); waits until blkd has registered
 * it, at most until deadline. disk_open_ram: size bytes, which
 * are those of the process before or zeros. 0 or -errno. */
int disk_open_block(struct block_device **out, const char *uri, uint64_t deadline);
int disk_open_ram(struct block_device **out, size_t size);

/* disk_reserve: makes room for bytes of memory that the disk's transfers reach without a copy;
 * contiguous (for DMA) or not;
 * before disk_open_block. inherited: it is that of the process before, at the same address, with
 * what it left there. 0 or -errno. disk_memory: hands out a piece of it, from the start, or NULL. */
int disk_reserve(size_t bytes, bool contiguous, bool *inherited);
void *disk_memory(size_t bytes);
