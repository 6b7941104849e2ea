/* The Internet checksum (RFC 1071): ones' complement sums of 16-bit words. */
#pragma once

#include "address.h"
#include <stddef.h>
#include <stdint.h>

/* checksum_add: the sum (not inverted) of data added to sum. Data at an odd offset of the whole
 * is summed by checksum_add_odd. */
uint16_t checksum_add(uint16_t sum, const void *data, size_t length);
uint16_t checksum_add_odd(uint16_t sum, const void *data, size_t length);
uint16_t checksum_join(uint16_t a, uint16_t b);

/* checksum_pseudo: the sum of the pseudo-header (RFC 9293 3.1, RFC 8200 8.1). */
uint16_t checksum_pseudo(const struct ip_address *source, const struct ip_address *destination,
                         uint8_t protocol, uint32_t length);

/* The field's value, as it stands in memory: sums are kept in memory order, so a result is
 * stored with memcpy, without swapping. */
static inline uint16_t checksum_finish(uint16_t sum) { return (uint16_t)~sum; }
