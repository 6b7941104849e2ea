/* Routers: looking for them, and believing what they advertise within bounds (RFC 4861 6.3). When a
 * table is full, what it holds stays: advertisements of a flood do not push out earlier ones. */
#include "../../link/neighbour.h"
#include "../../stack.h"
#include "../icmpv6.h"
#include "../ipv6.h"
#include "../link.h"
#include "ndp.h"

#define SECOND                    1000000000ull
#define MAX_RTR_SOLICITATIONS     3
#define RTR_SOLICITATION_INTERVAL (4 * SECOND) /* RFC 4861 10 */
#define REACHABLE_MS_MAX          3600000u     /* RFC 4861 6.2.1: the most a router may say */
/* Forged advertisements could take us off the network with extreme values that no router means
 * (RFC 3756 4.2.7). */
#define RETRANSMIT_MS_MAX 10000u
#define HOP_LIMIT_MIN     32u

/* --- solicitations --- */

void router_solicit_begin(struct netif *netif)
{
    netif->ipv6.solicitations_left = MAX_RTR_SOLICITATIONS;
    netif->ipv6.solicit_at = netif->stack->now ? netif->stack->now : 1;
    ipv6_link_schedule(netif, netif->ipv6.solicit_at);
}

static void solicit(struct netif *netif)
{
    const struct ip_send send = {.source = ipv6_link_local(netif),
                                 .destination = ipv6_all_routers,
                                 .interface = netif->index,
                                 .hop_limit = ND_HOP_LIMIT};
    struct packet *packet = packet_alloc(netif->stack->pool, PACKET_HEADROOM);
    if (!packet)
        return;
    uint8_t *at = packet_append(packet, 8 + ND_OPTION_LINK_SIZE);
    at = put_u32(at, (uint32_t)ND_ROUTER_SOLICIT << 24);
    at = put_u32(at, 0);
    nd_option_link_emit(at, ND_OPTION_SOURCE_LINK, netif->mac);
    netif->stack->counters.nd_out++;
    icmpv6_send(netif->stack, &send, packet);
}

/* --- the tables --- */

/* Sets until when an address is good, in a table of which the first count slots may be used; a
 * lifetime of 0 takes it out. */
static void set_timed(struct ipv6_timed_address *table, size_t count,
                      const struct ip_address *address, uint64_t now, uint32_t lifetime)
{
    struct ipv6_timed_address *slot = NULL;
    for (size_t i = count; i-- > 0;) {
        if (ip_equal(&table[i].address, address)) {
            slot = &table[i];
            break;
        }
        if (table[i].address.family == IP_NONE)
            slot = &table[i];
    }
    if (!slot)
        return;
    *slot = (struct ipv6_timed_address){0};
    if (lifetime)
        *slot = (struct ipv6_timed_address){*address, ipv6_lifetime_end(now, lifetime)};
}

static uint64_t expire_timed(struct ipv6_timed_address *table, size_t count, uint64_t now)
{
    uint64_t next = 0;
    for (size_t i = 0; i < count; i++) {
        if (table[i].until && table[i].until <= now)
            table[i] = (struct ipv6_timed_address){0};
        next = ipv6_earlier(next, table[i].until);
    }
    return next;
}

static void set_prefix(struct ipv6_link *link, const struct nd_prefix *prefix, uint64_t now)
{
    struct ipv6_prefix *slot = NULL;
    for (size_t i = IPV6_PREFIXES; i-- > 0;) {
        struct ipv6_prefix *p = &link->prefixes[i];
        if (p->prefix.family == IP_NONE) {
            slot = p;
        } else if (p->length == prefix->length &&
                   ip_in_prefix(&p->prefix, &prefix->prefix, p->length)) {
            slot = p;
            break;
        }
    }
    if (!slot)
        return;
    *slot = (struct ipv6_prefix){0};
    if (prefix->valid_lifetime)
        *slot = (struct ipv6_prefix){prefix->prefix, prefix->length,
                                     ipv6_lifetime_end(now, prefix->valid_lifetime)};
}

static uint64_t expire_prefixes(struct ipv6_link *link, uint64_t now)
{
    uint64_t next = 0;
    for (size_t i = 0; i < IPV6_PREFIXES; i++) {
        if (link->prefixes[i].until && link->prefixes[i].until <= now)
            link->prefixes[i] = (struct ipv6_prefix){0};
        next = ipv6_earlier(next, link->prefixes[i].until);
    }
    return next;
}

uint64_t router_run(struct netif *netif, uint64_t now)
{
    struct ipv6_link *link = &netif->ipv6;
    if (link->solicit_at && link->solicit_at <= now) {
        solicit(netif);
        link->solicit_at = --link->solicitations_left ? now + RTR_SOLICITATION_INTERVAL : 0;
    }
    uint64_t next = link->solicit_at;
    next = ipv6_earlier(next, expire_timed(link->routers, IPV6_ROUTERS, now));
    next = ipv6_earlier(next, expire_timed(link->dns_servers, IPV6_DNS_SERVERS, now));
    return ipv6_earlier(next, expire_prefixes(link, now));
}

