/* Stateless address autoconfiguration (RFC 4862): addresses out of prefixes, and their lifetimes.
 * Interface identifiers are those of RFC 7217: the same on the same network, another one on each
 * other network, and not to be told from a random number. */
#include "../../siphash.h"
#include "../../stack.h"
#include "../layer.h"
#include "../link.h"
#include "ndp.h"
#include <string.h>

#define IDGEN_RETRIES     3 /* RFC 7217 7 */
#define TWO_HOURS         7200000000000ull
#define IDENTIFIER_PREFIX 64 /* bits; all identifiers have the other 64 (RFC 4291 2.5.1) */

/* F(Prefix, Net_Iface, DAD_Counter, secret_key) of RFC 7217 5. */
static struct ip_address stable_address(const struct netif *netif, const struct ip_address *prefix,
                                        uint8_t collisions)
{
    struct {
        uint8_t prefix[8], mac[MAC_SIZE], collisions, pad;
    } input = {.collisions = collisions};
    struct ip_address address = *prefix;
    memcpy(input.prefix, prefix->bytes, sizeof input.prefix);
    memcpy(input.mac, netif->mac, MAC_SIZE);
    const uint64_t identifier = siphash(netif->stack->ipv6->address_secret, &input, sizeof input);
    memcpy(address.bytes + 8, &identifier, sizeof identifier);
    return address;
}

static struct netif_address *make(struct netif *netif, const struct ip_address *prefix,
                                  enum netif_address_origin origin, uint8_t collisions)
{
    const struct ip_address address = stable_address(netif, prefix, collisions);
    if (netif_address_add(netif, &address, IDENTIFIER_PREFIX, origin))
        return NULL;
    struct netif_address *made = netif_address_find(netif, &address);
    made->collisions = collisions;
    return made;
}

void slaac_link_local(struct netif *netif)
{
    static const uint8_t prefix_bytes[16] = {0xfe, 0x80};
    const struct ip_address prefix = ip_v6_bytes(prefix_bytes);
    for (size_t i = 0; i < NETIF_ADDRESSES; i++)
        if (netif->addresses[i].state != ADDRESS_FREE &&
            netif->addresses[i].origin == ADDRESS_LINK_LOCAL)
            return;
    make(netif, &prefix, ADDRESS_LINK_LOCAL, 0);
}

void slaac_replace(struct netif *netif, const struct netif_address *duplicate)
{
    const enum netif_address_origin origin = duplicate->origin;
    if ((origin != ADDRESS_SLAAC && origin != ADDRESS_LINK_LOCAL) ||
        duplicate->collisions == IDGEN_RETRIES)
        return;
    struct netif_address *made =
        make(netif, &duplicate->address, origin, (uint8_t)(duplicate->collisions + 1));
    if (made) {
        made->preferred_until = duplicate->preferred_until;
        made->valid_until = duplicate->valid_until;
    }
}

/* The address made from this prefix, if there is one; how many there are from any. */
static struct netif_address *find_made(struct netif *netif, const struct ip_address *prefix,
                                       unsigned *count)
{
    struct netif_address *found = NULL;
    *count = 0;
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        struct netif_address *address = &netif->addresses[i];
        if (address->state == ADDRESS_FREE || address->origin != ADDRESS_SLAAC)
            continue;
        ++*count;
        if (ip_in_prefix(&address->address, prefix, IDENTIFIER_PREFIX))
            found = address;
    }
    return found;
}

/* RFC 4862 5.5.3 e: nobody can take an address away at once by advertising a short lifetime. */
static uint64_t extended_validity(uint64_t now, uint64_t valid_until, uint32_t lifetime)
{
    const uint64_t advertised = ipv6_lifetime_end(now, lifetime);
    const uint64_t two_hours = now + TWO_HOURS;
    if (!advertised || advertised > two_hours || (valid_until && advertised > valid_until))
        return advertised;
    if (valid_until && valid_until <= two_hours)
        return valid_until;
    return two_hours;
}

/* RFC 4862 5.5.3 a, c, d. */
void slaac_prefix(struct netif *netif, const struct nd_prefix *prefix)
{
    const uint64_t now = netif->stack->now;
    unsigned count;
    if (!prefix->autonomous || prefix->length != IDENTIFIER_PREFIX ||
        prefix->preferred_lifetime > prefix->valid_lifetime)
        return;
    struct netif_address *address = find_made(netif, &prefix->prefix, &count);
    if (address) {
        address->valid_until = extended_validity(now, address->valid_until, prefix->valid_lifetime);
    } else if (prefix->valid_lifetime && count < SLAAC_ADDRESSES) {
        address = make(netif, &prefix->prefix, ADDRESS_SLAAC, 0);
        if (address)
            address->valid_until = ipv6_lifetime_end(now, prefix->valid_lifetime);
    }
    if (address) {
        address->preferred_until = ipv6_lifetime_end(now, prefix->preferred_lifetime);
        ipv6_link_schedule(netif, now);
    }
}

/* Preferred, then deprecated, then gone (RFC 4862 5.5.4). */
uint64_t slaac_run(struct netif *netif, uint64_t now)
{
    uint64_t next = 0;
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        struct netif_address *address = &netif->addresses[i];
        if (address->state == ADDRESS_FREE || address->address.family != IP_V6)
            continue;
        if (address->valid_until && address->valid_until <= now) {
            netif_address_remove(netif, &address->address);
            continue;
        }
        const bool preferred = !address->preferred_until || address->preferred_until > now;
        if (address->state != ADDRESS_TENTATIVE)
            address->state = preferred ? ADDRESS_PREFERRED : ADDRESS_DEPRECATED;
        if (preferred)
            next = ipv6_earlier(next, address->preferred_until);
        next = ipv6_earlier(next, address->valid_until);
    }
    return next;
}
