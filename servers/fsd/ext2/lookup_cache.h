/* Names that were looked up lately: (directory, name) -> inode, so that a path costs no search.
 * A direct-mapped table; only names that exist are in it, and who removes or changes a directory
 * record drops its name here. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LOOKUP_CACHE_SIZE 512u /* a power of two */
#define LOOKUP_NAME_MAX   31u  /* longer names are not remembered */

struct lookup_entry {
    uint32_t parent; /* 0: unused */
    uint32_t inode;
    uint8_t len;
    char name[LOOKUP_NAME_MAX];
};

struct lookup_cache {
    struct lookup_entry *entries;
};

uint32_t lookup_cache_find(const struct lookup_cache *cache, uint32_t parent, const char *name,
                           size_t len); /* 0: not here */
void lookup_cache_put(struct lookup_cache *cache, uint32_t parent, const char *name, size_t len,
                      uint32_t inode);
void lookup_cache_drop(struct lookup_cache *cache, uint32_t parent, const char *name, size_t len);
