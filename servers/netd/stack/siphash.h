/* SipHash-2-4 (Aumasson and Bernstein, 2012): a pseudo-random function of short inputs, for numbers
 * that an outsider must not be able to guess. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const void *data, size_t length);
