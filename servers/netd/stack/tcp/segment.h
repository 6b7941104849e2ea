/* A TCP segment as it came from the wire, and the options as they go there (RFC 9293 3.1). */
#pragma once

#include "../wire/tcp.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sequence numbers are compared modulo 2^32 (RFC 9293 3.4). */
static inline bool seq_lt(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }
static inline bool seq_le(uint32_t a, uint32_t b) { return (int32_t)(a - b) <= 0; }
static inline uint32_t seq_max(uint32_t a, uint32_t b) { return seq_lt(a, b) ? b : a; }
static inline uint32_t seq_min(uint32_t a, uint32_t b) { return seq_lt(a, b) ? a : b; }

/* Octets [left, right) that have arrived ahead of a gap (RFC 2018 3). */
struct sack_block {
    uint32_t left, right;
};

struct tcp_options {
    uint16_t mss;        /* 0 = not there (or nonsense) */
    bool window_scaling; /* the option was there, its shift is window_scale <= 14 */
    uint8_t window_scale;
    bool sack_permitted;
    bool timestamps;
    uint8_t sack_count;
    uint32_t ts_value, ts_echo;
    struct sack_block sack[TCP_SACK_BLOCKS];
};

struct segment {
    uint16_t source, destination; /* ports */
    uint32_t seq, ack;
    uint8_t flags;   /* enum tcp_flags */
    uint8_t header;  /* bytes */
    uint16_t window; /* as it stands there, not scaled */
    uint16_t urgent;
    uint32_t length; /* bytes of text */
    struct tcp_options options;
};

/* SEG.LEN of RFC 9293: SYN and FIN count. */
static inline uint32_t segment_span(const struct segment *segment)
{
    return segment->length + !!(segment->flags & TCP_SYN) + !!(segment->flags & TCP_FIN);
}

/* segment_header_size: what the data offset says, for the first 20 bytes; 0 if it is below 5. */
size_t segment_header_size(const uint8_t header[TCP_HEADER]);

/* segment_parse: the header is `size` bytes (segment_header_size), followed by `length` bytes of
 * text. Options that are cut off or have an impossible length end the list; those before count
 * (RFC 9293 3.2). */
void segment_parse(struct segment *segment, const uint8_t *header, size_t size, uint32_t length);

/* options_emit: writes them padded to a multiple of 4, at most TCP_OPTIONS_MAX bytes, and returns
 * how many; SACK blocks for which there is no room are left out. */
size_t options_emit(uint8_t *to, const struct tcp_options *options);
