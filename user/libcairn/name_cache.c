/* The cache of resolved prefixes. Invariant: an entry's prefix ends at a segment border, so that
 * "fs:root:" never answers for "fs:rootkit:". */
#include "cairn/name_cache.h"

#include "abi/errno.h"
#include <string.h>

static bool is_border(char c)
{
    return c == ':' || c == '/';
}

static bool matches(const struct name_cache_entry *e, const char *uri, size_t len)
{
    if (e->handle == 0 || e->prefix_len > len || (e->exact && e->prefix_len != len))
        return false;
    if (uri[e->prefix_len] == '/' && !e->slashes)
        return false; /* the name server knows what becomes of it */
    return memcmp(e->prefix, uri, e->prefix_len) == 0;
}

/* The longest prefix wins, as in the name server. */
static struct name_cache_entry *best_match(struct name_cache *cache, const char *uri)
{
    struct name_cache_entry *best = NULL;
    size_t len = strlen(uri);
    for (size_t i = 0; i < NAME_CACHE_ENTRIES; i++) {
        struct name_cache_entry *e = &cache->entries[i];
        if (matches(e, uri, len) && (!best || e->prefix_len > best->prefix_len))
            best = e;
    }
    return best;
}

handle_t name_cache_find(struct name_cache *cache, const char *uri, char *rest, size_t size)
{
    struct name_cache_entry *e = best_match(cache, uri);
    if (!e)
        return 0;
    size_t tail = strlen(uri) - e->prefix_len;
    if (e->head_len + tail >= size)
        return -ENAMETOOLONG;
    memcpy(rest, e->head, e->head_len);
    memcpy(rest + e->head_len, uri + e->prefix_len, tail + 1);
    e->used = ++cache->clock;
    return e->handle;
}

/* How much of uri's end stands unchanged at the end of rest, counted from a segment's start in
 * both: what precedes it is the prefix, and the head that an alias may have put before it. */
static size_t common_tail(const char *uri, size_t len, const char *rest, size_t rest_len)
{
    size_t same = 0, tail = 0;
    while (same < len && same < rest_len && uri[len - 1 - same] == rest[rest_len - 1 - same]) {
        same++;
        bool starts_in_uri = same < len && is_border(uri[len - 1 - same]);
        bool starts_in_rest = same == rest_len || is_border(rest[rest_len - 1 - same]);
        if (starts_in_uri && starts_in_rest)
            tail = same;
    }
    return tail;
}

static struct name_cache_entry *slot_for(struct name_cache *cache)
{
    struct name_cache_entry *oldest = &cache->entries[0];
    for (size_t i = 0; i < NAME_CACHE_ENTRIES; i++) {
        struct name_cache_entry *e = &cache->entries[i];
        if (e->handle == 0)
            return e;
        if ((int32_t)(e->used - oldest->used) < 0)
            oldest = e;
    }
    return oldest;
}

handle_t name_cache_add(struct name_cache *cache, const char *uri, const char *rest,
                        handle_t handle, bool deeper)
{
    size_t len = strlen(uri), rest_len = strlen(rest);
    if (len == 0)
        return handle;
    size_t tail = common_tail(uri, len, rest, rest_len);
    bool exact = deeper || !is_border(uri[len - tail - 1]);
    if (exact)
        tail = 0;
    size_t prefix_len = len - tail, head_len = rest_len - tail;
    if (prefix_len > NAME_CACHE_TEXT || head_len > NAME_CACHE_TEXT)
        return handle;

    struct name_cache_entry *e = slot_for(cache);
    handle_t replaced = e->pinned ? 0 : e->handle;
    e->handle = handle;
    e->used = ++cache->clock;
    e->exact = exact;
    e->slashes = tail > 0 && uri[prefix_len] == '/';
    e->pinned = false;
    e->prefix_len = (uint8_t)prefix_len;
    e->head_len = (uint8_t)head_len;
    memcpy(e->prefix, uri, prefix_len);
    memcpy(e->head, rest, head_len);
    return replaced;
}

void name_cache_pin(struct name_cache *cache, const char *uri)
{
    struct name_cache_entry *e = best_match(cache, uri);
    if (e)
        e->pinned = true;
}

handle_t name_cache_drop(struct name_cache *cache, const char *uri)
{
    struct name_cache_entry *e = NULL;
    if (uri)
        e = best_match(cache, uri);
    else
        for (size_t i = 0; i < NAME_CACHE_ENTRIES && !e; i++)
            if (cache->entries[i].handle)
                e = &cache->entries[i];
    if (!e)
        return -ENOENT;
    handle_t handle = e->pinned ? 0 : e->handle;
    e->handle = 0;
    return handle;
}
