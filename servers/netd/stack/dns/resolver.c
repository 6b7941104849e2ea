/* The resolver: what is asked, who waits for it, and what is known already. */
#include "resolver.h"

#include "../stack.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#define QUERIES       64u
#define CACHE_ENTRIES 256u
#define TIMEOUT       2000000000ull
#define ROUNDS        3u

/* --- making and unmaking --- */

static void release(struct dns_resolver *resolver)
{
    void (*release_memory)(void *) = resolver->stack->config.release;
    release_memory(resolver->cache.entries);
    release_memory(resolver->exchanges);
    release_memory(resolver->queries);
    release_memory(resolver);
}

struct dns_resolver *dns_create(struct stack *stack, const struct dns_config *config)
{
    struct dns_resolver *resolver = stack->config.allocate(sizeof(*resolver));
    if (resolver == NULL)
        return NULL;
    resolver->stack = stack;
    resolver->config = *config;
    if (config->queries == 0)
        resolver->config.queries = QUERIES;
    if (config->timeout == 0)
        resolver->config.timeout = TIMEOUT;
    if (config->rounds == 0)
        resolver->config.rounds = ROUNDS;
    resolver->cache.count = config->cache_entries ? config->cache_entries : CACHE_ENTRIES;

    unsigned queries = resolver->config.queries;
    resolver->queries = stack->config.allocate(queries * sizeof(struct dns_query));
    resolver->exchanges = stack->config.allocate((queries + 1) * sizeof(struct dns_exchange));
    resolver->cache.entries =
        stack->config.allocate(resolver->cache.count * sizeof(struct dns_cache_entry));
    if (!resolver->queries || !resolver->exchanges || !resolver->cache.entries) {
        release(resolver);
        return NULL;
    }
    for (unsigned i = 0; i <= queries; i++)
        resolver->exchanges[i].resolver = resolver;
    return resolver;
}

void dns_set_servers(struct dns_resolver *resolver, const struct endpoint *servers, unsigned count,
                     const char *domain)
{
    struct endpoint old[DNS_SERVERS];

    memcpy(old, resolver->servers, sizeof(old));
    memset(resolver->servers, 0, sizeof(resolver->servers));
    resolver->server_count = count < DNS_SERVERS ? count : DNS_SERVERS;
    for (unsigned i = 0; i < resolver->server_count; i++) {
        resolver->servers[i] = servers[i];
        if (servers[i].port == 0)
            resolver->servers[i].port = DNS_PORT;
    }
    if (memcmp(old, resolver->servers, sizeof(old)) != 0)
        dns_flush(resolver);
    if (domain == NULL || !dns_name_text(domain, resolver->domain))
        resolver->domain[0] = '\0';
}

void dns_flush(struct dns_resolver *resolver) { dns_cache_clear(&resolver->cache); }

const struct dns_counters *dns_counters(const struct dns_resolver *resolver)
{
    return &resolver->counters;
}

/* --- who waits --- */

static struct dns_query *find_query(struct dns_resolver *resolver, int id)
{
    for (unsigned i = 0; i < resolver->config.queries; i++)
        if (resolver->queries[i].id == id)
            return &resolver->queries[i];
    return NULL;
}

static int next_id(struct dns_resolver *resolver)
{
    do
        resolver->last_id = resolver->last_id == INT_MAX ? 1 : resolver->last_id + 1;
    while (find_query(resolver, resolver->last_id) != NULL);
    return resolver->last_id;
}

static void finish(struct dns_query *query, const struct dns_answer *answer)
{
    dns_done *done = query->done;
    query->id = 0;
    query->exchange = NULL;
    done(query->context, answer);
}

/* find_exchange: the one that asks this already, or a free one. */
static struct dns_exchange *find_exchange(struct dns_resolver *resolver, const char *name,
                                          enum dns_type type)
{
    struct dns_exchange *unused = NULL;
    for (unsigned i = 0; i <= resolver->config.queries; i++) {
        struct dns_exchange *exchange = &resolver->exchanges[i];
        if (exchange->deadline == 0)
            unused = exchange;
        else if (!exchange->over && exchange->question.type == type &&
                 strcmp(exchange->question.name, name) == 0)
            return exchange;
    }
    return unused;
}

static void join(struct dns_query *query, struct dns_exchange *exchange, const char *name)
{
    query->exchange = exchange;
    if (exchange->deadline != 0)
        return;
    memcpy(exchange->question.name, name, sizeof(exchange->question.name));
    exchange->question.type = query->type;
    dns_exchange_start(exchange);
}

/* question_name: what to ask for now; the name in our domain comes first, if it is short enough.
 */
static void question_name(struct dns_query *query, const char *domain, char name[DNS_NAME_MAX])
{
    size_t length = strlen(query->name);
    if (query->in_domain && length + 1 + strlen(domain) < DNS_NAME_MAX) {
        memcpy(name, query->name, length);
        snprintf(name + length, DNS_NAME_MAX - length, ".%s", domain);
        return;
    }
    query->in_domain = false;
    memcpy(name, query->name, sizeof(query->name));
}

/* advance: `answer` is what is known of the query's last question, or NULL before the first. Asks
 * the next one, or finishes. */
