/* Memory objects and mappings: flags and limits. */
#pragma once

#include <stdint.h>

#define PAGE_SIZE 4096ul
#define PAGE_SHIFT 12

/* User addresses are [USER_BASE, USER_TOP). */
#define USER_BASE 0x1000ul
#define USER_TOP 0x3ffffff000ul

enum {
    PROT_READ = 1, /* the values of POSIX mmap */
    PROT_WRITE = 2,
    PROT_EXEC = 4, /* never together with PROT_WRITE */
};

enum memory_flags {
    MEMORY_CONTIGUOUS = 1, /* physically contiguous, populated at creation, pinned (DMA) */
};
#define MEMORY_SIZE_MAX (1ul << 30) /* bytes in one object */

struct memory_info {
    uint64_t size;      /* bytes, a multiple of PAGE_SIZE */
    uint64_t populated; /* bytes backed by a frame */
    uint64_t flags;
};
