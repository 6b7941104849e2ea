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

/* exercise 7.1 */
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

typedef uint64_t __attribute__((may_alias)) word_t;

/* Words that are aligned: memory that may be at odd addresses is read byte by byte otherwise. */
static uint64_t sum_aligned(const uint8_t *at, size_t words)
{
    const word_t *word = (const void *)at;
    uint64_t total = 0;
    for (; words >= 4; words -= 4, word += 4) {
        uint64_t a = add(word[0], word[1]), b = add(word[2], word[3]);
        total = add(total, add(a, b));
    }
    while (words-- > 0)
        total = add(total, *word++);
    return total;
}

/* Up to the first aligned word the sum is taken apart; if that is an odd number of bytes, all
 * words behind it have their bytes the other way round (RFC 1071 2 (B)). */
uint16_t checksum_add(uint16_t sum, const void *data, size_t length)
{
    const uint8_t *at = data;
    size_t head = -(uintptr_t)at & 7;
    head = head < length ? head : length;
    uint64_t first = tail(at, head);
    size_t words = (length - head) / 8;
    uint64_t total = sum_aligned(at + head, words);
    total = add(total, tail(at + head + 8 * words, (length - head) % 8));
    uint16_t rest = fold(total);
    return fold(first + sum + (head & 1 ? __builtin_bswap16(rest) : rest));
}
/* end 7.1 */

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
