/* The table of names that were looked up lately. Invariant: every entry is a record that is in
 * its directory now. */
#include "lookup_cache.h"
#include <stdbool.h>
#include <string.h>

static struct lookup_entry *entry_of(const struct lookup_cache *cache, uint32_t parent,
                                     const char *name, size_t len)
{
    uint32_t hash = parent * 2654435769u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return &cache->entries[(hash ^ hash >> 15) % LOOKUP_CACHE_SIZE];
}

uint32_t lookup_cache_find(const struct lookup_cache *cache, uint32_t parent, const char *name,
                           size_t len)
{
    if (len > LOOKUP_NAME_MAX)
        return 0;
    const struct lookup_entry *entry = entry_of(cache, parent, name, len);
    bool same = entry->parent == parent && entry->len == len && !memcmp(entry->name, name, len);
    return same ? entry->inode : 0;
}

void lookup_cache_put(struct lookup_cache *cache, uint32_t parent, const char *name, size_t len,
                      uint32_t inode)
{
    if (len > LOOKUP_NAME_MAX)
        return;
    struct lookup_entry *entry = entry_of(cache, parent, name, len);
    entry->parent = parent;
    entry->inode = inode;
    entry->len = (uint8_t)len;
    memcpy(entry->name, name, len);
}

void lookup_cache_drop(struct lookup_cache *cache, uint32_t parent, const char *name, size_t len)
{
    if (lookup_cache_find(cache, parent, name, len))
        entry_of(cache, parent, name, len)->parent = 0;
}
