/* Making an empty file system, for RAM disks. (On a real disk mke2fs does it.) */
#pragma once

#include "block_device.h"

/* ext2_make: writes an empty ext2, revision 1, 4 KiB blocks, one block group, onto a device of
 * 256 KiB to 128 MiB that reads as zeros; from 16 MiB on with a journal of 4 MiB. 0, -EINVAL for other sizes, or the device's error. */
int ext2_make(struct block_device *device, uint32_t now);
