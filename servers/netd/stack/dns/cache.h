/* The resolver's memory: answers by question, each for its time to live, in a fixed number of
 * entries; the one that has not been asked for longest makes room. */
#pragma once

#include "message.h"

struct dns_cache_entry {
    char name[DNS_NAME_MAX]; /* of the question; "" = free */
    uint64_t expires, used;  /* ns */
    struct dns_answer answer;
};

struct dns_cache {
    struct dns_cache_entry *entries; /* the resolver's memory, zeroed */
    unsigned count;
    uint64_t evicted; /* before their time */
};

/* dns_cache_find: the answer with the time to live that is left, or NULL. Valid until the next
 * call. */
const struct dns_answer *dns_cache_find(struct dns_cache *cache, const char *name,
                                        enum dns_type type, uint64_t now);
/* dns_cache_put: keeps an answer, unless its ttl is 0. */
void dns_cache_put(struct dns_cache *cache, const char *name, const struct dns_answer *answer,
                   uint64_t now);
void dns_cache_clear(struct dns_cache *cache);
