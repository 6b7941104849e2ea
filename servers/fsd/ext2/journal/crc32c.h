/* CRC-32C (Castagnoli; RFC 3720 appendix B.4), the checksum of journals. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CRC32C_START UINT32_MAX

/* crc32c: goes on from `crc` (CRC32C_START first); the result is not inverted, as JBD2 has it. */
uint32_t crc32c(uint32_t crc, const void *data, size_t length);
