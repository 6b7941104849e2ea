/* Redirects: the router that we use knows a better next hop for one destination (RFC 4861 8). */
#include "../../link/neighbour.h"
#include "../../stack.h"
#include "../link.h"
#include "ndp.h"

/* No router says how long it is true; it will say it again. */
#define REDIRECT_TIME 600000000000ull

/* Only the router that packets to the destination go to now is believed (RFC 4861 8.1); of groups
 * there is none. */
static bool from_next_hop(struct netif *netif, const struct ip_address *source,
                          const struct ip_address *destination)
{
    struct ip_route route;
    return ip_is_link_local(source) &&
           ip_route_find(netif->stack, destination, NULL, netif->index, &route) == 0 &&
           ip_equal(&route.next_hop, source);
}

static void set_redirect(struct netif *netif, const struct ip_address *destination,
                         const struct ip_address *next_hop)
{
    struct ipv6_redirect *slot = &netif->ipv6.redirects[0];
    for (size_t i = 0; i < IPV6_REDIRECTS; i++) {
        struct ipv6_redirect *redirect = &netif->ipv6.redirects[i];
        if (ip_equal(&redirect->destination, destination)) {
            slot = redirect;
            break;
        }
        if (redirect->until < slot->until)
            slot = redirect;
    }
    *slot = (struct ipv6_redirect){*destination, *next_hop, netif->stack->now + REDIRECT_TIME};
}

bool redirect_input(struct netif *netif, const struct ip_address *source, struct cursor message)
{
    struct nd_neighbor target;
    if (!nd_neighbor_parse(&message, &target))
        return false;
    const uint8_t *bytes = cursor_take(&message, 16);
    if (!bytes || !nd_options_valid(message))
        return false;
    const struct ip_address destination = ip_v6_bytes(bytes);
    const bool on_link = ip_equal(&target.target, &destination);
    if ((!on_link && !ip_is_link_local(&target.target)) ||
        !from_next_hop(netif, source, &destination))
        return false;
    const uint8_t *mac = nd_option_link(message, ND_OPTION_TARGET_LINK);
    if (mac)
        neighbour_learn(netif, &target.target, mac);
    set_redirect(netif, &destination, &target.target);
    return true;
}

const struct ip_address *redirect_next_hop(const struct netif *netif,
                                           const struct ip_address *destination)
{
    for (size_t i = 0; i < IPV6_REDIRECTS; i++) {
        const struct ipv6_redirect *redirect = &netif->ipv6.redirects[i];
        if (redirect->until > netif->stack->now && ip_equal(&redirect->destination, destination) &&
            neighbour_usable(netif, &redirect->next_hop))
            return &redirect->next_hop;
    }
    return NULL;
}
