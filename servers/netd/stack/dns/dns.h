/* DNS resolver: a stub that asks recursive servers (RFC 1034 5.3.1, 1035), over the stack's
 * sockets.
 *
 * Each question leaves from a random port with a random id, and only an answer that comes from
 * the server asked, to that port, with that id and that question is read at all (RFC 5452). An
 * answer that was cut off is asked for again over TCP (RFC 7766). Answers are kept for their time
 * to live, absence too (RFC 2308). As in all of the core nothing waits: the owner calls dns_poll
 * after stack_poll, at the latest at dns_deadline. */
#pragma once

#include "../address.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stack;
struct dns_resolver;

#define DNS_NAME_MAX                                                                               \
    254 /* text without the last dot, and its end (RFC 1035 2.3.4: 255 on the wire) */
#define DNS_ADDRESSES 16 /* kept of one answer */
#define DNS_SERVERS   4

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_AAAA = 28 };

/* What came of a question. error:
 *   0            there is something in addresses, or (PTR, CNAME) in name
 *   -ENOENT      the name does not exist (NXDOMAIN)
 *   -ENODATA     it does, but has nothing of this type
 *   -EAGAIN      the servers could not say (SERVFAIL and the like)
 *   -ETIMEDOUT   no server has answered
 *   -EPROTO      what they said makes no sense (a circle of aliases, for example)
 *   -ENETUNREACH no server is known
 *   -ECANCELED   the resolver is being destroyed
 * or what the last attempt to reach a server met, -ECONNREFUSED for example. */
struct dns_answer {
    int error;
    enum dns_type type;
    uint32_t ttl; /* seconds that this is true for, from now on */
    unsigned address_count;
    struct ip_address addresses[DNS_ADDRESSES];
    char name[DNS_NAME_MAX]; /* A, AAAA: the canonical name; PTR, CNAME: what was asked for */
};

struct dns_config {
    unsigned queries;       /* at once; 0 = 64 */
    unsigned cache_entries; /* 0 = 256 */
    uint64_t timeout;       /* ns for the first attempt, doubled for each round; 0 = 2 s */
    unsigned rounds;        /* how often all servers are asked; 0 = 3 */
    /* Local knowledge, as of /etc/hosts; NULL = none. hosts: puts up to max addresses of this
     * family there, and returns how many. hosts_name: the name of an address, false if not known.
     */
    unsigned (*hosts)(void *context, const char *name, enum ip_family family,
                      struct ip_address *addresses, unsigned max);
    bool (*hosts_name)(void *context, const struct ip_address *address, char name[DNS_NAME_MAX]);
    void *context;
};

struct dns_counters {
    uint64_t questions, sent, received, ignored, over_tcp, timeouts;
    uint64_t cache_hits, cache_evicted;
};

/* dns_create: NULL without memory, which is had from stack->config.allocate. dns_destroy: ends
 * all queries with -ECANCELED. */
struct dns_resolver *dns_create(struct stack *stack, const struct dns_config *config);
void dns_destroy(struct dns_resolver *resolver);

/* dns_set_servers: at most DNS_SERVERS are taken; port 0 = 53. Queries under way go on with the new
 * ones at their next attempt; the cache is emptied if they are others. domain: a name without
 * a dot is looked up in it first, then as it is; NULL or "" = none. */
void dns_set_servers(struct dns_resolver *resolver, const struct endpoint *servers, unsigned count,
                     const char *domain);

/* dns_resolve: asks for records of type about name; done is called exactly once, unless
 * dns_cancel came before: from within dns_resolve (returns 0) if the answer is known, or later
 * from dns_poll (returns an identifier > 0). Address literals, "localhost" (RFC 6761 6.3) and
 * local knowledge are answered at once. The answer is valid during the call. done may call
 * anything here but dns_poll and dns_destroy.
 *   -EINVAL: not a name, or not a type to ask for; -ENOBUFS: too many queries */
typedef void dns_done(void *context, const struct dns_answer *answer);
int dns_resolve(struct dns_resolver *resolver, const char *name, enum dns_type type, dns_done *done,
                void *context);
/* dns_reverse: the name of an address, by PTR (RFC 1035 3.5, RFC 3596 2.5). */
int dns_reverse(struct dns_resolver *resolver, const struct ip_address *address, dns_done *done,
                void *context);
void dns_cancel(struct dns_resolver *resolver, int query);

void dns_poll(struct dns_resolver *resolver, uint64_t now);
uint64_t dns_deadline(const struct dns_resolver *resolver);

void dns_flush(struct dns_resolver *resolver); /* empties the cache */
const struct dns_counters *dns_counters(const struct dns_resolver *resolver);
