/* Duplicate address detection: an address is tentative, and not used, until a question for it has
 * remained without an answer (RFC 4862 5.4). */
#include "../../stack.h"
#include "../link.h"
#include "ndp.h"

#define MILLISECOND   1000000ull
#define RETRANS_TIMER 1000u /* ms, RFC 4861 10 */

static uint64_t retransmit_time(const struct netif *netif)
{
    const uint32_t ms = netif->retransmit_ms;
    return (ms ? ms : RETRANS_TIMER) * MILLISECOND;
}

void dad_begin(struct netif *netif, struct netif_address *address, uint64_t delay)
{
    address->state = ADDRESS_TENTATIVE;
    address->probes = 0;
    address->probe_at = netif->stack->now + delay;
    ipv6_link_schedule(netif, address->probe_at);
}

static void succeed(struct netif *netif, struct netif_address *address)
{
    address->state = ADDRESS_PREFERRED;
    if (address->origin == ADDRESS_LINK_LOCAL)
        router_solicit_begin(netif);
}

uint64_t dad_run(struct netif *netif, uint64_t now)
{
    uint64_t next = 0;
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        struct netif_address *address = &netif->addresses[i];
        if (address->state != ADDRESS_TENTATIVE)
            continue;
        if (address->probe_at <= now && address->probes < DAD_TRANSMITS) {
            ndp_probe(netif, &address->address);
            address->probes++;
            address->probe_at = now + retransmit_time(netif);
        } else if (address->probe_at <= now) {
            succeed(netif, address);
            continue;
        }
        next = ipv6_earlier(next, address->probe_at);
    }
    return next;
}

void dad_conflict(struct netif *netif, struct netif_address *address)
{
    const struct netif_address duplicate = *address;
    netif->stack->counters.nd_duplicates++;
    if (netif->conflict)
        netif->conflict(netif, &duplicate.address);
    netif_address_remove(netif, &duplicate.address);
    slaac_replace(netif, &duplicate);
}