static void advance(struct dns_resolver *resolver, struct dns_query *query,
                    const struct dns_answer *answer)
{
    struct dns_answer known;
    char name[DNS_NAME_MAX];

    for (;;) {
        if (answer != NULL) {
            bool absent = answer->error == -ENOENT || answer->error == -ENODATA;
            if (!absent || !query->in_domain) {
                finish(query, answer);
                return;
            }
            query->in_domain = false;
        }
        question_name(query, resolver->domain, name);
        answer = dns_cache_find(&resolver->cache, name, query->type, resolver->now);
        if (answer == NULL) {
            join(query, find_exchange(resolver, name, query->type), name);
            return;
        }
        known = *answer; /* whom it is given to may empty the cache */
        answer = &known;
        resolver->counters.cache_hits++;
    }
}

/* start: takes a slot for a question whose name is text already. */
static int start(struct dns_resolver *resolver, const char *text, enum dns_type type,
                 bool in_domain, dns_done *done, void *context)
{
    struct dns_query *query = find_query(resolver, 0);
    if (query == NULL)
        return -ENOBUFS;
    resolver->now = resolver->stack->now;
    *query = (struct dns_query){.id = next_id(resolver),
                                .type = type,
                                .in_domain = in_domain,
                                .done = done,
                                .context = context};
    memcpy(query->name, text, strlen(text) + 1);
    int id = query->id;
    advance(resolver, query, NULL);
    query = find_query(resolver, id);
    return query != NULL ? id : 0;
}

int dns_resolve(struct dns_resolver *resolver, const char *name, enum dns_type type, dns_done *done,
                void *context)
{
    struct dns_answer answer;
    char text[DNS_NAME_MAX];

    resolver->counters.questions++;
    if (dns_local_answer(resolver, name, type, &answer)) {
        done(context, &answer);
        return 0;
    }
    if ((type != DNS_A && type != DNS_AAAA && type != DNS_PTR && type != DNS_CNAME) ||
        !dns_name_text(name, text))
        return -EINVAL;
    bool in_domain = resolver->domain[0] != '\0' && strchr(name, '.') == NULL;
    return start(resolver, text, type, in_domain, done, context);
}

int dns_reverse(struct dns_resolver *resolver, const struct ip_address *address, dns_done *done,
                void *context)
{
    struct dns_answer answer;
    char text[DNS_NAME_MAX];

    resolver->counters.questions++;
    if (address->family != IP_V4 && address->family != IP_V6)
        return -EINVAL;
    if (dns_local_name(resolver, address, &answer)) {
        done(context, &answer);
        return 0;
    }
    dns_name_reverse(address, text);
    return start(resolver, text, DNS_PTR, false, done, context);
}

static bool is_awaited(const struct dns_resolver *resolver, const struct dns_exchange *exchange)
{
    for (unsigned i = 0; i < resolver->config.queries; i++)
        if (resolver->queries[i].exchange == exchange)
            return true;
    return false;
}

void dns_cancel(struct dns_resolver *resolver, int id)
{
    struct dns_query *query = id > 0 ? find_query(resolver, id) : NULL;
    if (query == NULL)
        return;
    struct dns_exchange *exchange = query->exchange;
    query->id = 0;
    query->exchange = NULL;
    if (exchange && !exchange->over && !is_awaited(resolver, exchange))
        dns_exchange_stop(exchange);
}

void dns_destroy(struct dns_resolver *resolver)
{
    for (unsigned i = 0; i <= resolver->config.queries; i++)
        dns_exchange_stop(&resolver->exchanges[i]);
    for (unsigned i = 0; i < resolver->config.queries; i++) {
        struct dns_query *query = &resolver->queries[i];
        struct dns_answer canceled = {.error = -ECANCELED, .type = query->type};
        if (query->id != 0)
            finish(query, &canceled);
    }
    release(resolver);
}

/* --- what comes back --- */

/* deliver: to all who wait for this exchange; their callbacks may ask, and cancel, as they like. */
static void deliver(struct dns_resolver *resolver, struct dns_exchange *exchange,
                    const struct dns_answer *answer)
{
    exchange->over = true;
    dns_cache_put(&resolver->cache, exchange->question.name, answer, resolver->now);
    for (unsigned i = 0; i < resolver->config.queries; i++) {
        struct dns_query *query = &resolver->queries[i];
        if (query->exchange == exchange)
            advance(resolver, query, answer);
    }
    dns_exchange_stop(exchange);
}

void dns_poll(struct dns_resolver *resolver, uint64_t now)
{
    struct dns_answer answer;

    resolver->now = now;
    for (unsigned i = 0; i <= resolver->config.queries; i++) {
        struct dns_exchange *exchange = &resolver->exchanges[i];
        if (exchange->deadline != 0 && dns_exchange_poll(exchange, &answer))
            deliver(resolver, exchange, &answer);
    }
    resolver->counters.cache_evicted = resolver->cache.evicted;
}

uint64_t dns_deadline(const struct dns_resolver *resolver)
{
    uint64_t deadline = 0;
    for (unsigned i = 0; i <= resolver->config.queries; i++) {
        const struct dns_exchange *exchange = &resolver->exchanges[i];
        uint64_t due = exchange->ready && exchange->deadline ? 1 : exchange->deadline;
        if (due != 0 && (deadline == 0 || due < deadline))
            deadline = due;
    }
    return deadline;
}
