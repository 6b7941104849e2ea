/* The resolver's memory: a few hundred entries, searched in a row. */
#include "cache.h"

#define SECOND 1000000000ull

static bool is_free(const struct dns_cache_entry *entry, uint64_t now)
{
    return entry->name[0] == '\0' || entry->expires <= now;
}

static struct dns_cache_entry *lookup(struct dns_cache *cache, const char *name, enum dns_type type)
{
    for (unsigned i = 0; i < cache->count; i++) {
        struct dns_cache_entry *entry = &cache->entries[i];
        if (entry->answer.type == type && strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

const struct dns_answer *dns_cache_find(struct dns_cache *cache, const char *name,
                                        enum dns_type type, uint64_t now)
{
    struct dns_cache_entry *entry = lookup(cache, name, type);
    if (entry == NULL || entry->expires <= now)
        return NULL;
    entry->used = now;
    entry->answer.ttl = (uint32_t)((entry->expires - now + SECOND - 1) / SECOND);
    return &entry->answer;
}

static struct dns_cache_entry *victim(struct dns_cache *cache, uint64_t now)
{
    struct dns_cache_entry *oldest = &cache->entries[0];
    for (unsigned i = 0; i < cache->count; i++) {
        struct dns_cache_entry *entry = &cache->entries[i];
        if (is_free(entry, now))
            return entry;
        if (entry->used < oldest->used)
            oldest = entry;
    }
    cache->evicted++;
    return oldest;
}

void dns_cache_put(struct dns_cache *cache, const char *name, const struct dns_answer *answer,
                   uint64_t now)
{
    if (answer->ttl == 0)
        return;
    struct dns_cache_entry *entry = lookup(cache, name, answer->type);
    if (entry == NULL)
        entry = victim(cache, now);
    memcpy(entry->name, name, strlen(name) + 1);
    entry->answer = *answer;
    entry->used = now;
    entry->expires = now + answer->ttl * SECOND;
}

void dns_cache_clear(struct dns_cache *cache)
{
    memset(cache->entries, 0, cache->count * sizeof(*cache->entries));
}
