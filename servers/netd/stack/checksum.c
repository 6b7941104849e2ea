/* The Internet checksum. The sum of 16-bit words may be taken in words of any size and in either
 * byte order, as long as the result is folded (RFC 1071 2): eight bytes at a time, in the
 * machine's own order. */
#include "checksum.h"
#include <string.h>

static uint16_t fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* With the carry taken round (RFC 1071 2 (B)). */
static uint64_t add(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

/* The last bytes, fewer than eight, as if zeros followed. */
static uint64_t tail(const uint8_t *at, size_t length)
{
    uint64_t word = 0;
    memcpy(&word, at, length);
    return word;
}

uint16_t checksum_add(uint16_t sum, const void *data, size_t length)
{
    const uint8_t *at = data;
    uint64_t total = sum;
    for (; length >= 8; length -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        total = add(total, word);
    }
    return fold(add(total, tail(at, length)));
}

uint16_t checksum_join(uint16_t a, uint16_t b) { return fold((uint64_t)a + b); }

uint16_t checksum_add_odd(uint16_t sum, const void *data, size_t length)
{
    return checksum_join(sum, __builtin_bswap16(checksum_add(0, data, length)));
}

uint16_t checksum_pseudo(const struct ip_address *source, const struct ip_address *destination,
                         uint8_t protocol, uint32_t length)
{
    const uint8_t rest[8] = {(uint8_t)(length >> 24),
                             (uint8_t)(length >> 16),
                             (uint8_t)(length >> 8),
                             (uint8_t)length,
                             0,
                             0,
                             0,
                             protocol};
    uint16_t sum = checksum_add(0, source->bytes, ip_address_size(source));
    sum = checksum_add(sum, destination->bytes, ip_address_size(destination));
    return checksum_add(sum, rest, sizeof rest);
}
