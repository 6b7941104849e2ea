/* Interfaces: the list of them, their addresses and group memberships. */
#include "../netif.h"
#include "../ip.h"
#include "../ip/igmp.h"
#include "../ip/ipv4.h"
#include "../ip6/ipv6.h"
#include "../ip6/mld.h"
#include "../stack.h"
#include "../transport.h"
#include "arp.h"
#include "ethernet.h"
#include "neighbour.h"
#include <errno.h>

static bool running(const struct netif *netif) { return netif->up && netif->link; }

static void link_up(struct netif *netif)
{
    if (netif->kind != NETIF_ETHERNET)
        return;
    ipv6_link_up(netif);
    igmp_link_up(netif);
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        if (netif->addresses[i].address.family == IP_V4)
            arp_announce(netif, &netif->addresses[i].address);
    }
}

void netif_add(struct stack *stack, struct netif *netif)
{
    struct netif **last = &stack->netifs;
    for (netif->index = 1; *last; last = &(*last)->next)
        netif->index++;
    *last = netif;
    netif->next = NULL;
    netif->stack = stack;
    if (running(netif))
        link_up(netif);
}

void netif_set_link(struct netif *netif, bool up)
{
    if (netif->link == up)
        return;
    netif->link = up;
    if (running(netif)) {
        link_up(netif);
        netif_writable(netif); /* what was refused before may be sent now */
    } else {
        neighbour_flush(netif);
        ipv6_link_down(netif);
    }
}

struct netif *netif_find(struct stack *stack, unsigned index)
{
    struct netif *netif = stack->netifs;
    while (netif && netif->index != index)
        netif = netif->next;
    return netif;
}

/* --- frames --- */

void netif_input(struct netif *netif, struct packet *frame)
{
    netif->counters.rx_packets++;
    netif->counters.rx_bytes += packet_total(frame);
    if (netif->tap)
        netif->tap(netif, frame, false);
    if (!netif->up || packet_length(frame) == 0) {
        netif->counters.rx_dropped++;
        packet_release(netif->stack->pool, frame);
    } else if (netif->kind == NETIF_ETHERNET) {
        ethernet_input(netif, frame);
    } else {
        ip_input(netif, frame);
    }
}

int netif_output(struct netif *netif, struct packet *frame)
{
    const uint32_t bytes = packet_total(frame);
    if (netif->tap)
        netif->tap(netif, frame, true);
    const int error = running(netif) ? netif->transmit(netif, frame) : -ENOBUFS;
    if (error) {
        netif->counters.tx_dropped++;
        packet_release(netif->stack->pool, frame);
        return error;
    }
    netif->counters.tx_packets++;
    netif->counters.tx_bytes += bytes;
    return 0;
}

void netif_writable(struct netif *netif) { transports_writable(netif->stack); }

/* --- addresses --- */

struct netif_address *netif_address_find(struct netif *netif, const struct ip_address *address)
{
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        struct netif_address *slot = &netif->addresses[i];
        if (slot->state != ADDRESS_FREE && ip_equal(&slot->address, address))
            return slot;
    }
    return NULL;
}

static struct netif_address *free_address(struct netif *netif)
{
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        if (netif->addresses[i].state == ADDRESS_FREE)
            return &netif->addresses[i];
    }
    return NULL;
}

int netif_address_add(struct netif *netif, const struct ip_address *address, unsigned prefix,
                      enum netif_address_origin origin)
{
    if (ip_is_any(address) || ip_is_multicast(address) || ip_is_broadcast(address) ||
        prefix > ip_address_size(address) * 8)
        return -EINVAL;
    if (netif_address_find(netif, address))
        return -EEXIST;
    struct netif_address *slot = free_address(netif);
    if (!slot)
        return -ENOSPC;
    *slot = (struct netif_address){.address = *address,
                                   .prefix = (uint8_t)prefix,
                                   .state = ADDRESS_PREFERRED,
                                   .origin = (uint8_t)origin};
    if (netif->kind != NETIF_ETHERNET)
        return 0;
    if (address->family == IP_V6) {
        slot->state = ADDRESS_TENTATIVE;
        ipv6_address_added(netif, slot);
    } else if (running(netif)) {
        arp_announce(netif, address);
    }
    return 0;
}

int netif_address_remove(struct netif *netif, const struct ip_address *address)
{
    struct netif_address *slot = netif_address_find(netif, address);
    if (!slot)
        return -EADDRNOTAVAIL;
    const struct ip_address removed = *address; /* the caller's may be the slot's */
    *slot = (struct netif_address){0};
    if (removed.family == IP_V6 && netif->kind == NETIF_ETHERNET)
        ipv6_address_removed(netif, &removed);
    return 0;
}

/* --- multicast --- */

static struct netif_group *find_group(const struct netif *netif, const struct ip_address *group)
{
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        const struct netif_group *slot = &netif->groups[i];
        if (ip_equal(&slot->address, group))
            return (struct netif_group *)slot;
    }
    return NULL;
}

/* new_group: a free slot, or one whose group is only still being left. */
static struct netif_group *new_group(struct netif *netif)
{
    struct netif_group *leaving = NULL;
    for (size_t i = 0; i < NETIF_GROUPS; i++) {
        struct netif_group *slot = &netif->groups[i];
        if (slot->address.family == IP_NONE)
            return slot;
        if (slot->members == 0)
            leaving = slot;
    }
    return leaving;
}

int netif_join(struct netif *netif, const struct ip_address *group)
{
    struct netif_group *slot = find_group(netif, group);
    if (!ip_is_multicast(group))
        return -EINVAL;
    if (!slot) {
        slot = new_group(netif);
        if (!slot)
            return -ENOSPC;
        *slot = (struct netif_group){.address = *group};
    }
    if (slot->members++ > 0 || netif->kind != NETIF_ETHERNET)
        return 0;
    if (group->family == IP_V6)
        mld_joined(netif, slot);
    else
        igmp_joined(netif, slot);
    return 0;
}

int netif_leave(struct netif *netif, const struct ip_address *group)
{
    struct netif_group *slot = find_group(netif, group);
    if (!slot || slot->members == 0)
        return -EADDRNOTAVAIL;
    if (--slot->members > 0)
        return 0;
    if (netif->kind != NETIF_ETHERNET)
        *slot = (struct netif_group){0};
    else if (slot->address.family == IP_V6)
        mld_left(netif, slot);
    else
        igmp_left(netif, slot);
    return 0;
}

bool netif_is_member(const struct netif *netif, const struct ip_address *group)
{
    const struct ip_address all_hosts = ip_v4(224, 0, 0, 1); /* RFC 1112 7.2: always */
    const struct netif_group *slot = find_group(netif, group);
    return ip_equal(group, &all_hosts) || (slot && slot->members > 0);
}
