/* A fixed piece of work on an image that may be damaged in any way. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Applies `script` to the image: each six bytes replace two bytes somewhere: offset (4, modulo the
 * size), value (2). Enough to reach any state of a small image. */
void damage_apply(uint8_t *image, size_t size, const uint8_t *script, size_t length);

/* Mounts, uses everything, unmounts. Stops the process if the core breaks its promises: lets a
 * pointer reach outside, keeps memory, leaves a buffer pinned, or goes on for ever. */
void damage_work(uint8_t *image, size_t size);
