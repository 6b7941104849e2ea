/* Records what a disk is told, in the format of the kernel's dm-log-writes, which QEMU's
 * blklogwrites has, too: the tests read both alike (grade/harness/write_log.py). */
#pragma once

#include <stdint.h>

/* record_begin: into a new file, from now on. Until then the others do nothing. */
void record_begin(const char *path);
void record_write(uint64_t offset, const void *buffer, uint32_t length);
void record_flush(void);
uint64_t record_length(void); /* of the file, bytes */
