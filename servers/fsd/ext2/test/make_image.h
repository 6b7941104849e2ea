/* A small ext2 image written by hand, with one of everything in it, for tests that damage it:
 * a fuzzer cannot call mke2fs for each input. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MADE_BLOCK  1024u
#define MADE_BLOCKS 128u
#define MADE_SIZE   (MADE_BLOCKS * MADE_BLOCK)

/* In it: /f (14 blocks, an indirect one), /d/g, /d/link -> ../f, /long (a slow link), /big (a
 * sparse file up to its triply indirect block), /many (three blocks of names), a free rest. */
void make_image(uint8_t image[MADE_SIZE]);
