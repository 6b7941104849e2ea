/* ARP: answers, asks, and notices who else holds an address of ours. Believed is only what answers
 * a question of ours, or changes nothing that is in use (neighbour_update). */
#include "arp.h"
#include "../ip.h"
#include "../netif.h"
#include "../stack.h"
#include "../wire/arp.h"
#include "ethernet.h"
#include "neighbour.h"
#include <string.h>

#define SECOND          1000000000ull
#define PROBE_TIME      (4 * SECOND)  /* RFC 5227 1.1: PROBE_MAX and ANNOUNCE_WAIT */
#define DEFEND_INTERVAL (10 * SECOND) /* RFC 5227 1.1 */

static void send(struct netif *netif, const struct arp *arp, const uint8_t destination[MAC_SIZE])
{
    struct packet *packet = packet_alloc(netif->stack->pool, PACKET_HEADROOM);
    if (!packet)
        return;
    arp_emit(packet_append(packet, ARP_SIZE), arp);
    netif->stack->counters.arp_out++;
    ethernet_output(netif, destination, ETHERTYPE_ARP, packet);
}

static void request(struct netif *netif, const struct ip_address *sender,
                    const struct ip_address *target, const uint8_t *mac)
{
    struct arp arp = {.operation = ARP_REQUEST, .sender = *sender, .target = *target};
    memcpy(arp.sender_mac, netif->mac, MAC_SIZE);
    send(netif, &arp, mac ? mac : ethernet_broadcast);
}

/* The address to ask from: the one that the answer is for, if it is this interface's (RFC 826 knows
 * one only); else one in the target's network. */
static struct ip_address sender_for(struct netif *netif, const struct ip_address *target,
                                    const struct ip_address *source)
{
    struct ip_address sender = ip_any(IP_V4);
    if (netif_address_find(netif, source))
        return *source;
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *own = &netif->addresses[i];
        if (own->state == ADDRESS_FREE || own->address.family != IP_V4)
            continue;
        if (ip_in_prefix(target, &own->address, own->prefix))
            return own->address;
        if (ip_is_any(&sender))
            sender = own->address;
    }
    return sender;
}

void arp_solicit(struct netif *netif, const struct ip_address *target,
                 const struct ip_address *source, const uint8_t *mac)
{
    const struct ip_address sender = sender_for(netif, target, source);
    request(netif, &sender, target, mac);
}

void arp_probe(struct netif *netif, const struct ip_address *address)
{
    const struct ip_address nobody = ip_any(IP_V4);
    netif->arp_probed = *address;
    netif->arp_probed_until = netif->stack->now + PROBE_TIME;
    request(netif, &nobody, address, NULL);
}

void arp_announce(struct netif *netif, const struct ip_address *address)
{
    request(netif, address, address, NULL);
}

static void answer(struct netif *netif, const struct arp *asked)
{
    struct arp arp = {.operation = ARP_REPLY, .sender = asked->target, .target = asked->sender};
    memcpy(arp.sender_mac, netif->mac, MAC_SIZE);
    memcpy(arp.target_mac, asked->sender_mac, MAC_SIZE);
    send(netif, &arp, asked->sender_mac);
}

/* plausible: no sender has a group address, or ours. */
static bool plausible(const struct netif *netif, const struct arp *arp)
{
    return !(arp->sender_mac[0] & 1) && memcmp(arp->sender_mac, netif->mac, MAC_SIZE) != 0 &&
           !ip_is_multicast(&arp->sender) && !ip_is_broadcast(&arp->sender) &&
           !ip_is_loopback(&arp->sender);
}

/* RFC 5227 2.4 (b): the address is defended by announcing it, once in a while; the owner is told.
 */
static void defend(struct netif *netif, const struct ip_address *address)
{
    const uint64_t now = netif->stack->now;
    if (!netif->arp_defended || now - netif->arp_defended >= DEFEND_INTERVAL) {
        netif->arp_defended = now;
        arp_announce(netif, address);
    }
    if (netif->conflict)
        netif->conflict(netif, address);
}

/* detect_conflict: the sender holds an address that is ours, or holds or probes for one that we
 * probe for (RFC 5227 2.1.1, 2.4). Such a sender is not learned from. */
static bool detect_conflict(struct netif *netif, const struct arp *arp)
{
    const bool probe = ip_is_any(&arp->sender);
    if (netif->stack->now < netif->arp_probed_until &&
        ip_equal(probe ? &arp->target : &arp->sender, &netif->arp_probed)) {
        netif->arp_probed_until = 0;
        if (netif->conflict)
            netif->conflict(netif, &netif->arp_probed);
        return true;
    }
    if (probe || !netif_address_find(netif, &arp->sender))
        return false;
    defend(netif, &arp->sender);
    return true;
}

static bool on_link(const struct netif *netif, const struct ip_address *address)
{
    for (size_t i = 0; i < NETIF_ADDRESSES; i++) {
        const struct netif_address *own = &netif->addresses[i];
        if (own->state != ADDRESS_FREE && ip_in_prefix(address, &own->address, own->prefix))
            return true;
    }
    return false;
}

/* exercise 7.3 */
/* learn: RFC 826's "packet reception", without belief in what nobody asked for. */
static bool learn(struct netif *netif, const struct arp *arp, bool for_us)
{
    if (ip_is_any(&arp->sender) || !on_link(netif, &arp->sender))
        return false;
    if (arp->operation == ARP_REPLY && for_us)
        return neighbour_advertised(netif, &arp->sender, arp->sender_mac, true, false);
    if (neighbour_update(netif, &arp->sender, arp->sender_mac))
        return true;
    if (!for_us)
        return false;
    neighbour_learn(netif, &arp->sender, arp->sender_mac);
    return true;
}

static void process(struct netif *netif, const struct arp *arp)
{
    struct stack_counters *counters = &netif->stack->counters;
    const bool for_us = netif_address_find(netif, &arp->target) != NULL;
    const bool asked = arp->operation == ARP_REQUEST && for_us;
    if (!plausible(netif, arp) || detect_conflict(netif, arp)) {
        counters->arp_ignored++;
        return;
    }
    const bool learned = learn(netif, arp, for_us);
    if (asked)
        answer(netif, arp);
    else if (!learned)
        counters->arp_ignored++;
}
/* end 7.3 */

void arp_input(struct netif *netif, struct packet *packet)
{
    struct cursor cursor = cursor_over(packet_bytes(packet), packet_length(packet));
    struct arp arp;
    netif->stack->counters.arp_in++;
    if (arp_parse(&cursor, &arp))
        process(netif, &arp);
    else
        netif->stack->counters.arp_ignored++;
    packet_release(netif->stack->pool, packet);
}