/* --- advertisements --- */

/* The link-local prefix is not a router's to advertise (RFC 4861 6.3.4, RFC 4862 5.5.3 b). */
static void take_prefix(struct netif *netif, struct cursor data)
{
    struct nd_prefix prefix;
    if (!nd_prefix_parse(data, &prefix) || ip_is_link_local(&prefix.prefix) ||
        ip_is_multicast(&prefix.prefix))
        return;
    if (prefix.on_link)
        set_prefix(&netif->ipv6, &prefix, netif->stack->now);
    slaac_prefix(netif, &prefix);
}

/* RFC 4861 6.3.4: nothing above what the link can carry, nothing below what IPv6 needs. */
static void take_mtu(struct netif *netif, struct cursor data)
{
    cursor_u16(&data); /* reserved */
    const uint32_t mtu = cursor_u32(&data);
    if (cursor_ok(&data) && mtu >= IPV6_MTU_MIN && mtu <= netif->mtu)
        netif->ipv6_mtu = (uint16_t)mtu;
}

static void take_dns_servers(struct netif *netif, struct cursor data)
{
    cursor_u16(&data); /* reserved */
    const uint32_t lifetime = cursor_u32(&data);
    while (cursor_left(&data) >= 16) {
        const struct ip_address server = ip_v6_bytes(cursor_take(&data, 16));
        if (!ip_is_any(&server) && !ip_is_multicast(&server))
            set_timed(netif->ipv6.dns_servers, IPV6_DNS_SERVERS, &server, netif->stack->now,
                      lifetime);
    }
}

static void take_option(struct netif *netif, const struct ip_address *source,
                        const struct nd_option *option)
{
    switch (option->type) {
    case ND_OPTION_SOURCE_LINK:
        if (cursor_left(&option->data) == MAC_SIZE)
            neighbour_learn(netif, source, option->data.at);
        break;
    case ND_OPTION_PREFIX:
        take_prefix(netif, option->data);
        break;
    case ND_OPTION_MTU:
        take_mtu(netif, option->data);
        break;
    case ND_OPTION_RDNSS:
        take_dns_servers(netif, option->data);
        break;
    }
}

/* RFC 4861 6.1.2 and 6.3.4. */
bool router_advert_input(struct netif *netif, const struct ip_address *source,
                         struct cursor message)
{
    struct ipv6_link *link = &netif->ipv6;
    struct nd_router_advert advert;
    struct nd_option option;
    if (!nd_router_advert_parse(&message, &advert) || !ip_is_link_local(source) ||
        !nd_options_valid(message))
        return false;
    if (advert.hop_limit >= HOP_LIMIT_MIN)
        netif->hop_limit = advert.hop_limit;
    if (advert.reachable_ms && advert.reachable_ms <= REACHABLE_MS_MAX)
        netif->reachable_ms = advert.reachable_ms;
    if (advert.retransmit_ms && advert.retransmit_ms <= RETRANSMIT_MS_MAX)
        netif->retransmit_ms = advert.retransmit_ms;
    set_timed(link->routers, IPV6_ROUTERS, source, netif->stack->now, advert.router_lifetime);
    if (advert.router_lifetime)
        link->solicit_at = 0; /* RFC 4861 6.3.7 */
    while (nd_option_next(&message, &option))
        take_option(netif, source, &option);
    ipv6_link_schedule(netif, netif->stack->now);
    return true;
}

/* --- what came of it --- */

void router_forget(struct netif *netif, const struct ip_address *address)
{
    set_timed(netif->ipv6.routers, IPV6_ROUTERS, address, netif->stack->now, 0);
}

const struct ip_address *router_choose(const struct netif *netif)
{
    const struct ip_address *first = NULL;
    for (size_t i = 0; i < IPV6_ROUTERS; i++) {
        const struct ip_address *router = &netif->ipv6.routers[i].address;
        if (router->family == IP_NONE)
            continue;
        if (neighbour_usable(netif, router))
            return router;
        if (!first)
            first = router;
    }
    return first;
}

bool router_on_link(const struct netif *netif, const struct ip_address *destination)
{
    for (size_t i = 0; i < IPV6_PREFIXES; i++) {
        const struct ipv6_prefix *prefix = &netif->ipv6.prefixes[i];
        if (prefix->prefix.family != IP_NONE &&
            ip_in_prefix(destination, &prefix->prefix, prefix->length))
            return true;
    }
    return false;
}

size_t ipv6_dns_servers(const struct netif *netif, struct ip_address *servers, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < IPV6_DNS_SERVERS && count < max; i++)
        if (netif->ipv6.dns_servers[i].address.family != IP_NONE)
            servers[count++] = netif->ipv6.dns_servers[i].address;
    return count;
}
