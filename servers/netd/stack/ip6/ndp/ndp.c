/* Neighbor solicitations and advertisements (RFC 4861 7.2), and what all messages of Neighbor
 * Discovery must fulfil. */
#include "ndp.h"
#include "../../link/neighbour.h"
#include "../../stack.h"
#include "../icmpv6.h"
#include "../link.h"

/* --- output --- */

struct ip_address ndp_solicited_node(const struct ip_address *target)
{
    const uint8_t *b = target->bytes;
    return ip_v6_bytes((const uint8_t[16]){0xff, 0x02, [11] = 1, 0xff, b[13], b[14], b[15]});
}

/* An empty link-layer address option is none: who has no address to be answered at must not give
 * one (RFC 4861 4.3). */
static void send(struct netif *netif, const struct ip_send *send, enum icmpv6_type type,
                 const struct nd_neighbor *neighbor, enum nd_option_type option)
{
    const bool with_option = !ip_is_any(&send->source);
    struct packet *packet = packet_alloc(netif->stack->pool, PACKET_HEADROOM);
    if (!packet)
        return;
    uint8_t *at = packet_append(packet, ND_NEIGHBOR_SIZE + (with_option ? ND_OPTION_LINK_SIZE : 0));
    at = nd_neighbor_emit(at, type, neighbor);
    if (with_option)
        nd_option_link_emit(at, option, netif->mac);
    netif->stack->counters.nd_out++;
    icmpv6_send(netif->stack, send, packet);
}

/* The source is that of the packet that waits if it is ours on this link, so that the neighbour
 * learns at once the address that it will answer to (RFC 4861 7.2.2). */
void ndp_solicit(struct netif *netif, const struct ip_address *target,
                 const struct ip_address *source, const uint8_t *mac)
{
    const struct nd_neighbor neighbor = {.target = *target};
    const struct ip_send request = {
        .source = netif_address_find(netif, source) ? *source : ipv6_link_local(netif),
        .destination = mac ? *target : ndp_solicited_node(target),
        .interface = netif->index,
        .hop_limit = ND_HOP_LIMIT,
    };
    if (!ip_is_any(&request.source))
        send(netif, &request, ND_NEIGHBOR_SOLICIT, &neighbor, ND_OPTION_SOURCE_LINK);
}

void ndp_probe(struct netif *netif, const struct ip_address *target)
{
    const struct nd_neighbor neighbor = {.target = *target};
    const struct ip_send request = {
        .source = ip_any(IP_V6),
        .destination = ndp_solicited_node(target),
        .interface = netif->index,
        .hop_limit = ND_HOP_LIMIT,
        .unspecified_source = true,
    };
    send(netif, &request, ND_NEIGHBOR_SOLICIT, &neighbor, ND_OPTION_SOURCE_LINK);
}

/* RFC 4861 7.2.4. Who asked from the unspecified address is testing the target for itself, and
 * must be told through the group of all nodes. */
static void advertise(struct netif *netif, const struct ip_address *target,
                      const struct ip_address *to)
{
    const bool asked_from_address = !ip_is_any(to);
    const struct nd_neighbor neighbor = {
        .flags = ND_OVERRIDE | (asked_from_address ? ND_SOLICITED : 0), .target = *target};
    const struct ip_send answer = {
        .source = *target,
        .destination = asked_from_address ? *to : ipv6_all_nodes,
        .interface = netif->index,
        .hop_limit = ND_HOP_LIMIT,
    };
    send(netif, &answer, ND_NEIGHBOR_ADVERT, &neighbor, ND_OPTION_TARGET_LINK);
}

/* --- input --- */

static bool is_solicited_node(const struct ip_address *address)
{
    const struct ip_address group = ndp_solicited_node(address);
    return ip_equal(&group, address);
}

/* RFC 4861 7.1.1 and 7.2.3, RFC 4862 5.4.3. */
static bool solicit_input(struct netif *netif, const struct ip_received *ip, struct cursor message)
{
    const bool from_nowhere = ip_is_any(&ip->source);
    struct nd_neighbor neighbor;
    if (!nd_neighbor_parse(&message, &neighbor) || ip_is_multicast(&neighbor.target) ||
        !nd_options_valid(message))
        return false;
    const uint8_t *mac = nd_option_link(message, ND_OPTION_SOURCE_LINK);
    if (from_nowhere && (mac || !is_solicited_node(&ip->destination)))
        return false;
    struct netif_address *ours = netif_address_find(netif, &neighbor.target);
    if (!ours)
        return true;
    if (ours->state == ADDRESS_TENTATIVE) {
        if (from_nowhere)
            dad_conflict(netif, ours);
        return true;
    }
    if (mac)
        neighbour_learn(netif, &ip->source, mac);
    advertise(netif, &neighbor.target, &ip->source);
    return true;
}

/* RFC 4861 7.1.2 and 7.2.5, RFC 4862 5.4.4. */
static bool advert_input(struct netif *netif, const struct ip_received *ip, struct cursor message)
{
    struct nd_neighbor neighbor;
    if (!nd_neighbor_parse(&message, &neighbor) || ip_is_multicast(&neighbor.target) ||
        (ip->multicast && neighbor.flags & ND_SOLICITED) || !nd_options_valid(message))
        return false;
    struct netif_address *ours = netif_address_find(netif, &neighbor.target);
    if (ours) {
        if (ours->state == ADDRESS_TENTATIVE)
            dad_conflict(netif, ours);
        else if (netif->conflict) /* ours it stays */
            netif->conflict(netif, &neighbor.target);
        return true;
    }
    const bool known = neighbour_advertised(
        netif, &neighbor.target, nd_option_link(message, ND_OPTION_TARGET_LINK),
        neighbor.flags & ND_SOLICITED, neighbor.flags & ND_OVERRIDE);
    if (known && !(neighbor.flags & ND_ROUTER))
        router_forget(netif, &neighbor.target);
    return known;
}

void ndp_input(struct stack *stack, const struct ip_received *ip, uint8_t type, uint8_t code,
               struct cursor message)
{
    struct netif *netif = ip->netif;
    bool valid = false;
    stack->counters.nd_in++;
    if (netif->kind == NETIF_ETHERNET && ip->hop_limit == ND_HOP_LIMIT && code == 0) {
        switch (type) {
        case ND_ROUTER_ADVERT:
            valid = router_advert_input(netif, &ip->source, message);
            break;
        case ND_NEIGHBOR_SOLICIT:
            valid = solicit_input(netif, ip, message);
            break;
        case ND_NEIGHBOR_ADVERT:
            valid = advert_input(netif, ip, message);
            break;
        case ND_REDIRECT:
            valid = redirect_input(netif, &ip->source, message);
            break;
        default: /* solicitations are for routers */
            valid = true;
        }
    }
    if (!valid)
        stack->counters.nd_ignored++;
}
