/* The cache between a process and its namespace: which handle serves the names under a prefix.
 * A pure data structure; the resolver puts calls around it. */
#pragma once

#include "abi/handle.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_CACHE_ENTRIES 16
#define NAME_CACHE_TEXT 96

/* Names that start with prefix are served by handle, which is asked for head and then for what
 * follows the prefix ("home:" -> fs:root's handle, head "home/"). prefix ends behind a ':' or
 * '/', or is a whole name (exact). */
struct name_cache_entry {
    handle_t handle; /* 0 = free */
    uint32_t used;   /* the older, the sooner replaced */
    uint8_t prefix_len, head_len;
    bool exact;
    bool slashes; /* are kept behind the prefix; an alias swallows them ("home:/docs") */
    bool pinned; /* given away for keeps: the handle is never handed back to be closed */
    char prefix[NAME_CACHE_TEXT], head[NAME_CACHE_TEXT];
};
struct name_cache {
    uint32_t clock;
    struct name_cache_entry entries[NAME_CACHE_ENTRIES];
};

/* name_cache_find: the handle and, in rest (size bytes), what to ask it for. 0 if unknown,
 * -ENAMETOOLONG. */
handle_t name_cache_find(struct name_cache *cache, const char *uri, char *rest, size_t size);

/* name_cache_add: learns from an answer: uri leads to handle with this rest. deeper: longer
 * prefixes exist, so only this very name is remembered. Returns the handle that the caller has
 * to close: one that was replaced, the new one itself if it cannot be kept, or 0. */
handle_t name_cache_add(struct name_cache *cache, const char *uri, const char *rest,
                        handle_t handle, bool deeper);

/* name_cache_pin: the entry that answers for uri will not be closed while somebody may hold it. */
void name_cache_pin(struct name_cache *cache, const char *uri);

/* name_cache_drop: forgets the entry that answers for uri (NULL: any entry). Returns its handle,
 * for the caller to close; 0 if it is pinned; -ENOENT if there was none. */
handle_t name_cache_drop(struct name_cache *cache, const char *uri);
