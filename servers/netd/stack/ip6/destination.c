/* Which address of a host to try first: the rules of selection.h with what this stack would do. */
#include "../ip.h"
#include "../stack.h"
#include "selection.h"

static const struct netif_address *find_own(const struct stack *stack,
                                            const struct ip_address *address)
{
    for (struct netif *netif = stack->netifs; netif; netif = netif->next) {
        const struct netif_address *own = netif_address_find(netif, address);
        if (own)
            return own;
    }
    return NULL;
}

static struct destination_candidate candidate(struct stack *stack, const struct ip_address *address)
{
    struct destination_candidate result = {.address = *address};
    struct ip_route route;
    if (ip_route_find(stack, address, NULL, 0, &route))
        return result;
    const struct netif_address *own = find_own(stack, &route.source);
    result.source = route.source;
    if (own) {
        result.source_prefix = own->prefix;
        result.source_deprecated = own->state == ADDRESS_DEPRECATED;
    }
    return result;
}

void ip_order_destinations(struct stack *stack, struct ip_address *addresses, size_t count)
{
    struct destination_candidate candidates[IP_ORDER_MAX];
    if (count > IP_ORDER_MAX)
        count = IP_ORDER_MAX;
    for (size_t i = 0; i < count; i++)
        candidates[i] = candidate(stack, &addresses[i]);
    order_destinations(candidates, count);
    for (size_t i = 0; i < count; i++)
        addresses[i] = candidates[i].address;
}
