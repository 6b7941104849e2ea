/* Numbers that an outsider must not guess: SipHash-2-4 (Aumasson and Bernstein, 2012) as the
 * pseudo-random function F of RFC 6528, and what is made from it. */
#include "tcp.h"
#include <string.h>

static inline uint64_t rotate(uint64_t x, unsigned bits) { return x << bits | x >> (64 - bits); }

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

static uint64_t little_endian(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

uint64_t siphash(const uint64_t key[2], const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    size_t left = length;
    for (; left >= 8; bytes += 8, left -= 8)
        sip_word(v, little_endian(bytes, 8));
    sip_word(v, (uint64_t)length << 56 | little_endian(bytes, left));
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ISN = M + F(localip, localport, remoteip, remoteport, secretkey), M ticking every 4 us. */
uint32_t tcp_isn(const struct tcp_layer *layer, const struct endpoint *local,
                 const struct endpoint *peer)
{
    const struct {
        struct ip_address local, peer;
        uint16_t local_port, peer_port;
    } flow = {local->address, peer->address, local->port, peer->port};
    const uint32_t m = (uint32_t)(layer->stack->now / (4 * NS_PER_US));
    return m + (uint32_t)siphash(layer->secret, &flow, sizeof flow);
}

#define ISN_STEP 128000u

uint32_t tcp_isn_beyond(uint32_t iss, uint32_t old_nxt)
{
    return seq_lt(old_nxt, iss) ? iss : old_nxt + ISN_STEP;
}

uint32_t tcp_timestamp_offset(const struct tcp_layer *layer, const struct ip_address *local,
                              const struct ip_address *peer)
{
    const struct ip_address pair[2] = {*local, *peer};
    return (uint32_t)siphash(layer->secret, pair, sizeof pair);
}
