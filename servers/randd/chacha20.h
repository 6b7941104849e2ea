/* The ChaCha20 block function (RFC 8439, 2.3). */
#pragma once

#include <stdint.h>

#define CHACHA20_BLOCK 64 /* bytes */

/* chacha20_block: key and nonce as little-endian words. Takes the same time for all values. */
void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                    uint8_t out[CHACHA20_BLOCK]);
