/* What IPv6 keeps of one link: what routers have said, and when it has something to do next.
 * All tables are small and fixed: a flood of advertisements fills them and changes nothing more.
 *
 * One timer per link runs for all of Neighbor Discovery and MLD: each part has a function that does
 * what is due and says when it wants to be called again. */
#pragma once

#include "../address.h"
#include "../timer.h"

struct netif;

#define IPV6_ROUTERS     4u /* RFC 4861 6.3.4 wants two at least */
#define IPV6_PREFIXES    8u
#define IPV6_DNS_SERVERS 4u /* RFC 8106 5.3.1 wants three at least */
#define IPV6_REDIRECTS   8u

/* An address that is good until a time; family 0 = a free slot. */
struct ipv6_timed_address {
    struct ip_address address;
    uint64_t until; /* ns; 0 = for ever */
};

struct ipv6_prefix {
    struct ip_address prefix;
    uint8_t length;
    uint64_t until;
};

struct ipv6_redirect {
    struct ip_address destination, next_hop;
    uint64_t until;
};

struct ipv6_link {
    struct timer timer;
    uint64_t solicit_at; /* the next router solicitation; 0 = none */
    uint8_t solicitations_left;
    struct ipv6_timed_address routers[IPV6_ROUTERS]; /* the default router list */
    struct ipv6_prefix prefixes[IPV6_PREFIXES];      /* on the link */
    struct ipv6_redirect redirects[IPV6_REDIRECTS];
    struct ipv6_timed_address dns_servers[IPV6_DNS_SERVERS];
    uint64_t mld_report_at; /* the answer to a general query; 0 = none */
    uint64_t mld_v1_until;  /* a version 1 querier is present until then */
};

/* ipv6_link_schedule: something of this link is due at `at`, perhaps sooner than all else. */
void ipv6_link_schedule(struct netif *netif, uint64_t at);

extern const struct ip_address ipv6_all_nodes, ipv6_all_routers; /* of the link, RFC 4291 2.7.1 */

/* ipv6_link_local: our link-local address there; any if there is none that may be used yet. */
struct ip_address ipv6_link_local(const struct netif *netif);

/* The parts' share of the timer: do what is due by now, return the next time, 0 = none. */
uint64_t dad_run(struct netif *netif, uint64_t now);
uint64_t slaac_run(struct netif *netif, uint64_t now);
uint64_t router_run(struct netif *netif, uint64_t now);
uint64_t mld_run(struct netif *netif, uint64_t now);

/* ipv6_lifetime_end: when a lifetime in seconds is over, as the times above have it. */
uint64_t ipv6_lifetime_end(uint64_t now, uint32_t seconds);
/* ipv6_earlier: of two deadlines, of which 0 is none. */
static inline uint64_t ipv6_earlier(uint64_t a, uint64_t b) { return !a || (b && b < a) ? b : a; }
/* ipv6_random_delay: 0 to limit ns, so that the hosts of a link do not speak all at once. */
uint64_t ipv6_random_delay(struct netif *netif, uint64_t limit);
