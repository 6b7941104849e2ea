/* IPv6 on a link: it comes up and goes down, has addresses, and a timer. */
#include "link.h"
#include "../stack.h"
#include "ipv6.h"
#include "mld.h"
#include "ndp/ndp.h"
#include <stddef.h>

#define SECOND                     1000000000ull
#define MAX_RTR_SOLICITATION_DELAY SECOND /* RFC 4861 10 */

const struct ip_address ipv6_all_nodes = {IP_V6, {0}, {0xff, 0x02, [15] = 1}};
const struct ip_address ipv6_all_routers = {IP_V6, {0}, {0xff, 0x02, [15] = 2}};

static uint64_t (*const parts[])(struct netif *netif, uint64_t now) = {
    mld_run, /* first: a group is joined before its address is asked for (RFC 4862 5.4.2) */
    dad_run,
    slaac_run,
    router_run,
};

static void run(struct timer *timer, uint64_t now)
{
    struct netif *netif = (struct netif *)((char *)timer - offsetof(struct netif, ipv6.timer));
    uint64_t next = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        next = ipv6_earlier(next, parts[i](netif, now));
    if (next)
        ipv6_link_schedule(netif, next); /* or sooner: a part may have started it already */
}

void ipv6_link_schedule(struct netif *netif, uint64_t at)
{
    struct timer *timer = &netif->ipv6.timer;
    timer->expired = run;
    if (!timer_running(timer) || at < timer->due)
        timer_start(&netif->stack->timers, timer, at);
}

uint64_t ipv6_lifetime_end(uint64_t now, uint32_t seconds)
{
    if (seconds == ND_LIFETIME_INFINITE)
        return 0;
    const uint64_t end = now + seconds * SECOND;
    return end ? end : 1;
}

uint64_t ipv6_random_delay(struct netif *netif, uint64_t limit)
{
    uint64_t number;
    netif->stack->config.random(&number, sizeof number);
    return number % (limit + 1);
}

/* Addresses from before an interruption may have been given to others: all are tested again (RFC
 * 4862 5.4), after a delay that keeps the hosts of the link from doing it all at once. */
void ipv6_link_up(struct netif *netif)
{
    const uint64_t delay = ipv6_random_delay(netif, MAX_RTR_SOLICITATION_DELAY);
    if (netif->mtu < IPV6_MTU_MIN)
        return;
    mld_link_up(netif);
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        struct netif_address *address = &netif->addresses[i];
        if (address->state != ADDRESS_FREE && address->address.family == IP_V6)
            dad_begin(netif, address, delay);
    }
    slaac_link_local(netif);
}

void ipv6_link_down(struct netif *netif)
{
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *address = &netif->addresses[i];
        if (address->state != ADDRESS_FREE && address->origin == ADDRESS_SLAAC)
            netif_address_remove(netif, &address->address);
    }
    timer_stop(&netif->stack->timers, &netif->ipv6.timer);
    netif->ipv6 = (struct ipv6_link){0};
    netif->hop_limit = 0;
    netif->ipv6_mtu = 0;
    netif->reachable_ms = netif->retransmit_ms = 0;
}

void ipv6_address_added(struct netif *netif, struct netif_address *address)
{
    const struct ip_address group = ndp_solicited_node(&address->address);
    /* Many hosts have got the same advertisement just now (RFC 4862 5.4.2). */
    const uint64_t delay =
        address->origin == ADDRESS_SLAAC ? ipv6_random_delay(netif, MAX_RTR_SOLICITATION_DELAY) : 0;
    netif_join(netif, &group); /* without a free slot the address works all the same */
    if (netif->up && netif->link)
        dad_begin(netif, address, delay);
}

void ipv6_address_removed(struct netif *netif, const struct ip_address *address)
{
    const struct ip_address group = ndp_solicited_node(address);
    netif_leave(netif, &group);
}

struct ip_address ipv6_link_local(const struct netif *netif)
{
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *address = &netif->addresses[i];
        if (address->state >= ADDRESS_PREFERRED && ip_is_link_local(&address->address) &&
            address->address.family == IP_V6)
            return address->address;
    }
    return ip_any(IP_V6);
}
